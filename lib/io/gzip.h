#ifndef PGC_IO_GZIP_H
#define PGC_IO_GZIP_H
/* gzip (RFC 1952), reading only: init scripts come as .sql.gz. The only file that knows zlib is gzip.c. */
#include "io/stream.h"

/* Reads any number of concatenated members, as gunzip does. Owns the previous *source; on failure *source is unchanged.
 * No member at all, a cut one, a wrong checksum and foreign bytes behind the last are PGC_E_DATA. */
PGC_MUST_USE enum pgc_code pgc_gzip_pull(struct pgc_source **source, struct pgc_error *err);
#endif
