/* Cron expressions in any zone: refused, or an activation after the time given, in bounded time. Input: expression, line feed, zone
 * as a POSIX rule or (after 'T') the bytes of a TZif file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backup/cron.h"
#include "base/buf.h"

static void must(bool good) {
    if (!good)
        abort();
}

static enum pgc_code open_zone(const uint8_t *data, size_t len, struct pgc_zone **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    if (len > 0 && data[0] == 'T')
        return pgc_zone_parse(data, len, "fuzz", out, err);
    pgc_buf_put(&name, data, len);
    return pgc_zone_open(name.data, out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pgc_cron cron;
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
    const uint8_t *eol = len == 0 ? NULL : memchr(data, '\n', len);
    size_t n = eol == NULL ? len : (size_t)(eol - data);
    pgc_buf_put(&text, data, n);
    bool parsed = pgc_cron_parse(text.data, &cron, &err) == PGC_OK;
    if (open_zone(data + n + (eol != NULL), len - n - (eol != NULL), &zone, &err) != PGC_OK)
        return 0;
    struct pgc_zone_span span = pgc_zone_at(zone, 1700000000);
    must(span.from_s <= 1700000000 && span.to_s > 1700000000);
    int64_t at = 1700000000 + (int64_t)len * 1000003, next = 0;
    for (int i = 0; parsed && i < 5 && pgc_cron_next(&cron, zone, at, &next); i++, at = next)
        must(next > at);
    return 0;
}
