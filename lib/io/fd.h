#ifndef PGC_IO_FD_H
#define PGC_IO_FD_H
/* Open descriptors (standard input and output, pipes, sockets) as streams.
 *
 * `name` stands in messages ("cannot write '<name>'") and must outlive the stream. Borrowed descriptors stay
 * open after drop; owned ones are closed by drop, and closed with their error checked by commit.
 * Both kinds work with blocking and non-blocking descriptors (they poll); EINTR is retried.
 *
 * What a descriptor sink has written cannot be taken back: a filter program releases what it has authenticated, and the
 * exit status says whether that was all. Use a file sink where half an artefact must never be seen. */
#include <pgc/runtime.h>

#include "io/stream.h"

enum pgc_fd_owner { PGC_FD_BORROWED, PGC_FD_OWNED };

/* On failure an owned descriptor is closed too. */
PGC_MUST_USE enum pgc_code pgc_fd_sink(int fd, enum pgc_fd_owner owner, const char *name, struct pgc_sink **out,
                                       struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_fd_source(int fd, enum pgc_fd_owner owner, const char *name, struct pgc_source **out,
                                         struct pgc_error *err);
/* The same, and they stop with PGC_E_CANCELLED when the runtime is cancelled, also while waiting for the other end: what a
 * filter wants, whose input may never come. `rt` is borrowed until drop. */
PGC_MUST_USE enum pgc_code pgc_fd_sink_watched(int fd, enum pgc_fd_owner owner, const char *name,
                                               const struct pgc_runtime *rt, struct pgc_sink **out,
                                               struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_fd_source_watched(int fd, enum pgc_fd_owner owner, const char *name,
                                                 const struct pgc_runtime *rt, struct pgc_source **out,
                                                 struct pgc_error *err);

/* The loops below them, for others that write descriptors. */
PGC_MUST_USE enum pgc_code pgc_fd_write_all(int fd, const void *data, size_t len, const char *name,
                                            struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_fd_read_some(int fd, void *buf, size_t cap, size_t *len, const char *name,
                                            struct pgc_error *err);
#endif
