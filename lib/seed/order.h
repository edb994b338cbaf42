#ifndef PGC_SEED_ORDER_H
#define PGC_SEED_ORDER_H
/* An order in which what is needed comes first. Pure. */
#include <pgc/error.h>

/* needs[a * count + b]: a needs b before it. order gets the numbers 0..count-1; as far as nothing needs anything they
 * keep their order. A cycle is entered at its first member: the constraint itself decides whether that can work. */
PGC_MUST_USE enum pgc_code pgc_seed_order(const bool *needs, size_t count, size_t *order, struct pgc_error *err);
#endif
