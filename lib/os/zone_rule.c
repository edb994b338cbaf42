#include "os/zone_rule.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

static bool number(const char **p, int min, int max, int *out) {
    int v = 0;
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); (*p)++)
        if ((v = v * 10 + (**p - '0')) > max)
            return false;
    *out = v;
    return v >= min;
}

/* [+-]hh[:mm[:ss]] */
static bool clock_time(const char **p, int32_t *out) {
    int sign = **p == '-' ? -1 : 1, h = 0, m = 0, s = 0;
    if (**p == '-' || **p == '+')
        (*p)++;
    if (!number(p, 0, 167, &h))
        return false;
    if (**p == ':' && ((*p)++, !number(p, 0, 59, &m)))
        return false;
    if (**p == ':' && ((*p)++, !number(p, 0, 59, &s)))
        return false;
    *out = sign * (h * 3600 + m * 60 + s);
    return true;
}

/* Letters, or anything in angle brackets. */
static bool abbreviation(const char **p) {
    const char *from = *p;
    if (**p == '<') {
        const char *close = strchr(*p, '>');
        if (close == NULL)
            return false;
        *p = close + 1;
        return close - from >= 2;
    }
    while (isalpha((unsigned char)**p))
        (*p)++;
    return *p - from >= 3;
}

static bool date(const char **p, struct pgc__zone_date *out) {
    *out = (struct pgc__zone_date) { .kind = 'N', .time_s = 7200 };
    if (**p == 'M') {
        (*p)++;
        out->kind = 'M';
        if (!number(p, 1, 12, &out->month) || *(*p)++ != '.' || !number(p, 1, 5, &out->week) || *(*p)++ != '.' ||
            !number(p, 0, 6, &out->day))
            return false;
    } else if (**p == 'J') {
        (*p)++;
        out->kind = 'J';
        if (!number(p, 1, 365, &out->day))
            return false;
    } else if (!number(p, 0, 365, &out->day)) {
        return false;
    }
    if (**p != '/')
        return true;
    (*p)++;
    return clock_time(p, &out->time_s);
}

bool pgc__zone_rule_parse(const char *text, struct pgc__zone_rule *out) {
    const char *p = text;
    *out = (struct pgc__zone_rule) { 0 };
    if (!abbreviation(&p) || !clock_time(&p, &out->standard_s))
        return false;
    out->standard_s = -out->standard_s; /* POSIX counts west */
    if (*p == '\0')
        return true;
    out->has_daylight = true;
    out->daylight_s = out->standard_s + 3600;
    if (!abbreviation(&p))
        return false;
    if (*p != ',' && *p != '\0') {
        if (!clock_time(&p, &out->daylight_s))
            return false;
        out->daylight_s = -out->daylight_s;
    }
    return *p++ == ',' && date(&p, &out->begins) && *p++ == ',' && date(&p, &out->ends) && *p == '\0';
}

/* Local seconds since 1970 at which a date's moment comes in `year`. */
static int64_t moment(const struct pgc__zone_date *d, int64_t year) {
    int64_t first = pgc_days_from_civil(year, 1, 1), day = first + d->day;
    if (d->kind == 'J') {
        bool leap = pgc_days_from_civil(year + 1, 1, 1) - first == 366;
        day = first + d->day - 1 + (leap && d->day >= 60);
    } else if (d->kind == 'M') {
        int64_t month = pgc_days_from_civil(year, d->month, 1);
        int64_t next =
            d->month == 12 ? pgc_days_from_civil(year + 1, 1, 1) : pgc_days_from_civil(year, d->month + 1, 1);
        int64_t weekday = ((month + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = month + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
        while (day >= next)
            day -= 7;
    }
    return day * 86400 + d->time_s;
}

struct pgc_zone_span pgc__zone_rule_at(const struct pgc__zone_rule *rule, int64_t unix_s) {
    struct pgc_zone_span span = { INT64_MIN, INT64_MAX, rule->standard_s };
    if (!rule->has_daylight)
        return span;
    int64_t local_days = unix_s / 86400 - (unix_s % 86400 < 0), year;
    int month, day;
    pgc_civil_from_days(local_days, &year, &month, &day);
    /* The changes of three years hold the last one before and the first one after. */
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t changes[2] = { moment(&rule->begins, y) - rule->standard_s, moment(&rule->ends, y) - rule->daylight_s };
        for (int i = 0; i < 2; i++) {
            if (changes[i] <= unix_s && changes[i] >= span.from_s) {
                span.from_s = changes[i];
                span.offset_s = i == 0 ? rule->daylight_s : rule->standard_s;
            } else if (changes[i] > unix_s && changes[i] < span.to_s) {
                span.to_s = changes[i];
            }
        }
    }
    return span;
}
