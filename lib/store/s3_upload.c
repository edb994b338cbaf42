/* The requests that make an object: one PUT, or create, parts and complete of a multipart upload. */
#include "store/s3_upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "io/digest.h"
#include "store/xml.h"

#define COMPLETE_STALL_MS 300000 /* completing thousands of parts takes minutes without a byte */

void pgc_s3_object_init(struct pgc_s3_object *object, struct pgc_s3 *s3, const char *content_type) {
    unsigned char raw[16];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    *object = (struct pgc_s3_object) { .s3 = s3, .content_type = content_type };
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        memset(raw, 0, sizeof raw);
    pgc_text_hex(&text, raw, sizeof raw);
    snprintf(object->nonce, sizeof object->nonce, "%s", text.data);
}

void pgc_s3_volume_release(struct pgc_s3_volume *volume) {
    for (size_t i = 0; i < volume->count; i++)
        free(volume->parts[i].etag);
    free(volume->parts);
    free(volume->key);
    free(volume->upload_id);
    *volume = (struct pgc_s3_volume) { 0 };
}

/* What belongs to the object as a whole: PUT and CreateMultipartUpload carry it. */
static void add_object_headers(struct pgc_s3_object *object, struct pgc_s3_request *request) {
    const struct pgc_s3_settings *s = &object->s3->settings;
    pgc_s3_add_header(request, "content-type",
                      object->content_type != NULL ? object->content_type : "application/octet-stream");
    pgc_s3_add_header(request, PGC_S3_NONCE_HEADER, object->nonce);
    pgc_s3_add_header(request, "x-amz-storage-class", s->storage_class);
    pgc_s3_add_header(request, "x-amz-server-side-encryption", s->sse);
    pgc_s3_add_header(request, "x-amz-server-side-encryption-aws-kms-key-id", s->sse_kms_key);
    if (s->lock_mode != NULL) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf until = PGC_BUF_INIT;
        pgc_text_rfc3339(&until, pgc_wall_us(object->s3->rt) + (int64_t)s->lock_days * 86400 * 1000000, false);
        snprintf(object->retain_until, sizeof object->retain_until, "%s", until.data);
        pgc_s3_add_header(request, "x-amz-object-lock-mode", s->lock_mode);
        pgc_s3_add_header(request, "x-amz-object-lock-retain-until-date", object->retain_until);
    }
    pgc_s3_add_header(request, "x-amz-object-lock-legal-hold", s->legal_hold ? "ON" : NULL);
}

/* Texts of the hash of a body, living as long as its request. */
struct body_hash {
    unsigned char raw[32];
    char hex[65];
    struct pgc_buf base64;
    struct pgc_buf md5;
};

static void release_body_hash(struct body_hash *hash) {
    pgc_buf_release(&hash->base64);
    pgc_buf_release(&hash->md5);
}

static void add_body(const struct pgc_s3_object *object, struct pgc_s3_request *request, const void *data, size_t len,
                     struct body_hash *hash) {
    const struct pgc_s3_settings *s = &object->s3->settings;
    *hash = (struct body_hash) { .base64 = PGC_BUF_INIT, .md5 = PGC_BUF_INIT };
    pgc_sigv4_hash(data, len, hash->hex, hash->raw);
    pgc_text_base64(&hash->base64, hash->raw, sizeof hash->raw, true);
    request->body = data;
    request->body_len = len;
    request->body_hash = hash->hex;
    pgc_s3_add_header(request, "x-amz-checksum-sha256", hash->base64.data);
    if ((s->lock_mode != NULL || s->legal_hold) && !s->checksum) { /* locked objects need one of the two */
        unsigned char md5[16];
        pgc_digest(PGC_DIGEST_MD5, data, len, md5);
        pgc_text_base64(&hash->md5, md5, sizeof md5, true);
        pgc_s3_add_header(request, "content-md5", hash->md5.data);
    }
}

/* Is the object at `key` the one this sink wrote? PGC_OK: asked; *ours and *size say. */
static enum pgc_code look(struct pgc_s3_object *object, const char *key, bool *ours, uint64_t *size,
                          struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "HEAD", .key = key, .cleanup = true, .customer_key = true };
    *ours = false;
    *size = 0;
    enum pgc_code code = pgc_s3_call(object->s3, object->s3->http, &request, &answer, NULL, err);
    if (code == PGC_E_NOT_FOUND)
        return PGC_OK;
    if (code != PGC_OK)
        return code;
    const char *nonce = pgc_http_header(&answer, PGC_S3_NONCE_HEADER);
    const char *length = pgc_http_header(&answer, "content-length");
    *ours = nonce != NULL && strncmp(nonce, object->nonce, 32) == 0;
    *size = length != NULL ? strtoull(length, NULL, 10) : 0;
    return PGC_OK;
}

/* After an answer that does not tell what happened: PGC_OK when the object is there after all, else err stays. */
static enum pgc_code settle(struct pgc_s3_object *object, const char *key, uint64_t bytes, struct pgc_error *err) {
    struct pgc_error second;
    bool ours = false;
    uint64_t size = 0;
    if (look(object, key, &ours, &size, &second) == PGC_OK && ours && size == bytes)
        return PGC_OK;
    return err->code;
}

static bool take_upload_id(void *arg, const char *path, const char *text) {
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") != 0)
        return true;
    *(char **)arg = strdup(text);
    return false;
}

