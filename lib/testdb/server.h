#ifndef PGC_TESTDB_SERVER_H
#define PGC_TESTDB_SERVER_H
/* A throw-away PostgreSQL server from the programs of this machine.
 *
 *     struct pgc_testdb_options options = { .dbname = "test" };
 *     PGC_CLEANUP(pgc_testdb_server_release) struct pgc_testdb_server server = { 0 };
 *     code = pgc_testdb_start(&options, rt, &server, err);
 *     ... server.url ...
 *     code = pgc_testdb_stop(server.dir, rt, err);
 *
 * Everything lives in one state folder, TMPDIR/pgc-testdb.XXXXXX or options->dir: data/ (the cluster), server.log,
 * the Unix socket, and `url`, written last: a folder with that file is a server that somebody may stop. The server
 * goes on after the program ends; stop ends it and removes the folder. A start that fails or is cancelled ends what it
 * started and leaves nothing.
 *
 * The server is for tests: fsync, synchronous_commit and full_page_writes are off. The socket folder is private, so
 * local connections need no password; TCP (127.0.0.1 only) wants the random password that stands in the URL.
 * Run as root, the server runs as the user postgres, or nobody where that does not exist.
 *
 * initdb takes a second; a copy of an earlier result takes a tenth of it. Unless no_cache, the fresh cluster is kept
 * in options->cache (default: $XDG_CACHE_HOME/pgc or ~/.cache/pgc, no cache where neither can be written) per program
 * version and locale, and later servers start from a copy. Such servers share one system identifier. */
#include <pgc/runtime.h>
#include <stdint.h>

#include "base/array.h"
#include "base/cleanup.h"

struct pgc_testdb_options {
    const char *dir;             /* state folder: must be empty or not exist; NULL: a new one under TMPDIR */
    const char *bindir;          /* folder of initdb, pg_ctl, postgres; NULL: the newest on this machine */
    int major;                   /* > 0: this major version */
    const char *dbname;          /* database to create; NULL: "test" */
    const char *locale;          /* NULL: "C.UTF-8" */
    bool tcp;                    /* the URL names 127.0.0.1 instead of the socket */
    int port;                    /* 0: a free one */
    struct pgc_strings settings; /* "name=value" lines for postgresql.conf */
    bool no_cache;
    const char *cache;
    int64_t deadline_ms; /* for the whole start; 0: 60 s */
};

/* Owned strings; released by pgc_testdb_server_release. */
struct pgc_testdb_server {
    char *dir;
    char *url;
    char *bindir;
    char *dbname;
    char *password; /* of TCP connections */
    int port;
    long pid;
    int version; /* server_version_num */
};
void pgc_testdb_server_release(struct pgc_testdb_server *server);

PGC_MUST_USE enum pgc_code pgc_testdb_start(const struct pgc_testdb_options *options, const struct pgc_runtime *rt,
                                            struct pgc_testdb_server *out, struct pgc_error *err);

/* Ends the server of a state folder at once (open sessions are cut) and removes the folder. A server that has died
 * already counts as ended. A folder that is not the state of a test server is PGC_E_USAGE and is left alone. */
PGC_MUST_USE enum pgc_code pgc_testdb_stop(const char *dir, const struct pgc_runtime *rt, struct pgc_error *err);

/* State folders under TMPDIR that this user may stop, in the order of their names; urls is parallel to dirs. */
PGC_MUST_USE enum pgc_code pgc_testdb_list(struct pgc_strings *dirs, struct pgc_strings *urls, struct pgc_error *err);
#endif
