#include "seed/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "io/file.h"
#include "io/tally.h"
#include "script/runner.h"
#include "seed/order.h"
#include "sql_embedded.h"

void pgc_seed_report_release(struct pgc_seed_report *report) {
    for (size_t i = 0; i < report->count; i++) {
        struct pgc_seed_result *result = &report->items[i];
        for (size_t t = 0; t < result->count; t++)
            free(result->tables[t].name);
        free(result->tables);
        free(result->name);
    }
    free(report->items);
    *report = (struct pgc_seed_report) { 0 };
}

/* What is known about one file while loading: parallel to files->items. */
struct target {
    bool pending;
    char *table; /* CSV: as the server prints it, ready for SQL */
    char *oid;
};

struct load {
    struct pgc_conn *conn;
    const struct pgc_seed_files *files;
    const struct pgc_seed_options *options;
    const struct pgc_runtime *rt;
    struct pgc_seed_report *report;
    struct target *targets;
    struct pgc_rows *inserts; /* of the transaction before the current file */
    char *xid;                /* of the transaction */
};

static void load_release(struct load *load) {
    for (size_t i = 0; load->targets != NULL && i < load->files->count; i++) {
        free(load->targets[i].table);
        free(load->targets[i].oid);
    }
    free(load->targets);
    pgc_rows_free(load->inserts);
    free(load->xid);
}

static bool is_csv(const struct load *load, size_t file) {
    return load->files->items[file].kind != PGC_SEED_SQL;
}

/* --- before ----------------------------------------------------------------------------------------- */

static enum pgc_code lock_ledger(struct load *load, struct pgc_error *err) {
    enum pgc_code code =
        pgc_conn_query(load->conn, "select pg_advisory_xact_lock(hashtextextended('pgc seed', 0))", NULL, 0, NULL, err);
    PGC_AUTO_FREE char *ledger = NULL;
    if (code == PGC_OK)
        code = pgc_conn_query_text(load->conn, "select to_regclass('pgc.seed')::text", NULL, 0, &ledger, err);
    /* Creating asks for rights on the database even when nothing is to be created. */
    if (code == PGC_OK && ledger == NULL) {
        code = pgc_conn_exec(load->conn, pgc_sql_seed_create_ledger, err);
        if (code != PGC_OK)
            return pgc_wrap(err, "cannot create the ledger pgc.seed");
    }
    return code;
}

static enum pgc_code mark_pending(struct load *load, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(load->conn, pgc_sql_seed_read_ledger, NULL, 0, &rows, err);
    if (code != PGC_OK)
        return code;
    bool any_csv = false;
    for (size_t i = 0; i < load->files->count; i++) {
        const struct pgc_seed_file *file = &load->files->items[i];
        bool known = false;
        for (size_t r = 0; r < pgc_rows_count(rows) && !known; r++)
            known = strcmp(pgc_rows_text(rows, r, 0), file->name) == 0 &&
                    strcmp(pgc_rows_text(rows, r, 1), file->sha256) == 0;
        load->targets[i].pending = load->options->force || !known;
        any_csv = any_csv || (load->targets[i].pending && is_csv(load, i));
    }
    /* Emptied tables need all their files again. */
    for (size_t i = 0; load->options->truncate && any_csv && i < load->files->count; i++)
        load->targets[i].pending = load->targets[i].pending || is_csv(load, i);
    return PGC_OK;
}

