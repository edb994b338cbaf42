#ifndef PGC_OS_ZONE_H
#define PGC_OS_ZONE_H
/* Time zones from the system's tzdata, without the process-wide TZ of the C library: several zones at once, in any thread.
 *
 *     PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
 *     code = pgc_zone_open("Europe/Berlin", &zone, err);
 *     struct pgc_zone_span span = pgc_zone_at(zone, unix_seconds);
 *     local = unix_seconds + span.offset_s;                // the same for all of [span.from_s, span.to_s)
 *
 * Files are TZif (RFC 8536), read from $TZDIR or the usual folders. "UTC" needs no file, and a POSIX rule
 * ("CET-1CEST,M3.5.0,M10.5.0/3") is understood too. Times after the last change in the file follow its rule. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/buf.h"

struct pgc_zone;

/* A stretch of time with one offset. */
struct pgc_zone_span {
    int64_t from_s, to_s; /* seconds since 1970 UTC; INT64_MIN and INT64_MAX: open */
    int32_t offset_s;     /* local time minus UTC */
};

/* PGC_E_USAGE for a name that does not exist, PGC_E_CONFIG when there is no tzdata at all or the file is damaged.
 * NULL or "" is UTC. A leading ':' is ignored. */
PGC_MUST_USE enum pgc_code pgc_zone_open(const char *name, struct pgc_zone **out, struct pgc_error *err);
/* The same from the bytes of a TZif file; `name` stands in messages. */
PGC_MUST_USE enum pgc_code pgc_zone_parse(const void *data, size_t len, const char *name, struct pgc_zone **out,
                                          struct pgc_error *err);
void pgc_zone_free(struct pgc_zone *zone);
PGC_DEFINE_AUTO(pgc_zone_free, struct pgc_zone *)

struct pgc_zone_span pgc_zone_at(const struct pgc_zone *zone, int64_t unix_s);
/* "2026-01-31T12:00:00+01:00"; Z for an offset of zero. */
void pgc_zone_rfc3339(struct pgc_buf *out, const struct pgc_zone *zone, int64_t unix_s);
#endif
