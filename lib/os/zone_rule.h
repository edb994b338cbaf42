#ifndef PGC_OS_ZONE_RULE_H
#define PGC_OS_ZONE_RULE_H
/* The POSIX form of a time zone ("EST5EDT,M3.2.0,M11.1.0"), as it ends TZif files. Pure; internal to lib/os/zone*.c. */
#include <pgc/error.h>
#include <stdint.h>

#include "os/zone.h"

struct pgc__zone_date {
    char kind; /* 'J' day 1-365 without 29 February, 'N' day 0-365, 'M' month.week.day */
    int month, week, day;
    int32_t time_s; /* of the local day, may be negative or beyond it */
};
struct pgc__zone_rule {
    int32_t standard_s, daylight_s; /* offsets, east positive */
    bool has_daylight;
    struct pgc__zone_date begins, ends;
};

PGC_MUST_USE bool pgc__zone_rule_parse(const char *text, struct pgc__zone_rule *out);
struct pgc_zone_span pgc__zone_rule_at(const struct pgc__zone_rule *rule, int64_t unix_s);
#endif
