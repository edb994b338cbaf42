#ifndef PGC_OS_SECRET_H
#define PGC_OS_SECRET_H
/* Settings from the environment: NAME, or the content of the file that NAME_FILE names (Docker and Kubernetes secrets). */
#include <pgc/error.h>

#include "base/cleanup.h"

/* *out: malloc'ed value, or NULL when neither NAME nor NAME_FILE is set (an empty NAME counts as not set).
 * Trailing newlines of the file are stripped, as $(< file) does. Both set: PGC_E_USAGE. Unreadable file: PGC_E_CONFIG with
 * the owner and what to do. Empty file: PGC_E_CONFIG. */
PGC_MUST_USE enum pgc_code pgc_env_value(const char *name, char **out, struct pgc_error *err);
/* The content of one secret file, without trailing newlines. */
PGC_MUST_USE enum pgc_code pgc_secret_file(const char *path, char **out, struct pgc_error *err);
/* Overwrites and frees. */
void pgc_secret_free(char *secret);
PGC_DEFINE_AUTO(pgc_secret_free, char *)
#endif
