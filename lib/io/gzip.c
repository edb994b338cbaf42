#include "io/gzip.h"

#include <stdlib.h>
#include <zlib.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define GZIP_ONLY   (15 + 16) /* window bits: largest window, gzip wrapper, nothing else */

struct gzip_source {
    struct pgc_source base;
    struct pgc_source *inner;
    z_stream z;
    bool between; /* no member is open: before the first, or behind the end of one */
    bool any;     /* at least one member was complete */
    bool ended;   /* the inner source is at its end */
    unsigned char block[BLOCK_BYTES];
};

static enum pgc_code refill(struct gzip_source *gz, struct pgc_error *err) {
    if (gz->z.avail_in > 0 || gz->ended)
        return PGC_OK;
    size_t n = 0;
    enum pgc_code code = pgc_source_get(gz->inner, gz->block, sizeof gz->block, &n, err);
    gz->z.next_in = gz->block;
    gz->z.avail_in = (uInt)n;
    gz->ended = n == 0;
    return code;
}

static enum pgc_code gzip_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct gzip_source *gz = (struct gzip_source *)source;
    gz->z.next_out = buf;
    gz->z.avail_out = (uInt)(cap < BLOCK_BYTES ? cap : BLOCK_BYTES);
    uInt room = gz->z.avail_out;
    while (gz->z.avail_out == room) {
        enum pgc_code code = refill(gz, err);
        if (code != PGC_OK)
            return code;
        if (gz->z.avail_in == 0) {
            if (gz->between && gz->any)
                return PGC_OK;
            return pgc_fail(err, PGC_E_DATA, "the gzip data is cut off");
        }
        gz->between = false;
        int state = inflate(&gz->z, Z_NO_FLUSH);
        if (state == Z_STREAM_END) {
            gz->between = gz->any = true;
            inflateReset(&gz->z);
        } else if (state != Z_OK) {
            return pgc_fail(err, PGC_E_DATA, "the gzip data is damaged%s%s", gz->z.msg != NULL ? ": " : "",
                            gz->z.msg != NULL ? gz->z.msg : "");
        }
    }
    *len = room - gz->z.avail_out;
    return PGC_OK;
}

static enum pgc_code gzip_verify(struct pgc_source *source, struct pgc_error *err) {
    return pgc_source_verify(((struct gzip_source *)source)->inner, err);
}

static void gzip_drop(struct pgc_source *source) {
    struct gzip_source *gz = (struct gzip_source *)source;
    inflateEnd(&gz->z);
    pgc_source_drop(gz->inner);
    free(gz);
}

enum pgc_code pgc_gzip_pull(struct pgc_source **source, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { gzip_get, gzip_verify, gzip_drop };
    struct gzip_source *gz = calloc(1, sizeof *gz);
    if (gz == NULL || inflateInit2(&gz->z, GZIP_ONLY) != Z_OK) {
        free(gz);
        return pgc_fail_nomem(err);
    }
    gz->base.ops = &ops;
    gz->inner = *source;
    gz->between = true;
    *source = &gz->base;
    return PGC_OK;
}
