#ifndef PGC_MIGRATE_ANNOTATED_H
#define PGC_MIGRATE_ANNOTATED_H
/* Files whose comments say where statements begin and end: goose's `-- +goose Up`, sql-migrate's `-- +migrate Up`. Pure.
 *
 * Annotations (letters compare without case): Up and Down (sql-migrate: with the option notransaction), StatementBegin, StatementEnd,
 * goose alone: NO TRANSACTION (the whole file), ENVSUB ON, ENVSUB OFF. Outside of StatementBegin and StatementEnd a statement ends with a
 * line whose last word before any word that begins with -- ends with a semicolon. Comments and empty lines in front of a
 * statement are dropped, those inside are kept. */
#include "migrate/dialect.h"

struct pgc_annotated_rules {
    const char *tag; /* "+goose" */
    bool goose;
};

extern const struct pgc_annotated_rules pgc_annotated_goose, pgc_annotated_sqlmigrate;

struct pgc_annotated_statement {
    char *text;
    size_t line; /* of its first byte, from 1 */
    size_t end_line;
    bool down;
    bool block; /* from StatementBegin and StatementEnd */
};

struct pgc_annotated {
    struct pgc_annotated_statement *items;
    size_t count, cap;
    bool up_no_tx, down_no_tx;
    size_t tx_line;
};
#define PGC_ANNOTATED_INIT                                                                                             \
    { 0 }

/* PGC_E_DATA "path:line: what" for anything out of place: text before Up, Down first, two Ups, a statement that does not end. */
PGC_MUST_USE enum pgc_code pgc_annotated_parse(const struct pgc_folder_file *file,
                                               const struct pgc_annotated_rules *rules,
                                               const struct pgc_dialect_options *options, struct pgc_annotated *out,
                                               struct pgc_error *err);
void pgc_annotated_release(struct pgc_annotated *annotated);
/* The statements of one direction as a script in which every one stands on its own line of the file. */
PGC_MUST_USE enum pgc_code pgc_annotated_script(const struct pgc_annotated *annotated,
                                                const struct pgc_folder_file *file, bool down,
                                                struct pgc_migration_script *script, struct pgc_error *err);

/* Both scripts of a migration. One without Down goes down all the same: nothing is run, as both tools do it. */
PGC_MUST_USE enum pgc_code pgc_annotated_fill(struct pgc_migration *migration, const struct pgc_folder_file *file,
                                              const struct pgc_annotated_rules *rules,
                                              const struct pgc_dialect_options *options, struct pgc_error *err);

/* ${VAR} $VAR ${VAR:-default} ${VAR-default} ${VAR?message}; \$ is a dollar sign. */
PGC_MUST_USE enum pgc_code pgc_annotated_substitute(const char *line, size_t len,
                                                    const struct pgc_dialect_options *options, struct pgc_buf *out,
                                                    struct pgc_error *err);
#endif
