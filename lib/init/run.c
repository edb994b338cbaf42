#include "init/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "init/steps_run.h"
#include "pg/environ.h"
#include "pg/locks.h"
#include "sql_embedded.h"

#define LOCK_PAUSE_MS 200

struct run {
    const struct pgc_init_run_options *options;
    const struct pgc_init_steps *steps;
    const struct pgc_runtime *rt;
    struct pgc_init_result *result;
    struct pgc_conn *conn;
    struct pgc_init_ledger ledger;
};

static void tell(const struct run *run, enum pgc_init_event event, const struct pgc_init_step *step, int64_t ms,
                 const char *detail) {
    if (run->options->event != NULL)
        run->options->event(run->options->arg, event, step, ms, detail);
}

/* --- opening ---------------------------------------------------------------------------------------- */

static enum pgc_code create_database(const struct pgc_conn_options *options, const char *name,
                                     const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    struct pgc_conn_options maintenance = *options;
    maintenance.dbname = "postgres";
    enum pgc_code code = pgc_conn_open(&maintenance, rt, &conn, err);
    if (code == PGC_E_NOT_FOUND) {
        maintenance.dbname = "template1";
        code = pgc_conn_open(&maintenance, rt, &conn, err);
    }
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE char *ident = pgc_conn_quote_ident(conn, name);
    if (ident == NULL)
        return pgc_fail_nomem(err);
    code = pgc_conn_execf(conn, err, "create database %s", ident);
    /* Another replica was quicker. */
    if (code == PGC_E_SQL && (strcmp(err->sqlstate, "42P04") == 0 || strcmp(err->sqlstate, "23505") == 0))
        return PGC_OK;
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot create the database '%s'", name);
}

/* The name in: database "x" does not exist. */
static bool missing_name(const char *message, char *name, size_t cap) {
    const char *from = strstr(message, "database \"");
    const char *to = from != NULL ? strstr(from, "\" does not exist") : NULL;
    if (to == NULL)
        return false;
    from += strlen("database \"");
    snprintf(name, cap, "%.*s", (int)(to - from), from);
    return true;
}

enum pgc_code pgc_init_open(const struct pgc_conn_options *options, bool create, const struct pgc_runtime *rt,
                            struct pgc_conn **out, struct pgc_error *err) {
    char name[256];
    enum pgc_code code = pgc_conn_open(options, rt, out, err);
    if (code != PGC_E_NOT_FOUND || !create || strcmp(err->sqlstate, "3D000") != 0)
        return code;
    if (options->dbname != NULL)
        snprintf(name, sizeof name, "%s", options->dbname);
    else if (!missing_name(err->message, name, sizeof name))
        return code;
    code = create_database(options, name, rt, err);
    return code == PGC_OK ? pgc_conn_open(options, rt, out, err) : code;
}

/* --- lock ------------------------------------------------------------------------------------------- */

static enum pgc_code fail_locked(struct run *run, const char *key, struct pgc_error *err) {
    const char *params[] = { key };
    char *holder = NULL;
    enum pgc_code code = pgc_conn_query_text(run->conn, pgc_sql_init_find_lock_holder, params, 1, &holder, err);
    if (code == PGC_OK)
        code = pgc_fail(err, PGC_E_LOCKED, "another pgc init holds the lock: %s",
                        holder != NULL ? holder : "it has just ended");
    free(holder);
    return code;
}

static enum pgc_code take_lock(struct run *run, struct pgc_error *err) {
    char key[24];
    snprintf(key, sizeof key, "%" PRId64, PGC_LOCK_INIT);
    const char *params[] = { key };
    int64_t wait_ms = run->options->lock_wait_ms, end = pgc_mono_ms(run->rt) + wait_ms;
    for (bool told = false;; told = true) {
        PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
        enum pgc_code code =
            pgc_conn_query(run->conn, "select pg_try_advisory_lock($1::bigint)", params, 1, &rows, err);
        if (code != PGC_OK || pgc_rows_bool(rows, 0, 0))
            return code;
        if (wait_ms >= 0 && pgc_mono_ms(run->rt) >= end)
            return fail_locked(run, key, err);
        if (!told)
            tell(run, PGC_INIT_EVENT_WAITING, NULL, 0, "another pgc init is at work");
        pgc_sleep_ms(run->rt, LOCK_PAUSE_MS);
        code = pgc_check_cancelled(run->rt, err);
        if (code != PGC_OK)
            return code;
    }
}

