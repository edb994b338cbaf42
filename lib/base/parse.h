#ifndef PGC_BASE_PARSE_H
#define PGC_BASE_PARSE_H
/* Numbers, durations and sizes as people write them. All want the whole text and fail with PGC_E_USAGE. */
#include <pgc/error.h>
#include <stdint.h>

PGC_MUST_USE enum pgc_code pgc_parse_int(const char *text, int64_t min, int64_t max, int64_t *out,
                                         struct pgc_error *err);
/* "250ms" "90s" "5m" "1h30m" "2d" "1w"; a bare number is seconds; "0" is 0. No negative values. */
PGC_MUST_USE enum pgc_code pgc_parse_duration_ms(const char *text, int64_t *out, struct pgc_error *err);
/* "1024" "16kB" "16MB" "1GB" "2TB" (powers of 1024, as PostgreSQL's settings; KiB, MiB ... accepted too). */
PGC_MUST_USE enum pgc_code pgc_parse_size(const char *text, uint64_t *out, struct pgc_error *err);
#endif
