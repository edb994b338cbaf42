#include "base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum pgc_code pgc_parse_int(const char *text, int64_t min, int64_t max, int64_t *out, struct pgc_error *err) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || strchr(" \t\n", text[0]) != NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not a whole number", text);
    if (errno == ERANGE || value < min || value > max)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not between %lld and %lld", text, (long long)min, (long long)max);
    *out = value;
    return PGC_OK;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit time_units[] = { { "ms", 1 },      { "s", 1000 },     { "m", 60000 },     { "min", 60000 },
                                          { "h", 3600000 }, { "d", 86400000 }, { "w", 604800000 }, { NULL, 0 } };
static const struct unit size_units[] = { { "B", 1 },           { "kB", 1ll << 10 },  { "KB", 1ll << 10 },
                                          { "KiB", 1ll << 10 }, { "k", 1ll << 10 },   { "K", 1ll << 10 },
                                          { "MB", 1ll << 20 },  { "MiB", 1ll << 20 }, { "M", 1ll << 20 },
                                          { "GB", 1ll << 30 },  { "GiB", 1ll << 30 }, { "G", 1ll << 30 },
                                          { "TB", 1ll << 40 },  { "TiB", 1ll << 40 }, { "T", 1ll << 40 },
                                          { NULL, 0 } };

static int64_t factor_of(const struct unit *units, const char *name, size_t len) {
    for (; units->name != NULL; units++)
        if (strlen(units->name) == len && memcmp(units->name, name, len) == 0)
            return units->factor;
    return 0;
}

/* NUMBER UNIT [NUMBER UNIT ...]; a bare NUMBER has the factor `bare`. False: malformed or out of range. */
static bool parse_parts(const char *text, const struct unit *units, int64_t bare, bool many, int64_t *out) {
    int64_t total = 0;
    const char *p = text;
    do {
        if (*p < '0' || *p > '9')
            return false;
        char *end;
        errno = 0;
        long long number = strtoll(p, &end, 10);
        p = end + strspn(end, " ");
        size_t len = strcspn(p, "0123456789 ");
        int64_t factor = len > 0 ? factor_of(units, p, len) : (p == end && p[0] == '\0' && total == 0) ? bare : 0;
        int64_t part;
        if (errno == ERANGE || factor == 0 || __builtin_mul_overflow(number, factor, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
        p += len;
    } while (many && *p != '\0');
    *out = total;
    return *p == '\0';
}

enum pgc_code pgc_parse_duration_ms(const char *text, int64_t *out, struct pgc_error *err) {
    if (parse_parts(text, time_units, 1000, true, out))
        return PGC_OK;
    return pgc_fail(err, PGC_E_USAGE, "'%s' is not a duration; write it like 250ms, 90s, 5m, 1h30m or 7d", text);
}

enum pgc_code pgc_parse_size(const char *text, uint64_t *out, struct pgc_error *err) {
    int64_t value;
    if (!parse_parts(text, size_units, 1, false, &value))
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not a size; write it like 4096, 512kB, 16MB or 1GB", text);
    *out = (uint64_t)value;
    return PGC_OK;
}
