#ifndef PGC_MIGRATE_DIALECT_LEDGER_H
#define PGC_MIGRATE_DIALECT_LEDGER_H
/* SQL for the ledgers of other tools, made of the templates in struct pgc_dialect_ledger. Pure.
 *
 * Words in braces become values; all but the first four are literals ('it''s', or null):
 *   {table}       "public"."schema_migrations"          {schema}      "public"
 *   {table_pk}    the table's name with _pk, an identifier   {table_s_idx} the same with _s_idx
 *   {version} {name} {file} {checksum} {header}   fields of the migration (file without the folder "committed/")
 *   {kind}        versioned, repeatable or baseline
 *   {previous}    the version that is newest once the migration is out of the database; null: none is left
 *   {count}       how many statements the script has      {statements}  those, an array of text
 *   {tool}        "pgc 0.1.0" */
#include "migrate/dialect.h"

void pgc_ledger_foreign_create(struct pgc_buf *sql, const struct pgc_dialect_ledger *ledger,
                               const struct pgc_ledger_place *place, const struct pgc_migration_set *set);
/* Columns that a later release of the old tool added; nothing where the table has them, or is still to be made. */
void pgc_ledger_foreign_upgrade(struct pgc_buf *sql, const struct pgc_dialect_ledger *ledger,
                                const struct pgc_ledger_place *place);
/* One select with exactly the eight columns of struct pgc_dialect_ledger's `read`, in that order. */
void pgc_ledger_foreign_read(struct pgc_buf *sql, const struct pgc_dialect_ledger *ledger,
                             const struct pgc_ledger_place *place);

struct pgc_ledger_entry {
    const struct pgc_dialect_ledger *ledger;
    const struct pgc_ledger_place *place;
    const struct pgc_migration *migration;
    const char *previous;
    const char *tool_version;
};
void pgc_ledger_foreign_up(struct pgc_buf *sql, const struct pgc_ledger_entry *entry);
void pgc_ledger_foreign_down(struct pgc_buf *sql, const struct pgc_ledger_entry *entry);
/* Writes nothing for ledgers without checksums. */
void pgc_ledger_foreign_accept(struct pgc_buf *sql, const struct pgc_ledger_entry *entry);
/* The old tool's advisory keys; 0: it takes no lock. */
size_t pgc_ledger_foreign_keys(const struct pgc_dialect_ledger *ledger, const struct pgc_ledger_place *place,
                               int64_t keys[PGC_LEDGER_KEYS_MAX]);
#endif
