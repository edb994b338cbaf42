/* pgc sql: scripts for psql, looked at and run without psql. */
#include "cli/command.h"
#include "parts/parts.h"

static const struct pgc_command *const commands[] = { &pgc_cmd_sql_split, NULL };

static const struct pgc_command root = {
    .name = "pgc-sql",
    .summary = "run scripts written for psql, without psql",
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&root, argc, argv);
}
