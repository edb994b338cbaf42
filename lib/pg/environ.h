#ifndef PGC_PG_ENVIRON_H
#define PGC_PG_ENVIRON_H
/* A connection's settings for child processes (pg_dump, pg_restore, psql): by environment, so that no password stands in
 * an argument vector.
 *
 *     PGC_CLEANUP(pgc_environ_release) struct pgc_strings env = PGC_STRINGS_INIT;
 *     code = pgc_conn_environ(conn, "pgc-backup 1f3a9c0b", &env, err);
 *     struct pgc_spawn spec = { .argv = argv, .env = env.items };
 *
 * The list is our own environment without its PG* connection variables, plus one variable for each setting of the open
 * connection: the host and port that answered, user, database, password, TLS settings. */
#include "base/array.h"
#include "pg/conn.h"

PGC_MUST_USE enum pgc_code pgc_conn_environ(const struct pgc_conn *conn, const char *application_name,
                                            struct pgc_strings *out, struct pgc_error *err);
/* Overwrites the values before it frees them. */
void pgc_environ_release(struct pgc_strings *env);

/* dbname='...' quoted for a conninfo string, so that a name with '=' or a URI's look is taken as a name. malloc'ed. */
char *pgc_conninfo_of_dbname(const char *dbname);
#endif
