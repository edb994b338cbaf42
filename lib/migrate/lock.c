#include "migrate/lock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "migrate/ledger_conn.h"
#include "pg/locks.h"
#include "sql_embedded.h"

#define TRY_MIN_MS 25
#define TRY_MAX_MS 1000
#define LEASE_MS   30000
#define HEARTBEATS 3 /* per lease */

struct pgc_migrate_lock {
    struct pgc_conn *conn;
    const struct pgc_migrate_lock_options *options;
    const struct pgc_runtime *rt;
    size_t held; /* session locks: the first so many of key_at */
    /* lease */
    bool has_lease;
    char owner[33];
    struct pgc_buf guard, keep; /* SQL, see the header */
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop; /* under mutex */
};

enum pgc_code pgc_migrate_pooled(struct pgc_conn *conn, bool *pooled, struct pgc_error *err) {
    PGC_AUTO_FREE char *pid = NULL;
    enum pgc_code code = pgc_conn_query_text(conn, "select pg_backend_pid()", NULL, 0, &pid, err);
    if (code == PGC_OK)
        *pooled = pid != NULL && atoi(pid) != pgc_conn_backend_pid(conn);
    return code;
}

/* --- session locks ------------------------------------------------------------------------------------------ */

static enum pgc_code try_key(struct pgc_conn *conn, int64_t key, bool *got, struct pgc_error *err) {
    char number[24];
    const char *params[] = { number };
    PGC_AUTO_FREE char *text = NULL;
    snprintf(number, sizeof number, "%lld", (long long)key);
    enum pgc_code code = pgc_conn_query_text(conn, "select pg_try_advisory_lock($1::bigint)", params, 1, &text, err);
    *got = code == PGC_OK && text != NULL && text[0] == 't';
    return code;
}

static void unlock_key(struct pgc_conn *conn, int64_t key) {
    struct pgc_error ignored;
    enum pgc_code code = pgc_conn_execf(conn, &ignored, "select pg_catalog.pg_advisory_unlock(%lld)", (long long)key);
    (void)code; /* the end of the connection gives it back too */
}

/* Who holds the key: what a person wants to see while waiting. */
static void describe_holder(struct pgc_conn *conn, int64_t key, char *out, size_t size) {
    char number[24];
    const char *params[] = { number };
    PGC_AUTO_FREE char *text = NULL;
    struct pgc_error ignored;
    snprintf(number, sizeof number, "%lld", (long long)key);
    out[0] = '\0';
    if (pgc_conn_query_text(conn, pgc_sql_migrate_find_lock_holder, params, 1, &text, &ignored) == PGC_OK &&
        text != NULL)
        snprintf(out, size, "%s", text);
}

static enum pgc_code lease_holder(struct pgc_migrate_lock *lock, char *out, size_t size, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO_FREE char *text = NULL;
    pgc_ledger_sql(&sql, lock->options->native,
                   "select held_by || ', since ' || acquired_at from pgc.migration_lease where expires_at > "
                   "clock_timestamp() and owner <> ");
    pgc_sql_literal(&sql, lock->owner);
    out[0] = '\0';
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_query_text(lock->conn, sql.data, NULL, 0, &text, err);
    if (code == PGC_E_SQL && (strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0))
        return PGC_OK;
    if (text != NULL)
        snprintf(out, size, "%s", text);
    return code;
}

/* Ours, then the old tool's. */
static int64_t key_at(const struct pgc_migrate_lock *lock, size_t i) {
    return i == 0 ? PGC_LOCK_SCHEMA : lock->options->foreign_keys[i - 1];
}

static void unlock_session(struct pgc_migrate_lock *lock) {
    while (lock->held > 0)
        unlock_key(lock->conn, key_at(lock, --lock->held));
}

/* All keys or none. */
static enum pgc_code try_session(struct pgc_migrate_lock *lock, char *holder, size_t size, bool *got,
                                 struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    *got = true;
    while (code == PGC_OK && *got && lock->held < 1 + lock->options->foreign_count) {
        code = try_key(lock->conn, key_at(lock, lock->held), got, err);
        if (code == PGC_OK && !*got)
            describe_holder(lock->conn, key_at(lock, lock->held), holder, size);
        lock->held += *got;
    }
    if (code == PGC_OK && *got) {
        code = lease_holder(lock, holder, size, err);
        *got = code == PGC_OK && holder[0] == '\0';
    }
    if (!*got)
        unlock_session(lock);
    return code;
}

/* --- lease ---------------------------------------------------------------------------------------------------- */

static int64_t lease_ms(const struct pgc_migrate_lock *lock) {
    return lock->options->lease_ms > 0 ? lock->options->lease_ms : LEASE_MS;
}

static void give_lease_back(struct pgc_migrate_lock *lock) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_error ignored;
    pgc_ledger_sql(&sql, lock->options->native, "delete from pgc.migration_lease where owner = ");
    pgc_sql_literal(&sql, lock->owner);
    enum pgc_code code = pgc_conn_exec(lock->conn, sql.data, &ignored);
    (void)code; /* it runs out by itself */
    lock->has_lease = false;
}

