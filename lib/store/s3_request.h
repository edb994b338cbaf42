#ifndef PGC_STORE_S3_REQUEST_H
#define PGC_STORE_S3_REQUEST_H
/* One signed request to S3, with what every request needs: retries, region hint, clock skew, fresh keys.
 *
 *     struct pgc_s3_request request = { .method = "DELETE", .key = full_key };
 *     code = pgc_s3_call(s3, s3->http, &request, &answer, &fault, err);
 *
 * A request is repeated (with full-jitter back-off, Retry-After honoured, settings.attempts times in all) after
 * 408, 429, 500, 502, 503, 504, SlowDown and its like, a lost or stalled connection: bodies are in memory, so each
 * attempt sends the same bytes. It is repeated at once, a few times, after an answer that tells how to
 * do better: another region, a clock that differs, expired keys, a server that does not take checksum headers. */
#include <pthread.h>

#include "net/http.h"
#include "store/s3_credentials.h"
#include "store/s3_settings.h"
#include "store/sigv4.h"

/* The store: shared by the threads of its sinks. `lock` guards what stands below it. */
struct pgc_s3 {
    struct pgc_store base;
    const struct pgc_runtime *rt;
    struct pgc_s3_settings settings;
    struct pgc_s3_identity *identity;
    struct pgc_http_options http_options;
    char *ca_file;         /* of pgc_s3_ca_file */
    struct pgc_http *http; /* for requests of the thread that owns the store */
    uint64_t bytes_per_second;
    pthread_mutex_t lock;
    char region[64];
    int64_t skew_s; /* server's clock minus ours */
    bool checksum;  /* the server takes x-amz-checksum-sha256 */
    bool list_v1;
    struct pgc_buf diagnosis; /* of the last SignatureDoesNotMatch */
};

#define PGC_S3_PAIRS_MAX 20
struct pgc_s3_request {
    const char *method;
    const char *key; /* with the store's prefix, not encoded; NULL: the bucket itself */
    struct pgc_sigv4_pair query[8];
    size_t query_count;
    struct pgc_sigv4_pair headers[PGC_S3_PAIRS_MAX];
    size_t header_count;
    const void *body;
    size_t body_len;
    const char *body_hash; /* hex SHA-256 when the caller has it */
    bool stream;           /* a 2xx body is left to pgc_http_read */
    bool customer_key;     /* about the bytes of an object: the customer's key goes with it, if there is one */
    bool cleanup;          /* goes through although we are cancelled; few attempts */
    bool error_in_200;     /* a 200 whose body is an error document is that error (CompleteMultipartUpload) */
    int64_t stall_timeout_ms;
};

/* What an error document says. */
struct pgc_s3_fault {
    int status;
    char code[64]; /* "NoSuchKey", "" when there was no document */
    char message[512];
    char region[64];
    bool ambiguous; /* an attempt ended without an answer: it may have had its effect */
};

void pgc_s3_add_header(struct pgc_s3_request *request, const char *name, const char *value);
void pgc_s3_add_query(struct pgc_s3_request *request, const char *name, const char *value);

/* PGC_OK for 2xx. Else: PGC_E_NOT_FOUND 404, PGC_E_AUTH 401/403, PGC_E_CONFIG no such bucket, PGC_E_NOSPACE quota,
 * PGC_E_TEMPORARY what was retried in vain, PGC_E_IO the rest, and what pgc_http_* returns. `fault` may be NULL. */
PGC_MUST_USE enum pgc_code pgc_s3_call(struct pgc_s3 *s3, struct pgc_http *http, const struct pgc_s3_request *request,
                                       struct pgc_http_answer *answer, struct pgc_s3_fault *fault,
                                       struct pgc_error *err);

/* A sink for one object (s3_sink.c), a source (s3_source.c). Keys are without the store's prefix. */
PGC_MUST_USE enum pgc_code pgc_s3_put(struct pgc_store *store, const char *key,
                                      const struct pgc_store_put_options *options, struct pgc_sink **out,
                                      struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_s3_get(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                                      struct pgc_source **out, struct pgc_error *err);
/* Ends a multipart upload; repeats until the server says that it is gone. */
PGC_MUST_USE enum pgc_code pgc_s3_abort(struct pgc_s3 *s3, struct pgc_http *http, const char *full_key,
                                        const char *upload_id, struct pgc_error *err);
/* Removes the volumes of a key from that number on. */
PGC_MUST_USE enum pgc_code pgc_s3_erase_volumes(struct pgc_s3 *s3, const char *full_key, unsigned from,
                                                struct pgc_error *err);
/* The size below which an object cannot have volumes. */
uint64_t pgc_s3_volume_threshold(const struct pgc_s3 *s3);
/* "KEY" for 0, "KEY.001" for 1, ...; malloc'ed, with the store's prefix. */
char *pgc_s3_volume_key(const struct pgc_s3 *s3, const char *key, unsigned volume);
#endif
