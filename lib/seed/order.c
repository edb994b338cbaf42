#include "seed/order.h"

#include <stdlib.h>

#include "base/cleanup.h"

static bool is_free(const bool *needs, const bool *done, size_t count, size_t a) {
    for (size_t b = 0; b < count; b++)
        if (needs[a * count + b] && !done[b] && a != b)
            return false;
    return !done[a];
}

enum pgc_code pgc_seed_order(const bool *needs, size_t count, size_t *order, struct pgc_error *err) {
    PGC_AUTO_FREE bool *done = calloc(count + 1, sizeof *done);
    if (done == NULL)
        return pgc_fail_nomem(err);
    for (size_t n = 0; n < count; n++) {
        size_t next = 0;
        while (next < count && !is_free(needs, done, count, next))
            next++;
        for (size_t a = 0; next == count; a++)
            if (!done[a])
                next = a;
        done[next] = true;
        order[n] = next;
    }
    return PGC_OK;
}
