/* A statement outside a transaction was started and nobody saw how it ended: what can be known, and what cannot. */
#include <ctype.h>
#include <string.h>

#include "io/digest.h"
#include "migrate/run_internal.h"
#include "migrate/sections.h"
#include "sql_embedded.h"

#define TOKENS        32
#define BUILD_LOOK_MS 500

static bool is(const struct pgc_statement_token *tokens, size_t count, size_t at, const char *word) {
    return at < count && strcmp(tokens[at].word, word) == 0;
}

static bool has(const struct pgc_statement_token *tokens, size_t count, const char *word) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(tokens[i].word, word) == 0)
            return true;
    return false;
}

/* --- what kind it is ------------------------------------------------------------------------------------------------ */

/* A word as the server takes it: folded unless it was quoted. */
static void put_name(struct pgc_buf *out, const char *sql, const struct pgc_statement_token *token) {
    char name[64];
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = sql[token->offset] == '"' ? token->word[i] : (char)tolower((unsigned char)token->word[i]);
    pgc_buf_puts(out, name);
}

/* Name and table of CREATE INDEX CONCURRENTLY [IF NOT EXISTS] name ON [ONLY] [schema.]table; false when it has no name.
 * `name` comes bare, `table` quoted. */
static bool index_names(const char *sql, size_t len, struct pgc_buf *name, struct pgc_buf *table) {
    struct pgc_statement_token t[TOKENS];
    size_t count = pgc_statement_tokens(sql, len, t, TOKENS), at = 0;
    if (!is(t, count, 0, "CREATE") || !has(t, count, "INDEX"))
        return false;
    while (at < count && !is(t, count, at, "CONCURRENTLY"))
        at++;
    at++;
    if (is(t, count, at, "IF"))
        at += 3;
    if (at + 2 >= count || is(t, count, at, "ON"))
        return false;
    put_name(name, sql, &t[at++]);
    at += is(t, count, at, "ON");
    at += is(t, count, at, "ONLY");
    for (bool more = true; more && at < count; at += 2) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf part = PGC_BUF_INIT;
        put_name(&part, sql, &t[at]);
        pgc_sql_ident(table, part.data);
        more = is(t, count, at + 1, ".");
        if (more)
            pgc_buf_putc(table, '.');
    }
    return true;
}

enum pgc__outcome pgc__outcome_of(const char *sql, size_t len) {
    static const char *const again[] = { "VACUUM", "REINDEX", "REPACK", "CLUSTER", "DISCARD" };
    struct pgc_statement_token t[TOKENS];
    size_t count = pgc_statement_tokens(sql, len, t, TOKENS);
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++)
        if (is(t, count, 0, again[i]))
            return PGC__OUTCOME_AGAIN;
    bool create = is(t, count, 0, "CREATE"), drop = is(t, count, 0, "DROP"), alter = is(t, count, 0, "ALTER");
    if (alter && (is(t, count, 1, "SYSTEM") || is(t, count, 1, "DATABASE")))
        return PGC__OUTCOME_AGAIN;
    if (create && (is(t, count, 1, "INDEX") || is(t, count, 2, "INDEX"))) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT, table = PGC_BUF_INIT;
        return index_names(sql, len, &name, &table) ? PGC__OUTCOME_INDEX : PGC__OUTCOME_UNKNOWN;
    }
    bool named = is(t, count, 1, "DATABASE") || is(t, count, 1, "TABLESPACE") || is(t, count, 1, "SUBSCRIPTION");
    if (named || (drop && is(t, count, 1, "INDEX")) || (alter && has(t, count, "DETACH")) ||
        (alter && is(t, count, 1, "TYPE")))
        return PGC__OUTCOME_ERROR;
    return PGC__OUTCOME_UNKNOWN;
}

static bool is_one_of(const char *sqlstate, const char *const *states) {
    for (; *states != NULL; states++)
        if (strcmp(sqlstate, *states) == 0)
            return true;
    return false;
}

