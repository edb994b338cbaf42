#ifndef PGC_BACKUP_LOG_TAIL_H
#define PGC_BACKUP_LOG_TAIL_H
/* A runtime that remembers the last lines of what it logs, for those who are told of a failure.
 *
 *     struct pgc_log_tail tail;
 *     pgc_log_tail_init(&tail, rt);
 *     code = work(&tail.rt, err);                 // everything goes on to rt
 *     pgc_log_tail_copy(&tail, &text);
 *     pgc_log_tail_release(&tail); */
#include <pgc/runtime.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"

struct pgc_log_tail {
    struct pgc_runtime rt;
    const struct pgc_runtime *inner;
    pthread_mutex_t lock;
    struct pgc_buf text;
    bool closed;
};
/* `inner` is borrowed. */
void pgc_log_tail_init(struct pgc_log_tail *tail, const struct pgc_runtime *inner);
/* What still logs with tail->rt goes on to inner alone. */
void pgc_log_tail_release(struct pgc_log_tail *tail);
/* Whole lines, up to 4 KiB; nothing of level debug. */
void pgc_log_tail_copy(struct pgc_log_tail *tail, struct pgc_buf *out);
#endif
