#ifndef PGC_IO_MEMORY_H
#define PGC_IO_MEMORY_H
/* Memory as streams: for manifests, key files and tests. */
#include "base/buf.h"
#include "io/stream.h"

/* Appends to `out` (borrowed; its max is the limit). drop without commit truncates it to what it held before. */
PGC_MUST_USE enum pgc_code pgc_memory_sink(struct pgc_buf *out, struct pgc_sink **sink, struct pgc_error *err);
/* Reads `len` borrowed bytes. */
PGC_MUST_USE enum pgc_code pgc_memory_source(const void *data, size_t len, struct pgc_source **out,
                                             struct pgc_error *err);
#endif
