#include "io/memory.h"

#include <stdlib.h>
#include <string.h>

struct memory_sink {
    struct pgc_sink sink;
    struct pgc_buf *out;
    size_t before;
    bool committed;
};
struct memory_source {
    struct pgc_source source;
    const char *at;
    size_t left;
};

static enum pgc_code memory_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct memory_sink *s = (struct memory_sink *)sink;
    pgc_buf_put(s->out, data, len);
    return pgc_buf_check(s->out, err);
}

static enum pgc_code memory_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct memory_sink *s = (struct memory_sink *)sink;
    enum pgc_code code = pgc_buf_check(s->out, err);
    s->committed = code == PGC_OK;
    return code;
}

static void memory_drop(struct pgc_sink *sink) {
    struct memory_sink *s = (struct memory_sink *)sink;
    if (!s->committed && s->out->len > s->before)
        pgc_buf_truncate(s->out, s->before);
    free(s);
}

static enum pgc_code memory_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    (void)err;
    struct memory_source *s = (struct memory_source *)source;
    size_t n = s->left < cap ? s->left : cap;
    if (n > 0)
        memcpy(buf, s->at, n);
    s->at += n;
    s->left -= n;
    *len = n;
    return PGC_OK;
}

static void memory_source_drop(struct pgc_source *source) {
    free(source);
}

static const struct pgc_sink_ops sink_ops = { memory_put, memory_commit, memory_drop };
static const struct pgc_source_ops source_ops = { memory_get, NULL, memory_source_drop };

enum pgc_code pgc_memory_sink(struct pgc_buf *out, struct pgc_sink **sink, struct pgc_error *err) {
    struct memory_sink *s = malloc(sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    *s = (struct memory_sink) { { &sink_ops }, out, out->len, false };
    *sink = &s->sink;
    return PGC_OK;
}

enum pgc_code pgc_memory_source(const void *data, size_t len, struct pgc_source **out, struct pgc_error *err) {
    struct memory_source *s = malloc(sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    *s = (struct memory_source) { { &source_ops }, data, len };
    *out = &s->source;
    return PGC_OK;
}
