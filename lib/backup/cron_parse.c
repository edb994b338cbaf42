/* From the text of a cron expression to its sets. */
#include <ctype.h>
#include <string.h>

#include "backup/cron.h"
#include "base/parse.h"
#include "base/text.h"

struct field {
    const char *name;
    int min, max;
    const char *const *names; /* NULL-terminated, the first stands for `min` of names_from */
    int names_from;
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
                                           "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };
static const struct field fields[FIELDS] = {
    { "minute", 0, 59, NULL, 0 },
    { "hour", 0, 23, NULL, 0 },
    { "day of month", 1, 31, NULL, 0 },
    { "month", 1, 12, month_names, 1 },
    { "day of week", 0, 7, weekday_names, 0 },
};

static enum pgc_code wrong(int which, const char *item, size_t len, const char *why, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_USAGE, "cron expression: %s '%.*s': %s", fields[which].name, (int)(len < 60 ? len : 60),
                    item, why);
}

/* A number or a name at *p; false when there is neither, or the number is beyond the field. */
static bool value(int which, const char **p, int *out) {
    const struct field *f = &fields[which];
    if (isdigit((unsigned char)**p)) {
        int v = 0;
        for (; isdigit((unsigned char)**p); (*p)++)
            if ((v = v * 10 + (**p - '0')) > f->max)
                return false;
        *out = v;
        return v >= f->min;
    }
    for (int i = 0; f->names != NULL && f->names[i] != NULL; i++)
        if (strncasecmp(*p, f->names[i], 3) == 0) {
            *p += 3;
            *out = f->names_from + i;
            return true;
        }
    return false;
}

static void set_bit(struct pgc_cron *cron, int which, int v) {
    switch (which) {
    case MINUTE:
        cron->minutes |= (uint64_t)1 << v;
        break;
    case HOUR:
        cron->hours |= 1u << v;
        break;
    case DAY:
        cron->days |= 1u << v;
        break;
    case MONTH:
        cron->months |= 1u << v;
        break;
    default:
        cron->weekdays |= 1u << v % 7;
    }
}

/* L, L-n, LW, nW of the day of the month. True when `p` is one of them, entirely. */
static bool special_day(const char *p, const char *end, struct pgc_cron *cron) {
    int v = 0;
    if (toupper((unsigned char)*p) == 'L') {
        p++;
        if (p == end)
            cron->days_before_last |= 1;
        else if (end - p == 1 && toupper((unsigned char)*p) == 'W')
            cron->nearest_weekday |= 1;
        else if (*p++ == '-' && value(DAY, &p, &v) && p == end && v <= 30)
            cron->days_before_last |= 1u << v;
        else
            return false;
        return true;
    }
    if (!isdigit((unsigned char)*p) || !value(DAY, &p, &v) || end - p != 1 || toupper((unsigned char)*p) != 'W')
        return false;
    cron->nearest_weekday |= 1u << v;
    return true;
}

/* nL and n#k of the day of the week. */
static bool special_weekday(const char *p, const char *end, struct pgc_cron *cron) {
    int v = 0;
    if (!value(WEEKDAY, &p, &v))
        return false;
    if (end - p == 1 && toupper((unsigned char)*p) == 'L')
        cron->last_weekdays |= 1u << v % 7;
    else if (end - p == 2 && p[0] == '#' && p[1] >= '1' && p[1] <= '5')
        cron->nth_weekdays[p[1] - '0'] |= 1u << v % 7;
    else
        return false;
    return true;
}

/* One element of a list: *, a, a-b, each with /step; or a special form. */
static enum pgc_code element(int which, const char *item, size_t len, struct pgc_cron *cron, struct pgc_error *err) {
    const char *p = item, *end = item + len;
    int low = fields[which].min, high = fields[which].max, step = 1;
    if (which == WEEKDAY)
        high = 6; /* for * only: 7 is Sunday again */
    if ((which == DAY && special_day(p, end, cron)) || (which == WEEKDAY && special_weekday(p, end, cron)))
        return PGC_OK;
    if (*p == '*' || (*p == '?' && len == 1 && (which == DAY || which == WEEKDAY))) {
        p++;
    } else {
        if (!value(which, &p, &low))
            return wrong(which, item, len, "not a value of this field", err);
        if (*p == '-') {
            p++;
            if (!value(which, &p, &high))
                return wrong(which, item, len, "the range does not end with a value of this field", err);
            if (which == WEEKDAY && high == 0 && low > 0)
                high = 7; /* fri-sun */
            if (high < low)
                return wrong(which, item, len, "the range ends before it begins", err);
        } else if (*p != '/') {
            high = low;
        }
    }
    if (p < end && *p == '/') {
        p++;
        if (!isdigit((unsigned char)*p))
            return wrong(which, item, len, "the step is not a number", err);
        for (step = 0; p < end && isdigit((unsigned char)*p) && step < 1000; p++)
            step = step * 10 + (*p - '0');
        if (step == 0)
            return wrong(which, item, len, "the step is zero", err);
    }
    if (p != end)
        return wrong(which, item, len, "not understood", err);
    for (int v = low; v <= high; v += step)
        set_bit(cron, which, v);
    return PGC_OK;
}

