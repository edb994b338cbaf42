#ifndef PGC_PG_CONN_H
#define PGC_PG_CONN_H
/* A connection to PostgreSQL. lib/pg is the only folder that includes <libpq-fe.h>; domain code never sees PGresult.
 *
 *     struct pgc_conn_options options = { .conninfo = "dbname=app", .deadline_ms = 10000 };
 *     PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
 *     code = pgc_conn_open(&options, rt, &conn, err);
 *     PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
 *     code = pgc_conn_query(conn, "select 1", NULL, 0, &rows, err);
 *
 * Every call that waits for the server watches the runtime: a signal sends a cancel request to the server,
 * waits for its answer and returns PGC_E_CANCELLED. Errors of the server are PGC_E_SQL with err->sqlstate
 * set; a lost connection is PGC_E_TEMPORARY; classes 28 and 42501 are PGC_E_AUTH; 55P03 is PGC_E_LOCKED;
 * 57014 without our own signal is PGC_E_SQL. Passwords never appear in a message. */
#include <pgc/runtime.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "io/stream.h"

struct pgc_conn;
struct pgc_rows;

struct pgc_conn_options {
    const char *conninfo; /* URI, key=value string, database name or NULL: PG* variables and defaults decide */
    const char *dbname;   /* overrides the database of conninfo; NULL: as it is */
    const char *user;     /* the same for host, port, user, password */
    const char *host;
    const char *port;
    const char *password;
    const char *application_name;  /* NULL: "pgc" */
    int64_t deadline_ms;           /* total time over all hosts and addresses; 0: 15 s; < 0: no limit */
    bool client_encoding_as_given; /* false: client_encoding=UTF8 */
};

PGC_MUST_USE enum pgc_code pgc_conn_open(const struct pgc_conn_options *options, const struct pgc_runtime *rt,
                                         struct pgc_conn **out, struct pgc_error *err);
void pgc_conn_free(struct pgc_conn *conn);
PGC_DEFINE_AUTO(pgc_conn_free, struct pgc_conn *)

/* The database that options mean: dbname, else what conninfo says, else PGDATABASE, else the user's name. malloc'ed; NULL
 * when out of memory or nothing says it. */
char *pgc_conn_options_dbname(const struct pgc_conn_options *options);

/* Replaces a password by "********" in a conninfo string or URI. malloc'ed; NULL when out of memory. */
char *pgc_conninfo_redact(const char *conninfo);

/* What the connection is. Strings live as long as the connection. */
const char *pgc_conn_dbname(const struct pgc_conn *conn);
const char *pgc_conn_user(const struct pgc_conn *conn);
const char *pgc_conn_host(const struct pgc_conn *conn);
const char *pgc_conn_port(const struct pgc_conn *conn);
int pgc_conn_server_version(const struct pgc_conn *conn);                      /* 150018 */
const char *pgc_conn_parameter(const struct pgc_conn *conn, const char *name); /* ParameterStatus, NULL unknown */
int pgc_conn_backend_pid(const struct pgc_conn *conn);
bool pgc_conn_is_broken(const struct pgc_conn *conn);
/* 'I' idle, 'T' in transaction, 'E' failed transaction, 'A' active, '?' unknown. */
char pgc_conn_tx_status(const struct pgc_conn *conn);

/* NOTICE and WARNING messages go here; NULL: dropped. `severity` is "NOTICE", "WARNING", ... not localised. */
typedef void pgc_notice_fn(void *arg, const char *severity, const char *sqlstate, const char *message,
                           const char *whole);
void pgc_conn_on_notice(struct pgc_conn *conn, pgc_notice_fn *fn, void *arg);

/* Called whenever a call has waited for the server `every_ms` without hearing anything: to look, on another connection, at
 * what holds it up. Must not use `conn`. NULL: nobody. */
typedef void pgc_delay_fn(void *arg);
void pgc_conn_on_delay(struct pgc_conn *conn, int64_t every_ms, pgc_delay_fn *fn, void *arg);

