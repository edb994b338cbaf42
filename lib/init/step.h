#ifndef PGC_INIT_STEP_H
#define PGC_INIT_STEP_H
/* What a folder of init scripts asks for: an ordered list of steps. Reading folders needs no server.
 *
 * The types are those of docker-entrypoint-initdb.d: .sql, .sql.gz, .sql.xz, .sql.zst, executable .sh (run) and other .sh
 * (sourced); names are matched case-sensitively, hidden names are never seen, everything else is ignored with a message.
 * Beyond that contract: archives of pg_dump (custom format files by their magic "PGDMP", folders with a toc.dat) and .csv
 * files (table named by the file: "20_orders.csv" and "20_shop.orders.csv" fill orders and shop.orders). */
#include <pgc/error.h>

#include "base/array.h"
#include "base/buf.h"

enum pgc_init_kind {
    PGC_INIT_SQL,
    PGC_INIT_SQL_GZ,
    PGC_INIT_SQL_XZ,
    PGC_INIT_SQL_ZST,
    PGC_INIT_SH_EXECUTED,
    PGC_INIT_SH_SOURCED,
    PGC_INIT_ARCHIVE,
    PGC_INIT_CSV,
    PGC_INIT_IGNORED,
};

/* When a step that was done before runs again. */
enum pgc_init_rerun { PGC_INIT_RERUN_NEVER, PGC_INIT_RERUN_CHANGED, PGC_INIT_RERUN_ALWAYS };

struct pgc_init_step {
    char *path; /* as opened: DIR/name */
    char *name; /* below its folder, "/" between parts: what messages and the ledger call it */
    char sha256
        [65]; /* of the file's bytes (of names and bytes of all files of an archive folder); "" for ignored ones */
    enum pgc_init_kind kind;
    enum pgc_init_rerun rerun;
};

struct pgc_init_steps {
    struct pgc_init_step *items;
    size_t count, cap;
    struct pgc_strings warnings; /* about the order */
};
#define PGC_INIT_STEPS_INIT                                                                                            \
    { NULL, 0, 0, PGC_STRINGS_INIT }

struct pgc_init_scan {
    bool recursive;
    enum pgc_init_rerun rerun; /* for names that do not say their own */
};

/* Adds the steps of one folder, in byte order of their names. A folder that cannot be read is an error before anything runs.
 * A file name may say its own policy behind its number: "10.always_x.sql", "10.changed_x.sql", "10.never_x.sql"; a folder
 * named always, changed or never says it for what is in it (when recursive). */
PGC_MUST_USE enum pgc_code pgc_init_scan_folder(const char *folder, const struct pgc_init_scan *options,
                                                struct pgc_init_steps *steps, struct pgc_error *err);
void pgc_init_steps_release(struct pgc_init_steps *steps);

/* "psql", "executed", "sourced", "pg_restore", "copy", "ignored". */
const char *pgc_init_kind_how(enum pgc_init_kind kind);
const char *pgc_init_rerun_name(enum pgc_init_rerun rerun);
PGC_MUST_USE bool pgc_init_rerun_parse(const char *text, size_t len, enum pgc_init_rerun *rerun);
#endif
