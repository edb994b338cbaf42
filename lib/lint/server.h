#ifndef PGC_LINT_SERVER_H
#define PGC_LINT_SERVER_H
/* What a server knows, read once: which tables there are and how large, their columns' types, their constraints.
 *
 *     PGC_AUTO(pgc_lint_server_free) struct pgc_lint_server *server = NULL;
 *     code = pgc_lint_server_read(conn, &server, err);
 *     struct pgc_lint_catalog catalog = pgc_lint_server_catalog(server);
 *     options.catalog = &catalog; options.pg_version = pgc_lint_server_version(server);
 *
 * Reads catalogs only (no user data), in three queries; the connection is not needed afterwards. */
#include "pg/conn.h"
#include <pgc/lint.h>

struct pgc_lint_server;

PGC_MUST_USE enum pgc_code pgc_lint_server_read(struct pgc_conn *conn, struct pgc_lint_server **out,
                                                struct pgc_error *err);
void pgc_lint_server_free(struct pgc_lint_server *server);
PGC_DEFINE_AUTO(pgc_lint_server_free, struct pgc_lint_server *)
/* Borrows the server. */
struct pgc_lint_catalog pgc_lint_server_catalog(struct pgc_lint_server *server);
int pgc_lint_server_version(const struct pgc_lint_server *server); /* major */
#endif
