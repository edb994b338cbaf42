#ifndef PGC_BASE_CLEANUP_H
#define PGC_BASE_CLEANUP_H
/* Cleanup at the end of the scope.
 *
 *     PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;   // value: called with &text
 *     PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;              // pointer: called with conn
 *     PGC_AUTO_FREE char *name = NULL;                                   // free(name)
 *     PGC_AUTO_CLOSE int fd = -1;                                        // close(fd) when >= 0
 *
 * PGC_AUTO(f) needs one PGC_DEFINE_AUTO(f, struct type *) beside the declaration of f (in its header).
 * Declare what is borrowed before what borrows it: scopes unwind in reverse order.
 * Handing over is `*out = x; x = NULL;`. */
#include <stdlib.h>
#include <unistd.h>

#define PGC_CLEANUP(function) __attribute__((cleanup(function)))
#define PGC_DEFINE_AUTO(function, type)                                                                                \
    static inline __attribute__((unused)) void function##_auto(type *slot) {                                           \
        function(*slot);                                                                                               \
    }
#define PGC_AUTO(function) PGC_CLEANUP(function##_auto)

static inline __attribute__((unused)) void pgc__free_slot(void *slot) {
    free(*(void **)slot);
}
#define PGC_AUTO_FREE PGC_CLEANUP(pgc__free_slot)

static inline __attribute__((unused)) void pgc__close_slot(int *fd) {
    if (*fd >= 0)
        close(*fd);
}
#define PGC_AUTO_CLOSE PGC_CLEANUP(pgc__close_slot)
#endif
