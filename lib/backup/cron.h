#ifndef PGC_BACKUP_CRON_H
#define PGC_BACKUP_CRON_H
/* Cron expressions and their next activation. Pure: the zone comes in, the clock never.
 *
 *     struct pgc_cron cron;
 *     code = pgc_cron_parse("30 2 * * mon-fri", &cron, err);
 *     if (pgc_cron_next(&cron, zone, now_s, &next_s)) ...           // the first activation after now_s
 *
 * Fields: minute hour day-of-month month day-of-week; lists, ranges, steps (also 5/15 = 5-59/15), names (jan, mon), 7 = Sunday.
 * Day of month also: ? (as *), L (last day), L-3, LW (last weekday), 15W (weekday nearest to the 15th, within the month).
 * Day of week also: ?, 5L or friL (last Friday), 5#2 or fri#2 (second Friday).
 * Words: @yearly @annually @monthly @weekly @daily @midnight @hourly, @every DURATION (from the time given, whole seconds).
 * Prefix: CRON_TZ=ZONE or TZ=ZONE. When both day fields are restricted (neither begins with * or ?), either may match.
 *
 * Daylight saving follows cronie. A job at a fixed time (minute and hour do not begin with *) whose time falls into a gap
 * runs once at the first minute behind it, and in a repeated hour runs in the first pass only. Other jobs follow the clock on
 * the wall of every real minute: nothing is made up for, nothing suppressed. */
#include <pgc/error.h>
#include <stdint.h>

#include "os/zone.h"

struct pgc_cron {
    uint64_t minutes;              /* bit 0-59 */
    uint32_t hours;                /* bit 0-23 */
    uint32_t days;                 /* bit 1-31 */
    uint32_t months;               /* bit 1-12 */
    uint32_t weekdays;             /* bit 0-6, 0 is Sunday */
    uint32_t days_before_last;     /* bit n: L-n */
    uint32_t nearest_weekday;      /* bit n: nW; bit 0: LW */
    uint32_t last_weekdays;        /* bit n: nL */
    uint32_t nth_weekdays[6];      /* [k] bit n: n#k */
    bool fixed_time;               /* neither minute nor hour begins with * */
    bool days_open, weekdays_open; /* the field begins with * or ? */
    int64_t every_s;               /* @every; else 0 */
    char zone[64];                 /* of the prefix, "" without one */
};

/* PGC_E_USAGE says which field is wrong and why. */
PGC_MUST_USE enum pgc_code pgc_cron_parse(const char *text, struct pgc_cron *out, struct pgc_error *err);
/* The first activation strictly after `after_s` (seconds since 1970 UTC); false when none comes within a century. */
PGC_MUST_USE bool pgc_cron_next(const struct pgc_cron *cron, const struct pgc_zone *zone, int64_t after_s,
                                int64_t *next_s);
/* Seconds by which this host delays this job, in [0, max_s): the same at every start, spread over hosts and jobs, so
 * that many installations with one schedule do not hit one store in the same second. A hash (FNV-1a, 64 bits, finished
 * by a multiplication) of "host NUL job"; 0 when max_s <= 1. */
int64_t pgc_cron_jitter_s(const char *host, const char *job, int64_t max_s);
#endif