static enum pgc_code look_up(struct load *load, const char *schema, const char *table, struct target *target,
                             struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    PGC_AUTO_FREE char *quoted = pgc_conn_quote_ident(load->conn, table);
    PGC_AUTO_FREE char *quoted_schema = pgc_conn_quote_ident(load->conn, schema);
    if (quoted == NULL || quoted_schema == NULL)
        return pgc_fail(err, PGC_E_DATA, "the file name is not valid in the encoding of the connection");
    bool qualified = schema[0] != '\0';
    pgc_buf_putf(&name, "%s%s%s", qualified ? quoted_schema : "", qualified ? "." : "", quoted);
    const char *params[] = { name.data };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(load->conn, pgc_sql_seed_find_table, params, 1, &rows, err);
    if (code != PGC_OK || pgc_rows_count(rows) == 0)
        return code;
    target->table = strdup(pgc_rows_text(rows, 0, 0));
    target->oid = strdup(pgc_rows_text(rows, 0, 1));
    return target->table != NULL && target->oid != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code find_tables(struct load *load, struct pgc_error *err) {
    char schema[256], table[256];
    for (size_t i = 0; i < load->files->count; i++) {
        struct target *target = &load->targets[i];
        const char *name = load->files->items[i].name;
        if (!target->pending || !is_csv(load, i))
            continue;
        enum pgc_code code = PGC_OK;
        if (pgc_seed_table_name(name, false, schema, table, sizeof table))
            code = look_up(load, schema, table, target, err);
        if (code == PGC_OK && target->table == NULL && pgc_seed_table_name(name, true, schema, table, sizeof table))
            code = look_up(load, schema, table, target, err);
        if (code != PGC_OK)
            return code;
        if (target->table == NULL)
            return pgc_fail(err, PGC_E_NOT_FOUND,
                            "'%s': there is no such table; name the file TABLE.csv or SCHEMA.TABLE.csv and create the "
                            "table first (pgc migrate up)",
                            name);
    }
    return PGC_OK;
}

static enum pgc_code truncate_tables(struct load *load, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    for (size_t i = 0; i < load->files->count; i++)
        if (load->targets[i].table != NULL)
            pgc_buf_putf(&sql, "%s%s", sql.len == 0 ? "truncate " : ", ", load->targets[i].table);
    if (sql.len == 0)
        return PGC_OK;
    pgc_buf_puts(&sql, " restart identity");
    enum pgc_code code = pgc_buf_check(&sql, err);
    return code == PGC_OK ? pgc_conn_exec(load->conn, sql.data, err) : code;
}

/* --- one file --------------------------------------------------------------------------------------- */

static enum pgc_code add_table(struct pgc_seed_result *result, const char *name, uint64_t rows, struct pgc_error *err) {
    if (!pgc_array_grow(&result->tables, &result->cap, result->count + 1, sizeof *result->tables))
        return pgc_fail_nomem(err);
    struct pgc_seed_table table = { strdup(name), rows };
    if (table.name == NULL)
        return pgc_fail_nomem(err);
    result->tables[result->count++] = table;
    result->rows += rows;
    return PGC_OK;
}

static uint64_t rows_before(const struct load *load, const char *oid) {
    for (size_t r = 0; load->inserts != NULL && r < pgc_rows_count(load->inserts); r++)
        if (strcmp(pgc_rows_text(load->inserts, r, 0), oid) == 0)
            return (uint64_t)pgc_rows_int(load->inserts, r, 2);
    return 0;
}

/* The server counts what a transaction inserts; what a file added is the difference. */
static enum pgc_code count_inserts(struct load *load, struct pgc_seed_result *result, struct pgc_error *err) {
    struct pgc_rows *now = NULL;
    enum pgc_code code = pgc_conn_query(load->conn, pgc_sql_seed_list_inserts, NULL, 0, &now, err);
    for (size_t r = 0; code == PGC_OK && r < pgc_rows_count(now); r++) {
        uint64_t before = rows_before(load, pgc_rows_text(now, r, 0));
        uint64_t rows = (uint64_t)pgc_rows_int(now, r, 2);
        if (rows > before)
            code = add_table(result, pgc_rows_text(now, r, 1), rows - before, err);
    }
    pgc_rows_free(load->inserts);
    load->inserts = now;
    return code;
}

static enum pgc_code tick(void *arg, uint64_t bytes, struct pgc_error *err) {
    (void)bytes;
    return pgc_check_cancelled(arg, err);
}

static enum pgc_code copy_statement(struct load *load, size_t i, struct pgc_buf *sql, struct pgc_error *err) {
    const struct pgc_seed_file *file = &load->files->items[i];
    pgc_buf_putf(sql, "copy %s (", load->targets[i].table);
    for (size_t c = 0; c < file->columns.count; c++) {
        PGC_AUTO_FREE char *name = pgc_conn_quote_ident(load->conn, file->columns.items[c]);
        if (name == NULL)
            return pgc_fail(err, PGC_E_DATA, "column %zu has a name that is not valid", c + 1);
        pgc_buf_putf(sql, "%s%s", c > 0 ? ", " : "", name);
    }
    pgc_buf_puts(sql, ") from stdin with (format csv, header true");
    pgc_buf_puts(sql, file->kind == PGC_SEED_TSV ? ", delimiter E'\\t')" : ")");
    return pgc_buf_check(sql, err);
}

static enum pgc_code changed(const struct pgc_seed_file *file, const struct pgc_tally *tally, struct pgc_error *err) {
    if (strcmp(tally->hex, file->sha256) == 0)
        return PGC_OK;
    return pgc_fail(err, PGC_E_DATA, "'%s' changed while it was loaded", file->path);
}

static enum pgc_code load_csv(struct load *load, size_t i, struct pgc_error *err) {
    const struct pgc_seed_file *file = &load->files->items[i];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct pgc_tally tally;
    struct pgc_copy_watch watch = { tick, (void *)(uintptr_t)load->rt };
    enum pgc_code code = copy_statement(load, i, &sql, err);
    if (code == PGC_OK)
        code = pgc_file_source(file->path, &source, err);
    if (code == PGC_OK)
        code = pgc_tally_pull(&source, &tally, err);
    if (code == PGC_OK)
        code = pgc_conn_copy_in(load->conn, sql.data, &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, &watch, err);
    return code == PGC_OK ? changed(file, &tally, err) : code;
}

/* The transaction and the connection that a script ends in are those it began in, or its work is not ours to undo. */
static enum pgc_code check_still_ours(struct load *load, struct pgc_script *script, struct pgc_error *err) {
    static const char ask[] = "select pg_backend_pid() as pgc_pid \\gset\n";
    enum pgc_code code = pgc_script_run_text(script, ask, sizeof ask - 1, NULL, err);
    if (code != PGC_OK)
        return code;
    const char *pid = pgc_script_variable(script, "pgc_pid");
    if (pid == NULL || strtol(pid, NULL, 10) != pgc_conn_backend_pid(load->conn))
        return pgc_fail(err, PGC_E_DATA,
                        "the file connects elsewhere (\\c): what it did there stays, the rest is undone");
    PGC_AUTO_FREE char *xid = NULL;
    if (pgc_conn_tx_status(load->conn) == 'T')
        code = pgc_conn_query_text(load->conn, "select txid_current()", NULL, 0, &xid, err);
    if (code == PGC_OK && (xid == NULL || strcmp(xid, load->xid) != 0))
        code = pgc_fail(err, PGC_E_DATA,
                        "the file ends the transaction that all seed files share: take its commit or rollback out");
    return code;
}

static enum pgc_code load_sql(struct load *load, size_t i, struct pgc_error *err) {
    const struct pgc_seed_file *file = &load->files->items[i];
    struct pgc_script_options options = { .conn = load->conn, .on_error_stop = true, .quiet = true };
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_script_free) struct pgc_script *script = NULL;
    struct pgc_tally tally;
    enum pgc_code code = pgc_file_source(file->path, &source, err);
    if (code == PGC_OK)
        code = pgc_tally_pull(&source, &tally, err);
    if (code == PGC_OK)
        code = pgc_script_open(&options, load->rt, &script, err);
    if (code == PGC_OK)
        code = pgc_script_run_source(script, source, file->name, err);
    if (code == PGC_OK)
        code = check_still_ours(load, script, err);
    return code == PGC_OK && tally.complete ? changed(file, &tally, err) : code;
}

