#ifndef PGC_STORE_SIGV4_H
#define PGC_STORE_SIGV4_H
/* AWS Signature Version 4 as S3 wants it. Pure: values in, text out; no clock, no environment, no network.
 *
 * Own code because libcurl's CURLOPT_AWS_SIGV4 cannot be relied on: up to 8.19 each release signs some request
 * wrongly (7.88: the query neither sorted nor encoded, "?uploads" signed without "=", the body of a callback upload
 * taken for empty, headers sorted by the whole line; up to 8.14: "%2B" in upload ids and continuation tokens).
 * Here the bytes that are signed and the bytes that are sent are the same buffers.
 *
 * The rules for S3: the path is percent-encoded once and never normalised ("//", "/./", "/../" are parts of a key);
 * query names and values are encoded, then sorted by name and value, a parameter without value is "name=";
 * header values are trimmed and their inner runs of white space become one blank; every header given is signed.
 * Give host, all x-amz-* and content-md5; leave out what a proxy may change (accept-encoding, user-agent).
 *
 *     struct pgc_sigv4_pair query[] = { { "uploads", NULL } };
 *     struct pgc_sigv4_pair headers[] = { { "host", "s3.example.org" }, { "x-amz-date", date }, ... };
 *     struct pgc_sigv4_request request = { "POST", path.data, query, 1, headers, 3, hash };
 *     pgc_sigv4_authorization(&request, &key, unix_s, &authorization, NULL);
 *     code = pgc_buf_check(&authorization, err);
 *
 * Output goes to buffers whose failure is sticky: check them once. Secrets are only read, never written out. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PGC_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
/* SHA-256 of nothing. */
#define PGC_SIGV4_EMPTY     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PGC_SIGV4_DATE_SIZE 17 /* "20150830T123600Z" and NUL */

struct pgc_sigv4_pair {
    const char *name;  /* headers: any letter case */
    const char *value; /* as it is, not encoded; NULL counts as "" */
};

struct pgc_sigv4_request {
    const char *method;
    const char *path; /* already encoded, as on the request line; "" counts as "/" */
    const struct pgc_sigv4_pair *query;
    size_t query_count;
    const struct pgc_sigv4_pair *headers;
    size_t header_count;
    const char *payload_hash; /* 64 hex digits, or PGC_SIGV4_UNSIGNED */
};

struct pgc_sigv4_key {
    const char *access_key;
    const char *secret_key;
    const char *token; /* for pgc_sigv4_presign only; as a header it is the caller's x-amz-security-token. NULL: none */
    const char *region;
    const char *service; /* "s3" */
};

/* "20150830T123600Z" */
void pgc_sigv4_date(int64_t unix_s, char out[PGC_SIGV4_DATE_SIZE]);
/* Encodes the bytes of a key for a path: everything but A-Z a-z 0-9 - . _ ~ and '/'. */
void pgc_sigv4_path(struct pgc_buf *out, const char *key);
/* The query string without '?', exactly as it must be sent. */
void pgc_sigv4_query(struct pgc_buf *out, const struct pgc_sigv4_pair *pairs, size_t count);
/* Lower-case hex SHA-256 and its 32 raw bytes (either may be NULL). */
void pgc_sigv4_hash(const void *data, size_t len, char hex[65], unsigned char raw[32]);

/* What the server computes too; the first thing to compare when it says SignatureDoesNotMatch. */
void pgc_sigv4_canonical(const struct pgc_sigv4_request *request, struct pgc_buf *out);
void pgc_sigv4_string_to_sign(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                              struct pgc_buf *out);
void pgc_sigv4_signature(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                         char hex[65]);
/* The value of the Authorization header; the canonical request too unless `canonical` is NULL. */
void pgc_sigv4_authorization(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                             struct pgc_buf *out, struct pgc_buf *canonical);
/* Signing by query: the whole query string with X-Amz-Algorithm ... X-Amz-Signature. `canonical` and `to_sign` may be
 * NULL. False: no memory. */
PGC_MUST_USE bool pgc_sigv4_presign(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key,
                                    int64_t unix_s, int64_t expires_s, struct pgc_buf *out, struct pgc_buf *canonical,
                                    struct pgc_buf *to_sign);
#endif
