/* Any bytes as a script: splitting ends, offsets stay inside the text, and reading it in small pieces
 * gives the same items. The first byte chooses the options. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "script/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
    uint64_t hash;
    size_t size, count;
};

static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct digest *d = arg;
    (void)err;
    if (item->offset > item->end || item->end > d->size || item->line == 0)
        abort();
    for (size_t i = 0; i < item->len; i++)
        d->hash = (d->hash ^ (unsigned char)item->text[i]) * 1099511628211u;
    d->hash = (d->hash ^ item->offset ^ item->end << 20 ^ (uint64_t)item->kind << 40) * 1099511628211u;
    d->count++;
    return PGC_OK;
}

struct pieces {
    struct pgc_source base;
    const uint8_t *data;
    size_t size, pos, step;
};
static enum pgc_code get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct pieces *p = (struct pieces *)source;
    (void)err;
    size_t n = p->size - p->pos < p->step ? p->size - p->pos : p->step;
    *len = n < cap ? n : cap;
    if (*len > 0)
        memcpy(buf, p->data + p->pos, *len);
    p->pos += *len;
    return PGC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const encodings[] = { "UTF8", "SJIS", "BIG5", "GB18030", "JOHAB", "GBK", "UHC", "LATIN1" };
    static const char *const set[] = { "v", "a'b;c $$", "r", ":r :v", "one", "1", NULL };
    static const struct pgc_source_ops ops = { get, NULL, NULL };
    if (size == 0)
        return 0;
    struct pgc_split_options options = { .variables = data[0] & 1,
                                         .nonstandard_strings = data[0] & 2,
                                         .client_encoding = encodings[data[0] >> 2 & 7],
                                         .set = data[0] & 1 ? set : NULL };
    struct pieces pieces = { { &ops }, data + 1, size - 1, 0, 1 + (data[0] >> 5) };
    struct digest whole = { .size = size - 1 }, parts = { .size = size - 1 };
    struct pgc_split_end end;
    struct pgc_error err;
    enum pgc_code a = pgc_split_text((const char *)data + 1, size - 1, &options, each, &whole, &end, &err);
    enum pgc_code b = pgc_split_source(&pieces.base, &options, each, &parts, &end, &err);
    if (a != b || whole.hash != parts.hash || whole.count != parts.count)
        abort();
    return 0;
}
