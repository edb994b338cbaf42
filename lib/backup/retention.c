#include "backup/retention.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define HOUR_US ((int64_t)3600 * 1000000)

static const char *const kind_names[PGC_KEEP_KINDS] = { "last", "hourly", "daily", "weekly", "monthly", "yearly" };

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

void pgc_keep_items_release(struct pgc_keep_item *items, size_t count) {
    for (size_t i = 0; i < count; i++)
        pgc_strings_release(&items[i].reasons);
}

enum pgc_code pgc_keep_parse_span(const char *text, struct pgc_keep_span *out, struct pgc_error *err) {
    struct pgc_keep_span span = { 0 };
    const char *p = text;
    unsigned seen = 0;
    static const char units[] = "ymwdh";
    do {
        int64_t v = 0;
        const char *from = p;
        for (; isdigit((unsigned char)*p) && v < 1000000; p++)
            v = v * 10 + (*p - '0');
        const char *unit = *p == '\0' || p == from ? NULL : strchr(units, *p);
        if (unit == NULL || seen & 1u << (unit - units))
            return pgc_fail(err, PGC_E_USAGE, "'%s' is not a duration of the calendar such as 1y2m3w4d5h", text);
        seen |= 1u << (unit - units);
        *(*unit == 'y'   ? &span.years
          : *unit == 'm' ? &span.months
          : *unit == 'h' ? &span.hours
                         : &span.days) += *unit == 'w' ? 7 * v : v;
        p++;
    } while (*p != '\0');
    *out = span;
    return PGC_OK;
}

void pgc_keep_format_span(struct pgc_buf *out, const struct pgc_keep_span *span) {
    const int64_t values[] = { span->years, span->months, span->days, span->hours };
    for (int i = 0; i < 4; i++)
        if (values[i] != 0)
            pgc_buf_putf(out, "%lld%c", (long long)values[i], "ymdh"[i]);
}

static bool span_empty(const struct pgc_keep_span *span) {
    return span->years == 0 && span->months == 0 && span->days == 0 && span->hours == 0;
}

bool pgc_keep_policy_empty(const struct pgc_keep_policy *policy) {
    for (int k = 0; k < PGC_KEEP_KINDS; k++)
        if (policy->count[k] != 0 || !span_empty(&policy->within[k]))
            return false;
    return !policy->pins_count;
}

/* Years and months go back on the calendar, and a day that the month does not have runs over into the next one. */
static int64_t back(int64_t from_us, const struct pgc_keep_span *span) {
    int64_t days = floor_div(from_us, 24 * HOUR_US), of_day = from_us - days * 24 * HOUR_US, year;
    int month, day;
    pgc_civil_from_days(days, &year, &month, &day);
    int64_t months = (year - span->years) * 12 + month - 1 - span->months;
    int64_t first = pgc_days_from_civil(floor_div(months, 12), (int)(months - floor_div(months, 12) * 12) + 1, 1);
    return (first + day - 1 - span->days) * 24 * HOUR_US + of_day - span->hours * HOUR_US;
}

/* ISO 8601: the week belongs to the year of its Thursday. */
static int64_t week_key(int64_t days) {
    int64_t weekday = ((days + 3) % 7 + 7) % 7; /* 0 is Monday */
    int64_t thursday = days - weekday + 3, year;
    int month, day;
    pgc_civil_from_days(thursday, &year, &month, &day);
    return year * 100 + (thursday - pgc_days_from_civil(year, 1, 1)) / 7 + 1;
}

static int64_t bucket_key(enum pgc_keep_kind kind, int64_t time_us, size_t index) {
    int64_t days = floor_div(time_us, 24 * HOUR_US), year;
    int month, day;
    pgc_civil_from_days(days, &year, &month, &day);
    switch (kind) {
    case PGC_KEEP_LAST:
        return (int64_t)index;
    case PGC_KEEP_HOURLY:
        return floor_div(time_us, HOUR_US);
    case PGC_KEEP_DAILY:
        return days;
    case PGC_KEEP_WEEKLY:
        return week_key(days);
    case PGC_KEEP_MONTHLY:
        return year * 12 + month;
    default:
        return year;
    }
}

static int newest_first(const void *a, const void *b) {
    const struct pgc_keep_item *x = a, *y = b;
    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? 1 : -1;
    return x->order < y->order ? -1 : x->order > y->order;
}

struct bucket {
    int64_t left; /* -1: without end */
    int64_t last; /* key of the item kept last */
};

