#ifndef PGC_PG_RAW_H
#define PGC_PG_RAW_H
/* A connection as psql uses it: simple protocol, every result of a query string in turn, COPY wherever it comes up,
 * messages as libpq words them. For the script runner; domain code takes pg/conn.h.
 *
 *     code = pgc_raw_send(conn, "copy t from stdin; select 1", err);
 *     PGC_AUTO(pgc_raw_result_free) struct pgc_raw_result *result = NULL;
 *     while ((code = pgc_raw_next(conn, &result, err)) == PGC_OK && result != NULL)
 *         switch (pgc_raw_kind(result)) { case PGC_RAW_COPY_IN: pgc_raw_copy_put(...); pgc_raw_copy_end(...); ... }
 *
 * A failed query is not a failed call: it is a result of kind PGC_RAW_FAILED. PGC_E_TEMPORARY means that the connection
 * is gone, PGC_E_CANCELLED that the runtime was cancelled and the server did not answer to it. */
#include "pg/conn.h"

struct pgc_raw_result;

enum pgc_raw_kind {
    PGC_RAW_ROWS,
    PGC_RAW_COMMAND,
    PGC_RAW_EMPTY,
    PGC_RAW_COPY_IN,  /* now pgc_raw_copy_put and pgc_raw_copy_end, then pgc_raw_next */
    PGC_RAW_COPY_OUT, /* now pgc_raw_copy_get until its end, then pgc_raw_next */
    PGC_RAW_FAILED,
    PGC_RAW_ABORTED, /* pipeline: not run because one before it failed */
    PGC_RAW_SYNC,    /* pipeline: end of a batch */
};

PGC_MUST_USE enum pgc_code pgc_raw_send(struct pgc_conn *conn, const char *sql, struct pgc_error *err);
/* Frees *result and stores the next one; NULL when the query is over (in a pipeline: when one statement is). */
PGC_MUST_USE enum pgc_code pgc_raw_next(struct pgc_conn *conn, struct pgc_raw_result **result, struct pgc_error *err);
void pgc_raw_result_free(struct pgc_raw_result *result);
PGC_DEFINE_AUTO(pgc_raw_result_free, struct pgc_raw_result *)

enum pgc_raw_kind pgc_raw_kind(const struct pgc_raw_result *result);
size_t pgc_raw_rows(const struct pgc_raw_result *result);
size_t pgc_raw_columns(const struct pgc_raw_result *result);
const char *pgc_raw_column(const struct pgc_raw_result *result, size_t column);
unsigned pgc_raw_column_type(const struct pgc_raw_result *result, size_t column); /* oid */
const char *pgc_raw_value(const struct pgc_raw_result *result, size_t row, size_t column);
bool pgc_raw_null(const struct pgc_raw_result *result, size_t row, size_t column);
bool pgc_raw_binary(const struct pgc_raw_result *result);          /* of a COPY */
const char *pgc_raw_tag(const struct pgc_raw_result *result);      /* "INSERT 0 1" */
const char *pgc_raw_affected(const struct pgc_raw_result *result); /* "1", "" when the tag has no count */
unsigned pgc_raw_oid(const struct pgc_raw_result *result);         /* of the row inserted, 0 none */
/* Of a failure. The whole message has severity, LINE and caret, DETAIL, HINT, and ends in a newline. */
const char *pgc_raw_message(const struct pgc_raw_result *result);
const char *pgc_raw_primary(const struct pgc_raw_result *result);
const char *pgc_raw_sqlstate(const struct pgc_raw_result *result);
/* libpq's text for what went wrong with the connection. */
const char *pgc_raw_connection_message(const struct pgc_conn *conn);

PGC_MUST_USE enum pgc_code pgc_raw_copy_put(struct pgc_conn *conn, const void *data, size_t len, struct pgc_error *err);
/* reason NULL: the data is complete; else the server fails the COPY with this text. */
PGC_MUST_USE enum pgc_code pgc_raw_copy_end(struct pgc_conn *conn, const char *reason, struct pgc_error *err);
/* Next row in libpq's memory, freed by the next call; *data NULL at the end. Start with *data NULL. */
PGC_MUST_USE enum pgc_code pgc_raw_copy_get(struct pgc_conn *conn, char **data, size_t *len, struct pgc_error *err);

/* Pipeline: extended protocol without parameters, one statement each; answers come in order from pgc_raw_next.
 * begin and end want an idle connection. flush waits until everything queued has been sent. */
PGC_MUST_USE enum pgc_code pgc_raw_pipeline_begin(struct pgc_conn *conn, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_raw_pipeline_send(struct pgc_conn *conn, const char *sql, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_raw_pipeline_sync(struct pgc_conn *conn, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_raw_pipeline_end(struct pgc_conn *conn, struct pgc_error *err);

/* A connection beside `old`, as \connect makes it. What is NULL is taken from `old`; dbname may be a URI or a
 * key=value list, which takes only what it does not name from the environment unless reuse says otherwise.
 * The password goes along while user, host and port stay the same. */
struct pgc_raw_target {
    const char *dbname, *user, *host, *port;
    enum { PGC_REUSE_DEFAULT, PGC_REUSE_ON, PGC_REUSE_OFF } reuse;
};
PGC_MUST_USE enum pgc_code pgc_raw_reopen(const struct pgc_conn *old, const struct pgc_raw_target *target,
                                          const struct pgc_runtime *rt, struct pgc_conn **out, struct pgc_error *err);
bool pgc_raw_is_conninfo(const char *dbname); /* a URI or has an equals sign */

/* VERBOSITY: "default", "terse", "verbose", "sqlstate". SHOW_CONTEXT: "never", "errors", "always". */
void pgc_raw_set_verbosity(struct pgc_conn *conn, const char *verbosity, const char *context);
const char *pgc_raw_encoding(const struct pgc_conn *conn); /* client encoding now */
bool pgc_raw_set_encoding(struct pgc_conn *conn, const char *name);
/* Columns a text takes on a terminal, in the client encoding; control characters count as nothing. */
int pgc_raw_char_width(const struct pgc_conn *conn, const char *text, size_t *bytes);
#endif
