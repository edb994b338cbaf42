#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char hex_lower[] = "0123456789abcdef";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void pgc_text_hex(struct pgc_buf *out, const void *data, size_t len) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        pgc_buf_putc(out, hex_lower[bytes[i] >> 4]);
        pgc_buf_putc(out, hex_lower[bytes[i] & 15]);
    }
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool pgc_text_unhex(const char *text, size_t len, unsigned char *out, size_t cap) {
    if (len != 2 * cap)
        return false;
    for (size_t i = 0; i < cap; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void pgc_text_base64(struct pgc_buf *out, const void *data, size_t len, bool padded) {
    const unsigned char *p = data;
    size_t rest = len % 3, size = len / 3 * 4 + (rest == 0 ? 0 : padded ? 4 : rest + 1);
    char *to = pgc_buf_reserve(out, size);
    if (to == NULL)
        return;
    for (; len >= 3; len -= 3, p += 3) {
        unsigned v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
        *to++ = base64_alphabet[v >> 18];
        *to++ = base64_alphabet[v >> 12 & 63];
        *to++ = base64_alphabet[v >> 6 & 63];
        *to++ = base64_alphabet[v & 63];
    }
    if (rest > 0) {
        unsigned v = (unsigned)p[0] << 16 | (rest > 1 ? (unsigned)p[1] << 8 : 0);
        *to++ = base64_alphabet[v >> 18];
        *to++ = base64_alphabet[v >> 12 & 63];
        if (rest > 1)
            *to++ = base64_alphabet[v >> 6 & 63];
        for (size_t i = rest; padded && i < 3; i++)
            *to++ = '=';
    }
    pgc_buf_grown(out, size);
}

static int base64_value(char c) {
    static const signed char values[80] = {
        /* from '+' to 'z', one more than the value: 0 is no character of it */
        ['+' - '+'] = 63,
        ['/' - '+'] = 64,
        ['0' - '+'] = 53,
        54,
        55,
        56,
        57,
        58,
        59,
        60,
        61,
        62,
        ['A' - '+'] = 1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        18,
        19,
        20,
        21,
        22,
        23,
        24,
        25,
        26,
        ['a' - '+'] = 27,
        28,
        29,
        30,
        31,
        32,
        33,
        34,
        35,
        36,
        37,
        38,
        39,
        40,
        41,
        42,
        43,
        44,
        45,
        46,
        47,
        48,
        49,
        50,
        51,
        52,
    };
    unsigned at = (unsigned char)c - (unsigned)'+';
    return at < sizeof values ? values[at] - 1 : -1;
}

bool pgc_text_unbase64(struct pgc_buf *out, const char *text, size_t len, bool padded) {
    if (padded) {
        if (len % 4 != 0)
            return false;
        for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
            len--;
        if (len % 4 == 1)
            return false;
    }
    if (len % 4 == 1)
        return false;
    size_t rest = len % 4, size = len / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    char *to = pgc_buf_reserve(out, size);
    if (to == NULL)
        return false;
    for (const char *end = text + len - rest; text < end; text += 4) {
        int a = base64_value(text[0]), b = base64_value(text[1]), c = base64_value(text[2]), d = base64_value(text[3]);
        if ((a | b | c | d) < 0)
            return false;
        unsigned v = (unsigned)a << 18 | (unsigned)b << 12 | (unsigned)c << 6 | (unsigned)d;
        *to++ = (char)(v >> 16);
        *to++ = (char)(v >> 8);
        *to++ = (char)v;
    }
    unsigned v = 0;
    for (size_t i = 0; i < rest; i++) {
        int d = base64_value(text[i]);
        if (d < 0)
            return false;
        v |= (unsigned)d << (18 - 6 * i);
    }
    if (rest > 1)
        *to++ = (char)(v >> 16);
    if (rest > 2)
        *to++ = (char)(v >> 8);
    if ((rest == 2 && v & 0xffff) || (rest == 3 && v & 0xff)) /* unused bits must be zero */
        return false;
    pgc_buf_grown(out, size);
    return true;
}

void pgc_text_percent(struct pgc_buf *out, const void *data, size_t len, const char *keep) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && (strchr("-._~", c) != NULL || strchr(keep, c) != NULL));
        if (plain)
            pgc_buf_putc(out, (char)c);
        else
            pgc_buf_putf(out, "%%%02X", c);
    }
}

bool pgc_text_unpercent(struct pgc_buf *out, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%') {
            if (len - i < 3 || !pgc_text_unhex(text + i + 1, 2, &c, 1))
                return false;
            i += 2;
        }
        pgc_buf_putc(out, (char)c);
    }
    return true;
}

