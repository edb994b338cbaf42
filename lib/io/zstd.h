#ifndef PGC_IO_ZSTD_H
#define PGC_IO_ZSTD_H
/* Zstandard both ways. The only file that knows libzstd is zstd.c.
 *
 *     struct pgc_zstd_options options = PGC_ZSTD_DEFAULTS;
 *     code = pgc_zstd_push(&chain, &options, err);     // compresses what is put, hands frames to *chain
 *     code = pgc_zstd_pull(&source, err);              // get() gives the decompressed bytes of *source
 *
 * Frames have a content checksum and a window of at most 128 MiB, so that a stock `zstd -d` reads them.
 * Memory: a compressor holds about (workers + 1) * (4 * job_bytes) + window; a decompressor its window (up to 128 MiB,
 * as much as the frame asks for; at most 8 MiB for what the default options write). */
#include <stdint.h>

#include "io/stream.h"

struct pgc_zstd_options {
    int level;          /* 1..19 (22 with care); negative is faster */
    int workers;        /* threads; 0 compresses in the caller's thread */
    uint64_t job_bytes; /* input per thread and job, at least 512 KiB; 0: the library's choice */
    int window_log;     /* 10..27; 0: by the level */
};
#define PGC_ZSTD_DEFAULTS                                                                                              \
    { .level = 3, .workers = 1, .job_bytes = (uint64_t)2 << 20, .window_log = 0 }

/* NULL options are the defaults. Options out of range are PGC_E_USAGE. Nothing put still gives a valid frame of 0 bytes. */
PGC_MUST_USE enum pgc_code pgc_zstd_push(struct pgc_sink **chain, const struct pgc_zstd_options *options,
                                         struct pgc_error *err);
/* Reads any number of concatenated frames (skippable ones are skipped). Owns the previous *source; on failure *source is
 * unchanged. No frame at all, a cut frame, foreign bytes and a wrong checksum are PGC_E_DATA. verify() is the inner one's. */
PGC_MUST_USE enum pgc_code pgc_zstd_pull(struct pgc_source **source, struct pgc_error *err);
#endif