/* Does this bucket take the item? Differs from the last key, or is the oldest of all. */
static bool takes(struct bucket *b, int64_t key, bool oldest, bool *only_oldest) {
    if (b->left == 0 || (key == b->last && !oldest))
        return false;
    *only_oldest = key == b->last;
    b->last = key;
    b->left -= b->left > 0;
    return true;
}

static enum pgc_code within_reason(struct pgc_keep_item *item, int kind, const struct pgc_keep_span *span,
                                   struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_keep_format_span(&text, span);
    return pgc_strings_addf(&item->reasons, err, "%s%swithin %s", kind == PGC_KEEP_LAST ? "" : kind_names[kind],
                            kind == PGC_KEEP_LAST ? "" : " ", text.data);
}

struct run {
    const struct pgc_keep_policy *policy;
    struct bucket counts[PGC_KEEP_KINDS];
    struct bucket within[PGC_KEEP_KINDS];
    int64_t since_us[PGC_KEEP_KINDS]; /* where `within` ends */
    size_t count;
};

static enum pgc_code decide(struct run *run, struct pgc_keep_item *item, size_t index, struct pgc_error *err) {
    bool oldest = index + 1 == run->count, only_oldest = false;
    enum pgc_code code = PGC_OK;
    if (item->pinned != NULL)
        code = pgc_strings_add(&item->reasons, item->pinned, err);
    const struct pgc_keep_span *all = &run->policy->within[PGC_KEEP_LAST];
    if (code == PGC_OK && !span_empty(all) && item->time_us > run->since_us[PGC_KEEP_LAST])
        code = within_reason(item, PGC_KEEP_LAST, all, err);
    for (int k = 0; k < PGC_KEEP_KINDS && code == PGC_OK; k++)
        if (takes(&run->counts[k], bucket_key((enum pgc_keep_kind)k, item->time_us, index), oldest, &only_oldest))
            code = pgc_strings_addf(&item->reasons, err, "%s%s snapshot", only_oldest ? "oldest " : "", kind_names[k]);
    for (int k = PGC_KEEP_HOURLY; k < PGC_KEEP_KINDS && code == PGC_OK; k++)
        if (!span_empty(&run->policy->within[k]) && item->time_us > run->since_us[k] &&
            takes(&run->within[k], bucket_key((enum pgc_keep_kind)k, item->time_us, index), oldest, &only_oldest))
            code = within_reason(item, k, &run->policy->within[k], err);
    item->keep = item->reasons.count > 0;
    return code;
}

static void start(struct run *run, const struct pgc_keep_policy *policy, const struct pgc_keep_item *items,
                  size_t count, int64_t now_us) {
    size_t newest = 0; /* all in the future: the newest one */
    for (size_t i = count; i > 0; i--)
        if (items[i - 1].time_us <= now_us)
            newest = i - 1;
    *run = (struct run) { .policy = policy, .count = count };
    for (int k = 0; k < PGC_KEEP_KINDS; k++) {
        run->counts[k] = (struct bucket) { policy->count[k], INT64_MIN };
        run->within[k] = (struct bucket) { -1, INT64_MIN };
        run->since_us[k] = back(items[newest].time_us, &policy->within[k]);
    }
}

enum pgc_code pgc_keep_apply(const struct pgc_keep_policy *policy, struct pgc_keep_item *items, size_t count,
                             int64_t now_us, struct pgc_error *err) {
    if (count == 0)
        return PGC_OK;
    for (size_t i = 0; i < count; i++) {
        items[i].order = i;
        pgc_strings_release(&items[i].reasons);
        items[i].reasons = (struct pgc_strings)PGC_STRINGS_INIT;
    }
    qsort(items, count, sizeof *items, newest_first);
    struct run run;
    start(&run, policy, items, count, now_us);
    bool empty = pgc_keep_policy_empty(policy);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        enum pgc_code code =
            empty ? pgc_strings_add(&items[i].reasons, "policy is empty", err) : decide(&run, &items[i], i, err);
        if (code != PGC_OK)
            return code;
        items[i].keep = items[i].reasons.count > 0;
        kept += items[i].keep;
    }
    for (size_t i = 0; i < count && (int64_t)kept < policy->min; i++) {
        if (items[i].keep)
            continue;
        enum pgc_code code = pgc_strings_addf(&items[i].reasons, err, "minimum of %lld", (long long)policy->min);
        if (code != PGC_OK)
            return code;
        items[i].keep = true;
        kept++;
    }
    return PGC_OK;
}