static enum pgc_code parse_field(int which, const char *text, size_t len, struct pgc_cron *cron,
                                 struct pgc_error *err) {
    for (size_t at = 0; at <= len;) {
        const char *comma = memchr(text + at, ',', len - at);
        size_t n = comma == NULL ? len - at : (size_t)(comma - (text + at));
        if (n == 0)
            return wrong(which, text, len, "an element of the list is empty", err);
        enum pgc_code code = element(which, text + at, n, cron, err);
        if (code != PGC_OK)
            return code;
        at += n + 1;
    }
    return PGC_OK;
}

static enum pgc_code parse_fields(const char *text, struct pgc_cron *cron, struct pgc_error *err) {
    const char *starts[FIELDS + 1];
    size_t lengths[FIELDS + 1], count = 0;
    for (const char *p = text + strspn(text, " \t"); *p != '\0'; p += strspn(p, " \t")) {
        size_t n = strcspn(p, " \t");
        if (count <= FIELDS) {
            starts[count] = p;
            lengths[count] = n;
        }
        count++;
        p += n;
    }
    if (count != FIELDS)
        return pgc_fail(
            err, PGC_E_USAGE,
            "cron expression '%.80s' has %zu fields, expected 5: minute hour day-of-month month day-of-week", text,
            count);
    for (int i = 0; i < FIELDS; i++) {
        enum pgc_code code = parse_field(i, starts[i], lengths[i], cron, err);
        if (code != PGC_OK)
            return code;
    }
    cron->fixed_time = *starts[MINUTE] != '*' && *starts[HOUR] != '*';
    cron->days_open = *starts[DAY] == '*' || *starts[DAY] == '?';
    cron->weekdays_open = *starts[WEEKDAY] == '*' || *starts[WEEKDAY] == '?';
    return PGC_OK;
}

static enum pgc_code parse_word(const char *text, struct pgc_cron *cron, struct pgc_error *err) {
    static const char *const words[][2] = {
        { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
        { "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
        { "@hourly", "0 * * * *" },
    };
    size_t len = strcspn(text, " \t");
    const char *rest = text + len + strspn(text + len, " \t");
    if (len == 6 && strncmp(text, "@every", 6) == 0) {
        int64_t ms = 0;
        if (*rest == '\0' || pgc_parse_duration_ms(rest, &ms, err) != PGC_OK || ms < 1000 || ms % 1000 != 0)
            return pgc_fail(err, PGC_E_USAGE,
                            "cron expression '%.80s': @every wants a duration of whole seconds, as 1h30m", text);
        cron->every_s = ms / 1000;
        return PGC_OK;
    }
    for (size_t i = 0; *rest == '\0' && i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i][0]) == len && strncmp(text, words[i][0], len) == 0)
            return parse_fields(words[i][1], cron, err);
    return pgc_fail(
        err, PGC_E_USAGE,
        "cron expression '%.80s': the words are @yearly @monthly @weekly @daily @hourly and @every DURATION", text);
}

enum pgc_code pgc_cron_parse(const char *text, struct pgc_cron *out, struct pgc_error *err) {
    *out = (struct pgc_cron) { 0 };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf copy = PGC_BUF_INIT;
    text += strspn(text, " \t");
    size_t prefix = pgc_text_starts(text, "CRON_TZ=") ? 8 : pgc_text_starts(text, "TZ=") ? 3 : 0;
    if (prefix > 0) {
        size_t len = strcspn(text + prefix, " \t");
        if (len == 0 || len >= sizeof out->zone)
            return pgc_fail(err, PGC_E_USAGE, "cron expression '%.80s': the time zone is not a name", text);
        memcpy(out->zone, text + prefix, len);
        text += prefix + len;
        text += strspn(text, " \t");
    }
    pgc_buf_puts(&copy, text);
    while (copy.len > 0 && strchr(" \t\r\n", copy.data[copy.len - 1]) != NULL)
        pgc_buf_truncate(&copy, copy.len - 1);
    enum pgc_code code = pgc_buf_check(&copy, err);
    if (code != PGC_OK)
        return code;
    return copy.data[0] == '@' ? parse_word(copy.data, out, err) : parse_fields(copy.data, out, err);
}
