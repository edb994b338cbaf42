/* pgc lint: finds statements in migrations that lock, rewrite, break or lose more than their author thinks. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/command.h"
#include "io/fd.h"
#include "io/file.h"
#include "lint/files.h"
#include "lint/report.h"
#include "lint/server.h"
#include "parts/lint_mode.h"

struct settings {
    struct pgc_connection_settings connection;
    bool online;
    bool json;
    char *format;
    struct pgc_strings rules, only, exclude, severity, naming;
    char *fail_level;
    int64_t pg_version;
    bool assume, no_assume;
    struct pgc_strings dirs;
    bool down;
    uint64_t small_table;
};

#define AT(field) offsetof(struct settings, field)
static const struct pgc_option lint_options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, connection),
    { "online", 0, PGC_OPT_FLAG, AT(online), NULL,
      "ask the server that the environment names (as any of -d -h -p -U)" },
    { "format", 'f', PGC_OPT_CHOICE, AT(format), "text", "how findings are printed",
      .choices = "text json sarif github" },
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "the same as --format json" },
    { "rules", 0, PGC_OPT_LIST, AT(rules), NULL, "check only these rules", .value = "RULE,..." },
    { "only", 0, PGC_OPT_LIST, AT(only), NULL, "the same as --rules", .value = "RULE,..." },
    { "exclude", 'x', PGC_OPT_LIST, AT(exclude), NULL, "leave these rules out", .value = "RULE,..." },
    { "severity", 0, PGC_OPT_LIST, AT(severity), NULL,
      "how grave a rule is: off, info, warning, error; LEVEL alone leaves out what is below it",
      .value = "[RULE=]LEVEL,..." },
    { "fail-level", 0, PGC_OPT_CHOICE, AT(fail_level), "warning", "exit with 1 for findings of this level or above",
      .choices = "info warning error never" },
    { "pg-version", 0, PGC_OPT_INT, AT(pg_version), "0", "major version of the target server (default: asked, else 15)",
      .value = "N" },
    { "assume-in-transaction", 0, PGC_OPT_FLAG, AT(assume), NULL, "files are run inside a transaction" },
    { "no-assume-in-transaction", 0, PGC_OPT_FLAG, AT(no_assume), NULL,
      "files are not run inside a transaction (default: as markers in the file tell; else only what a folder holds "
      "under a name like a migration's)" },
    { "dir", 0, PGC_OPT_LIST, AT(dirs), NULL,
      "the migrations folder that files given by name belong to: whether they run in a transaction is found out as in "
      "it",
      .value = "FOLDER" },
    { "naming", 0, PGC_OPT_LIST, AT(naming), NULL, "names must match, for the rule naming-convention",
      .value = "[KIND=]REGEX" },
    { "small-table", 0, PGC_OPT_SIZE, AT(small_table), "1MB", "with a server: tables below SIZE make no trouble" },
    { "down", 0, PGC_OPT_FLAG, AT(down), NULL, "check also what undoes migrations" },
};

/* "a,b" counts as two. The pointers are borrowed from `names`, which gets a NULL at its end. */
static enum pgc_code split(const struct pgc_strings *given, struct pgc_strings *out, struct pgc_error *err) {
    for (size_t i = 0; i < given->count; i++) {
        for (const char *at = given->items[i]; *at != '\0'; at += strspn(at, ", ")) {
            size_t len = strcspn(at, ", ");
            enum pgc_code code = pgc_strings_addf(out, err, "%.*s", (int)len, at);
            if (code != PGC_OK)
                return code;
            at += len;
        }
    }
    return PGC_OK;
}

static const char *const *names_of(const struct pgc_strings *list) {
    return list->count == 0 ? NULL : (const char *const *)list->items;
}

static enum pgc_code ask_server(struct pgc_cli *cli, struct settings *s, struct pgc_lint_server **server,
                                struct pgc_error *err) {
    const struct pgc_connection_settings *c = &s->connection;
    if (!s->online && c->dbname == NULL && c->host == NULL && c->port == NULL && c->user == NULL)
        return PGC_OK;
    enum pgc_code code = pgc_connection_resolve(&s->connection, err);
    struct pgc_conn_options options = { .conninfo = c->dbname,
                                        .host = c->host,
                                        .port = c->port,
                                        .user = c->user,
                                        .password = c->password,
                                        .application_name = "pgc lint" };
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    if (code == PGC_OK)
        code = pgc_conn_open(&options, cli->rt, &conn, err);
    return code == PGC_OK ? pgc_lint_server_read(conn, server, err) : code;
}

