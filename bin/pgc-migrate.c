/* pgc migrate: schema migrations. The commands are in bin/parts/migrate_*.c. */
#include "parts/parts.h"

static const struct pgc_command *const commands[] = {
    &pgc_cmd_migrate_up,       &pgc_cmd_migrate_down,   &pgc_cmd_migrate_redo,     &pgc_cmd_migrate_goto,
    &pgc_cmd_migrate_plan,     &pgc_cmd_migrate_status, &pgc_cmd_migrate_new,      &pgc_cmd_migrate_hash,
    &pgc_cmd_migrate_validate, &pgc_cmd_migrate_repair, &pgc_cmd_migrate_baseline, &pgc_cmd_migrate_mark,
    &pgc_cmd_migrate_history,  &pgc_cmd_migrate_split,  &pgc_cmd_migrate_adopt,    &pgc_cmd_migrate_dump,
    &pgc_cmd_migrate_squash,   &pgc_cmd_migrate_create, &pgc_cmd_migrate_drop,     NULL,
};

static const struct pgc_command root = {
    .name = "pgc-migrate",
    .summary = "schema migrations for PostgreSQL",
    .description = "Applies the SQL files of a folder, each once, each in its own transaction together with its row in "
                   "the ledger (table migrations in schema pgc). Files are named YYYYMMDDHHMMSS_name.sql (any leading "
                   "digits) and hold '-- migrate:up' and '-- migrate:down' sections; without these a file is all up. "
                   "'-- migrate:up transaction:false' runs it outside a transaction, '-- pgc:requires VERSION|NAME' "
                   "orders it behind another, R__name.sql or '-- migrate:repeatable' runs it whenever it has changed. "
                   "before_all.sql, before_each.sql, after_each.sql, after_versioned.sql, after_all.sql and "
                   "after_error.sql are hooks. Folders of other tools are read as they are (--format).",
    .examples = "pgc migrate new create_users  # makes migrations/20260131120000_create_users.sql\n"
                "pgc migrate up -d postgres://localhost/app  # applies what is pending\n"
                "pgc migrate plan --offline --json  # what an empty database would get\n"
                "pgc migrate down --count 2  # reverts the two newest",
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&root, argc, argv);
}
