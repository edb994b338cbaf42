#ifndef PGC_INIT_STEPS_RUN_H
#define PGC_INIT_STEPS_RUN_H
/* How each kind of step is run. Internal to lib/init. */
#include "init/run.h"

/* `ledger` is the ledger's connection: asked for what it is, never used for scripts. *status: exit status of the script. */
PGC_MUST_USE enum pgc_code pgc__init_run_step(const struct pgc_init_run_options *options,
                                              const struct pgc_init_step *step, struct pgc_conn *ledger,
                                              const struct pgc_runtime *rt, int *status, struct pgc_error *err);
#endif
