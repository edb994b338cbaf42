#ifndef PGC_IO_STREAM_H
#define PGC_IO_STREAM_H
/* Bytes flow from a source through a chain of sinks.
 *
 * A sink has put / commit / drop, a source get / verify / drop. A filter *is* a sink that owns the next
 * one: pgc_zstd_push(&chain, ...) puts a stage in front of *chain, so a caller owns one pointer at all times:
 *
 *     PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
 *     code = pgc_file_sink(path, 0600, &chain, err);
 *     code = pgc_age_push(&chain, &recipients, err);    // on failure *chain is unchanged
 *     code = pgc_zstd_push(&chain, &options, err);
 *     code = pgc_copy(source, chain, NULL, err);        // verifies the source, then commits the chain
 *
 * Contract of a sink
 *   put     takes all len bytes or fails. After a failure only drop may be called.
 *   commit  ends the stream (writes trailers, commits the next sink) and makes the artefact visible.
 *           Called at most once; nothing may be put after it. A failed commit leaves nothing visible.
 *   drop    releases the sink and the ones it owns; without a successful commit before it, everything
 *           written so far disappears. Cannot fail. NULL is fine.
 * Contract of a source
 *   get     stores up to cap bytes in buf and their number in *len; *len == 0 means the end. May return less than cap.
 *   verify  after the end: is what was read complete and true (a child's exit status, a hash)? At most once.
 *   drop    releases. NULL is fine.
 *
 * pgc_copy owns the order "verify the source, then commit the sink": an artefact becomes visible only
 * when it is complete and true. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pgc_sink;
struct pgc_source;

struct pgc_sink_ops {
    enum pgc_code (*put)(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err);
    enum pgc_code (*commit)(struct pgc_sink *sink, struct pgc_error *err);
    void (*drop)(struct pgc_sink *sink);
};

struct pgc_source_ops {
    enum pgc_code (*get)(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err);
    enum pgc_code (*verify)(struct pgc_source *source, struct pgc_error *err); /* NULL: always true */
    void (*drop)(struct pgc_source *source);
};

/* Implementations embed these as their first member. */
struct pgc_sink {
    const struct pgc_sink_ops *ops;
};
struct pgc_source {
    const struct pgc_source_ops *ops;
};

PGC_MUST_USE enum pgc_code pgc_sink_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_sink_commit(struct pgc_sink *sink, struct pgc_error *err);
void pgc_sink_drop(struct pgc_sink *sink);
PGC_DEFINE_AUTO(pgc_sink_drop, struct pgc_sink *)

PGC_MUST_USE enum pgc_code pgc_source_get(struct pgc_source *source, void *buf, size_t cap, size_t *len,
                                          struct pgc_error *err);
/* Reads until cap bytes are there or the source ends. */
PGC_MUST_USE enum pgc_code pgc_source_fill(struct pgc_source *source, void *buf, size_t cap, size_t *len,
                                           struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_source_verify(struct pgc_source *source, struct pgc_error *err);
void pgc_source_drop(struct pgc_source *source);
PGC_DEFINE_AUTO(pgc_source_drop, struct pgc_source *)

/* Called between blocks with the bytes copied so far; anything but PGC_OK ends the copy (progress, cancellation). */
struct pgc_copy_watch {
    enum pgc_code (*tick)(void *arg, uint64_t bytes, struct pgc_error *err);
    void *arg;
};

/* Reads the source to its end, verifies it, commits the sink. Neither is dropped: they stay the caller's. */
PGC_MUST_USE enum pgc_code pgc_copy(struct pgc_source *source, struct pgc_sink *sink,
                                    const struct pgc_copy_watch *watch, struct pgc_error *err);
/* The same without commit: for several sources into one sink. Verifies the source. */
PGC_MUST_USE enum pgc_code pgc_pump(struct pgc_source *source, struct pgc_sink *sink,
                                    const struct pgc_copy_watch *watch, struct pgc_error *err);
#endif
