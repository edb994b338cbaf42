#include "io/xz.h"

#include <lzma.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define MEMORY_MAX  ((uint64_t)256 << 20)

struct xz_source {
    struct pgc_source base;
    struct pgc_source *inner;
    lzma_stream lz;
    bool ended;
    bool done;
    unsigned char block[BLOCK_BYTES];
};

static enum pgc_code fail_xz(lzma_ret state, struct pgc_error *err) {
    if (state == LZMA_MEM_ERROR)
        return pgc_fail_nomem(err);
    if (state == LZMA_MEMLIMIT_ERROR)
        return pgc_fail(err, PGC_E_NOMEM, "the xz data wants more than %d MiB of memory", (int)(MEMORY_MAX >> 20));
    if (state == LZMA_BUF_ERROR)
        return pgc_fail(err, PGC_E_DATA, "the xz data is cut off");
    return pgc_fail(err, PGC_E_DATA, "the xz data is damaged");
}

static enum pgc_code refill(struct xz_source *xz, struct pgc_error *err) {
    if (xz->lz.avail_in > 0 || xz->ended)
        return PGC_OK;
    size_t n = 0;
    enum pgc_code code = pgc_source_get(xz->inner, xz->block, sizeof xz->block, &n, err);
    xz->lz.next_in = xz->block;
    xz->lz.avail_in = n;
    xz->ended = n == 0;
    return code;
}

static enum pgc_code xz_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct xz_source *xz = (struct xz_source *)source;
    xz->lz.next_out = buf;
    xz->lz.avail_out = cap;
    while (!xz->done && xz->lz.avail_out == cap) {
        enum pgc_code code = refill(xz, err);
        if (code != PGC_OK)
            return code;
        lzma_ret state = lzma_code(&xz->lz, xz->ended ? LZMA_FINISH : LZMA_RUN);
        xz->done = state == LZMA_STREAM_END;
        if (state != LZMA_OK && state != LZMA_STREAM_END)
            return fail_xz(state, err);
    }
    *len = cap - xz->lz.avail_out;
    return PGC_OK;
}

static enum pgc_code xz_verify(struct pgc_source *source, struct pgc_error *err) {
    return pgc_source_verify(((struct xz_source *)source)->inner, err);
}

static void xz_drop(struct pgc_source *source) {
    struct xz_source *xz = (struct xz_source *)source;
    lzma_end(&xz->lz);
    pgc_source_drop(xz->inner);
    free(xz);
}

enum pgc_code pgc_xz_pull(struct pgc_source **source, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { xz_get, xz_verify, xz_drop };
    struct xz_source *xz = calloc(1, sizeof *xz);
    if (xz == NULL || lzma_stream_decoder(&xz->lz, MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK) {
        free(xz);
        return pgc_fail_nomem(err);
    }
    xz->base.ops = &ops;
    xz->inner = *source;
    *source = &xz->base;
    return PGC_OK;
}
