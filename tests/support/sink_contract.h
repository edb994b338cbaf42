#ifndef PGC_TEST_SINK_CONTRACT_H
#define PGC_TEST_SINK_CONTRACT_H
/* The contract of io/stream.h as a test that every filter has to pass.
 *
 *     static enum pgc_code push(struct pgc_sink **chain, void *arg, struct pgc_error *err) { ... }
 *     static enum pgc_code pull(struct pgc_source **source, void *arg, struct pgc_error *err) { ... }
 *     static const size_t sizes[] = { 0, 1, 65535, 65536, 65537 };
 *     const struct filter_contract filter = { push, pull, NULL, sizes, 5 };
 *     check_filter_contract(&filter);        // round trips in every chunking, and every fault below
 *     check_tampering(&filter, 200000, positions, count);
 *
 * What is checked: the bytes come back whatever the size and the chunking; the next sink is committed exactly once, and dropped
 * exactly once; it is never committed when a source fails, lies about its end, does not verify, or when the next sink
 * fails at any byte or at its commit; errors arrive unchanged. Failures end the test (Check's assertions). */
#include "base/buf.h"
#include "io/stream.h"

struct filter_contract {
    enum pgc_code (*push)(struct pgc_sink **chain, void *arg, struct pgc_error *err);
    enum pgc_code (*pull)(struct pgc_source **source, void *arg,
                          struct pgc_error *err); /* NULL: bytes stay as they are */
    void *arg;
    const size_t *sizes;
    size_t size_count;
};

/* A sink that remembers and fails on demand. */
struct probe_sink {
    struct pgc_sink sink;
    struct pgc_buf data;
    size_t fail_at; /* refuses byte number fail_at, SIZE_MAX: never */
    bool fail_commit;
    int commits, drops;
    bool failed;
};
void probe_sink_init(struct probe_sink *probe);
void probe_sink_release(struct probe_sink *probe);

/* A source that gives pieces of `piece` bytes and fails on demand. Lives on the stack: drop only counts. */
struct probe_source {
    struct pgc_source source;
    const char *data;
    size_t len, at, piece;
    size_t fail_at; /* fails instead of giving byte number fail_at, SIZE_MAX: never */
    bool fail_verify;
    int drops, verifies;
};
void probe_source_init(struct probe_source *probe, const void *data, size_t len, size_t piece);

void check_filter_contract(const struct filter_contract *filter);

/* Encodes `size` bytes, then decodes the result cut at, and with a flipped bit in, each of `positions` (those beyond the end are
 * skipped; counted from the end when negative): PGC_E_DATA or PGC_E_NO_KEY each time, nothing is ever committed. */
void check_tampering(const struct filter_contract *filter, size_t size, const long *positions, size_t count);

/* Bytes that do not compress to nothing and repeat nowhere soon. */
void fill_pattern(struct pgc_buf *out, size_t len);
#endif
