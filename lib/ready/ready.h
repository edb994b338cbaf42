#ifndef PGC_READY_READY_H
#define PGC_READY_READY_H
/* Is it ready? What is asked, of whom, and what came out.
 *
 *     struct pgc_ready_spec spec = { .level = PGC_READY_QUERY, .timeout_ms = 3000 };
 *     struct pgc_ready_target target = { .kind = PGC_READY_POSTGRES, .text = "db:5432", .pg = { .host = "db" } };
 *     struct pgc_ready_report report;
 *     code = pgc_ready_check(&spec, &target, rt, deadline, &report, err);
 *     if (code == PGC_OK && report.verdict.status == PGC_READY_OK) ...
 *
 * Everything that a target does or fails to do is a verdict, not an error: functions fail only for lack of memory
 * and on cancellation. Verdicts carry the exit status of `pgc ready`: 0 to 3 as pg_isready, then our own. */
#include <pgc/runtime.h>
#include <stdint.h>

#include "base/array.h"
#include "pg/probe.h"

/* Each level includes the ones before it. */
enum pgc_ready_level {
    PGC_READY_TCP,      /* a connection can be made */
    PGC_READY_PING,     /* the server answers a start-up packet: exactly pg_isready */
    PGC_READY_AUTH,     /* the credentials are accepted, the database exists */
    PGC_READY_QUERY,    /* a statement is answered */
    PGC_READY_WRITE,    /* not in recovery, not read-only */
    PGC_READY_MIGRATED, /* the migration ledger is clean (and new enough) */
};

enum pgc_ready_status {
    PGC_READY_OK = 0,
    PGC_READY_REJECTING = 1,
    PGC_READY_NO_RESPONSE = 2,
    PGC_READY_NO_ATTEMPT = 3,
    PGC_READY_AUTH_REFUSED = 4,
    PGC_READY_WRONG_ROLE = 5,
    PGC_READY_NOT_MIGRATED = 6,
    PGC_READY_TLS = 7,
    PGC_READY_DEADLINE = 124,
};

enum pgc_ready_role { PGC_READY_ANY, PGC_READY_PRIMARY, PGC_READY_STANDBY };

struct pgc_ready_spec {
    enum pgc_ready_level level;
    enum pgc_ready_role role;
    int64_t max_lag_bytes; /* < 0: not asked */
    int64_t max_lag_ms;    /* < 0: not asked */
    bool read_lag;         /* ask a standby for its lag although there is no limit */
    const struct pgc_strings *extensions;
    const struct pgc_strings *tables;
    const char *min_version; /* NULL: any */
    bool accept_recovering;  /* 57P03 counts as ready: for liveness probes */
    bool keep_trying;        /* while waiting: permanent failures are waited for, too */
    int64_t timeout_ms;      /* of one attempt; 0: none */
    int64_t host_timeout_ms; /* of one address; 0: an equal share */
};

enum pgc_ready_kind { PGC_READY_POSTGRES, PGC_READY_TCP_PORT, PGC_READY_HTTP };

struct pgc_ready_target {
    enum pgc_ready_kind kind;
    char *text; /* what people are shown; without password */
    /* PGC_READY_POSTGRES: only conninfo, user, host, port, password are read. Borrowed. */
    struct pgc_probe_options pg;
    /* PGC_READY_TCP_PORT, PGC_READY_HTTP. Owned. */
    char *host;
    char *port;
    char *path;
    char *conninfo; /* owns pg.conninfo when the target was parsed from an argument */
};

struct pgc_ready_verdict {
    enum pgc_ready_status status;
    bool permanent;   /* waiting will not help: a person must act */
    bool recovering;  /* alive, but starting up, recovering or shutting down */
    char reason[600]; /* "" when ready */
    char hint[320];   /* what to do; may be "" */
    char sqlstate[6];
};

struct pgc_ready_timing {
    const char
        *name; /* "tcp", "ping", "auth", "query", "write", "role", "lag", "extension", "table", "migrated", "http" */
    bool ok;
    int64_t us;
};

#define PGC_READY_MAX_CHECKS 12

/* What the server told about itself; fields are meaningful when `known`. */
struct pgc_ready_server {
    bool known;
    int version; /* 150018 */
    bool in_recovery;
    bool read_only;
    bool on_tcp;         /* listen_addresses is not empty */
    char started[40];    /* pg_postmaster_start_time() as epoch seconds with fraction */
    bool lag_known;      /* the next three were asked for */
    bool streaming;      /* a WAL receiver runs */
    int64_t lag_bytes;   /* received, not replayed; -1 unknown */
    int64_t lag_ms;      /* 0 when everything received is replayed; -1 unknown */
    char migration[128]; /* highest version of the ledger, "" unknown */
    char ledger[64];     /* "pgc", "flyway", ...; "" none seen */
};

struct pgc_ready_report {
    struct pgc_ready_verdict verdict;
    struct pgc_ready_timing checks[PGC_READY_MAX_CHECKS];
    size_t check_count;
    struct pgc_ready_server server;
    bool unix_socket;
    int64_t attempts;
    int64_t elapsed_ms;
};

/* One attempt. `deadline` on pgc_mono_ms, PGC_PROBE_NO_DEADLINE for none; spec->timeout_ms applies as well. */
PGC_MUST_USE enum pgc_code pgc_ready_check(const struct pgc_ready_spec *spec, const struct pgc_ready_target *target,
                                           const struct pgc_runtime *rt, int64_t deadline,
                                           struct pgc_ready_report *report, struct pgc_error *err);

/* The same over a connection that is kept: *probe is opened when NULL, reused else, and freed when it broke. */
PGC_MUST_USE enum pgc_code pgc_ready_check_kept(const struct pgc_ready_spec *spec,
                                                const struct pgc_ready_target *target, const struct pgc_runtime *rt,
                                                int64_t deadline, struct pgc_probe **probe,
                                                struct pgc_ready_report *report, struct pgc_error *err);

const char *pgc_ready_level_name(enum pgc_ready_level level);
const char *pgc_ready_status_name(enum pgc_ready_status status);
#endif
