/* Decompression of foreign bytes: an answer or PGC_E_DATA, in bounded memory; and round trips in uneven pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/memory.h"
#include "io/zstd.h"

#define OUTPUT_MAX ((size_t)1 << 22)

static void must(bool good) {
    if (!good)
        abort();
}

static enum pgc_code expand(const void *data, size_t len, struct pgc_buf *out, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    out->max = OUTPUT_MAX;
    must(pgc_memory_source(data, len, &source, err) == PGC_OK);
    must(pgc_zstd_pull(&source, err) == PGC_OK);
    must(pgc_memory_sink(out, &sink, err) == PGC_OK);
    return pgc_copy(source, sink, NULL, err);
}

static void round_trip(const uint8_t *data, size_t len) {
    struct pgc_error err;
    const struct pgc_zstd_options options = { .level = 1 };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT, plain = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    must(pgc_memory_sink(&coded, &chain, &err) == PGC_OK && pgc_zstd_push(&chain, &options, &err) == PGC_OK);
    for (size_t at = 0, n = 0; at < len; at += n) {
        n = 1 + data[at] % 61;
        n = n < len - at ? n : len - at;
        must(pgc_sink_put(chain, data + at, n, &err) == PGC_OK);
    }
    must(pgc_sink_commit(chain, &err) == PGC_OK);
    must(expand(coded.data, coded.len, &plain, &err) == PGC_OK);
    must(plain.len == len && memcmp(plain.data, data, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf plain = PGC_BUF_INIT;
    if (len > 0 && data[0] == 'r') {
        round_trip(data + 1, len - 1);
        return 0;
    }
    enum pgc_code code = expand(data, len, &plain, &err);
    must(code == PGC_OK || code == PGC_E_DATA || code == PGC_E_NOMEM);
    return 0;
}