enum pgc_code pgc_s3_upload_create(struct pgc_s3_object *object, struct pgc_s3_volume *volume, bool *lost,
                                   struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "POST", .key = volume->key, .customer_key = true };
    struct pgc_s3_fault fault;
    pgc_s3_add_query(&request, "uploads", NULL);
    add_object_headers(object, &request);
    pgc_s3_add_header(&request, "x-amz-checksum-algorithm", "SHA256");
    enum pgc_code code = pgc_s3_call(object->s3, object->s3->http, &request, &answer, &fault, err);
    *lost |= fault.ambiguous;
    if (code == PGC_OK)
        code = pgc_xml_walk(answer.body.data, answer.body.len, take_upload_id, &volume->upload_id, err);
    if (code == PGC_OK && (volume->upload_id == NULL || volume->upload_id[0] == '\0'))
        code = pgc_fail(err, PGC_E_DATA, "the server gave no upload id");
    return code != PGC_OK ? pgc_wrap(err, "cannot begin a multipart upload") : PGC_OK;
}

enum pgc_code pgc_s3_upload_part(const struct pgc_s3_object *object, struct pgc_http *http,
                                 const struct pgc_s3_volume *volume, size_t index, const void *data, size_t len,
                                 struct pgc_s3_part *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(release_body_hash) struct body_hash hash;
    char number[24];
    struct pgc_s3_request request = { .method = "PUT", .key = volume->key, .customer_key = true };
    snprintf(number, sizeof number, "%zu", index + 1);
    pgc_s3_add_query(&request, "partNumber", number);
    pgc_s3_add_query(&request, "uploadId", volume->upload_id);
    add_body(object, &request, data, len, &hash);
    enum pgc_code code = pgc_s3_call(object->s3, http, &request, &answer, NULL, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot upload part %zu", index + 1);
    const char *etag = pgc_http_header(&answer, "etag");
    const char *echo = pgc_http_header(&answer, "x-amz-checksum-sha256");
    if (etag == NULL || etag[0] == '\0')
        return pgc_fail(err, PGC_E_DATA, "the server gave no ETag for part %zu", index + 1);
    if (echo != NULL && strcmp(echo, hash.base64.data) != 0)
        return pgc_fail(err, PGC_E_DATA, "the server computed another checksum for part %zu", index + 1);
    out->etag = strdup(etag);
    out->echoed = echo != NULL;
    memcpy(out->sha256, hash.raw, sizeof hash.raw);
    return out->etag == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static void put_parts_document(const struct pgc_s3_volume *volume, struct pgc_buf *out) {
    pgc_buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < volume->count; i++) {
        pgc_buf_putf(out, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        pgc_text_markup(out, volume->parts[i].etag);
        pgc_buf_puts(out, "</ETag>");
        if (volume->parts[i].echoed) {
            pgc_buf_puts(out, "<ChecksumSHA256>");
            pgc_text_base64(out, volume->parts[i].sha256, sizeof volume->parts[i].sha256, true);
            pgc_buf_puts(out, "</ChecksumSHA256>");
        }
        pgc_buf_puts(out, "</Part>");
    }
    pgc_buf_puts(out, "</CompleteMultipartUpload>");
}

/* The object must be there, ours and whole. A server that does not let us look is believed. */
static enum pgc_code verify_volume(struct pgc_s3_object *object, const struct pgc_s3_volume *volume,
                                   struct pgc_error *err) {
    bool ours = false;
    uint64_t size = 0;
    enum pgc_code code = look(object, volume->key, &ours, &size, err);
    if (code != PGC_OK) {
        pgc_log(object->s3->rt, PGC_LOG_WARN, "store.unverified", "the uploaded object cannot be looked at",
                PGC_LOG_TEXT("key", volume->key), PGC_LOG_TEXT("cause", err->message));
        return PGC_OK;
    }
    if (!ours && size == 0)
        return pgc_fail(err, PGC_E_IO, "'%s' was completed but is not there", volume->key);
    if (size != volume->bytes)
        return pgc_fail(err, PGC_E_DATA, "'%s' has %llu bytes after the upload of %llu", volume->key,
                        (unsigned long long)size, (unsigned long long)volume->bytes);
    return PGC_OK;
}

enum pgc_code pgc_s3_upload_complete(struct pgc_s3_object *object, struct pgc_s3_volume *volume,
                                     struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT;
    struct pgc_s3_fault fault;
    struct pgc_s3_request request = {
        .method = "POST", .key = volume->key, .error_in_200 = true, .stall_timeout_ms = COMPLETE_STALL_MS
    };
    if (object->s3->settings.stall_ms < 60000)
        request.stall_timeout_ms = object->s3->settings.stall_ms;
    put_parts_document(volume, &body);
    enum pgc_code code = pgc_buf_check(&body, err);
    if (code != PGC_OK)
        return code;
    request.body = body.data;
    request.body_len = body.len;
    pgc_s3_add_query(&request, "uploadId", volume->upload_id);
    pgc_s3_add_header(&request, "content-type", "application/xml");
    code = pgc_s3_call(object->s3, object->s3->http, &request, &answer, &fault, err);
    bool lost = code != PGC_OK && fault.ambiguous; /* an earlier attempt may have done it */
    if (lost)
        code = settle(object, volume->key, volume->bytes, err);
    volume->completed = code == PGC_OK;
    if (code == PGC_OK && !lost)
        code = verify_volume(object, volume, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot complete the multipart upload") : PGC_OK;
}

enum pgc_code pgc_s3_upload_whole(struct pgc_s3_object *object, const char *full_key, const void *data, size_t len,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(release_body_hash) struct body_hash hash = { .base64 = PGC_BUF_INIT, .md5 = PGC_BUF_INIT };
    struct pgc_s3_fault fault;
    struct pgc_s3_request request = { .method = "PUT", .key = full_key, .customer_key = true };
    add_object_headers(object, &request);
    add_body(object, &request, data, len, &hash);
    enum pgc_code code = pgc_s3_call(object->s3, object->s3->http, &request, &answer, &fault, err);
    return code != PGC_OK && fault.ambiguous ? settle(object, full_key, len, err) : code;
}
