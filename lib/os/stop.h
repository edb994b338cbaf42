#ifndef PGC_OS_STOP_H
#define PGC_OS_STOP_H
/* A runtime that one part of the program can stop for another: the same clock and log, asked to stop when the outer one is
 * or when pgc_stop_ask was called. For work in a thread that has lost its purpose.
 *
 *     struct pgc_stop stop;                        // stays where it is: &stop.rt points into it
 *     code = pgc_stop_init(&stop, rt, err);
 *     ... thread: everything with &stop.rt ...
 *     pgc_stop_ask(&stop);                         // from any thread: what waits with it ends with PGC_E_CANCELLED (sleeps run out)
 *     pthread_join(...);
 *     pgc_stop_release(&stop); */
#include <pgc/runtime.h>
#include <stdatomic.h>

struct pgc_stop {
    struct pgc_runtime rt;
    const struct pgc_runtime *outer;
    int either; /* readable when the outer runtime or `asked_fd` is */
    int asked_fd;
    atomic_bool asked;
};

/* `outer` must outlive it. */
PGC_MUST_USE enum pgc_code pgc_stop_init(struct pgc_stop *stop, const struct pgc_runtime *outer, struct pgc_error *err);
void pgc_stop_ask(struct pgc_stop *stop);
/* Fine for a zeroed one. */
void pgc_stop_release(struct pgc_stop *stop);
#endif