static enum pgc_code read_text(const char *path, const struct pgc_runtime *rt, struct pgc_buf *text,
                               struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *in = NULL;
    if (strcmp(path, "-") != 0)
        return pgc_file_read(path, PGC_LINT_FILE_MAX, text, err);
    enum pgc_code code = pgc_fd_source_watched(STDIN_FILENO, PGC_FD_BORROWED, "standard input", rt, &in, err);
    for (size_t got = 1; code == PGC_OK && got > 0;) {
        char *to = pgc_buf_reserve(text, 65536);
        if (to == NULL)
            return pgc_buf_check(text, err);
        code = pgc_source_get(in, to, 65536, &got, err);
        pgc_buf_grown(text, code == PGC_OK ? got : 0);
    }
    return code;
}

/* Files of a folder are taken to be run as a migration tool runs them; those given by name, as they are. */
static enum pgc_code read_modes(const struct pgc_cli *cli, const struct settings *s, struct lint_modes *modes,
                                struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    struct stat st;
    for (size_t i = 0; code == PGC_OK && i < s->dirs.count; i++)
        code = lint_modes_add(modes, s->dirs.items[i], err);
    for (size_t i = 0; code == PGC_OK && i < cli->args.count; i++)
        if (stat(cli->args.items[i], &st) == 0 && S_ISDIR(st.st_mode))
            code = lint_modes_add(modes, cli->args.items[i], err);
    return code;
}

static enum pgc_code check_files(struct pgc_cli *cli, const struct settings *s, const struct pgc_lint_options *options,
                                 struct pgc_lint_findings *found, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings files = PGC_STRINGS_INIT;
    PGC_CLEANUP(lint_modes_release) struct lint_modes modes = { 0 };
    enum pgc_code code = pgc_lint_files(&cli->args, s->down, &files, err);
    if (code == PGC_OK && options->transaction == PGC_LINT_TX_AUTO)
        code = read_modes(cli, s, &modes, err);
    for (size_t i = 0; code == PGC_OK && i < files.count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        const char *name = strcmp(files.items[i], "-") == 0 ? "stdin" : files.items[i];
        code = read_text(files.items[i], cli->rt, &text, err);
        struct pgc_lint_options own = *options;
        bool by_name = pgc_strings_contain(&cli->args, files.items[i]) && s->dirs.count == 0;
        if (own.transaction == PGC_LINT_TX_AUTO && !by_name)
            own.transaction = lint_mode_of(&modes, files.items[i]);
        if (code == PGC_OK)
            code = pgc_lint_text(&own, name, text.data, text.len, found, err);
        if (code == PGC_OK)
            code = pgc_check_cancelled(cli->rt, err);
    }
    return code;
}

static void print(struct pgc_buf *out, const struct settings *s, const struct pgc_lint_findings *found) {
    if (s->json || strcmp(s->format, "json") == 0)
        pgc_lint_report_json(out, found);
    else if (strcmp(s->format, "sarif") == 0)
        pgc_lint_report_sarif(out, found, PGC_VERSION);
    else if (strcmp(s->format, "github") == 0)
        pgc_lint_report_github(out, found);
    else
        pgc_lint_report_text(out, found);
}

static int status_of(const struct settings *s, const struct pgc_lint_findings *found) {
    enum pgc_lint_severity level = PGC_LINT_WARNING;
    if (found->unparsable > 0)
        return pgc_code_exit_status(PGC_E_DATA);
    return pgc_lint_severity_parse(s->fail_level, &level) && pgc_lint_worst(found) >= level ? 1 : 0;
}

/* A level without a rule is the least that is reported; it leaves the list. */
static void take_level(struct pgc_strings *list, enum pgc_lint_severity *least) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (pgc_lint_severity_parse(list->items[i], least))
            free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    if (list->count > 0)
        list->items[kept] = NULL;
    list->count = kept;
}

/* The option values as the library wants them; `lists` own the split names. */
static enum pgc_code fill_options(const struct settings *s, struct pgc_strings lists[4],
                                  struct pgc_lint_options *options, struct pgc_error *err) {
    if (s->assume && s->no_assume)
        return pgc_fail(err, PGC_E_USAGE, "--assume-in-transaction and --no-assume-in-transaction exclude each other");
    enum pgc_code code = split(&s->rules, &lists[0], err);
    if (code == PGC_OK)
        code = split(&s->only, &lists[0], err);
    if (code == PGC_OK)
        code = split(&s->exclude, &lists[1], err);
    if (code == PGC_OK)
        code = split(&s->severity, &lists[2], err);
    if (code != PGC_OK)
        return code;
    take_level(&lists[2], &options->least);
    options->only = names_of(&lists[0]);
    options->exclude = names_of(&lists[1]);
    options->severity = names_of(&lists[2]);
    options->naming = names_of(&s->naming);
    options->pg_version = (int)s->pg_version;
    options->include_down = s->down;
    options->small_table_bytes = s->small_table == 0 ? -1 : (int64_t)s->small_table;
    options->transaction = s->assume ? PGC_LINT_TX_YES : s->no_assume ? PGC_LINT_TX_NO : PGC_LINT_TX_AUTO;
    return pgc_lint_options_check(options, err);
}

