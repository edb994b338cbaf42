#ifndef PGC_PG_PLAIN_H
#define PGC_PG_PLAIN_H
/* Connection options without libpq, where they are simple: what most probes are given.
 *
 * Understood: host, port, user, password, database, sslmode disable/prefer/require, application_name from our options,
 * a postgres:// URI and the environment, with libpq's precedence. Everything else (other keywords and PG* variables,
 * key=value strings, service, password and certificate files, Kerberos tickets) is libpq's: then this says no. */
#include <pgc/error.h>

#include "pg/probe.h"

enum pgc__plain_tls { PGC__TLS_DISABLE, PGC__TLS_PREFER, PGC__TLS_REQUIRE };

/* All strings owned; host, port and dbname never NULL. */
struct pgc__plain {
    char *host; /* list or folder; the default folder when nothing names one */
    char *port;
    char *user;
    char *password; /* NULL: none */
    char *dbname;
    char *application_name;
    enum pgc__plain_tls tls;
    bool os_user; /* nobody named a user: it is the operating system's */
};

/* True: *out is filled. False: libpq must do it (or no memory, which libpq will find out as well). */
bool pgc__plain_parse(const struct pgc_probe_options *options, struct pgc__plain *out);
void pgc__plain_release(struct pgc__plain *plain);
#define PGC__DEFAULT_PORT   "5432"
#define PGC__DEFAULT_FOLDER "/var/run/postgresql" /* as Debian and the official images build libpq */
#endif
