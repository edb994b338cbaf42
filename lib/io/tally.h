#ifndef PGC_IO_TALLY_H
#define PGC_IO_TALLY_H
/* Counts the bytes that pass and takes their SHA-256. Bytes go through unchanged.
 *
 *     struct pgc_tally tally;
 *     code = pgc_tally_push(&chain, &tally, err);
 *     code = pgc_copy(source, chain, NULL, err);
 *     ... tally.bytes, tally.sha256 are valid: tally.complete is true
 *
 * The tally is the caller's and must outlive the stage. `bytes` is current at any time (for progress); sha256 is set when
 * the stage commits (before the next sink does, so that the hash can be part of what follows) or the source reports its end. */
#include <stdint.h>

#include "io/stream.h"

#define PGC_SHA256_BYTES 32

struct pgc_tally {
    uint64_t bytes;
    unsigned char sha256[PGC_SHA256_BYTES];
    char hex[2 * PGC_SHA256_BYTES + 1]; /* the same in lower-case hex */
    bool complete;
};

/* In front of *chain; on failure *chain is unchanged. Initialises *tally. */
PGC_MUST_USE enum pgc_code pgc_tally_push(struct pgc_sink **chain, struct pgc_tally *tally, struct pgc_error *err);
/* Around *source, which it owns from then on; on failure *source is unchanged. verify() is that of the inner source. */
PGC_MUST_USE enum pgc_code pgc_tally_pull(struct pgc_source **source, struct pgc_tally *tally, struct pgc_error *err);
#endif