static void lists_release(struct pgc_strings (*lists)[4]) {
    for (size_t i = 0; i < 4; i++)
        pgc_strings_release(&(*lists)[i]);
}

static enum pgc_code run_lint(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    struct pgc_lint_options options = { 0 };
    PGC_CLEANUP(lists_release) struct pgc_strings lists[4] = { 0 };
    if (cli->args.count == 0)
        return pgc_fail(err, PGC_E_USAGE, "no file given; 'pgc lint FOLDER' checks a folder, '-' standard input");
    if (s->pg_version != 0 && (s->pg_version < 9 || s->pg_version > 99))
        return pgc_fail(err, PGC_E_USAGE, "--pg-version wants a major version such as 15");
    enum pgc_code code = fill_options(s, lists, &options, err);
    PGC_AUTO(pgc_lint_server_free) struct pgc_lint_server *server = NULL;
    if (code == PGC_OK)
        code = ask_server(cli, s, &server, err);
    if (code != PGC_OK)
        return code;
    struct pgc_lint_catalog catalog = { 0 };
    if (server != NULL) {
        catalog = pgc_lint_server_catalog(server);
        options.catalog = &catalog;
        if (options.pg_version == 0)
            options.pg_version = pgc_lint_server_version(server);
    }
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    code = check_files(cli, s, &options, &found, err);
    if (code != PGC_OK)
        return code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    print(&out, s, &found);
    fwrite(out.data, 1, out.len, cli->out);
    cli->exit_status = status_of(s, &found);
    return pgc_buf_check(&out, err);
}

struct rules_settings {
    bool json, markdown;
};
static const struct pgc_option rules_options[] = {
    { "json", 0, PGC_OPT_FLAG, offsetof(struct rules_settings, json), NULL, "print as JSON" },
    { "markdown", 0, PGC_OPT_FLAG, offsetof(struct rules_settings, markdown), NULL, "print as a Markdown table" },
};

static enum pgc_code run_rules(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct rules_settings *s = settings;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    (s->json ? pgc_lint_rules_json : s->markdown ? pgc_lint_rules_markdown : pgc_lint_rules_text)(&out);
    fwrite(out.data, 1, out.len, cli->out);
    return pgc_buf_check(&out, err);
}

static enum pgc_code run_explain(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    (void)settings;
    if (cli->args.count != 1)
        return pgc_fail(err, PGC_E_USAGE, "which rule? 'pgc lint rules' lists them");
    const char *name = cli->args.items[0];
    const struct pgc_lint_rule *rule = pgc_lint_rule_find(name, strlen(name));
    if (rule == NULL)
        return pgc_fail(err, PGC_E_USAGE, "there is no rule '%s'; 'pgc lint rules' lists them", name);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_lint_rule_text(&out, rule);
    fwrite(out.data, 1, out.len, cli->out);
    return pgc_buf_check(&out, err);
}

static const struct pgc_command rules_command = {
    .name = "rules",
    .summary = "list the rules",
    .options = rules_options,
    .option_count = sizeof rules_options / sizeof rules_options[0],
    .settings_size = sizeof(struct rules_settings),
    .run = run_rules,
};
static const struct pgc_command explain_command = {
    .name = "explain",
    .summary = "tell all about one rule",
    .args = "RULE",
    .run = run_explain,
};
static const struct pgc_command *const commands[] = { &rules_command, &explain_command, NULL };
static const struct pgc_command lint_command = {
    .name = "pgc-lint",
    .summary = "find migrations that lock, rewrite, break or lose",
    .args = "FILE|FOLDER|-...",
    .description = "Reads SQL with PostgreSQL's own parser, statement by statement, and reports what is dangerous on a "
                   "server in use, each with its place, the reason and a safer way. Rules have the names of squawk; "
                   "codes of Atlas and checks of strong_migrations are accepted as well.\n\n"
                   "'-- pgc:nolint RULE reason' in front of a statement silences a rule for it, '-- pgc:nolint-file "
                   "RULE reason' for the file; comments of squawk and Atlas are understood.\n\n"
                   "With a connection the version, the size of tables and their columns are known: small tables and "
                   "tables that do not exist yet make no trouble.\n\n"
                   "Exit status: 0 nothing of --fail-level or above, 1 findings, 65 a statement that cannot be parsed, "
                   "64 wrong usage.",
    .examples = "pgc lint migrations/  # a folder\n"
                "pgc lint --dir migrations --format github $(git diff --name-only main -- migrations)  # annotations\n"
                "pgc lint -d postgres://app@db/app migrations/0042_orders.sql  # with the server's knowledge\n"
                "pgc lint explain adding-not-nullable-field  # what to do instead",
    .options = lint_options,
    .option_count = sizeof lint_options / sizeof lint_options[0],
    .settings_size = sizeof(struct settings),
    .run = run_lint,
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&lint_command, argc, argv);
}