static enum pgc_code try_lease(struct pgc_migrate_lock *lock, char *holder, size_t size, bool *got,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO_FREE char *owner = NULL;
    char host[65] = "", number[24];
    PGC_AUTO_FREE char *direct = NULL;
    const char *params[] = { number };
    gethostname(host, sizeof host - 1);
    *got = false;
    pgc_ledger_sql(&sql, lock->options->native, pgc_sql_migrate_take_lease);
    char who[128], ms[24];
    snprintf(who, sizeof who, "%.60s pid %ld", host, (long)getpid());
    snprintf(ms, sizeof ms, "%lld", (long long)lease_ms(lock));
    const char *values[] = { lock->owner, who, ms };
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_query_text(lock->conn, sql.data, values, 3, &owner, err);
    if (code != PGC_OK)
        return code;
    if (owner == NULL)
        return lease_holder(lock, holder, size, err);
    lock->has_lease = true;
    /* Somebody who is directly connected holds the session lock, and looks at the lease only after taking it. */
    snprintf(number, sizeof number, "%lld", (long long)PGC_LOCK_SCHEMA);
    code = pgc_conn_query_text(lock->conn, "select pg_try_advisory_xact_lock($1::bigint)", params, 1, &direct, err);
    *got = code == PGC_OK && direct != NULL && direct[0] == 't';
    if (!*got) {
        describe_holder(lock->conn, PGC_LOCK_SCHEMA, holder, size);
        give_lease_back(lock);
    }
    return code;
}

static bool sleep_until_beat(struct pgc_migrate_lock *lock) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ms = lease_ms(lock) / HEARTBEATS;
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&lock->mutex);
    int rc = 0;
    while (!lock->stop && rc == 0)
        rc = pthread_cond_timedwait(&lock->wake, &lock->mutex, &until);
    bool stop = lock->stop;
    pthread_mutex_unlock(&lock->mutex);
    return !stop;
}

/* The main connection may be busy for hours; the heart beats on one of its own. */
static void *beat(void *arg) {
    struct pgc_migrate_lock *lock = arg;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    struct pgc_error err;
    char ms[24];
    snprintf(ms, sizeof ms, "%lld", (long long)lease_ms(lock));
    const char *values[] = { lock->owner, ms };
    pgc_ledger_sql(&sql, lock->options->native, pgc_sql_migrate_renew_lease);
    while (sleep_until_beat(lock)) {
        PGC_AUTO_FREE char *owner = NULL;
        if (conn == NULL && pgc_conn_open(lock->options->connect, lock->rt, &conn, &err) != PGC_OK)
            continue;
        pgc_conn_shield(conn, true);
        enum pgc_code code = pgc_conn_query_text(conn, sql.data, values, 2, &owner, &err);
        if (code == PGC_OK && owner == NULL)
            break; /* lost: guard and keep tell it where it matters */
        if (code != PGC_OK) {
            pgc_conn_free(conn);
            conn = NULL;
        }
    }
    return NULL;
}

/* --- what stands in transactions ------------------------------------------------------------------------------ */

static void put_lease_check(struct pgc_migrate_lock *lock, struct pgc_buf *sql) {
    pgc_ledger_sql(sql, lock->options->native,
                   "select (case when count(*) = 1 then '1' else '" PGC_LEDGER_LOST
                   "' end)::integer from pgc.migration_lease where "
                   "owner = ");
    pgc_sql_literal(sql, lock->owner);
    pgc_buf_putc(sql, ';');
}

static void put_session_guard(const struct pgc_migrate_lock *lock, struct pgc_buf *sql) {
    pgc_buf_puts(sql, "select (case when ");
    for (size_t i = 0; i < lock->held; i++)
        pgc_buf_putf(sql, "%spg_catalog.pg_try_advisory_xact_lock(%lld)", i > 0 ? " and " : "",
                     (long long)key_at(lock, i));
    pgc_buf_puts(sql, " then '1' else '" PGC_LEDGER_LOST "' end)::integer;");
}

/* Session locks are counted: given back and taken again is held once, whether it was held before or not. The transaction's
 * own hold on the key (guard) closes the gap. The server warns when there was nothing to give back. */
static void put_session_keep(const struct pgc_migrate_lock *lock, struct pgc_buf *sql) {
    pgc_buf_puts(sql, "set local client_min_messages=error;select ");
    for (size_t i = 0; i < lock->held; i++)
        pgc_buf_putf(sql, "%spg_catalog.pg_advisory_unlock(%lld),pg_catalog.pg_advisory_lock(%lld)", i > 0 ? "," : "",
                     (long long)key_at(lock, i), (long long)key_at(lock, i));
    pgc_buf_putc(sql, ';');
}

static enum pgc_code put_guards(struct pgc_migrate_lock *lock, struct pgc_error *err) {
    if (lock->options->pooled) {
        put_lease_check(lock, &lock->guard);
        put_lease_check(lock, &lock->keep);
    } else {
        put_session_guard(lock, &lock->guard);
        put_session_keep(lock, &lock->keep);
    }
    enum pgc_code code = pgc_buf_check(&lock->guard, err);
    return code != PGC_OK ? code : pgc_buf_check(&lock->keep, err);
}

