#ifndef PGC_STORE_S3_H
#define PGC_STORE_S3_H
/* Stores that speak S3: "s3://bucket/prefix?endpoint=...". Parameters: s3_settings.h; keys: s3_credentials.h.
 *
 * Objects of more parts than the provider allows go on in volumes KEY.001, KEY.002 ...: get() reads them as one, each()
 * shows one object of the whole size, erase() removes them all, and `cat KEY KEY.001 ...` is what was put.
 *
 * What follows is for `pgc backup doctor`: what cannot be said through the general interface. */
#include "store/store.h"

/* After SignatureDoesNotMatch: the canonical request as it was signed here and as the server computed it, as text for people
 * (no secrets in it). NULL when there was none, or for another kind of store. Lives as long as the store. */
const char *pgc_s3_diagnosis(const struct pgc_store *store);
/* An object of more bytes than this is uploaded in several parts; 0 for another kind of store. */
uint64_t pgc_s3_multipart_bytes(const struct pgc_store *store);
#endif
