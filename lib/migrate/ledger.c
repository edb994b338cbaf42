#include "migrate/ledger.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "migrate/version.h"
#include "sql_embedded.h"

void pgc_ledger_release(struct pgc_ledger *ledger) {
    for (size_t i = 0; i < ledger->count; i++) {
        struct pgc_ledger_row *row = &ledger->rows[i];
        char *texts[] = { row->version,    row->name, row->file, row->checksum,      row->applied_at,
                          row->started_at, row->who,  row->tool, row->done_checksum, row->error };
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
            free(texts[t]);
    }
    free(ledger->rows);
    *ledger = (struct pgc_ledger)PGC_LEDGER_INIT;
}

struct pgc_ledger_row *pgc_ledger_add(struct pgc_ledger *ledger) {
    if (!pgc_array_grow(&ledger->rows, &ledger->cap, ledger->count + 1, sizeof *ledger->rows))
        return NULL;
    ledger->rows[ledger->count] = (struct pgc_ledger_row) { .duration_ms = -1 };
    return &ledger->rows[ledger->count++];
}

bool pgc_ledger_counts(const struct pgc_ledger *ledger) {
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].state != PGC_LEDGER_IGNORED)
            return true;
    }
    return false;
}

static const char *const state_names[] = { "applied", "baseline", "applying", "reverting", "failed", "ignored" };

const char *pgc_ledger_state_name(enum pgc_ledger_state state) {
    return state_names[state];
}

bool pgc_ledger_state_parse(const char *text, enum pgc_ledger_state *state) {
    for (size_t i = 0; i < sizeof state_names / sizeof state_names[0]; i++) {
        if (strcmp(text, state_names[i]) == 0) {
            *state = (enum pgc_ledger_state)i;
            return true;
        }
    }
    return false;
}

void pgc_ledger_version_key(struct pgc_buf *out, const char *version) {
    size_t start = out->len, end = out->len;
    if (!pgc_version_valid(version)) { /* a name, and known by all of it */
        pgc_buf_puts(out, version);
        return;
    }
    for (const char *p = version; *p != '\0';) {
        while (*p == '0')
            p++;
        if (out->len > start)
            pgc_buf_putc(out, '.');
        if (!isdigit((unsigned char)*p)) {
            pgc_buf_putc(out, '0');
        } else {
            for (; isdigit((unsigned char)*p); p++)
                pgc_buf_putc(out, *p);
            end = out->len;
        }
        p += *p != '\0';
    }
    if (out->failed)
        return;
    pgc_buf_truncate(out, end);
    if (end == start)
        pgc_buf_putc(out, '0');
}

void pgc_ledger_key(struct pgc_buf *out, const struct pgc_migration *migration) {
    if (migration->kind == PGC_MIGRATION_REPEATABLE)
        pgc_buf_putf(out, "R:%s", migration->name);
    else
        pgc_ledger_version_key(out, migration->version);
}

void pgc_ledger_sql(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const char *embedded) {
    for (const char *p = embedded; *p != '\0';) {
        const char *hit = strstr(p, "pgc.");
        if (hit == NULL || (hit > embedded && (isalnum((unsigned char)hit[-1]) || hit[-1] == '_'))) {
            size_t len = hit == NULL ? strlen(p) : (size_t)(hit + 4 - p);
            pgc_buf_put(sql, p, len);
            p += len;
            continue;
        }
        pgc_buf_put(sql, p, (size_t)(hit - p));
        pgc_sql_ident(sql, ledger->schema);
        pgc_buf_putc(sql, '.');
        p = hit + 4;
    }
}

static void put_key(struct pgc_buf *sql, const struct pgc_migration *m) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    pgc_ledger_key(&key, m);
    pgc_sql_literal(sql, key.data);
}

static const char *kind_name(enum pgc_migration_kind kind) {
    static const char *const names[] = { "versioned", "repeatable", "baseline" };
    return names[kind];
}

/* The columns that do not depend on how the migration ran. */
static void put_values(struct pgc_buf *sql, const struct pgc_migration *m, enum pgc_ledger_state state) {
    const char *const texts[] = { m->version, m->name, kind_name(m->kind), m->file, m->checksum, state_names[state] };
    put_key(sql, m);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pgc_buf_puts(sql, ", ");
        pgc_sql_literal(sql, texts[i]);
    }
}

static void put_who(struct pgc_buf *sql, const struct pgc_ledger_native *ledger) {
    if (ledger->who != NULL)
        pgc_sql_literal(sql, ledger->who);
    else
        pgc_buf_puts(sql, "session_user");
    pgc_buf_puts(sql, ", ");
    pgc_sql_literal(sql, ledger->tool_version);
}

/* now() is the transaction's start. Names are qualified: a migration may have put anything into search_path. */
void pgc_ledger_sql_up(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                       enum pgc_ledger_state state) {
    pgc_ledger_sql(sql, ledger,
                   "insert into pgc.migrations (key, version, name, kind, file, checksum, state, started_at, "
                   "finished_at, duration_ms, applied_by, tool_version) values (");
    put_values(sql, m, state);
    pgc_buf_puts(sql, ", pg_catalog.now(), pg_catalog.clock_timestamp(), extract(epoch from "
                      "pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000, ");
    put_who(sql, ledger);
    pgc_buf_puts(sql, ");");
}

static void put_time(struct pgc_buf *sql, const char *time) {
    if (time == NULL) {
        pgc_buf_puts(sql, "pg_catalog.now(), ");
        return;
    }
    pgc_sql_literal(sql, time);
    pgc_buf_puts(sql, "::timestamptz, ");
}

