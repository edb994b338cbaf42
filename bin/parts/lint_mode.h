#ifndef PGC_PARTS_LINT_MODE_H
#define PGC_PARTS_LINT_MODE_H
/* Is a file of a migrations folder run in a transaction? What its own text says lint knows; here is what the folder says: its
 * format, and the files beside it (Flyway's .conf, diesel's metadata.toml).
 *
 *     PGC_CLEANUP(lint_modes_release) struct lint_modes modes = { 0 };
 *     code = lint_modes_add(&modes, "migrations", err);
 *     options.transaction = lint_mode_of(&modes, "migrations/V1__a.sql"); */
#include "migrate/dialect.h"
#include <pgc/lint.h>

struct lint_modes {
    struct lint_mode_folder {
        const char *dir; /* borrowed */
        struct pgc_folder folder;
        const struct pgc_dialect *dialect;
    } * items;
    size_t count, cap;
};

/* Reads a folder and finds out its format; one that looks like none, or like two, counts as the native one. */
PGC_MUST_USE enum pgc_code lint_modes_add(struct lint_modes *modes, const char *dir, struct pgc_error *err);
/* PGC_LINT_TX_AUTO for a file that is in none of the folders. */
enum pgc_lint_transaction lint_mode_of(const struct lint_modes *modes, const char *path);
void lint_modes_release(struct lint_modes *modes);
#endif
