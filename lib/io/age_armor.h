#ifndef PGC_IO_AGE_ARMOR_H
#define PGC_IO_AGE_ARMOR_H
/* ASCII armor of age files: strict PEM of 64 columns, "-----BEGIN AGE ENCRYPTED FILE-----". Internal to lib/io/age*.c. */
#include "io/stream.h"

/* What is put arrives armored in the next sink; the END line goes out at commit. */
PGC_MUST_USE enum pgc_code pgc__age_armor_push(struct pgc_sink **chain, struct pgc_error *err);
/* Takes armor away where there is some, and passes everything else through unchanged. Lines end with LF or CRLF; white space
 * (up to 1 KiB) is allowed around the block only. Anything else is PGC_E_DATA. Owns the previous *source. */
PGC_MUST_USE enum pgc_code pgc__age_armor_pull(struct pgc_source **source, struct pgc_error *err);
#endif
