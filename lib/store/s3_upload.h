#ifndef PGC_STORE_S3_UPLOAD_H
#define PGC_STORE_S3_UPLOAD_H
/* The requests by which an object comes into being; when to send them is the sink's business (s3_sink.c).
 *
 *     struct pgc_s3_object object;
 *     pgc_s3_object_init(&object, s3, "application/json");
 *     code = pgc_s3_upload_whole(&object, key, data, len, err);               // in one PUT
 *
 *     struct pgc_s3_volume volume = { .key = full_key };                      // or in parts
 *     code = pgc_s3_upload_create(&object, &volume, &lost, err);
 *     code = pgc_s3_upload_part(&object, http, &volume, 0, data, len, &volume.parts[0], err);   // from any thread
 *     code = pgc_s3_upload_complete(&object, &volume, err);
 *
 * Each object is marked by a nonce (x-amz-meta-pgc-write): when an answer is lost, a HEAD tells whether the object that
 * stands there is ours. Multipart ETags are not compared: several providers make them up. */
#include "store/s3_request.h"

#define PGC_S3_NONCE_HEADER "x-amz-meta-pgc-write"

/* What all requests about one object have in common. */
struct pgc_s3_object {
    struct pgc_s3 *s3;
    const char *content_type; /* borrowed */
    char nonce[33];
    char retain_until[40];
};
/* content_type NULL: bytes. */
void pgc_s3_object_init(struct pgc_s3_object *object, struct pgc_s3 *s3, const char *content_type);

struct pgc_s3_part {
    char *etag;
    unsigned char sha256[32];
    bool echoed; /* the server gave the checksum back: it wants it in Complete */
};

/* One multipart upload: an object, or a volume of it. */
struct pgc_s3_volume {
    char *key; /* full */
    char *upload_id;
    struct pgc_s3_part *parts;
    size_t count, cap;
    uint64_t bytes;
    bool completed;
};
void pgc_s3_volume_release(struct pgc_s3_volume *volume);

PGC_MUST_USE enum pgc_code pgc_s3_upload_whole(struct pgc_s3_object *object, const char *full_key, const void *data,
                                               size_t len, struct pgc_error *err);
/* Sets upload_id. *lost: the answer of an attempt was lost, so that there may be an upload that nobody knows. */
PGC_MUST_USE enum pgc_code pgc_s3_upload_create(struct pgc_s3_object *object, struct pgc_s3_volume *volume, bool *lost,
                                                struct pgc_error *err);
/* Part number index + 1. Reads of `volume` only key and upload_id. */
PGC_MUST_USE enum pgc_code pgc_s3_upload_part(const struct pgc_s3_object *object, struct pgc_http *http,
                                              const struct pgc_s3_volume *volume, size_t index, const void *data,
                                              size_t len, struct pgc_s3_part *out, struct pgc_error *err);
/* PGC_OK: the object is there, whole and ours (as far as we may look). */
PGC_MUST_USE enum pgc_code pgc_s3_upload_complete(struct pgc_s3_object *object, struct pgc_s3_volume *volume,
                                                  struct pgc_error *err);
#endif
