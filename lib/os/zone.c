#include "os/zone.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/file.h"
#include "os/zone_rule.h"

#define FILE_MAX ((size_t)1 << 20)
#define HEADER   ((size_t)44)
/* What RFC 8536 lets a file hold; within it, no sum of a time and an offset overflows. */
#define TIME_MAX   ((int64_t)1 << 59)
#define OFFSET_MAX (26 * 3600)

struct change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};
struct pgc_zone {
    struct change *changes; /* ascending, each to another offset */
    size_t count;
    int32_t first_offset_s; /* before the first change */
    bool has_rule;          /* for times from the last change on */
    struct pgc__zone_rule rule;
};

void pgc_zone_free(struct pgc_zone *zone) {
    if (zone == NULL)
        return;
    free(zone->changes);
    free(zone);
}

static int64_t big_endian(const unsigned char *p, size_t bytes) {
    uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

/* One data block of a TZif file: how many of what, and where. */
struct block {
    const unsigned char *times, *indices, *types;
    size_t time_bytes, time_count, type_count, size;
};

static bool read_block(const unsigned char *data, size_t len, size_t time_bytes, struct block *out) {
    if (len < HEADER || memcmp(data, "TZif", 4) != 0)
        return false;
    size_t counts[6]; /* isut, isstd, leap, time, type, char */
    for (size_t i = 0; i < 6; i++) {
        int64_t v = big_endian(data + 20 + 4 * i, 4);
        if (v < 0 || v > (int64_t)FILE_MAX)
            return false;
        counts[i] = (size_t)v;
    }
    *out = (struct block) { .time_bytes = time_bytes, .time_count = counts[3], .type_count = counts[4] };
    out->times = data + HEADER;
    out->indices = out->times + counts[3] * time_bytes;
    out->types = out->indices + counts[3];
    out->size = HEADER + counts[3] * time_bytes + counts[3] + counts[4] * 6 + counts[5] + counts[2] * (time_bytes + 4) +
                counts[1] + counts[0];
    return out->size <= len && out->type_count > 0;
}

static bool offset_is_sane(int32_t offset_s) {
    return offset_s >= -OFFSET_MAX && offset_s <= OFFSET_MAX;
}

/* Changes of the name only (no other offset) are left out: they are neither a gap nor a repetition. */
static bool take_changes(struct pgc_zone *zone, const struct block *b) {
    zone->first_offset_s = (int32_t)big_endian(b->types, 4);
    zone->changes = calloc(b->time_count + 1, sizeof *zone->changes);
    if (zone->changes == NULL || !offset_is_sane(zone->first_offset_s))
        return false;
    int32_t offset = zone->first_offset_s;
    for (size_t i = 0; i < b->time_count; i++) {
        if (b->indices[i] >= b->type_count)
            return false;
        struct change c = { big_endian(b->times + i * b->time_bytes, b->time_bytes),
                            (int32_t)big_endian(b->types + 6 * (size_t)b->indices[i], 4) };
        if ((zone->count > 0 && c.at_s <= zone->changes[zone->count - 1].at_s) || c.at_s < -TIME_MAX ||
            c.at_s > TIME_MAX || !offset_is_sane(c.offset_s))
            return false;
        if (c.offset_s == offset)
            continue;
        zone->changes[zone->count++] = c;
        offset = c.offset_s;
    }
    return true;
}

static bool take_rule(struct pgc_zone *zone, const unsigned char *footer, size_t len) {
    char text[128];
    const unsigned char *eol = len < 2 || footer[0] != '\n' ? NULL : memchr(footer + 1, '\n', len - 1);
    if (eol == NULL || (size_t)(eol - footer - 1) >= sizeof text)
        return false;
    size_t n = (size_t)(eol - footer - 1);
    memcpy(text, footer + 1, n);
    text[n] = '\0';
    zone->has_rule = n > 0;
    return n == 0 || pgc__zone_rule_parse(text, &zone->rule);
}

static bool parse(struct pgc_zone *zone, const unsigned char *data, size_t len) {
    struct block b;
    if (!read_block(data, len, 4, &b))
        return false;
    if (data[4] == '\0') /* version 1: 32 bits and no rule */
        return take_changes(zone, &b);
    size_t first = b.size;
    return read_block(data + first, len - first, 8, &b) && take_changes(zone, &b) &&
           take_rule(zone, data + first + b.size, len - first - b.size);
}

enum pgc_code pgc_zone_parse(const void *data, size_t len, const char *name, struct pgc_zone **out,
                             struct pgc_error *err) {
    struct pgc_zone *zone = calloc(1, sizeof *zone);
    if (zone == NULL)
        return pgc_fail_nomem(err);
    if (!parse(zone, data, len)) {
        pgc_zone_free(zone);
        return pgc_fail(err, PGC_E_CONFIG, "the file of time zone '%s' is damaged", name);
    }
    *out = zone;
    return PGC_OK;
}

static enum pgc_code from_rule(const char *name, struct pgc_zone **out, bool *understood, struct pgc_error *err) {
    struct pgc__zone_rule rule;
    *understood = pgc__zone_rule_parse(name, &rule);
    if (!*understood)
        return PGC_OK;
    struct pgc_zone *zone = calloc(1, sizeof *zone);
    if (zone == NULL)
        return pgc_fail_nomem(err);
    zone->has_rule = true;
    zone->rule = rule;
    *out = zone;
    return PGC_OK;
}

/* Names go into a path: only what names of zones are made of. */
static bool is_name(const char *name) {
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")] == '\0' &&
           name[0] != '/' && strlen(name) < 64;
}

static enum pgc_code from_folders(const char *name, struct pgc_zone **out, bool *found, struct pgc_error *err) {
    const char *folders[] = { getenv("TZDIR"), "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo" };
    bool any = false;
    *found = false;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT, data = PGC_BUF_INIT;
        if (folders[i] == NULL || access(folders[i], R_OK | X_OK) != 0)
            continue;
        any = true;
        pgc_buf_putf(&path, "%s/%s", folders[i], name);
        enum pgc_code code = pgc_file_read(path.data, FILE_MAX, &data, err);
        if (code == PGC_E_NOMEM)
            return code;
        if (code != PGC_OK || data.len < 4 || memcmp(data.data, "TZif", 4) != 0)
            continue;
        *found = true;
        return pgc_zone_parse(data.data, data.len, name, out, err);
    }
    if (!any)
        return pgc_fail(err, PGC_E_CONFIG,
                        "time zone '%s': there is no tzdata on this system (set TZDIR or install it)", name);
    return PGC_OK;
}