bool pgc__outcome_done(const char *sql, size_t len, const struct pgc_error *err) {
    static const char *const there[] = { "42P07", "42P04", "42710", "42P06", NULL };
    static const char *const gone[] = { "42704", "3D000", "42P01", NULL };
    struct pgc_statement_token t[1];
    size_t count = pgc_statement_tokens(sql, len, t, 1);
    bool create = is(t, count, 0, "CREATE"), drop = is(t, count, 0, "DROP"), alter = is(t, count, 0, "ALTER");
    return ((create || alter) && is_one_of(err->sqlstate, there)) ||
           ((drop || alter) && is_one_of(err->sqlstate, gone));
}

bool pgc__outcome_idempotent(const struct pgc_migration_script *script) {
    struct pgc_folder_file text = { .text = script->text, .len = script->len };
    size_t at = 0, line = 0, len;
    const char *rest;
    return pgc_sections_next(&text, "pgc:idempotent", &at, &line, &rest, &len);
}

/* --- indexes ---------------------------------------------------------------------------------------------------------- */

enum pgc_code pgc__outcome_index(const struct pgc__run *run, const char *sql, size_t len, bool drop, bool *valid,
                                 char **name, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf index = PGC_BUF_INIT, table = PGC_BUF_INIT;
    struct pgc_conn *conn = run->migrate->conn;
    enum pgc_code code = PGC_OK;
    *valid = false;
    if (!index_names(sql, len, &index, &table))
        return PGC_OK;
    const char *params[] = { index.data, table.data };
    for (;;) {
        PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
        code = pgc_conn_query(conn, pgc_sql_migrate_find_index, params, 2, &rows, err);
        if (code != PGC_OK || pgc_rows_count(rows) == 0)
            return code;
        *valid = pgc_rows_bool(rows, 0, 1);
        if (*valid)
            return PGC_OK;
        /* The server of the run before may still be at it; dropping would wait for it with a snapshot, and it for us. */
        if (pgc_rows_bool(rows, 0, 2) && drop) {
            pgc_sleep_ms(run->migrate->rt, BUILD_LOOK_MS);
            code = pgc_check_cancelled(run->migrate->rt, err);
            if (code != PGC_OK)
                return code;
            continue;
        }
        if (!drop) {
            *name = strdup(pgc_rows_text(rows, 0, 0));
            return *name != NULL ? PGC_OK : pgc_fail_nomem(err);
        }
        pgc_log(run->migrate->rt, PGC_LOG_WARN, "migrate.invalid_index",
                "an invalid index is left of an earlier try; it is dropped and built again",
                PGC_LOG_TEXT("index", pgc_rows_text(rows, 0, 0)));
        return pgc_conn_execf(conn, err, "drop index concurrently if exists %s", pgc_rows_text(rows, 0, 0));
    }
}

enum pgc_code pgc__outcome_sweep(const struct pgc__run *run, struct pgc_error *err) {
    PGC_CLEANUP(pgc_migrate_invalid_release) struct pgc_migrate_invalid invalid = { 0 };
    enum pgc_code code = pgc_migrate_find_invalid(run->migrate->conn, &invalid, err);
    for (size_t i = 0; code == PGC_OK && i < invalid.copies.count; i++) {
        pgc_log(run->migrate->rt, PGC_LOG_WARN, "migrate.invalid_index",
                "a copy is left of a REINDEX CONCURRENTLY that broke; it is dropped",
                PGC_LOG_TEXT("index", invalid.copies.items[i]));
        code = pgc_conn_execf(run->migrate->conn, err, "drop index concurrently if exists %s", invalid.copies.items[i]);
    }
    return code;
}

/* --- may it go on? -------------------------------------------------------------------------------------------------- */

void pgc__outcome_checksum(const struct pgc_migration_script *script, const struct pgc_shape *shape, size_t count,
                           char out[65]) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        const struct pgc_shape_statement *s = &shape->statements[i];
        for (size_t at = s->offset; at < s->end; at++) {
            if (script->text[at] != '\r')
                pgc_buf_putc(&text, script->text[at]);
        }
        pgc_buf_putc(&text, '\0');
    }
    pgc_digest_hex(PGC_DIGEST_SHA256, text.data, text.len, out);
}

