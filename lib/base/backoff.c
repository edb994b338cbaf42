#include "base/backoff.h"

void pgc_backoff_init(struct pgc_backoff *backoff, int64_t first_ms, int64_t max_ms, uint64_t seed) {
    if (first_ms < 1)
        first_ms = 1;
    *backoff = (struct pgc_backoff) {
        .next_ms = first_ms,
        .max_ms = max_ms < first_ms ? first_ms : max_ms,
        .state = seed,
    };
}

/* One step of a 64-bit mixing generator: quality enough to spread waiters, nothing secret. */
static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

int64_t pgc_backoff_next_ms(struct pgc_backoff *backoff) {
    int64_t base = backoff->next_ms;
    int64_t grown = base + base / 2 + 1;
    backoff->next_ms = grown < backoff->max_ms ? grown : backoff->max_ms;
    int64_t spread = base / 2; /* the width of -25 % .. +25 % */
    int64_t wait = base - spread / 2 + (spread > 0 ? (int64_t)(draw(&backoff->state) % (uint64_t)(spread + 1)) : 0);
    return wait < 1 ? 1 : wait;
}
