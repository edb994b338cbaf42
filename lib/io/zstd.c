#include "io/zstd.h"

#include <stdlib.h>
#include <zstd.h>

#define WINDOW_LOG_MAX 27 /* what a stock `zstd -d` accepts without --long */

struct zstd_sink {
    struct pgc_sink sink;
    struct pgc_sink *next;
    ZSTD_CCtx *ctx;
    char *out;
    size_t out_cap;
};
struct zstd_source {
    struct pgc_source source;
    struct pgc_source *inner;
    ZSTD_DCtx *ctx;
    char *in;
    size_t in_cap;
    ZSTD_inBuffer pending;
    size_t hint;    /* last answer of the decoder: 0 at the end of a frame */
    bool any_frame; /* at least one frame was finished */
    bool ended;
};

static enum pgc_code run(struct zstd_sink *s, ZSTD_inBuffer *in, ZSTD_EndDirective how, struct pgc_error *err) {
    for (;;) {
        ZSTD_outBuffer out = { s->out, s->out_cap, 0 };
        size_t left = ZSTD_compressStream2(s->ctx, &out, in, how);
        if (ZSTD_isError(left))
            return pgc_fail(err, PGC_E_FAILED, "cannot compress: %s", ZSTD_getErrorName(left));
        enum pgc_code code = pgc_sink_put(s->next, s->out, out.pos, err);
        if (code != PGC_OK)
            return code;
        if (how == ZSTD_e_end ? left == 0 : in->pos == in->size)
            return PGC_OK;
    }
}

static enum pgc_code zstd_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    ZSTD_inBuffer in = { data, len, 0 };
    return run((struct zstd_sink *)sink, &in, ZSTD_e_continue, err);
}

static enum pgc_code zstd_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct zstd_sink *s = (struct zstd_sink *)sink;
    ZSTD_inBuffer in = { "", 0, 0 };
    enum pgc_code code = run(s, &in, ZSTD_e_end, err);
    return code != PGC_OK ? code : pgc_sink_commit(s->next, err);
}

