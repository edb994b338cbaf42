#ifndef PGC_BACKUP_RETENTION_H
#define PGC_BACKUP_RETENTION_H
/* Which backups stay: grandfather, father, son with the words and the behaviour of restic. Pure.
 *
 *     struct pgc_keep_policy policy = { .count[PGC_KEEP_DAILY] = 7, .count[PGC_KEEP_WEEKLY] = 4, .min = 3 };
 *     code = pgc_keep_apply(&policy, items, count, now_us, err);      // items are sorted, keep and reasons are set
 *
 * Newest first (in the order given where times are equal), a bucket (hour, day, ISO week, month, year; all in UTC) keeps an
 * item whose key differs from that of the last one it kept, as often as its count says (-1: always). The oldest item is
 * kept too while a bucket has counts left. `within` keeps what is younger than a duration, counted back from the newest
 * item that is not in the future, never from the present: when backups stop, retention stops too. An empty policy keeps everything. `min` newest
 * items are kept whatever the policy says. Give successful backups only: a failed one must not push out a good one. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"

enum pgc_keep_kind {
    PGC_KEEP_LAST, /* every item is its own bucket */
    PGC_KEEP_HOURLY,
    PGC_KEEP_DAILY,
    PGC_KEEP_WEEKLY,
    PGC_KEEP_MONTHLY,
    PGC_KEEP_YEARLY,
    PGC_KEEP_KINDS,
};

/* A duration of the calendar: a month back from 31 March is 3 March (or 2 March), as 31 February is. */
struct pgc_keep_span {
    int64_t years, months, days, hours;
};

struct pgc_keep_policy {
    int64_t count[PGC_KEEP_KINDS];               /* 0: not used, -1: all */
    struct pgc_keep_span within[PGC_KEEP_KINDS]; /* all zero: not used; [PGC_KEEP_LAST] keeps everything within */
    int64_t min;                                 /* 0: no floor */
    bool pins_count; /* pins are (part of) the policy: it is not empty even without the rest */
};
#define PGC_KEEP_MIN_DEFAULT 3

struct pgc_keep_item {
    int64_t time_us;            /* in */
    const char *pinned;         /* in: kept, uncounted, for this reason; NULL: not pinned. Borrowed */
    void *arg;                  /* the caller's */
    bool keep;                  /* out */
    struct pgc_strings reasons; /* out: "daily snapshot", "oldest weekly snapshot", "within 1m", "minimum of 3", ... */
    size_t order;               /* private */
};
void pgc_keep_items_release(struct pgc_keep_item *items, size_t count); /* the reasons, not the array */

/* "1y2m3d3h" (also w for weeks), in any order, each unit at most once. PGC_E_USAGE otherwise. */
PGC_MUST_USE enum pgc_code pgc_keep_parse_span(const char *text, struct pgc_keep_span *out, struct pgc_error *err);
void pgc_keep_format_span(struct pgc_buf *out, const struct pgc_keep_span *span);
PGC_MUST_USE bool pgc_keep_policy_empty(const struct pgc_keep_policy *policy);
PGC_MUST_USE enum pgc_code pgc_keep_apply(const struct pgc_keep_policy *policy, struct pgc_keep_item *items,
                                          size_t count, int64_t now_us, struct pgc_error *err);
#endif
