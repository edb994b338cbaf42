#ifndef PGC_PG_WIRE_H
#define PGC_PG_WIRE_H
/* A session in protocol 3.0 without libpq: trust, password and SCRAM-SHA-256 authentication, plain or TLS (unverified),
 * simple and extended queries with text values. Internal to lib/pg; the probe uses it where pg/plain.h says that
 * libpq would do nothing else, because it answers in a third of the time (pg/libpq_lazy.h). */
#include "pg/plain.h"

struct pgc__wire;

/* One attempt on one address. Fills the result's outcome, sqlstate, message and timings; *out for CONNECTED.
 * *defer: this needs libpq after all (an unknown authentication method, TLS that fails with sslmode=prefer);
 * the result is then of no use. */
PGC_MUST_USE enum pgc_code pgc__wire_open(const struct pgc__plain *plain, const char *hostaddr, bool ping_only,
                                          int64_t deadline, const struct pgc_runtime *rt, struct pgc__wire **out,
                                          struct pgc_probe_result *result, bool *defer, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__wire_ask(struct pgc__wire *wire, const char *sql, const char *const *params,
                                         size_t param_count, int64_t deadline, struct pgc_error *err);
size_t pgc__wire_rows(const struct pgc__wire *wire);
const char *pgc__wire_value(const struct pgc__wire *wire, size_t row, size_t column); /* NULL for null */
int pgc__wire_server_version(const struct pgc__wire *wire);
const char *pgc__wire_user(const struct pgc__wire *wire);
const char *pgc__wire_dbname(const struct pgc__wire *wire);
void pgc__wire_free(struct pgc__wire *wire);
PGC_DEFINE_AUTO(pgc__wire_free, struct pgc__wire *)
#endif