void pgc_ledger_sql_copy(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                         const struct pgc_ledger_row *row) {
    const char *time = row == NULL ? NULL : row->applied_at;
    pgc_ledger_sql(sql, ledger,
                   "insert into pgc.migrations (key, version, name, kind, file, checksum, state, started_at, "
                   "finished_at, duration_ms, applied_by, tool_version) values (");
    put_values(sql, m, PGC_LEDGER_APPLIED);
    pgc_buf_puts(sql, ", ");
    put_time(sql, time);
    put_time(sql, time);
    if (row != NULL && row->duration_ms >= 0)
        pgc_buf_putf(sql, "%lld, ", (long long)row->duration_ms);
    else
        pgc_buf_puts(sql, "null, ");
    if (row != NULL && row->who != NULL)
        pgc_sql_literal(sql, row->who);
    else
        pgc_buf_puts(sql, "session_user");
    pgc_buf_puts(sql, ", ");
    pgc_sql_literal(sql, ledger->tool_version);
    pgc_buf_puts(sql, ");");
}

void pgc_ledger_sql_prepare(struct pgc_buf *sql, const struct pgc_ledger_native *ledger) {
    pgc_ledger_sql(
        sql, ledger,
        "prepare pgc_migrate_record(text, text, text, text, text, text, text) as insert into pgc.migrations "
        "(key, version, name, kind, file, checksum, state, started_at, finished_at, duration_ms, applied_by, "
        "tool_version) values ($1, $2, $3, $4, $5, $6, $7, pg_catalog.now(), pg_catalog.clock_timestamp(), "
        "extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000, ");
    put_who(sql, ledger);
    pgc_buf_puts(sql, ");");
}

void pgc_ledger_sql_execute(struct pgc_buf *sql, const struct pgc_migration *m) {
    pgc_buf_puts(sql, "execute pgc_migrate_record(");
    put_values(sql, m, PGC_LEDGER_APPLIED);
    pgc_buf_puts(sql, ");");
}

void pgc_ledger_sql_remove(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const char *key,
                           const char *action) {
    pgc_ledger_sql(sql, ledger, "with gone as (delete from pgc.migrations where key = ");
    pgc_sql_literal(sql, key);
    pgc_ledger_sql(sql, ledger,
                   " returning *) insert into pgc.migration_history (action, key, version, name, kind, file, "
                   "checksum, started_at, finished_at, duration_ms, applied_by, tool_version) select ");
    pgc_sql_literal(sql, action);
    pgc_buf_puts(sql, ", key, version, name, kind, file, checksum, started_at, finished_at, duration_ms, applied_by, "
                      "tool_version from gone;");
}

static void put_where_key(struct pgc_buf *sql, const struct pgc_migration *m) {
    pgc_buf_puts(sql, " where key = ");
    put_key(sql, m);
    pgc_buf_putc(sql, ';');
}

/* The row of a down script is there already, unless another tool's ledger has it. */
void pgc_ledger_sql_begin(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                          bool down) {
    pgc_ledger_sql(sql, ledger,
                   "insert into pgc.migrations (key, version, name, kind, file, checksum, state, started_at, "
                   "applied_by, tool_version, statements_done, statements_checksum, in_flight) values (");
    put_values(sql, m, down ? PGC_LEDGER_REVERTING : PGC_LEDGER_APPLYING);
    pgc_buf_puts(sql, ", pg_catalog.clock_timestamp(), ");
    put_who(sql, ledger);
    pgc_buf_puts(sql, ", 0, '', false)");
    if (down)
        pgc_buf_puts(sql, " on conflict (key) do update set state = excluded.state, statements_done = 0, "
                          "statements_checksum = '', in_flight = false, error = null");
    pgc_buf_putc(sql, ';');
}

void pgc_ledger_sql_progress(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                             struct pgc_ledger_progress from, struct pgc_ledger_progress to,
                             const char *done_checksum) {
    pgc_ledger_sql(sql, ledger, "with moved as (update pgc.migrations set ");
    pgc_buf_putf(sql,
                 "statements_done = %zu, statements_checksum = '%s', in_flight = %s, error = null, checksum = '%s' "
                 "where statements_done = %zu and in_flight = %s and key = ",
                 to.done, done_checksum, to.in_flight ? "true" : "false", m->checksum, from.done,
                 from.in_flight ? "true" : "false");
    put_key(sql, m);
    pgc_buf_puts(sql, " returning 1) select (case when pg_catalog.count(*) = 1 then '1' else '" PGC_LEDGER_LOST
                      "' end)::integer from moved;");
}

void pgc_ledger_sql_error(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                          const char *message, bool settled) {
    pgc_ledger_sql(sql, ledger,
                   settled ? "update pgc.migrations set in_flight = false, error = "
                           : "update pgc.migrations set error = ");
    pgc_sql_literal(sql, message);
    put_where_key(sql, m);
}

void pgc_ledger_sql_finish(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                           bool down) {
    if (down) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        pgc_ledger_key(&key, m);
        pgc_ledger_sql_remove(sql, ledger, key.data, "down");
        return;
    }
    pgc_ledger_sql(sql, ledger,
                   "update pgc.migrations set state = 'applied', finished_at = pg_catalog.clock_timestamp(), "
                   "duration_ms = extract(epoch from pg_catalog.clock_timestamp() - started_at) * 1000, "
                   "statements_done = null, statements_checksum = null, in_flight = null, error = null");
    put_where_key(sql, m);
}