static enum pgc_code record(struct load *load, const struct pgc_seed_file *file, uint64_t rows, struct pgc_error *err) {
    char count[24];
    snprintf(count, sizeof count, "%" PRIu64, rows);
    const char *params[] = { file->name, file->sha256, count };
    return pgc_conn_query(load->conn, pgc_sql_seed_record_file, params, 3, NULL, err);
}

static enum pgc_code load_file(struct load *load, size_t i, struct pgc_error *err) {
    const struct pgc_seed_file *file = &load->files->items[i];
    struct pgc_seed_report *report = load->report;
    if (!pgc_array_grow(&report->items, &report->cap, report->count + 1, sizeof *report->items))
        return pgc_fail_nomem(err);
    struct pgc_seed_result *result = &report->items[report->count];
    *result = (struct pgc_seed_result) { .name = strdup(file->name), .loaded = load->targets[i].pending };
    if (result->name == NULL)
        return pgc_fail_nomem(err);
    report->count++;
    if (!result->loaded)
        return PGC_OK;
    int64_t start = pgc_mono_ms(load->rt);
    enum pgc_code code = is_csv(load, i) ? load_csv(load, i, err) : load_sql(load, i, err);
    if (code == PGC_OK)
        code = count_inserts(load, result, err);
    if (code == PGC_OK)
        code = record(load, file, result->rows, err);
    if (code != PGC_OK)
        return pgc_text_starts(err->message, file->name) ? code : pgc_wrap(err, "%s", file->name);
    result->ms = pgc_mono_ms(load->rt) - start;
    report->rows += result->rows;
    return PGC_OK;
}

/* --- all of them ------------------------------------------------------------------------------------ */

