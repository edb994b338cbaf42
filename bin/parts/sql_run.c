/* pgc sql run, and the applet psql: scripts run as psql would. The options are psql's, and their order counts (-c and -f are
 * done in turn), so the line is read here by getopt; the table below it serves help, man page and completion, and gives
 * getopt its names. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/fd.h"
#include "io/file.h"
#include "os/process.h"
#include "parts.h"
#include "script/runner.h"

struct run_settings {
    struct pgc_connection_settings connection;
    struct pgc_strings commands, files, variables, psets;
    char *field_separator, *record_separator, *output, *log_file;
    bool quiet, no_align, tuples_only, expanded, csv, no_psqlrc, no_password, password_prompt, single_transaction,
        echo_all, echo_errors, echo_queries, echo_hidden, no_readline, single_line, single_step, html, allow_shell,
        pipeline, list;
};

#define AT(field) offsetof(struct run_settings, field)
#define ROW(name, letter, type, field, ...)                                                                            \
    { name, letter, type, AT(field), NULL, __VA_ARGS__, .env = "" }
static const struct pgc_option run_options[] = {
    ROW("file", 'f', PGC_OPT_LIST, files, "run FILE (- for standard input)", .value = "FILE"),
    ROW("command", 'c', PGC_OPT_LIST, commands, "run one SQL string or meta-command", .value = "TEXT"),
    ROW("variable", 'v', PGC_OPT_LIST, variables, "set a variable (also --set)", .value = "NAME=VALUE"),
    PGC_CONNECTION_OPTIONS(struct run_settings, connection),
    ROW("list", 'l', PGC_OPT_FLAG, list, "list the databases"),
    ROW("single-transaction", '1', PGC_OPT_FLAG, single_transaction, "all of it in one transaction"),
    ROW("quiet", 'q', PGC_OPT_FLAG, quiet, "no command tags, only query output"),
    ROW("no-align", 'A', PGC_OPT_FLAG, no_align, "unaligned output"),
    ROW("tuples-only", 't', PGC_OPT_FLAG, tuples_only, "rows only, no headers"),
    ROW("expanded", 'x', PGC_OPT_FLAG, expanded, "one line per field"),
    ROW("csv", 0, PGC_OPT_FLAG, csv, "CSV output"),
    ROW("field-separator", 'F', PGC_OPT_STRING, field_separator, "between fields of unaligned output", .value = "TEXT"),
    ROW("record-separator", 'R', PGC_OPT_STRING, record_separator, "between rows of unaligned output", .value = "TEXT"),
    ROW("pset", 'P', PGC_OPT_LIST, psets, "as \\pset", .value = "NAME[=VALUE]"),
    ROW("output", 'o', PGC_OPT_STRING, output, "query results to FILE", .value = "FILE"),
    ROW("log-file", 'L', PGC_OPT_STRING, log_file, "accepted, not written", .value = "FILE"),
    ROW("echo-all", 'a', PGC_OPT_FLAG, echo_all, "print every line of the script"),
    ROW("echo-errors", 'b', PGC_OPT_FLAG, echo_errors, "print failed statements"),
    ROW("echo-queries", 'e', PGC_OPT_FLAG, echo_queries, "print statements as they are sent"),
    ROW("echo-hidden", 'E', PGC_OPT_FLAG, echo_hidden, "accepted"),
    ROW("no-psqlrc", 'X', PGC_OPT_FLAG, no_psqlrc, "accepted: no start-up file is read anyway"),
    ROW("no-password", 'w', PGC_OPT_FLAG, no_password, "accepted: no password is asked for anyway"),
    ROW("password", 'W', PGC_OPT_FLAG, password_prompt, "accepted: see -w"),
    ROW("no-readline", 'n', PGC_OPT_FLAG, no_readline, "accepted"),
    ROW("single-line", 'S', PGC_OPT_FLAG, single_line, "accepted"),
    ROW("single-step", 's', PGC_OPT_FLAG, single_step, "accepted"),
    ROW("html", 'H', PGC_OPT_FLAG, html, "accepted"),
    ROW("allow-shell", 0, PGC_OPT_FLAG, allow_shell, "run \\!, backquotes, PROGRAM and |command by a shell"),
    ROW("pipeline", 0, PGC_OPT_FLAG, pipeline,
        "queue statements without waiting for each answer; one transaction (-1), no query output"),
};
#define ROW_COUNT (sizeof run_options / sizeof run_options[0])
enum { LONG_SET = ROW_COUNT + 1000, LONG_IGNORED };

struct action {
    char kind; /* c or f */
    const char *text;
};