/* Simple protocol, any number of statements in one string, results thrown away. */
PGC_MUST_USE enum pgc_code pgc_conn_exec(struct pgc_conn *conn, const char *sql, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_conn_execf(struct pgc_conn *conn, struct pgc_error *err, const char *format, ...)
    PGC_PRINTF(3, 4);
/* After a failed exec: how many statements of the string had finished before it, and where in the string the server
 * points (in characters from 1; 0: it does not say). */
void pgc_conn_last_fault(const struct pgc_conn *conn, size_t *finished, size_t *position);
/* On: calls go through although the runtime is cancelled, and are not cancelled. For cleaning up after a signal. */
void pgc_conn_shield(struct pgc_conn *conn, bool on);
/* Extended protocol, one statement, text parameters (NULL is SQL null). rows may be NULL: result not wanted. */
PGC_MUST_USE enum pgc_code pgc_conn_query(struct pgc_conn *conn, const char *sql, const char *const *params,
                                          size_t param_count, struct pgc_rows **rows, struct pgc_error *err);
/* First column of the first row as a malloc'ed string in *out, NULL for no row or SQL null. */
PGC_MUST_USE enum pgc_code pgc_conn_query_text(struct pgc_conn *conn, const char *sql, const char *const *params,
                                               size_t param_count, char **out, struct pgc_error *err);

/* Several statements in one round trip (libpq's pipeline mode). Without begin/commit among them they are one implicit
 * transaction. rows of each is set on success (caller frees). On failure *failed says which one; those after it did not run. */
struct pgc_statement {
    const char *sql;
    const char *const *params;
    size_t param_count;
    struct pgc_rows *rows;
};
PGC_MUST_USE enum pgc_code pgc_conn_pipeline(struct pgc_conn *conn, struct pgc_statement *statements, size_t count,
                                             size_t *failed, struct pgc_error *err);

/* Rows of a result, owned by the caller. Row and column count from 0. */
size_t pgc_rows_count(const struct pgc_rows *rows);
size_t pgc_rows_columns(const struct pgc_rows *rows);
const char *pgc_rows_column_name(const struct pgc_rows *rows, size_t column);
const char *pgc_rows_text(const struct pgc_rows *rows, size_t row, size_t column); /* "" for null */
bool pgc_rows_null(const struct pgc_rows *rows, size_t row, size_t column);
int64_t pgc_rows_int(const struct pgc_rows *rows, size_t row, size_t column); /* 0 for null */
bool pgc_rows_bool(const struct pgc_rows *rows, size_t row, size_t column);
size_t pgc_rows_affected(const struct pgc_rows *rows);
void pgc_rows_free(struct pgc_rows *rows);
PGC_DEFINE_AUTO(pgc_rows_free, struct pgc_rows *)

/* Quoted by libpq for this connection; malloc'ed, NULL when out of memory or not valid in the encoding. */
char *pgc_conn_quote_ident(struct pgc_conn *conn, const char *name);
char *pgc_conn_quote_literal(struct pgc_conn *conn, const char *text);

/* Sets a role's password as a verifier made here (password_encryption of the server), so that no server log shows the password. */
PGC_MUST_USE enum pgc_code pgc_conn_set_password(struct pgc_conn *conn, const char *role, const char *password,
                                                 struct pgc_error *err);

/* COPY ... FROM STDIN as a sink: commit ends the copy, drop without commit aborts it on the server. */
PGC_MUST_USE enum pgc_code pgc_conn_copy_in(struct pgc_conn *conn, const char *sql, struct pgc_sink **out,
                                            struct pgc_error *err);
/* COPY ... TO STDOUT as a source; verify tells whether the server finished without error. */
PGC_MUST_USE enum pgc_code pgc_conn_copy_out(struct pgc_conn *conn, const char *sql, struct pgc_source **out,
                                             struct pgc_error *err);
/* After a committed copy_in sink was dropped: rows of the last COPY. */
size_t pgc_conn_last_copy_rows(const struct pgc_conn *conn);

/* A transaction that rolls back at the end of the scope unless committed.
 *     PGC_CLEANUP(pgc_tx_rollback) struct pgc_tx tx = { 0 };
 *     code = pgc_tx_begin(&tx, conn, err); ... code = pgc_tx_commit(&tx, err); */
struct pgc_tx {
    struct pgc_conn *conn; /* NULL: no transaction open */
};
PGC_MUST_USE enum pgc_code pgc_tx_begin(struct pgc_tx *tx, struct pgc_conn *conn, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_tx_commit(struct pgc_tx *tx, struct pgc_error *err);
void pgc_tx_rollback(struct pgc_tx *tx);

#endif