const char *pgc_migrate_lock_guard(const struct pgc_migrate_lock *lock) {
    return lock->guard.data;
}

const char *pgc_migrate_lock_keep(const struct pgc_migrate_lock *lock) {
    return lock->keep.data;
}

bool pgc_migrate_lock_is_row(const struct pgc_migrate_lock *lock) {
    return lock->options->pooled;
}

enum pgc_code pgc_migrate_lock_fault(enum pgc_code code, struct pgc_error *err) {
    return code == PGC_E_SQL && strstr(err->message, PGC_LEDGER_LOST) != NULL
               ? pgc_fail(err, PGC_E_LOCKED, PGC_LEDGER_LOST)
               : code;
}

static enum pgc_code start_heart(struct pgc_migrate_lock *lock, struct pgc_error *err) {
    if (pthread_create(&lock->thread, NULL, beat, lock) != 0)
        return pgc_fail(err, PGC_E_FAILED, "cannot start the thread that keeps the lease");
    lock->thread_runs = true;
    return PGC_OK;
}

/* --- both -------------------------------------------------------------------------------------------------- */

static int64_t jittered(int64_t ms) {
    uint16_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = 0x8000;
    return ms / 2 + ms * random / 0x10000;
}

static enum pgc_code take(struct pgc_migrate_lock *lock, struct pgc_error *err) {
    const struct pgc_migrate_lock_options *o = lock->options;
    int64_t start = pgc_mono_ms(lock->rt), pause = TRY_MIN_MS, told = -1;
    char holder[512];
    for (;;) {
        bool got = false;
        holder[0] = '\0';
        enum pgc_code code = o->pooled ? try_lease(lock, holder, sizeof holder, &got, err)
                                       : try_session(lock, holder, sizeof holder, &got, err);
        if (code != PGC_OK)
            return pgc_wrap(err, "cannot take the migration lock");
        if (got)
            return o->pooled ? start_heart(lock, err) : PGC_OK;
        int64_t waited = pgc_mono_ms(lock->rt) - start;
        if (o->wait_ms >= 0 && waited >= o->wait_ms)
            return pgc_fail(err, PGC_E_LOCKED, "another migration or backup holds the lock%s%s",
                            holder[0] != '\0' ? ": " : "", holder);
        if (told < 0 || waited - told > 30000) {
            pgc_log(lock->rt, PGC_LOG_INFO, "migrate.wait", "waiting for the migration lock",
                    PGC_LOG_TEXT("holder", holder));
            told = waited;
        }
        pgc_sleep_ms(lock->rt, jittered(pause));
        code = pgc_check_cancelled(lock->rt, err);
        if (code != PGC_OK)
            return code;
        pause = pause * 2 > TRY_MAX_MS ? TRY_MAX_MS : pause * 2;
    }
}

enum pgc_code pgc_migrate_lock_take(struct pgc_conn *conn, const struct pgc_migrate_lock_options *options,
                                    const struct pgc_runtime *rt, struct pgc_migrate_lock **out,
                                    struct pgc_error *err) {
    struct pgc_migrate_lock *lock = calloc(1, sizeof *lock);
    unsigned char random[16] = { 0 };
    if (lock == NULL)
        return pgc_fail_nomem(err);
    lock->conn = conn;
    lock->options = options;
    lock->rt = rt;
    lock->guard = lock->keep = (struct pgc_buf)PGC_BUF_INIT;
    pthread_mutex_init(&lock->mutex, NULL);
    pthread_cond_init(&lock->wake, NULL);
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        memcpy(random, &(int64_t) { pgc_wall_us(rt) }, sizeof(int64_t));
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(lock->owner + 2 * i, 3, "%02x", random[i]);
    enum pgc_code code = options->pooled ? pgc_ledger_create_lease(conn, options->native, err) : PGC_OK;
    if (code == PGC_OK)
        code = take(lock, err);
    if (code == PGC_OK)
        code = put_guards(lock, err);
    if (code != PGC_OK) {
        pgc_migrate_lock_free(lock);
        return code;
    }
    *out = lock;
    return PGC_OK;
}

void pgc_migrate_lock_free(struct pgc_migrate_lock *lock) {
    if (lock == NULL)
        return;
    if (lock->thread_runs) {
        pthread_mutex_lock(&lock->mutex);
        lock->stop = true;
        pthread_cond_signal(&lock->wake);
        pthread_mutex_unlock(&lock->mutex);
        pthread_join(lock->thread, NULL);
    }
    pgc_conn_shield(lock->conn, true);
    if (!pgc_conn_is_broken(lock->conn)) {
        unlock_session(lock);
        if (lock->has_lease)
            give_lease_back(lock);
    }
    pgc_conn_shield(lock->conn, false);
    pgc_buf_release(&lock->guard);
    pgc_buf_release(&lock->keep);
    pthread_cond_destroy(&lock->wake);
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}
