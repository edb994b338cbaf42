#ifndef PGC_BACKUP_SHIELD_H
#define PGC_BACKUP_SHIELD_H
/* A runtime for stores whose cancellation can be put off: what a signal interrupts in an upload must not keep us from
 * removing what is there already, nor from writing the manifest of a backup that is complete.
 *
 *     struct pgc_shield shield;
 *     pgc_shield_init(&shield, rt);
 *     code = pgc_store_attach(&options, &shield.rt, &store, err);
 *     job.shield = &shield;
 *
 * The struct must stay where it is while its runtime is used. Safe from several threads. */
#include <pgc/runtime.h>

struct pgc_shield {
    struct pgc_runtime rt;
    const struct pgc_runtime *inner;
    _Atomic bool up;
};
void pgc_shield_init(struct pgc_shield *shield, const struct pgc_runtime *inner);
/* NULL is fine. While it is up nobody can ask to stop. */
void pgc_shield_raise(struct pgc_shield *shield, bool up);
#endif
