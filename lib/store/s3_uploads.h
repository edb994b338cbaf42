#ifndef PGC_STORE_S3_UPLOADS_H
#define PGC_STORE_S3_UPLOADS_H
/* Unfinished multipart uploads cost money and are seen by nobody. */
#include "store/s3_request.h"

/* Aborts the uploads whose key starts with full_prefix and that were begun more than older_ms ago (0: all); with `exact` those of
 * that very key, whatever their age, also when we are being cancelled. Adds their number to *count. */
PGC_MUST_USE enum pgc_code pgc_s3_sweep(struct pgc_s3 *s3, const char *full_prefix, bool exact, int64_t older_ms,
                                        size_t *count, struct pgc_error *err);
#endif