/* The oids of the pending CSV tables in [from, to), or of all tables that got rows, as an array literal. */
static enum pgc_code csv_oids(const struct load *load, size_t from, size_t to, struct pgc_buf *out,
                              struct pgc_error *err) {
    pgc_buf_putc(out, '{');
    for (size_t i = from; i < to; i++)
        if (load->targets[i].oid != NULL)
            pgc_buf_putf(out, "%s%s", out->len > 1 ? "," : "", load->targets[i].oid);
    pgc_buf_putc(out, '}');
    return pgc_buf_check(out, err);
}

/* Puts the CSV files [from, to) into an order in which referenced tables come first. */
static enum pgc_code order_run(struct load *load, size_t from, size_t to, size_t *order, struct pgc_error *err) {
    size_t count = to - from;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf oids = PGC_BUF_INIT;
    enum pgc_code code = csv_oids(load, from, to, &oids, err);
    if (code != PGC_OK)
        return code;
    const char *params[] = { oids.data };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    code = pgc_conn_query(load->conn, pgc_sql_seed_list_references, params, 1, &rows, err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE bool *needs = calloc(count * count, sizeof *needs);
    if (needs == NULL)
        return pgc_fail_nomem(err);
    for (size_t r = 0; r < pgc_rows_count(rows); r++)
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; b < count; b++) {
                const char *child = load->targets[from + a].oid, *parent = load->targets[from + b].oid;
                if (child != NULL && parent != NULL && strcmp(child, pgc_rows_text(rows, r, 0)) == 0 &&
                    strcmp(parent, pgc_rows_text(rows, r, 1)) == 0)
                    needs[a * count + b] = true;
            }
    code = pgc_seed_order(needs, count, order, err);
    for (size_t i = 0; i < count; i++)
        order[i] += from;
    return code;
}

static enum pgc_code load_all(struct load *load, struct pgc_error *err) {
    PGC_AUTO_FREE size_t *order = calloc(load->files->count + 1, sizeof *order);
    if (order == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = PGC_OK;
    for (size_t from = 0, to; code == PGC_OK && from < load->files->count; from = to) {
        for (to = from + 1; is_csv(load, from) && to < load->files->count && is_csv(load, to);)
            to++;
        order[0] = from;
        if (to - from > 1)
            code = order_run(load, from, to, order, err);
        for (size_t i = 0; code == PGC_OK && i < to - from; i++)
            code = load_file(load, order[i], err);
    }
    return code;
}

static enum pgc_code reset_sequences(struct load *load, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf oids = PGC_BUF_INIT;
    pgc_buf_putc(&oids, '{');
    for (size_t r = 0; load->inserts != NULL && r < pgc_rows_count(load->inserts); r++)
        pgc_buf_putf(&oids, "%s%s", r > 0 ? "," : "", pgc_rows_text(load->inserts, r, 0));
    pgc_buf_putc(&oids, '}');
    enum pgc_code code = pgc_buf_check(&oids, err);
    if (code != PGC_OK)
        return code;
    const char *params[] = { oids.data };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    code = pgc_conn_query(load->conn, pgc_sql_seed_list_sequences, params, 1, &rows, err);
    for (size_t r = 0; code == PGC_OK && r < pgc_rows_count(rows); r++)
        code = pgc_conn_exec(load->conn, pgc_rows_text(rows, r, 0), err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot reset the sequences");
    load->report->sequences = pgc_rows_count(rows);
    return PGC_OK;
}

enum pgc_code pgc_seed_load(struct pgc_conn *conn, const struct pgc_seed_files *files,
                            const struct pgc_seed_options *options, const struct pgc_runtime *rt,
                            struct pgc_seed_report *report, struct pgc_error *err) {
    PGC_CLEANUP(load_release) struct load load = { conn, files, options, rt, report, NULL, NULL, NULL };
    load.targets = calloc(files->count + 1, sizeof *load.targets);
    if (load.targets == NULL)
        return pgc_fail_nomem(err);
    PGC_CLEANUP(pgc_tx_rollback) struct pgc_tx tx = { 0 };
    enum pgc_code code = pgc_tx_begin(&tx, conn, err);
    if (code == PGC_OK)
        code = pgc_conn_query_text(conn, "select txid_current()", NULL, 0, &load.xid, err);
    if (code == PGC_OK)
        code = lock_ledger(&load, err);
    if (code == PGC_OK)
        code = mark_pending(&load, err);
    if (code == PGC_OK)
        code = find_tables(&load, err);
    if (code == PGC_OK && options->truncate)
        code = truncate_tables(&load, err);
    if (code == PGC_OK)
        code = load_all(&load, err);
    if (code == PGC_OK)
        code = reset_sequences(&load, err);
    return code == PGC_OK ? pgc_tx_commit(&tx, err) : code;
}