/* --- steps ------------------------------------------------------------------------------------------ */

static enum pgc_code do_step(struct run *run, const struct pgc_init_step *step, const char *why,
                             struct pgc_error *err) {
    tell(run, PGC_INIT_EVENT_RUNNING, step, 0, why);
    enum pgc_code code = pgc_init_ledger_start(run->conn, step, err);
    if (code != PGC_OK)
        return code;
    int64_t begin = pgc_mono_ms(run->rt);
    code = pgc__init_run_step(run->options, step, run->conn, run->rt, &run->result->script_status, err);
    int64_t ms = pgc_mono_ms(run->rt) - begin;
    struct pgc_error late;
    enum pgc_code noted =
        pgc_init_ledger_finish(run->conn, step, ms, code == PGC_OK ? NULL : err->message, code == PGC_OK ? err : &late);
    if (code == PGC_OK && noted != PGC_OK)
        return noted;
    tell(run, code == PGC_OK ? PGC_INIT_EVENT_DONE : PGC_INIT_EVENT_FAILED, step, ms,
         code == PGC_OK ? NULL : err->message);
    run->result->ran += code == PGC_OK;
    return code;
}

static enum pgc_code do_steps(struct run *run, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < run->steps->count; i++) {
        const struct pgc_init_step *step = &run->steps->items[i];
        struct pgc_init_decision decision = pgc_init_decide(step, &run->ledger);
        if (decision.action == PGC_INIT_RUN) {
            code = do_step(run, step, decision.why, err);
        } else if (decision.action == PGC_INIT_SKIP) {
            run->result->skipped++;
            tell(run, PGC_INIT_EVENT_SKIPPED, step, 0, decision.why);
        } else {
            run->result->ignored++;
            tell(run, PGC_INIT_EVENT_IGNORED, step, 0, decision.why);
        }
    }
    return code;
}

static void declared(void *arg, const char *what) {
    tell(arg, PGC_INIT_EVENT_DECLARED, NULL, 0, what);
}

static enum pgc_code locked_part(struct run *run, struct pgc_error *err) {
    enum pgc_code code = take_lock(run, err);
    if (code == PGC_OK)
        code = pgc_init_declare(run->options->declaration, run->conn, &run->options->conn, run->rt, declared, run, err);
    /* Read again: what another run did while we waited is done. */
    if (code == PGC_OK)
        code = pgc_init_ledger_read(run->conn, &run->ledger, err);
    if (code == PGC_OK && pgc_init_has_work(run->steps, &run->ledger))
        code = pgc_init_ledger_create(run->conn, err);
    return code == PGC_OK ? do_steps(run, err) : code;
}

enum pgc_code pgc_init_run(const struct pgc_init_run_options *options, const struct pgc_init_steps *steps,
                           const struct pgc_runtime *rt, struct pgc_init_result *result, struct pgc_error *err) {
    struct run run = { options, steps, rt, result, NULL, PGC_INIT_LEDGER_INIT };
    *result = (struct pgc_init_result) { 0 };
    enum pgc_code code = pgc_init_open(&options->conn, true, rt, &run.conn, err);
    if (code == PGC_OK)
        code = pgc_init_ledger_read(run.conn, &run.ledger, err);
    if (code == PGC_OK) {
        bool idle = !pgc_init_has_work(steps, &run.ledger) && pgc_init_declaration_empty(options->declaration);
        code = idle ? do_steps(&run, err) : locked_part(&run, err);
    }
    pgc_init_ledger_release(&run.ledger);
    pgc_conn_free(run.conn);
    return code;
}
