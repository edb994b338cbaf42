#ifndef PGC_BACKUP_TEE_H
#define PGC_BACKUP_TEE_H
/* One stream into several sinks. A branch that fails is dropped and remembered; the others go on.
 *
 *     struct pgc_tee_branch branches[2] = { { .sink = a }, { .sink = b } };
 *     code = pgc_tee_sink(branches, 2, &sink, err);
 *
 * put and commit fail only when no branch is left, with the error of the last one. After commit a branch with code PGC_OK
 * has been committed. The branches array is borrowed, the sinks in it are owned by the tee from then on. */
#include "io/stream.h"

struct pgc_tee_branch {
    struct pgc_sink *sink; /* NULL: takes no part (failed before) */
    enum pgc_code code;    /* PGC_OK while it works */
    struct pgc_error err;  /* why it failed */
};

PGC_MUST_USE enum pgc_code pgc_tee_sink(struct pgc_tee_branch *branches, size_t count, struct pgc_sink **out,
                                        struct pgc_error *err);
#endif
