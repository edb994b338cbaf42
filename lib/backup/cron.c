#include "backup/cron.h"

#include "base/text.h"

#define DAY_S     ((int64_t)86400)
#define HORIZON_S (100 * 366 * DAY_S)

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static int weekday_of(int64_t days) {
    return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static int month_length(int64_t year, int month) {
    int64_t first = pgc_days_from_civil(year, month, 1);
    int64_t next = month == 12 ? pgc_days_from_civil(year + 1, 1, 1) : pgc_days_from_civil(year, month + 1, 1);
    return (int)(next - first);
}

/* The weekday (Monday to Friday) nearest to a day, without leaving its month. */
static int nearest_weekday(int64_t first_day, int day, int length) {
    int weekday = weekday_of(first_day + day - 1);
    if (weekday == 6)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == 0)
        return day < length ? day + 1 : day - 2;
    return day;
}

static bool day_of_month_matches(const struct pgc_cron *c, int64_t days, int day, int length) {
    if (c->days >> day & 1 || (length - day < 31 && c->days_before_last >> (length - day) & 1))
        return true;
    if (c->nearest_weekday == 0)
        return false;
    int64_t first = days - day + 1;
    if (c->nearest_weekday & 1) {
        int weekday = weekday_of(first + length - 1);
        if (day == length - (weekday == 6 ? 1 : weekday == 0 ? 2 : 0))
            return true;
    }
    for (int d = 1; d <= length; d++)
        if (c->nearest_weekday >> d & 1 && nearest_weekday(first, d, length) == day)
            return true;
    return false;
}

static bool day_of_week_matches(const struct pgc_cron *c, int64_t days, int day, int length) {
    uint32_t bit = 1u << weekday_of(days);
    return c->weekdays & bit || (c->last_weekdays & bit && day + 7 > length) || c->nth_weekdays[(day + 6) / 7] & bit;
}

static bool day_matches(const struct pgc_cron *c, int64_t days, int64_t year, int month, int day) {
    int length = month_length(year, month);
    bool by_month = day_of_month_matches(c, days, day, length), by_week = day_of_week_matches(c, days, day, length);
    return c->days_open || c->weekdays_open ? by_month && by_week : by_month || by_week;
}

/* The first matching minute of a day at or after `minute`; -1 when there is none. */
static int minute_in_day(const struct pgc_cron *c, int minute) {
    for (int hour = minute / 60; hour < 24; hour++, minute = hour * 60) {
        if (!(c->hours >> hour & 1))
            continue;
        uint64_t left = c->minutes >> minute % 60;
        if (left != 0)
            return minute + __builtin_ctzll(left);
    }
    return -1;
}

/* The first matching minute on the wall in [from, limit), both local seconds, from on a minute; limit when there is none. */
static int64_t wall_next(const struct pgc_cron *c, int64_t from, int64_t limit) {
    int64_t days = floor_div(from, DAY_S);
    int minute = (int)((from - days * DAY_S) / 60);
    while (days * DAY_S < limit) {
        int64_t year;
        int month, day;
        pgc_civil_from_days(days, &year, &month, &day);
        if (!(c->months >> month & 1)) {
            days += month_length(year, month) - day + 1;
            minute = 0;
            continue;
        }
        int found = day_matches(c, days, year, month, day) ? minute_in_day(c, minute) : -1;
        if (found >= 0)
            return days * DAY_S + found * 60 < limit ? days * DAY_S + found * 60 : limit;
        days++;
        minute = 0;
    }
    return limit;
}

static int64_t to_minute(int64_t wall) {
    return floor_div(wall + 59, 60) * 60;
}

/* Searches one span of the zone from `low` (UTC) on. Between this span and the one before, clocks jump: forward, and the minutes
 * [begins, begins + gap) on the wall never come; or back, and they come twice. */
static bool span_next(const struct pgc_cron *c, const struct pgc_zone *zone, const struct pgc_zone_span *span,
                      int64_t low, int64_t limit, int64_t *next_s) {
    int64_t offset = span->offset_s, from = to_minute(low + offset), repeated_until = INT64_MIN;
    int64_t end = span->to_s < limit ? span->to_s : limit;
    if (c->fixed_time && span->from_s != INT64_MIN) {
        int64_t before = pgc_zone_at(zone, span->from_s - 1).offset_s;
        int64_t gap_from = to_minute(span->from_s + before), gap_to = span->from_s + offset;
        if (low == span->from_s && gap_from < gap_to && wall_next(c, gap_from, gap_to) < gap_to) {
            *next_s = to_minute(gap_to) - offset;
            return *next_s < end;
        }
        if (before > offset)
            repeated_until = span->from_s + before;
    }
    if (from < repeated_until)
        from = to_minute(repeated_until);
    int64_t wall = wall_next(c, from, end + offset);
    *next_s = wall - offset;
    return wall < end + offset;
}

bool pgc_cron_next(const struct pgc_cron *cron, const struct pgc_zone *zone, int64_t after_s, int64_t *next_s) {
    if (cron->every_s > 0) {
        *next_s = after_s + cron->every_s;
        return true;
    }
    int64_t low = after_s + 1, limit = after_s + HORIZON_S;
    while (low < limit) {
        struct pgc_zone_span span = pgc_zone_at(zone, low);
        if (span_next(cron, zone, &span, low, limit, next_s))
            return true;
        low = span.to_s;
    }
    return false;
}

int64_t pgc_cron_jitter_s(const char *host, const char *job, int64_t max_s) {
    if (max_s <= 1)
        return 0;
    uint64_t hash = 0xcbf29ce484222325u;
    const char *parts[2] = { host, job };
    for (int i = 0; i < 2; i++) {
        const char *p = parts[i];
        do
            hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
        while (*p++ != '\0');
    }
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u; /* short names differ in the low bits only */
    return (int64_t)((hash >> 32) % (uint64_t)max_s);
}
