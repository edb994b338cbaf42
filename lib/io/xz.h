#ifndef PGC_IO_XZ_H
#define PGC_IO_XZ_H
/* xz, reading only: init scripts come as .sql.xz. The only file that knows liblzma is xz.c. */
#include "io/stream.h"

/* Reads any number of concatenated streams with padding between, as xzcat does. Owns the previous *source; on failure *source is
 * unchanged. Malformed or cut data is PGC_E_DATA; a dictionary that wants more than 256 MiB is PGC_E_NOMEM. */
PGC_MUST_USE enum pgc_code pgc_xz_pull(struct pgc_source **source, struct pgc_error *err);
#endif
