#ifndef PGC_PARTS_KEEP_SETTINGS_H
#define PGC_PARTS_KEEP_SETTINGS_H
/* The retention policy as options, for prune and for its preview. */
#include "backup/retention.h"
#include "cli/command.h"

struct keep_settings {
    int64_t count[PGC_KEEP_KINDS];
    char *within[PGC_KEEP_KINDS];
    int64_t min;
};

#define KEEP_COUNT_ROW(at, word, kind, text)                                                                           \
    { "keep-" word, 0, PGC_OPT_INT, (at) + offsetof(struct keep_settings, count) + (kind) * sizeof(int64_t), "0", text }
#define KEEP_WITHIN_ROW(at, word, kind, text)                                                                          \
    {                                                                                                                  \
        "keep-within" word, 0, PGC_OPT_STRING,                                                                         \
            (at) + offsetof(struct keep_settings, within) + (kind) * sizeof(char *), NULL, text, .value = "SPAN"       \
    }
/* `at`: the offset of the struct keep_settings; `floor`: what --keep-min says of itself. */
#define KEEP_ROWS(at, floor)                                                                                           \
    KEEP_COUNT_ROW(at, "last", PGC_KEEP_LAST, "keep the N newest; -1 in any of these: all"),                           \
        KEEP_COUNT_ROW(at, "hourly", PGC_KEEP_HOURLY, "keep the newest of each of N hours"),                           \
        KEEP_COUNT_ROW(at, "daily", PGC_KEEP_DAILY, "keep the newest of each of N days"),                              \
        KEEP_COUNT_ROW(at, "weekly", PGC_KEEP_WEEKLY, "keep the newest of each of N ISO weeks"),                       \
        KEEP_COUNT_ROW(at, "monthly", PGC_KEEP_MONTHLY, "keep the newest of each of N months"),                        \
        KEEP_COUNT_ROW(at, "yearly", PGC_KEEP_YEARLY, "keep the newest of each of N years"),                           \
        KEEP_WITHIN_ROW(at, "", PGC_KEEP_LAST, "keep everything within SPAN (1y2m3w4d5h) of the newest"),              \
        KEEP_WITHIN_ROW(at, "-hourly", PGC_KEEP_HOURLY, "keep one per hour within SPAN"),                              \
        KEEP_WITHIN_ROW(at, "-daily", PGC_KEEP_DAILY, "keep one per day within SPAN"),                                 \
        KEEP_WITHIN_ROW(at, "-weekly", PGC_KEEP_WEEKLY, "keep one per ISO week within SPAN"),                          \
        KEEP_WITHIN_ROW(at, "-monthly", PGC_KEEP_MONTHLY, "keep one per month within SPAN"),                           \
        KEEP_WITHIN_ROW(at, "-yearly", PGC_KEEP_YEARLY, "keep one per year within SPAN"), {                            \
        "keep-min", 0, PGC_OPT_INT, (at) + offsetof(struct keep_settings, min), "3", floor                             \
    }

/* PGC_E_USAGE names the option. */
PGC_MUST_USE enum pgc_code settings_keep_policy(const struct keep_settings *settings, struct pgc_keep_policy *out,
                                                struct pgc_error *err);
#endif
