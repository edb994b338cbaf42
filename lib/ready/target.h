#ifndef PGC_READY_TARGET_H
#define PGC_READY_TARGET_H
/* What people name as a target: "tcp://HOST:PORT", "http://HOST[:PORT]/PATH", or anything that libpq takes as
 * a database (URI, key=value string, name). IPv6 addresses stand in brackets: tcp://[::1]:5432. */
#include "ready/ready.h"

/* `fallback` gives user, host, port and password where the text names none. Its strings are borrowed and must outlive
 * the target. PGC_E_USAGE for a malformed or unsupported URL. */
PGC_MUST_USE enum pgc_code pgc_ready_target_parse(const char *text, const struct pgc_probe_options *fallback,
                                                  struct pgc_ready_target *out, struct pgc_error *err);
/* The one target that connection options and environment describe. */
PGC_MUST_USE enum pgc_code pgc_ready_target_from_options(const struct pgc_probe_options *options,
                                                         struct pgc_ready_target *out, struct pgc_error *err);
void pgc_ready_target_release(struct pgc_ready_target *target);
#endif
