#include "io/stream.h"

#include <stdlib.h>

enum pgc_code pgc_sink_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    return len == 0 ? PGC_OK : sink->ops->put(sink, data, len, err);
}

enum pgc_code pgc_sink_commit(struct pgc_sink *sink, struct pgc_error *err) {
    return sink->ops->commit(sink, err);
}

void pgc_sink_drop(struct pgc_sink *sink) {
    if (sink != NULL)
        sink->ops->drop(sink);
}

enum pgc_code pgc_source_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    *len = 0;
    return source->ops->get(source, buf, cap, len, err);
}

enum pgc_code pgc_source_fill(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    *len = 0;
    while (*len < cap) {
        size_t n = 0;
        enum pgc_code code = pgc_source_get(source, (char *)buf + *len, cap - *len, &n, err);
        if (code != PGC_OK)
            return code;
        if (n == 0)
            break;
        *len += n;
    }
    return PGC_OK;
}

enum pgc_code pgc_source_verify(struct pgc_source *source, struct pgc_error *err) {
    return source->ops->verify == NULL ? PGC_OK : source->ops->verify(source, err);
}

void pgc_source_drop(struct pgc_source *source) {
    if (source != NULL)
        source->ops->drop(source);
}

#define BLOCK_BYTES ((size_t)128 * 1024)

enum pgc_code pgc_pump(struct pgc_source *source, struct pgc_sink *sink, const struct pgc_copy_watch *watch,
                       struct pgc_error *err) {
    PGC_AUTO_FREE void *block = malloc(BLOCK_BYTES);
    if (block == NULL)
        return pgc_fail_nomem(err);
    uint64_t total = 0;
    for (;;) {
        size_t len = 0;
        enum pgc_code code = pgc_source_get(source, block, BLOCK_BYTES, &len, err);
        if (code != PGC_OK)
            return code;
        if (len == 0)
            return pgc_source_verify(source, err);
        code = pgc_sink_put(sink, block, len, err);
        if (code != PGC_OK)
            return code;
        total += len;
        if (watch != NULL)
            code = watch->tick(watch->arg, total, err);
        if (code != PGC_OK)
            return code;
    }
}

enum pgc_code pgc_copy(struct pgc_source *source, struct pgc_sink *sink, const struct pgc_copy_watch *watch,
                       struct pgc_error *err) {
    enum pgc_code code = pgc_pump(source, sink, watch, err);
    return code != PGC_OK ? code : pgc_sink_commit(sink, err);
}