/* psql -l, as psql 15 prints it. */
static const char list_databases[] =
    "select datname as \"Name\", pg_catalog.pg_get_userbyid(datdba) as \"Owner\", "
    "pg_catalog.pg_encoding_to_char(encoding) as \"Encoding\", datcollate as \"Collate\", datctype as \"Ctype\", case "
    "when pg_catalog.cardinality(datacl) = 0 then '(none)' else pg_catalog.array_to_string(datacl, E'\\n') end as "
    "\"Access privileges\" from pg_catalog.pg_database order by 1";

struct call {
    struct run_settings settings;
    bool applet;
    struct pgc_strings variables; /* names and values in turn */
    struct action actions[256];
    size_t action_count;
};

/* --- reading the line ------------------------------------------------------------------------------------ */

static bool takes_value(const struct pgc_option *row) {
    return row->type != PGC_OPT_FLAG;
}

static void build_getopt(struct option *longs, char *shorts) {
    size_t n = 0, s = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (run_options[i].type == PGC_OPT_SECRET)
            continue;
        longs[n++] = (struct option) { run_options[i].name, takes_value(&run_options[i]), NULL, 1000 + (int)i };
        if (run_options[i].letter != 0) {
            shorts[s++] = run_options[i].letter;
            if (takes_value(&run_options[i]))
                shorts[s++] = ':';
        }
    }
    longs[n++] = (struct option) { "set", 1, NULL, LONG_SET };
    longs[n++] = (struct option) { "log-level", 1, NULL, LONG_IGNORED };
    longs[n++] = (struct option) { "log-format", 1, NULL, LONG_IGNORED };
    longs[n] = (struct option) { 0 };
    shorts[s] = '\0';
}

static enum pgc_code add_variable(struct call *call, const char *text, struct pgc_error *err) {
    const char *equal = strchr(text, '=');
    enum pgc_code code =
        pgc_strings_addf(&call->variables, err, "%.*s", (int)(equal != NULL ? equal - text : (long)strlen(text)), text);
    /* -v NAME unsets; an unset variable is one that was never set, but for the special ones */
    return code != PGC_OK ? code : pgc_strings_add(&call->variables, equal != NULL ? equal + 1 : "", err);
}

