#ifndef PGC_PG_PROBE_ENDPOINTS_H
#define PGC_PG_PROBE_ENDPOINTS_H
/* Where a probe goes: the host list of the options, resolved to single addresses. Internal to lib/pg.
 *
 * PQconnectPoll moves on to the next host only when one *fails*; one that swallows packets would eat the whole
 * deadline. So every address becomes an endpoint of its own and gets its share of the time. Names are resolved
 * anew at every call. */
#include "pg/probe.h"

struct pgc__probe_endpoint {
    char *host;        /* as configured; NULL: left to libpq */
    char *hostaddr;    /* numeric; NULL: left to libpq (sockets, services) */
    char *port;        /* NULL: left to libpq */
    char failure[160]; /* the name could not be resolved: why; "" else */
};

struct pgc__probe_endpoints {
    struct pgc__probe_endpoint *items;
    size_t count;
    size_t cap;
};

/* Until when a name server is waited for. */
struct pgc__probe_where {
    const struct pgc_runtime *rt;
    int64_t deadline;
};
PGC_MUST_USE enum pgc_code pgc__probe_endpoints(const struct pgc_probe_options *options,
                                                const struct pgc__probe_where *where, struct pgc__probe_endpoints *out,
                                                struct pgc_error *err);
void pgc__probe_endpoints_release(struct pgc__probe_endpoints *list);

/* Keyword and value arrays for PQconnectStartParams, in psql's order: what stands after dbname overrides it. */
struct pgc__probe_params {
    const char *keywords[16];
    const char *values[16];
    size_t count;
};
void pgc__probe_params(const struct pgc_probe_options *options, struct pgc__probe_params *params);
/* Adds one; NULL values are left out. */
void pgc__probe_param(struct pgc__probe_params *params, const char *keyword, const char *value);
/* Does the conninfo string set `keyword`? */
bool pgc__probe_names(const struct pgc_probe_options *options, const char *keyword);
/* Is it a URI or key=value string rather than a database name? The test libpq itself uses. */
bool pgc__probe_is_conninfo(const char *dbname);
#endif
