/* pgc sql: scripts for psql, looked at and run without psql. Called psql, it is psql for scripts. */
#include <string.h>

#include "cli/command.h"
#include "parts/parts.h"

static const struct pgc_command *const commands[] = { &pgc_cmd_sql_run, &pgc_cmd_sql_split, NULL };

static const struct pgc_command root = {
    .name = "pgc-sql",
    .summary = "run scripts written for psql, without psql",
    .commands = commands,
};

/* Options that the option table answers itself. */
static bool asks_the_table(int argc, char **argv) {
    static const char *const words[] = { "--help", "--version", "--show-config", "--generate" };
    for (int i = 1; i < argc; i++)
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
            if (strncmp(argv[i], words[w], strlen(words[w])) == 0)
                return true;
    return false;
}

int main(int argc, char **argv) {
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    bool applet = strcmp(name, "psql") == 0;
    if (applet && !asks_the_table(argc, argv))
        return pgc_psql_main(argc, argv, true);
    if (!applet && argc > 1 && strcmp(argv[1], "run") == 0 && !asks_the_table(argc, argv))
        return pgc_psql_main(argc - 1, argv + 1, false);
    return pgc_cli_main(&root, argc, argv);
}
