#ifndef PGC_INIT_DECLARE_H
#define PGC_INIT_DECLARE_H
/* The declarative part: databases, users, schemas, extensions and grants that shall exist. Idempotent: run as often as wanted;
 * what is there stays, passwords are set again, nothing is ever dropped.
 *
 *   databases   NAME[:OWNER]
 *   users       NAME; password from the environment PGC_INIT_PASSWORD_<NAME> or ..._FILE (NAME in upper case, what is not a
 *               letter or digit as _), no password without
 *   schemas     [DATABASE.]SCHEMA[:OWNER]
 *   extensions  [DATABASE.]NAME
 *   grants      DATABASE:ROLE:owner|reader|writer. reader: connect, usage of the schemas, select on tables and sequences, also of
 *               tables to come; writer: the same with insert, update, delete, usage of sequences; owner: membership in nothing,
 *               the database is given to ROLE.
 * DATABASE left out is the one of the connection. Passwords travel as SCRAM verifiers, so that no server log shows them. */
#include "base/array.h"
#include "pg/conn.h"

struct pgc_init_declaration {
    struct pgc_strings databases, users, schemas, extensions, grants;
};

/* Called for every thing that was made or changed: "create database app". May be NULL. */
typedef void pgc_init_declare_fn(void *arg, const char *what);

/* Refuses malformed entries before anything is changed (PGC_E_USAGE). */
PGC_MUST_USE enum pgc_code pgc_init_declaration_check(const struct pgc_init_declaration *declaration,
                                                      struct pgc_error *err);
bool pgc_init_declaration_empty(const struct pgc_init_declaration *declaration);
/* `conn` is used for roles and databases; `options` opens the other databases. */
PGC_MUST_USE enum pgc_code pgc_init_declare(const struct pgc_init_declaration *declaration, struct pgc_conn *conn,
                                            const struct pgc_conn_options *options, const struct pgc_runtime *rt,
                                            pgc_init_declare_fn *told, void *arg, struct pgc_error *err);
#endif