enum pgc_code pgc_zone_open(const char *name, struct pgc_zone **out, struct pgc_error *err) {
    if (name != NULL && name[0] == ':')
        name++;
    if (name == NULL || *name == '\0' || strcmp(name, "UTC") == 0)
        name = "UTC0";
    bool understood = false, found = false;
    enum pgc_code code = from_rule(name, out, &understood, err);
    if (code != PGC_OK || understood)
        return code;
    if (is_name(name))
        code = from_folders(name, out, &found, err);
    if (code != PGC_OK || found)
        return code;
    return pgc_fail(err, PGC_E_USAGE, "unknown time zone '%s': give a name such as Europe/Berlin or UTC", name);
}

struct pgc_zone_span pgc_zone_at(const struct pgc_zone *zone, int64_t unix_s) {
    size_t low = 0, high = zone->count; /* the changes before `low` are not after unix_s */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at_s <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    struct pgc_zone_span span = { INT64_MIN, INT64_MAX, zone->first_offset_s };
    if (low > 0) {
        span.from_s = zone->changes[low - 1].at_s;
        span.offset_s = zone->changes[low - 1].offset_s;
    }
    if (low < zone->count) {
        span.to_s = zone->changes[low].at_s;
        return span;
    }
    if (!zone->has_rule)
        return span;
    struct pgc_zone_span ruled = pgc__zone_rule_at(&zone->rule, unix_s);
    if (ruled.from_s < span.from_s)
        ruled.from_s = span.from_s;
    return ruled;
}

void pgc_zone_rfc3339(struct pgc_buf *out, const struct pgc_zone *zone, int64_t unix_s) {
    struct pgc_zone_span span = pgc_zone_at(zone, unix_s);
    pgc_text_rfc3339(out, (unix_s + span.offset_s) * 1000000, false);
    if (span.offset_s == 0)
        return;
    pgc_buf_truncate(out, out->len - 1); /* the Z */
    int32_t minutes = abs(span.offset_s) / 60;
    pgc_buf_putf(out, "%c%02d:%02d", span.offset_s < 0 ? '-' : '+', (int)(minutes / 60), (int)(minutes % 60));
}
