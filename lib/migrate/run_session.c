/* The session of a run: limits, rolling back, and who is in the way when a lock is not to be had. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "migrate/run_internal.h"
#include "sql_embedded.h"

#define RETRY_MIN_MS  250
#define RETRY_MAX_MS  15000
#define WATCH_MIN_MS  50
#define WATCH_OPEN_MS 2000

enum pgc_code pgc__run_exec(const struct pgc__run *run, const struct pgc_buf *sql, struct pgc_error *err) {
    enum pgc_code code = pgc_buf_check(sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(run->migrate->conn, sql->data, err);
    return pgc_migrate_lock_fault(code, err);
}

void pgc__run_tell(const struct pgc__run *run, enum pgc_migrate_event_kind kind, const struct pgc_plan_step *step,
                   int64_t duration_ms, const char *text) {
    const struct pgc_migrate_options *options = run->migrate->options;
    struct pgc_migrate_event event = { .kind = kind, .step = step, .duration_ms = duration_ms, .text = text };
    if (options->event != NULL)
        options->event(options->event_arg, &event);
}

void pgc__run_say_more(struct pgc_error *err, const char *format, ...) {
    size_t len = strlen(err->message);
    va_list args;
    if (len + 2 >= sizeof err->message)
        return;
    memcpy(err->message + len, "; ", 3);
    va_start(args, format);
    vsnprintf(err->message + len + 2, sizeof err->message - len - 2, format, args);
    va_end(args);
}

static void put_limits(const struct pgc__run *run, struct pgc_buf *sql, const char *set, bool lock_timeout,
                       bool statement_timeout) {
    const struct pgc_migrate_options *options = run->migrate->options;
    if (lock_timeout && options->lock_timeout_ms > 0)
        pgc_buf_putf(sql, "%s lock_timeout=%lld;", set, (long long)options->lock_timeout_ms);
    if (statement_timeout && options->statement_timeout_ms > 0)
        pgc_buf_putf(sql, "%s statement_timeout=%lld;", set, (long long)options->statement_timeout_ms);
}

void pgc__run_put_limits(const struct pgc__run *run, struct pgc_buf *sql, bool lock_timeout, bool statement_timeout) {
    put_limits(run, sql, "set local", lock_timeout, statement_timeout);
}

/* The setting is there from 14 on, and refused where the kernel cannot tell. */
static void put_check(const struct pgc__run *run, struct pgc_buf *sql) {
    if (pgc_conn_server_version(run->migrate->conn) >= 140000)
        pgc_buf_puts(sql, "select pg_catalog.set_config('client_connection_check_interval', '3s', false) where "
                          "pg_catalog.version() ~ 'linux';");
}

void pgc__run_put_session(struct pgc__run *run, struct pgc_buf *sql) {
    run->prepared = !run->migrate->pooled && run->migrate->foreign == NULL;
    if (run->migrate->pooled)
        return;
    put_limits(run, sql, "set", true, true);
    put_check(run, sql);
    if (!run->prepared)
        return;
    pgc_buf_puts(sql, "deallocate all;");
    pgc_ledger_sql_prepare(sql, &run->migrate->native);
}

void pgc__run_put_outside_session(struct pgc__run *run, struct pgc_buf *sql) {
    run->prepared = false;
    if (run->migrate->pooled)
        return;
    put_limits(run, sql, "set", false, true);
    put_check(run, sql);
}

bool pgc__run_prepares(const struct pgc_migration_script *script) {
    return script->text != NULL && strcasestr(script->text, "prepare") != NULL;
}

void pgc__run_put_reset(struct pgc__run *run, struct pgc_buf *sql, bool prepared) {
    run->prepared = false;
    pgc_buf_puts(sql, PGC__RUN_RESET "close all;unlisten *;discard sequences;discard temp;");
    if (prepared || !run->migrate->pooled)
        pgc_buf_puts(sql, "deallocate all;");
}