/* Length of the UTF-8 sequence at p (RFC 3629), 0 when it is malformed or cut. */
size_t pgc_text_utf8(const void *text, size_t len) {
    const unsigned char *p = text;
    if (len == 0)
        return 0;
    unsigned char c = p[0];
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
        (c == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

static void put_json_char(struct pgc_buf *out, unsigned char c) {
    switch (c) {
    case '"':
        pgc_buf_puts(out, "\\\"");
        break;
    case '\\':
        pgc_buf_puts(out, "\\\\");
        break;
    case '\n':
        pgc_buf_puts(out, "\\n");
        break;
    case '\r':
        pgc_buf_puts(out, "\\r");
        break;
    case '\t':
        pgc_buf_puts(out, "\\t");
        break;
    default:
        if (c < 0x20 || c == 0x7f)
            pgc_buf_putf(out, "\\u%04x", c);
        else
            pgc_buf_putc(out, (char)c);
    }
}

void pgc_text_json_n(struct pgc_buf *out, const char *text, size_t len) {
    const unsigned char *p = (const unsigned char *)text;
    pgc_buf_putc(out, '"');
    for (size_t i = 0; i < len;) {
        size_t n = pgc_text_utf8(p + i, len - i);
        if (n == 1)
            put_json_char(out, p[i]);
        else if (n > 1)
            pgc_buf_put(out, p + i, n);
        else
            pgc_buf_puts(out, "\xef\xbf\xbd");
        i += n > 0 ? n : 1;
    }
    pgc_buf_putc(out, '"');
}

void pgc_text_json(struct pgc_buf *out, const char *text) {
    pgc_text_json_n(out, text, strlen(text));
}

/* Howard Hinnant's civil calendar algorithms (chrono-compatible low-level date algorithms). */
int64_t pgc_days_from_civil(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void pgc_civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

void pgc_text_rfc3339(struct pgc_buf *out, int64_t unix_us, bool millis) {
    int64_t seconds = floor_div(unix_us, 1000000);
    int64_t days = floor_div(seconds, 86400);
    int64_t of_day = seconds - days * 86400;
    int64_t year;
    int month, day;
    pgc_civil_from_days(days, &year, &month, &day);
    pgc_buf_putf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month, day, (int)(of_day / 3600),
                 (int)(of_day / 60 % 60), (int)(of_day % 60));
    if (millis)
        pgc_buf_putf(out, ".%03d", (int)((unix_us - seconds * 1000000) / 1000));
    pgc_buf_putc(out, 'Z');
}

static bool digits(const char **p, int count, int *out) {
    int v = 0;
    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return true;
}

static bool literal(const char **p, const char *any) {
    if (**p == '\0' || strchr(any, **p) == NULL)
        return false;
    (*p)++;
    return true;
}

static bool parse_offset(const char **p, int *minutes) {
    *minutes = 0;
    if (literal(p, "Zz"))
        return true;
    int sign = **p == '-' ? -1 : 1, hours, rest;
    if (!literal(p, "+-") || !digits(p, 2, &hours) || !literal(p, ":") || !digits(p, 2, &rest) || hours > 23 ||
        rest > 59)
        return false;
    *minutes = sign * (hours * 60 + rest);
    return true;
}

bool pgc_text_parse_rfc3339(const char *text, int64_t *unix_us) {
    const char *p = text;
    int year, month, day, hour, minute, second, offset;
    int64_t fraction = 0, scale = 100000;
    if (!digits(&p, 4, &year) || !literal(&p, "-") || !digits(&p, 2, &month) || !literal(&p, "-") ||
        !digits(&p, 2, &day) || !literal(&p, "Tt ") || !digits(&p, 2, &hour) || !literal(&p, ":") ||
        !digits(&p, 2, &minute) || !literal(&p, ":") || !digits(&p, 2, &second))
        return false;
    if (literal(&p, ".")) {
        if (*p < '0' || *p > '9')
            return false;
        for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
            fraction += scale * (*p - '0');
    }
    if (!parse_offset(&p, &offset) || *p != '\0' || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    int64_t days = pgc_days_from_civil(year, month, day), y;
    int m, d;
    pgc_civil_from_days(days, &y, &m, &d);
    if (y != year || m != month || d != day)
        return false;
    *unix_us = ((days * 86400 + hour * 3600 + minute * 60 + second) - (int64_t)offset * 60) * 1000000 + fraction;
    return true;
}

void pgc_text_bytes(struct pgc_buf *out, uint64_t bytes) {
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < 5; unit++)
        value /= 1024;
    pgc_buf_putf(out, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

bool pgc_text_starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool pgc_text_ends(const char *text, const char *suffix) {
    size_t len = strlen(text), n = strlen(suffix);
    return len >= n && memcmp(text + len - n, suffix, n) == 0;
}

void pgc_text_markup(struct pgc_buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            pgc_buf_puts(out, "&amp;");
            break;
        case '<':
            pgc_buf_puts(out, "&lt;");
            break;
        case '>':
            pgc_buf_puts(out, "&gt;");
            break;
        case '"':
            pgc_buf_puts(out, "&quot;");
            break;
        case '\'':
            pgc_buf_puts(out, "&apos;");
            break;
        default:
            pgc_buf_putc(out, *text);
        }
    }
}
