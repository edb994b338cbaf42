#ifndef PGC_CLI_COMMAND_H
#define PGC_CLI_COMMAND_H
/* One table per command: parser, --help, --show-config, man page and shell completion come from it.
 *
 * Recipe: a new command
 *   1. a struct of settings, all fields plain C types;
 *   2. an option table that points into it by offsetof;
 *   3. enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err);
 *   4. a struct pgc_command; programs list them (see bin/pgc-ready.c). Then a case in tests/cli/ and prose in man/.
 *
 *     struct settings { char *level; int64_t wait_ms; bool json; };
 *     static const struct pgc_option options[] = {
 *         { "level", 'l', PGC_OPT_CHOICE, offsetof(struct settings, level), "query", "how much must work",
 *           .choices = "tcp ping auth query" },
 *         { "wait", 'w', PGC_OPT_DURATION, offsetof(struct settings, wait_ms), "0", "wait up to TIME", .value = "TIME" },
 *         { "json", 0, PGC_OPT_FLAG, offsetof(struct settings, json), NULL, "print the result as JSON" },
 *     };
 *
 * Types and what the field is: FLAG bool; STRING/CHOICE char * (owned by the parser, NULL when unset);
 * INT int64_t; DURATION int64_t in milliseconds ("90s", "5m", "1h30m", "250ms"; a bare number is seconds);
 * SIZE uint64_t in bytes ("16MB" = 16*1024*1024); LIST struct pgc_strings (option may be repeated;
 * from the environment: separated by commas); SECRET char *: never on the command line, only from NAME or NAME_FILE.
 *
 * Precedence: command line > environment PGC_<VERB>_<OPTION> (or `env` of the option) > the same with _FILE > default.
 * NAME and NAME_FILE both set is PGC_E_USAGE. --help, --version, --show-config, --log-level and --log-format exist everywhere.
 * `--` ends the options; what remains is cli->args. */
#include <pgc/runtime.h>
#include <stddef.h>
#include <stdio.h>

#include "base/array.h"

enum pgc_option_type {
    PGC_OPT_FLAG,
    PGC_OPT_STRING,
    PGC_OPT_CHOICE,
    PGC_OPT_INT,
    PGC_OPT_DURATION,
    PGC_OPT_SIZE,
    PGC_OPT_LIST,
    PGC_OPT_SECRET,
};

struct pgc_option {
    const char *name; /* long name without dashes */
    char letter;      /* 0: none */
    enum pgc_option_type type;
    size_t offset;
    const char *def; /* default as text, NULL: unset */
    const char *help;
    const char *value;   /* name of the value in help ("FILE"); NULL: from the type */
    const char *env;     /* environment name; NULL: PGC_<VERB>_<OPTION>; "": none */
    const char *choices; /* CHOICE: words separated by blanks */
    bool optional_value; /* --name or --name=VALUE; without value `implied` is used */
    const char *implied;
    bool secret_url; /* the path may be a secret: --show-config shows scheme and host */
};

struct pgc_cli {
    const struct pgc_runtime *rt;
    struct pgc_strings args; /* positional arguments */
    bool has_separator;      /* `--` was given; args from separator_at on came after it */
    size_t separator_at;
    FILE *out;       /* results */
    int exit_status; /* what the program ends with when run returns PGC_OK (default 0) */
    const struct pgc_command *command;
};

struct pgc_command {
    const char *name;        /* "ready", "up" */
    const char *summary;     /* one line, lower case, no full stop */
    const char *args;        /* "DIR..." for the usage line; NULL: takes no positional arguments */
    const char *description; /* paragraphs for --help and the man page, may be NULL */
    const char *examples;    /* lines "command  # what it does", may be NULL */
    const struct pgc_option *options;
    size_t option_count;
    size_t settings_size;
    enum pgc_code (*run)(struct pgc_cli *cli, void *settings, struct pgc_error *err);
    /* Subcommands: a command either runs or has these (NULL-terminated). */
    const struct pgc_command *const *commands;
    bool hidden;
};

/* main() of a program: parses, runs, prints "pgc-ready: message" on failure, returns the exit status.
 * `path` is the program's name in messages and help ("pgc-backup"); `version` is printed by --version. */
int pgc_cli_main(const struct pgc_command *root, int argc, char **argv);

/* Shared option rows for the connection: -d/--dbname (URI, conninfo or name), -h, -p, -U. Put into the settings struct as
 * `struct pgc_connection_settings connection;` and the rows into the table by PGC_CONNECTION_OPTIONS(struct settings, connection). */
struct pgc_connection_settings {
    char *dbname;
    char *host;
    char *port;
    char *user;
    char *password; /* PGPASSWORD, PGPASSWORD_FILE, POSTGRES_PASSWORD(_FILE); never on the command line */
};
#define PGC_CONNECTION_OPTIONS(type, field)                                                                              \
    { "dbname",                                                                                                          \
      'd',                                                                                                               \
      PGC_OPT_STRING,                                                                                                    \
      offsetof(type, field) + offsetof(struct pgc_connection_settings, dbname),                                          \
      NULL,                                                                                                              \
      "database name, URI or conninfo string (DATABASE_URL)",                                                            \
      .value = "NAME",                                                                                                   \
      .env = "" },                                                                                                       \
        { "host",         'h',                                                                                           \
          PGC_OPT_STRING, offsetof(type, field) + offsetof(struct pgc_connection_settings, host),                        \
          NULL,           "server host or socket folder",                                                                \
          .env = "" },                                                                                                   \
        { "port", 'p',           PGC_OPT_STRING, offsetof(type, field) + offsetof(struct pgc_connection_settings, port), \
          NULL,   "server port", .env = "" },                                                                            \
        { "username",                                                                                                    \
          'U',                                                                                                           \
          PGC_OPT_STRING,                                                                                                \
          offsetof(type, field) + offsetof(struct pgc_connection_settings, user),                                        \
          NULL,                                                                                                          \
          "user name",                                                                                                   \
          .value = "NAME",                                                                                               \
          .env = "" },                                                                                                   \
    {                                                                                                                    \
        "connection-password", 0, PGC_OPT_SECRET,                                                                        \
            offsetof(type, field) + offsetof(struct pgc_connection_settings, password), NULL, NULL, .env = ""            \
    }
/* (The last row is hidden and set by nobody: by it the parser wipes the password at the end.)
 * Resolves the settings against the environment: option > DATABASE_URL(_FILE) > PG*(_FILE) > POSTGRES_USER/PASSWORD/DB(_FILE).
 * After it the fields are what pgc_conn_options wants; NULL fields are left to libpq. */
PGC_MUST_USE enum pgc_code pgc_connection_resolve(struct pgc_connection_settings *connection, struct pgc_error *err);
#endif
