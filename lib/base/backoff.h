#ifndef PGC_BASE_BACKOFF_H
#define PGC_BASE_BACKOFF_H
/* Exponential back-off with jitter, pure: the caller sleeps, the caller gives the randomness.
 *
 *     struct pgc_backoff backoff;
 *     pgc_backoff_init(&backoff, 100, 2000, (uint64_t)pgc_wall_us(rt));
 *     while (!done()) pgc_sleep_ms(rt, pgc_backoff_next_ms(&backoff));
 *
 * Waits grow by half each time from first_ms to max_ms; each is then spread over -25 % .. +25 %, so that many
 * waiters that start together do not knock together. */
#include <stdint.h>

struct pgc_backoff {
    int64_t next_ms;
    int64_t max_ms;
    uint64_t state;
};

/* first_ms is at least 1, max_ms at least first_ms; other values are corrected. */
void pgc_backoff_init(struct pgc_backoff *backoff, int64_t first_ms, int64_t max_ms, uint64_t seed);
int64_t pgc_backoff_next_ms(struct pgc_backoff *backoff);
#endif
