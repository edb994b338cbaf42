#ifndef PGC_NET_RESOLVE_H
#define PGC_NET_RESOLVE_H
/* Names to addresses, within a deadline.
 *
 * getaddrinfo cannot be interrupted: with a name server that swallows questions it blocks for many seconds. It runs in
 * a thread of its own here; when the deadline passes or the runtime is cancelled, the thread is left behind to end by
 * itself. Numeric hosts need no thread. Every call asks anew.
 *
 *     PGC_CLEANUP(pgc_addresses_release) struct pgc_addresses found = { 0 };
 *     code = pgc_resolve("db", deadline, rt, &found, err);
 *     for (size_t i = 0; i < found.count; i++) ... found.items[i] ... */
#include <pgc/runtime.h>

struct pgc_addresses {
    char (*items)[64]; /* numeric, with the zone of a link-local one */
    size_t count;
};

/* `deadline` on pgc_mono_ms, INT64_MAX for none. PGC_E_NOT_FOUND (the resolver's words alone as the message),
 * PGC_E_TIMEOUT, PGC_E_CANCELLED. */
PGC_MUST_USE enum pgc_code pgc_resolve(const char *host, int64_t deadline, const struct pgc_runtime *rt,
                                       struct pgc_addresses *out, struct pgc_error *err);
void pgc_addresses_release(struct pgc_addresses *addresses);
#endif