void pgc__run_roll_back(const struct pgc__run *run) {
    struct pgc_conn *conn = run->migrate->conn;
    struct pgc_error ignored;
    if (pgc_conn_is_broken(conn) || pgc_conn_tx_status(conn) == 'I')
        return;
    pgc_conn_shield(conn, true);
    enum pgc_code code = pgc_conn_exec(conn, "rollback", &ignored);
    (void)code; /* the end of the connection does it too */
    pgc_conn_shield(conn, false);
}

/* --- who is in the way -------------------------------------------------------------------------------------------- */

static char *find_blockers(struct pgc_conn *conn, const char *pid, const char *application) {
    const char *params[] = { pid, application };
    struct pgc_error ignored;
    char *who = NULL;
    enum pgc_code code = pgc_conn_query_text(conn, pgc_sql_migrate_find_blockers, params, 2, &who, &ignored);
    (void)code; /* without the right to see it there is no name */
    return who;
}

/* After the timeout nobody waits any more, and the server does not tell for whom it was: it has to be seen before. */
static void look(void *arg) {
    struct pgc__run *run = arg;
    const struct pgc_migrate *m = run->migrate;
    struct pgc_error ignored;
    char pid[24];
    struct pgc_conn_options connect = m->options->connect;
    connect.deadline_ms = WATCH_OPEN_MS;
    if (run->watcher == NULL && !run->blind)
        run->blind = pgc_conn_open(&connect, m->rt, &run->watcher, &ignored) != PGC_OK;
    if (run->blind)
        return;
    snprintf(pid, sizeof pid, "%d", m->pooled ? 0 : pgc_conn_backend_pid(m->conn));
    int64_t start = pgc_mono_ms(m->rt);
    char *who = find_blockers(run->watcher, pid, pgc_conn_parameter(run->watcher, "application_name"));
    if (who != NULL) {
        free(run->blockers);
        run->blockers = who;
    }
    /* A pool with no connection to spare lets this one wait for ours: not a second time. */
    run->blind = pgc_mono_ms(m->rt) - start > WATCH_OPEN_MS;
    if (pgc_conn_is_broken(run->watcher)) {
        pgc_conn_free(run->watcher);
        run->watcher = NULL;
    }
}

void pgc__run_watch(struct pgc__run *run) {
    int64_t every = run->migrate->options->lock_timeout_ms / 3;
    if (run->migrate->options->lock_timeout_ms > 0)
        pgc_conn_on_delay(run->migrate->conn, every < WATCH_MIN_MS ? WATCH_MIN_MS : every, look, run);
}

void pgc__run_watch_end(struct pgc__run *run) {
    pgc_conn_on_delay(run->migrate->conn, 0, NULL, NULL);
    pgc_conn_free(run->watcher);
    free(run->blockers);
    run->watcher = NULL;
    run->blockers = NULL;
}

bool pgc__run_try_again(struct pgc__run *run, const struct pgc_plan_step *step, int64_t *tries, struct pgc_error *err) {
    const struct pgc_migrate *m = run->migrate;
    bool lock = strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
    if (!lock)
        return false;
    PGC_AUTO_FREE char *who = run->blockers;
    run->blockers = NULL;
    if (who == NULL)
        who = find_blockers(m->conn, "-1", "");
    if (*tries >= m->options->lock_retries) {
        if (who != NULL)
            pgc__run_say_more(err, "in the way: %s", who);
        return false;
    }
    int64_t pause = RETRY_MIN_MS << (*tries < 6 ? *tries : 6);
    pause = pause > RETRY_MAX_MS ? RETRY_MAX_MS : pause;
    pause = pause / 2 + (pgc_wall_us(m->rt) % 1000) * pause / 1000;
    ++*tries;
    pgc__run_tell(run, PGC_MIGRATE_RETRY, step, pause, who == NULL ? "" : who);
    pgc_sleep_ms(m->rt, pause);
    return true;
}
