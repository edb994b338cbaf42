#ifndef PGC_PG_INTERNAL_H
#define PGC_PG_INTERNAL_H
/* What the files of lib/pg share. Only they include this header and libpq's. */
#include <libpq-fe.h>

#include "pg/conn.h"

struct pgc_conn {
    PGconn *pg;
    const struct pgc_runtime *rt;
    pgc_notice_fn *notice;
    void *notice_arg;
    pgc_delay_fn *delay;
    void *delay_arg;
    int64_t delay_ms;
    size_t last_copy_rows;
    size_t finished; /* statements of the last command that were done */
    size_t position; /* where the last failed one broke, 0 unknown */
    bool shielded;   /* a rollback is not to be cancelled */
};

struct pgc_rows {
    PGresult *result;
};

/* Waits until the socket is readable (or writable, when asked). Sends one cancel request when the runtime is cancelled. */
struct pgc__wait {
    struct pgc_conn *conn;
    bool cancel_sent;
};
PGC_MUST_USE enum pgc_code pgc__wait_socket(struct pgc__wait *wait, bool writable, struct pgc_error *err);
/* Waits until everything queued has been sent. */
PGC_MUST_USE enum pgc_code pgc__flush(struct pgc__wait *wait, struct pgc_error *err);
/* Opens with libpq's keywords (NULL-terminated); limit_ms < 0: no limit. */
PGC_MUST_USE enum pgc_code pgc__conn_open_keywords(const char *const *names, const char *const *values,
                                                   bool expand_dbname, int64_t limit_ms, const struct pgc_runtime *rt,
                                                   struct pgc_conn **out, struct pgc_error *err);
/* The next result as from PQgetResult, without blocking signals out. *result is NULL at the end of the command. */
PGC_MUST_USE enum pgc_code pgc__next_result(struct pgc__wait *wait, PGresult **result, struct pgc_error *err);
/* Error of a result or of the connection. `wait` may be NULL. */
enum pgc_code pgc__fail_result(struct pgc__wait *wait, const PGresult *result, struct pgc_error *err);
enum pgc_code pgc__fail_conn(struct pgc_conn *conn, const char *what, struct pgc_error *err);
enum pgc_code pgc__code_of_sqlstate(const char *sqlstate);
/* Reads and drops results until the connection is idle. */
void pgc__drain(struct pgc_conn *conn);
PGC_MUST_USE enum pgc_code pgc__begin_command(struct pgc_conn *conn, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__wrap_rows(PGresult *result, struct pgc_rows **rows, struct pgc_error *err);
#endif