static void zstd_drop(struct pgc_sink *sink) {
    struct zstd_sink *s = (struct zstd_sink *)sink;
    pgc_sink_drop(s->next);
    ZSTD_freeCCtx(s->ctx);
    free(s->out);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { zstd_put, zstd_commit, zstd_drop };

static enum pgc_code set(ZSTD_CCtx *ctx, ZSTD_cParameter what, int value, const char *name, struct pgc_error *err) {
    ZSTD_bounds bounds = ZSTD_cParam_getBounds(what);
    /* A library built without threads knows 0 workers only: then it compresses in the caller's thread. */
    if ((what == ZSTD_c_nbWorkers || what == ZSTD_c_jobSize) && bounds.upperBound == 0)
        return PGC_OK;
    size_t rc = ZSTD_CCtx_setParameter(ctx, what, value);
    if (ZSTD_isError(rc))
        return pgc_fail(err, PGC_E_USAGE, "compression %s %d is out of range (%d to %d)", name, value,
                        bounds.lowerBound, bounds.upperBound);
    return PGC_OK;
}

static enum pgc_code configure(ZSTD_CCtx *ctx, const struct pgc_zstd_options *o, struct pgc_error *err) {
    ZSTD_bounds levels = ZSTD_cParam_getBounds(ZSTD_c_compressionLevel);
    ZSTD_bounds workers = ZSTD_cParam_getBounds(ZSTD_c_nbWorkers);
    if (o->level < levels.lowerBound || o->level > levels.upperBound) /* libzstd would clamp in silence */
        return pgc_fail(err, PGC_E_USAGE, "compression level %d is out of range (%d to %d)", o->level,
                        levels.lowerBound, levels.upperBound);
    if (o->workers < 0 || (workers.upperBound > 0 && o->workers > workers.upperBound))
        return pgc_fail(err, PGC_E_USAGE, "%d compression threads are out of range (0 to %d)", o->workers,
                        workers.upperBound);
    if (o->window_log != 0 && (o->window_log < 10 || o->window_log > WINDOW_LOG_MAX))
        return pgc_fail(err, PGC_E_USAGE, "compression window 2^%d is out of range (2^10 to 2^%d)", o->window_log,
                        WINDOW_LOG_MAX);
    if (o->job_bytes > (uint64_t)1 << 29)
        return pgc_fail(err, PGC_E_USAGE, "compression jobs of more than 512 MiB are not supported");
    enum pgc_code code = set(ctx, ZSTD_c_compressionLevel, o->level, "level", err);
    if (code == PGC_OK)
        code = set(ctx, ZSTD_c_checksumFlag, 1, "checksum", err);
    if (code == PGC_OK)
        code = set(ctx, ZSTD_c_windowLog, o->window_log, "window", err);
    if (code == PGC_OK && o->workers > 0)
        code = set(ctx, ZSTD_c_nbWorkers, o->workers, "threads", err);
    if (code == PGC_OK && o->workers > 0 && o->job_bytes > 0)
        code = set(ctx, ZSTD_c_jobSize, (int)o->job_bytes, "job size", err);
    return code;
}

enum pgc_code pgc_zstd_push(struct pgc_sink **chain, const struct pgc_zstd_options *options, struct pgc_error *err) {
    static const struct pgc_zstd_options defaults = PGC_ZSTD_DEFAULTS;
    struct zstd_sink *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->sink.ops = &sink_ops;
    s->ctx = ZSTD_createCCtx();
    s->out_cap = ZSTD_CStreamOutSize();
    s->out = malloc(s->out_cap);
    enum pgc_code code = s->ctx == NULL || s->out == NULL
                             ? pgc_fail_nomem(err)
                             : configure(s->ctx, options == NULL ? &defaults : options, err);
    if (code != PGC_OK) {
        zstd_drop(&s->sink); /* next is still NULL: *chain stays the caller's */
        return code;
    }
    s->next = *chain;
    *chain = &s->sink;
    return PGC_OK;
}

/* One more block of input; at the end of the inner source the frames must be whole. */
static enum pgc_code refill(struct zstd_source *s, struct pgc_error *err) {
    size_t len = 0;
    enum pgc_code code = pgc_source_get(s->inner, s->in, s->in_cap, &len, err);
    if (code != PGC_OK)
        return code;
    s->pending = (ZSTD_inBuffer) { s->in, len, 0 };
    if (len > 0)
        return PGC_OK;
    s->ended = true;
    if (!s->any_frame && s->hint == 0)
        return pgc_fail(err, PGC_E_DATA, "no zstd data: the input is empty");
    if (s->hint != 0)
        return pgc_fail(err, PGC_E_DATA, "zstd data is cut: it ends in the middle of a frame");
    return PGC_OK;
}

static enum pgc_code zstd_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct zstd_source *s = (struct zstd_source *)source;
    ZSTD_outBuffer out = { buf, cap, 0 };
    while (out.pos == 0) {
        if (s->ended)
            break;
        if (s->pending.pos == s->pending.size) {
            enum pgc_code code = refill(s, err);
            if (code != PGC_OK)
                return code;
            if (s->ended)
                break;
        }
        s->hint = ZSTD_decompressStream(s->ctx, &out, &s->pending);
        if (ZSTD_isError(s->hint))
            return pgc_fail(err, PGC_E_DATA, "cannot decompress zstd data: %s", ZSTD_getErrorName(s->hint));
        s->any_frame = s->any_frame || s->hint == 0;
    }
    *len = out.pos;
    return PGC_OK;
}

static enum pgc_code zstd_verify(struct pgc_source *source, struct pgc_error *err) {
    return pgc_source_verify(((struct zstd_source *)source)->inner, err);
}

static void zstd_source_drop(struct pgc_source *source) {
    struct zstd_source *s = (struct zstd_source *)source;
    pgc_source_drop(s->inner);
    ZSTD_freeDCtx(s->ctx);
    free(s->in);
    free(s);
}

static const struct pgc_source_ops source_ops = { zstd_get, zstd_verify, zstd_source_drop };

enum pgc_code pgc_zstd_pull(struct pgc_source **source, struct pgc_error *err) {
    struct zstd_source *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->source.ops = &source_ops;
    s->ctx = ZSTD_createDCtx();
    s->in_cap = ZSTD_DStreamInSize();
    s->in = malloc(s->in_cap);
    if (s->ctx == NULL || s->in == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(s->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        zstd_source_drop(&s->source);
        return pgc_fail_nomem(err);
    }
    s->inner = *source;
    *source = &s->source;
    return PGC_OK;
}
