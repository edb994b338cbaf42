#ifndef PGC_INIT_SHELL_H
#define PGC_INIT_SHELL_H
/* Shell scripts as steps.
 *
 * An executable script is run; any other is sourced, as docker-entrypoint-initdb.d has it, by a shell of its own: what it
 * exports reaches later scripts (the environment is captured back), `exit` ends the script and not the run. bash is taken
 * when there is one (scripts sourced by the official image may use it), else sh. Sourced scripts find the function
 * docker_process_sql and, under bash, the array `psql`. */
#include "base/array.h"
#include "init/step.h"
#include <pgc/runtime.h>

struct pgc_init_shell {
    struct pgc_strings env; /* environment of the scripts, changed by what sourced ones export */
};

/* Runs the step. *status is the script's exit status; PGC_E_CHILD says it failed, PGC_E_CONFIG that there is no shell for it. */
PGC_MUST_USE enum pgc_code pgc_init_shell_run(struct pgc_init_shell *shell, const struct pgc_init_step *step,
                                              const struct pgc_runtime *rt, int *status, struct pgc_error *err);
/* NAME=value into a list, replacing what it held for NAME; value NULL removes it. */
PGC_MUST_USE enum pgc_code pgc_init_env_set(struct pgc_strings *env, const char *name, const char *value,
                                            struct pgc_error *err);
const char *pgc_init_env_get(const struct pgc_strings *env, const char *name);
/* First executable `name` in the PATH of `env`; malloc'ed in *out, NULL when there is none. */
PGC_MUST_USE enum pgc_code pgc_init_env_find(const struct pgc_strings *env, const char *name, char **out,
                                             struct pgc_error *err);
#endif
