/* pgc seed: puts data into a database. */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/command.h"
#include "pg/conn.h"
#include "seed/load.h"

struct settings {
    struct pgc_connection_settings connection;
    bool truncate;
    bool force;
    int64_t wait_ms;
    bool json;
};

#define AT(field) offsetof(struct settings, field)
static const struct pgc_option load_options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, connection),
    { "truncate", 0, PGC_OPT_FLAG, AT(truncate), NULL, "empty the tables of the CSV files first" },
    { "force", 'f', PGC_OPT_FLAG, AT(force), NULL, "load also files that were loaded and have not changed" },
    { "wait", 'w', PGC_OPT_DURATION, AT(wait_ms), "0", "wait up to TIME for the server", .value = "TIME" },
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the result as JSON" },
};

static void put_json(struct pgc_buf *out, const struct pgc_seed_report *report) {
    pgc_buf_puts(out, "{\"files\":[");
    for (size_t i = 0; i < report->count; i++) {
        const struct pgc_seed_result *r = &report->items[i];
        pgc_buf_puts(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        pgc_text_json(out, r->name);
        pgc_buf_putf(out, ",\"status\":\"%s\",\"rows\":%" PRIu64 ",\"ms\":%" PRId64 ",\"tables\":{",
                     r->loaded ? "loaded" : "unchanged", r->rows, r->ms);
        for (size_t t = 0; t < r->count; t++) {
            pgc_buf_puts(out, t > 0 ? "," : "");
            pgc_text_json(out, r->tables[t].name);
            pgc_buf_putf(out, ":%" PRIu64, r->tables[t].rows);
        }
        pgc_buf_puts(out, "}}");
    }
    pgc_buf_putf(out, "],\"rows\":%" PRIu64 ",\"sequences\":%zu}\n", report->rows, report->sequences);
}

static void put_text(struct pgc_buf *out, const struct pgc_seed_report *report) {
    for (size_t i = 0; i < report->count; i++) {
        const struct pgc_seed_result *r = &report->items[i];
        pgc_buf_putf(out, "%-9s %s", r->loaded ? "loaded" : "unchanged", r->name);
        for (size_t t = 0; t < r->count; t++)
            pgc_buf_putf(out, "%s %s %" PRIu64, t == 0 ? ":" : ",", r->tables[t].name, r->tables[t].rows);
        pgc_buf_putc(out, '\n');
    }
    pgc_buf_putf(out, "%" PRIu64 " rows, %zu sequences reset\n", report->rows, report->sequences);
}

/* Connects; with --wait again and again while the failure may pass. */
static enum pgc_code connect_to(struct pgc_cli *cli, struct settings *s, struct pgc_conn **conn,
                                struct pgc_error *err) {
    enum pgc_code code = pgc_connection_resolve(&s->connection, err);
    if (code != PGC_OK)
        return code;
    struct pgc_conn_options options = {
        .conninfo = s->connection.dbname,
        .user = s->connection.user,
        .host = s->connection.host,
        .port = s->connection.port,
        .password = s->connection.password,
        .application_name = "pgc seed",
    };
    int64_t end = pgc_mono_ms(cli->rt) + s->wait_ms;
    for (int64_t pause = 50;; pause = pause < 1000 ? pause * 2 : pause) {
        code = pgc_conn_open(&options, cli->rt, conn, err);
        if (code == PGC_OK || !pgc_code_retryable(code) || code == PGC_E_CANCELLED || pgc_mono_ms(cli->rt) >= end)
            return code;
        pgc_sleep_ms(cli->rt, pause);
        code = pgc_check_cancelled(cli->rt, err);
        if (code != PGC_OK)
            return code;
    }
}

static enum pgc_code run_load(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    if (cli->args.count == 0)
        return pgc_fail(err, PGC_E_USAGE, "which files? name .sql, .csv or .tsv files or folders of them");
    PGC_CLEANUP(pgc_seed_files_release) struct pgc_seed_files files = { 0 };
    enum pgc_code code = pgc_seed_files_collect(&cli->args, &files, err);
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    if (code == PGC_OK)
        code = connect_to(cli, s, &conn, err);
    PGC_CLEANUP(pgc_seed_report_release) struct pgc_seed_report report = { 0 };
    struct pgc_seed_options options = { .truncate = s->truncate, .force = s->force };
    if (code == PGC_OK)
        code = pgc_seed_load(conn, &files, &options, cli->rt, &report, err);
    if (code != PGC_OK)
        return code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    (s->json ? put_json : put_text)(&out, &report);
    fwrite(out.data, 1, out.len, cli->out);
    return pgc_buf_check(&out, err);
}

static const struct pgc_command load_command = {
    .name = "load",
    .summary = "load .sql and .csv files once",
    .args = "FILE|FOLDER...",
    .description =
        "All files go in one transaction. A folder stands for its .sql, .csv and .tsv files in the order of their "
        "names. TABLE.csv, SCHEMA.TABLE.csv and 10_TABLE.csv are copied into the table, columns by the header line; "
        "neighbouring CSV files are ordered so that referenced tables come first. Sequences go on behind the highest "
        "value. The table pgc.seed remembers name and SHA-256: a file is loaded again only when it has changed.",
    .examples = "pgc seed load seeds/  # a folder\n"
                "pgc seed load --truncate users.csv orders.csv  # fresh content for two tables",
    .options = load_options,
    .option_count = sizeof load_options / sizeof load_options[0],
    .settings_size = sizeof(struct settings),
    .run = run_load,
};
static const struct pgc_command *const commands[] = { &load_command, NULL };
static const struct pgc_command seed_command = {
    .name = "pgc-seed",
    .summary = "put data into a database",
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&seed_command, argc, argv);
}