static enum pgc_code take_row(struct call *call, const struct pgc_option *row, const char *value,
                              struct pgc_error *err) {
    void *field = (char *)&call->settings + row->offset;
    if (row->offset == AT(files) || row->offset == AT(commands)) {
        if (call->action_count == sizeof call->actions / sizeof call->actions[0])
            return pgc_fail(err, PGC_E_USAGE, "more than %zu -c and -f", call->action_count);
        call->actions[call->action_count++] = (struct action) { row->letter, value };
        return PGC_OK;
    }
    if (row->offset == AT(variables))
        return add_variable(call, value, err);
    if (row->type == PGC_OPT_LIST)
        return pgc_strings_add(field, value, err);
    if (row->type == PGC_OPT_FLAG) {
        *(bool *)field = true;
        if (row->offset == AT(list))
            call->actions[call->action_count++] = (struct action) { 'c', list_databases };
        return call->action_count < sizeof call->actions / sizeof call->actions[0]
                   ? PGC_OK
                   : pgc_fail(err, PGC_E_USAGE, "more than %zu -c and -f", call->action_count);
    }
    free(*(char **)field);
    *(char **)field = strdup(value);
    return *(char **)field != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static const struct pgc_option *row_of(int option) {
    if (option >= 1000)
        return &run_options[option - 1000];
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (run_options[i].letter == option)
            return &run_options[i];
    return NULL;
}

static enum pgc_code read_line(struct call *call, int argc, char **argv, struct pgc_error *err) {
    struct option longs[ROW_COUNT + 4];
    char shorts[3 * ROW_COUNT];
    build_getopt(longs, shorts);
    int option;
    enum pgc_code code = PGC_OK;
    while (code == PGC_OK && (option = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct pgc_option *row = option == LONG_SET || option == LONG_IGNORED ? NULL : row_of(option);
        if (option == LONG_SET)
            code = add_variable(call, optarg, err);
        else if (option != LONG_IGNORED && (option == '?' || row == NULL))
            return pgc_fail(err, PGC_E_USAGE, "%s", "");
        else if (row != NULL)
            code = take_row(call, row, optarg, err);
    }
    struct pgc_connection_settings *c = &call->settings.connection;
    if (call->settings.list && c->dbname == NULL && optind >= argc)
        c->dbname = strdup("postgres");
    for (; code == PGC_OK && optind < argc; optind++) {
        char **slot = c->dbname == NULL ? &c->dbname : c->user == NULL ? &c->user : NULL;
        if (slot == NULL)
            fprintf(stderr, "psql: warning: extra command-line argument \"%s\" ignored\n", argv[optind]);
        else
            *slot = strdup(argv[optind]);
    }
    return code;
}

/* --- running ----------------------------------------------------------------------------------------------- */

static void to_stderr(void *arg, const char *text) {
    (void)arg;
    fputs(text, stderr);
}

static enum pgc_code set(struct pgc_script *script, const char *name, const char *value, struct pgc_error *err) {
    return pgc_script_set(script, name, value, err);
}

/* What the options say about output, in the script's own terms. */
static enum pgc_code prepare(struct call *call, struct pgc_script *script, struct pgc_error *err) {
    const struct run_settings *s = &call->settings;
    const char *echo = s->echo_all ? "all" : s->echo_queries ? "queries" : s->echo_errors ? "errors" : NULL;
    enum pgc_code code = echo != NULL ? set(script, "ECHO", echo, err) : PGC_OK;
    const struct {
        bool given;
        const char *name, *value;
    } looks[] = { { s->no_align, "format", "unaligned" },
                  { s->csv, "format", "csv" },
                  { s->tuples_only, "tuples_only", "on" },
                  { s->expanded, "expanded", "on" },
                  { s->field_separator != NULL, "fieldsep", s->field_separator },
                  { s->record_separator != NULL, "recordsep", s->record_separator } };
    for (size_t i = 0; code == PGC_OK && i < sizeof looks / sizeof looks[0]; i++)
        if (looks[i].given)
            code = pgc_script_pset(script, looks[i].name, looks[i].value, err);
    for (size_t i = 0; code == PGC_OK && i < s->psets.count; i++) {
        char *equal = strchr(s->psets.items[i], '=');
        if (equal != NULL)
            *equal = '\0';
        code = pgc_script_pset(script, s->psets.items[i], equal != NULL ? equal + 1 : NULL, err);
    }
    return code;
}

static enum pgc_code run_action(struct pgc_script *script, const struct action *action, struct pgc_source *in,
                                struct pgc_error *err) {
    if (action->kind == 'c')
        return pgc_script_run_command(script, action->text, err);
    if (action->text == NULL)
        return pgc_script_run_source(script, in, NULL, err);
    if (strcmp(action->text, "-") == 0)
        return pgc_script_run_source(script, in, "<stdin>", err);
    return pgc_script_run_file(script, action->text, err);
}

static int run_actions(struct call *call, struct pgc_script *script, struct pgc_source *in, struct pgc_error *err) {
    static const struct action standard_input = { 'f', NULL };
    const char *stop = NULL;
    bool stops = false, failed = false;
    if (pgc_script_begin(script, err) != PGC_OK)
        return pgc_script_exit_status(script);
    size_t count = call->action_count > 0 ? call->action_count : 1;
    for (size_t i = 0; i < count && !(failed && stops); i++) {
        const struct action *action = call->action_count > 0 ? &call->actions[i] : &standard_input;
        failed = run_action(script, action, in, err) != PGC_OK;
        if (failed && (err->code == PGC_E_CANCELLED || err->code == PGC_E_IO || err->code == PGC_E_NOMEM ||
                       err->code == PGC_E_NOSPACE))
            return -1;
        if (pgc_script_exit_status(script) == 2)
            return 2; /* the connection is gone: nothing after it can work */
        stop = pgc_script_variable(script, "ON_ERROR_STOP");
        stops = stop != NULL && strcasecmp(stop, "off") != 0 && strcmp(stop, "0") != 0;
    }
    int status = pgc_script_exit_status(script);
    struct pgc_error late;
    if (pgc_script_end(script, !(failed && stops), &late) != PGC_OK && status == 0)
        status = pgc_script_exit_status(script);
    return status;
}

static int fail(const struct call *call, bool connecting, const struct pgc_error *err) {
    if (err->message[0] != '\0')
        fprintf(stderr, "psql: error: %s\n", err->message);
    else
        fputs("Try \"psql --help\" for more information.\n", stderr);
    if (connecting)
        return 2;
    return err->code == PGC_E_USAGE && !call->applet ? 64 : 1;
}

static int run(struct call *call, const struct pgc_runtime *rt) {
    struct run_settings *s = &call->settings;
    struct pgc_error err;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *out = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *in = NULL;
    PGC_AUTO(pgc_script_free) struct pgc_script *script = NULL;
    enum pgc_code code = call->applet ? PGC_OK : pgc_connection_resolve(&s->connection, &err);
    if (code == PGC_OK)
        code = pgc_fd_sink(STDOUT_FILENO, PGC_FD_BORROWED, "standard output", &out, &err);
    if (code == PGC_OK)
        code = pgc_fd_source_watched(STDIN_FILENO, PGC_FD_BORROWED, "standard input", rt, &in, &err);
    struct pgc_script_options options = {
        .connect = { .conninfo = s->connection.dbname,
                     .user = s->connection.user,
                     .host = s->connection.host,
                     .port = s->connection.port,
                     .password = s->connection.password,
                     .application_name = call->applet ? "psql" : "pgc",
                     .deadline_ms = -1,
                     .client_encoding_as_given = true },
        .single_transaction = s->single_transaction || s->pipeline,
        .quiet = s->quiet,
        .allow_shell = s->allow_shell,
        .pipeline = s->pipeline,
        .variables = call->variables.count > 0 ? (const char *const *)call->variables.items : NULL,
        .out = out,
        .message = to_stderr,
        .in = in,
    };
    if (code != PGC_OK)
        return fail(call, false, &err);
    code = pgc_script_open(&options, rt, &script, &err);
    if (code != PGC_OK)
        return fail(call, code != PGC_E_USAGE, &err);
    code = prepare(call, script, &err);
    if (code == PGC_OK && s->output != NULL)
        code = pgc_script_output(script, s->output, &err);
    if (code != PGC_OK)
        return fail(call, false, &err);
    int status = run_actions(call, script, in, &err);
    if (status >= 0)
        return pgc_cancelled(rt) != 0 ? 128 + pgc_cancelled(rt) : status;
    fprintf(stderr, "psql: error: %s\n", err.message);
    return err.code == PGC_E_CANCELLED ? 128 + pgc_cancelled(rt) : 1;
}

int pgc_psql_main(int argc, char **argv, bool applet) {
    struct call *call = calloc(1, sizeof *call);
    struct pgc_process process;
    struct pgc_error err;
    if (call == NULL)
        return 1;
    call->applet = applet;
    pgc_process_init(&process, applet ? "psql" : "pgc-sql", PGC_LOG_INFO, PGC_LOG_FORMAT_AUTO);
    int status = read_line(call, argc, argv, &err) == PGC_OK ? run(call, pgc_process_runtime(&process))
                                                             : fail(call, false, &err);
    struct run_settings *s = &call->settings;
    char *const texts[] = {
        s->connection.dbname, s->connection.host,  s->connection.port, s->connection.user, s->connection.password,
        s->field_separator,   s->record_separator, s->output,          s->log_file
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    pgc_strings_release(&call->variables);
    pgc_strings_release(&s->psets);
    free(call);
    return status;
}

/* Reached by nobody: main() hands `run` to pgc_psql_main unless help or the like is asked for. */
static enum pgc_code run_here(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    (void)cli;
    (void)settings;
    return pgc_fail(err, PGC_E_USAGE, "run cannot be combined with this option");
}

const struct pgc_command pgc_cmd_sql_run = {
    .name = "run",
    .summary = "run scripts written for psql, as psql -X would",
    .args = "[DBNAME [USER]]",
    .description =
        "Takes psql's options; -c and -f are done in the order given, standard input is read when there is neither. "
        "Variables, \\connect, \\i, \\ir, \\copy, inline COPY data, \\gset, \\gexec, \\if and the display commands "
        "work as in psql; \\d and the like are errors. Messages and exit statuses are psql's: 0 done, 1 the file is "
        "missing or a -c failed, 2 connection failed or lost, 3 stopped by an error (ON_ERROR_STOP).\n"
        "\n"
        "No shell is run for \\!, backquotes, PROGRAM and |command unless --allow-shell; `echo \"$NAME\"` in "
        "backquotes is served without one. After a failed COPY its data is passed over, never run.\n"
        "\n"
        "Installed under the name psql the program is this command.",
    .examples = "pgc sql run -v ON_ERROR_STOP=1 -d app -f init.sql   # as an init script is run\n"
                "pgc sql run -d app -At -c 'select 1'                # one value\n"
                "pgc sql run --pipeline -d app -f inserts.sql        # many small statements over a slow network",
    .options = run_options,
    .option_count = ROW_COUNT,
    .settings_size = sizeof(struct run_settings),
    .run = run_here,
};