static enum pgc_code check_script(const struct pgc_plan_step *step, const struct pgc_migration_script *script,
                                  struct pgc_error *err) {
    if (!step->row->in_flight || pgc__outcome_idempotent(script))
        return PGC_OK;
    return pgc_fail(err, PGC_E_DATA,
                    "%s: this script was started outside a transaction and did not finish; how much of it has taken "
                    "effect is not known. Look at the database, then 'repair --interrupted rerun' has it run again "
                    "from its beginning and 'repair --interrupted skip' takes it as done; with a line '-- "
                    "pgc:idempotent' in it, it is run again without asking",
                    script->path);
}

static enum pgc_code check_done(const struct pgc_migration_script *script, const struct pgc_shape *shape,
                                const struct pgc_ledger_row *row, struct pgc_error *err) {
    char checksum[65];
    if (row->done > shape->count)
        return pgc_fail(err, PGC_E_DATA, "%s: %zu statements were finished before, now it has only %zu", script->path,
                        row->done, shape->count);
    pgc__outcome_checksum(script, shape, row->done, checksum);
    if (row->done > 0 && row->done_checksum != NULL && strcmp(checksum, row->done_checksum) != 0)
        return pgc_fail(err, PGC_E_DATA,
                        "%s: the %zu statements that were finished before it broke have changed; restore them, or "
                        "say with 'mark' how the database is now",
                        script->path, row->done);
    return PGC_OK;
}

enum pgc_code pgc__outcome_check(const struct pgc_plan_step *step, const struct pgc_shape *shape,
                                 struct pgc_error *err) {
    const struct pgc_migration_script *script = pgc_plan_step_script(step);
    const struct pgc_ledger_row *row = step->row;
    if (shape->mode == PGC_SHAPE_PSQL)
        return check_script(step, script, err);
    enum pgc_code code = check_done(script, shape, row, err);
    if (code != PGC_OK || !row->in_flight || row->done == shape->count || pgc__outcome_idempotent(script))
        return code;
    const struct pgc_shape_statement *s = &shape->statements[row->done];
    if (pgc__outcome_of(script->text + s->offset, s->end - s->offset) != PGC__OUTCOME_UNKNOWN)
        return PGC_OK;
    return pgc_fail(err, PGC_E_DATA,
                    "%s:%zu: this statement was started outside a transaction and did not finish; whether it has taken "
                    "effect, or a part of it, is not known. Look at the database, then 'repair --interrupted rerun' "
                    "has it run again and 'repair --interrupted skip' goes on behind it; with a line '-- "
                    "pgc:idempotent' in the script, it is run again without asking",
                    script->path, s->line);
}

/* The step as it would be resumed: its script and what is finished of it. */
enum pgc_code pgc__outcome_settle(const struct pgc__run *run, const struct pgc_plan_step *step, struct pgc_buf *sql,
                                  struct pgc_error *err) {
    struct pgc_plan_step resumed = *step;
    PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
    bool skip = step->action == PGC_ACTION_SKIP;
    struct pgc_ledger_progress from = { step->row->done, step->row->in_flight }, to = { step->row->done + skip, false };
    char checksum[65] = "";
    resumed.action = step->row->state == PGC_LEDGER_REVERTING ? PGC_ACTION_RESUME_DOWN : PGC_ACTION_RESUME;
    const struct pgc_migration_script *script = pgc_plan_step_script(&resumed);
    enum pgc_code code = pgc_shape_read(&shape, script, err);
    if (code != PGC_OK)
        return code;
    if (shape.mode == PGC_SHAPE_PSQL && skip) {
        pgc__run_put_finish(run, sql, &resumed);
        return PGC_OK;
    }
    if (shape.mode == PGC_SHAPE_PSQL) {
        to.done = 0;
    } else {
        code = check_done(script, &shape, step->row, err);
        to.done = to.done > shape.count ? shape.count : to.done;
        pgc__outcome_checksum(script, &shape, to.done, checksum);
    }
    pgc_ledger_sql_progress(sql, &run->migrate->native, step->migration, from, to, checksum);
    return code;
}
