/* Writing one object: by one PUT when it fits into a part, else as multipart upload(s) with several parts in flight.
 *
 * The caller's thread fills a buffer of one part; full buffers are sent by worker threads. All parts have one size but the
 * last (R2 wants that). An object with more than max_parts parts goes on in volumes KEY.001, KEY.002 ...; none of
 * them is completed before all their parts are there, and KEY itself is completed last.
 *
 * Each writer marks its object with a nonce (x-amz-meta-pgc-write): when an answer is lost, a HEAD tells whether the
 * object that stands there is ours. Multipart ETags are not compared: several providers make them up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "io/digest.h"
#include "store/s3_request.h"
#include "store/s3_uploads.h"
#include "store/xml.h"

#define COMPLETE_STALL_MS 300000 /* completing thousands of parts takes minutes without a byte */
#define NONCE_HEADER      "x-amz-meta-pgc-write"

struct part {
    char *etag;
    unsigned char sha256[32];
    bool echoed; /* the server gave the checksum back: it wants it in Complete */
};

struct volume {
    char *key;
    char *upload_id;
    struct part *parts;
    size_t count, cap;
    uint64_t bytes;
    bool completed;
};

enum slot_state { FREE, FILLING, READY, SENDING };
struct slot {
    enum slot_state state;
    unsigned char *data;
    size_t len;
    size_t volume;
    size_t part;
};

struct s3_sink;
struct worker {
    pthread_t thread;
    struct pgc_http *http;
    struct s3_sink *sink;
};

struct s3_sink {
    struct pgc_sink base;
    struct pgc_s3 *s3;
    char *key; /* without the store's prefix */
    char *content_type;
    char nonce[33];
    char retain_until[40];
    uint64_t part_bytes;
    uint64_t bytes;
    int64_t started_ms;
    struct slot *slots;
    size_t slot_count;
    struct slot *filling;
    struct worker *workers;
    size_t worker_count, worker_max;
    bool committed;
    bool lost_upload; /* the answer to a CreateMultipartUpload was lost: an upload may be open that we do not know */

    pthread_mutex_t lock; /* guards what is below, and the states of the slots */
    pthread_cond_t changed;
    struct volume *volumes;
    size_t volume_count, volume_cap;
    bool closing;
    bool failed;
    struct pgc_error error;
};

/* --- requests ------------------------------------------------------------------------------------------ */

/* What belongs to the object as a whole: PUT and CreateMultipartUpload carry it. */
static void add_object_headers(struct s3_sink *sink, struct pgc_s3_request *request) {
    const struct pgc_s3_settings *s = &sink->s3->settings;
    pgc_s3_add_header(request, "content-type",
                      sink->content_type != NULL ? sink->content_type : "application/octet-stream");
    pgc_s3_add_header(request, NONCE_HEADER, sink->nonce);
    pgc_s3_add_header(request, "x-amz-storage-class", s->storage_class);
    pgc_s3_add_header(request, "x-amz-server-side-encryption", s->sse);
    pgc_s3_add_header(request, "x-amz-server-side-encryption-aws-kms-key-id", s->sse_kms_key);
    if (s->lock_mode != NULL) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf until = PGC_BUF_INIT;
        pgc_text_rfc3339(&until, pgc_wall_us(sink->s3->rt) + (int64_t)s->lock_days * 86400 * 1000000, false);
        snprintf(sink->retain_until, sizeof sink->retain_until, "%s", until.data);
        pgc_s3_add_header(request, "x-amz-object-lock-mode", s->lock_mode);
        pgc_s3_add_header(request, "x-amz-object-lock-retain-until-date", sink->retain_until);
    }
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

static void add_body(const struct s3_sink *sink, struct pgc_s3_request *request, const void *data, size_t len,
                     struct body_hash *hash) {
    *hash = (struct body_hash) { .base64 = PGC_BUF_INIT, .md5 = PGC_BUF_INIT };
    pgc_sigv4_hash(data, len, hash->hex, hash->raw);
    pgc_text_base64(&hash->base64, hash->raw, sizeof hash->raw, true);
    request->body = data;
    request->body_len = len;
    request->body_hash = hash->hex;
    pgc_s3_add_header(request, "x-amz-checksum-sha256", hash->base64.data);
    if (sink->s3->settings.lock_mode != NULL && !sink->s3->settings.checksum) { /* locked objects need one of the two */
        unsigned char md5[16];
        pgc_digest(PGC_DIGEST_MD5, data, len, md5);
        pgc_text_base64(&hash->md5, md5, sizeof md5, true);
        pgc_s3_add_header(request, "content-md5", hash->md5.data);
    }
}

/* Is the object at `key` the one this sink wrote? PGC_OK: asked; *ours and *size say. */
static enum pgc_code look(struct s3_sink *sink, const char *key, bool *ours, uint64_t *size, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "HEAD", .key = key, .cleanup = true };
    *ours = false;
    *size = 0;
    enum pgc_code code = pgc_s3_call(sink->s3, sink->s3->http, &request, &answer, NULL, err);
    if (code == PGC_E_NOT_FOUND)
        return PGC_OK;
    if (code != PGC_OK)
        return code;
    const char *nonce = pgc_http_header(&answer, NONCE_HEADER);
    const char *length = pgc_http_header(&answer, "content-length");
    *ours = nonce != NULL && strncmp(nonce, sink->nonce, 32) == 0;
    *size = length != NULL ? strtoull(length, NULL, 10) : 0;
    return PGC_OK;
}

/* After an answer that does not tell what happened: PGC_OK when the object is there after all, else err stays. */
static enum pgc_code settle(struct s3_sink *sink, const char *key, uint64_t bytes, struct pgc_error *err) {
    struct pgc_error second;
    bool ours = false;
    uint64_t size = 0;
    if (look(sink, key, &ours, &size, &second) == PGC_OK && ours && size == bytes)
        return PGC_OK;
    return err->code;
}

static bool take_upload_id(void *arg, const char *path, const char *text) {
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") != 0)
        return true;
    *(char **)arg = strdup(text);
    return false;
}

static enum pgc_code create_upload(struct s3_sink *sink, struct volume *volume, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "POST", .key = volume->key };
    struct pgc_s3_fault fault;
    pgc_s3_add_query(&request, "uploads", NULL);
    add_object_headers(sink, &request);
    pgc_s3_add_header(&request, "x-amz-checksum-algorithm", "SHA256");
    enum pgc_code code = pgc_s3_call(sink->s3, sink->s3->http, &request, &answer, &fault, err);
    sink->lost_upload |= fault.ambiguous;
    if (code == PGC_OK)
        code = pgc_xml_walk(answer.body.data, answer.body.len, take_upload_id, &volume->upload_id, err);
    if (code == PGC_OK && (volume->upload_id == NULL || volume->upload_id[0] == '\0'))
        code = pgc_fail(err, PGC_E_DATA, "the server gave no upload id");
    return code != PGC_OK ? pgc_wrap(err, "cannot begin a multipart upload") : PGC_OK;
}

static enum pgc_code send_part(struct s3_sink *sink, struct pgc_http *http, const struct slot *slot, const char *key,
                               const char *upload_id, struct part *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(release_body_hash) struct body_hash hash;
    char number[24];
    struct pgc_s3_request request = { .method = "PUT", .key = key };
    snprintf(number, sizeof number, "%zu", slot->part + 1);
    pgc_s3_add_query(&request, "partNumber", number);
    pgc_s3_add_query(&request, "uploadId", upload_id);
    add_body(sink, &request, slot->data, slot->len, &hash);
    enum pgc_code code = pgc_s3_call(sink->s3, http, &request, &answer, NULL, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot upload part %zu", slot->part + 1);
    const char *etag = pgc_http_header(&answer, "etag");
    const char *echo = pgc_http_header(&answer, "x-amz-checksum-sha256");
    if (etag == NULL || etag[0] == '\0')
        return pgc_fail(err, PGC_E_DATA, "the server gave no ETag for part %zu", slot->part + 1);
    if (echo != NULL && strcmp(echo, hash.base64.data) != 0)
        return pgc_fail(err, PGC_E_DATA, "the server computed another checksum for part %zu", slot->part + 1);
    out->etag = strdup(etag);
    out->echoed = echo != NULL;
    memcpy(out->sha256, hash.raw, sizeof hash.raw);
    return out->etag == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static void put_parts_document(const struct volume *volume, struct pgc_buf *out) {
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
static enum pgc_code verify_volume(struct s3_sink *sink, const struct volume *volume, struct pgc_error *err) {
    bool ours = false;
    uint64_t size = 0;
    enum pgc_code code = look(sink, volume->key, &ours, &size, err);
    if (code != PGC_OK) {
        pgc_log(sink->s3->rt, PGC_LOG_WARN, "store.unverified", "the uploaded object cannot be looked at",
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

static enum pgc_code complete(struct s3_sink *sink, struct volume *volume, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT;
    struct pgc_s3_fault fault;
    struct pgc_s3_request request = {
        .method = "POST", .key = volume->key, .error_in_200 = true, .stall_timeout_ms = COMPLETE_STALL_MS
    };
    if (sink->s3->settings.stall_ms < 60000)
        request.stall_timeout_ms = sink->s3->settings.stall_ms;
    put_parts_document(volume, &body);
    enum pgc_code code = pgc_buf_check(&body, err);
    if (code != PGC_OK)
        return code;
    request.body = body.data;
    request.body_len = body.len;
    pgc_s3_add_query(&request, "uploadId", volume->upload_id);
    pgc_s3_add_header(&request, "content-type", "application/xml");
    code = pgc_s3_call(sink->s3, sink->s3->http, &request, &answer, &fault, err);
    bool lost = code != PGC_OK && fault.ambiguous; /* an earlier attempt may have done it */
    if (lost)
        code = settle(sink, volume->key, volume->bytes, err);
    volume->completed = code == PGC_OK;
    if (code == PGC_OK && !lost)
        code = verify_volume(sink, volume, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot complete the multipart upload") : PGC_OK;
}

static enum pgc_code put_whole(struct s3_sink *sink, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(release_body_hash) struct body_hash hash = { .base64 = PGC_BUF_INIT, .md5 = PGC_BUF_INIT };
    PGC_AUTO_FREE char *key = pgc_s3_volume_key(sink->s3, sink->key, 0);
    struct pgc_s3_fault fault;
    struct pgc_s3_request request = { .method = "PUT", .key = key };
    const struct slot *slot = sink->filling;
    if (key == NULL)
        return pgc_fail_nomem(err);
    add_object_headers(sink, &request);
    add_body(sink, &request, slot != NULL ? (const void *)slot->data : "", slot != NULL ? slot->len : 0, &hash);
    enum pgc_code code = pgc_s3_call(sink->s3, sink->s3->http, &request, &answer, &fault, err);
    return code != PGC_OK && fault.ambiguous ? settle(sink, key, sink->bytes, err) : code;
}

/* --- workers ------------------------------------------------------------------------------------------- */

static void note_failure(struct s3_sink *sink, const struct pgc_error *why) {
    if (!sink->failed)
        sink->error = *why;
    sink->failed = true;
}

static struct slot *ready_slot(struct s3_sink *sink) {
    struct slot *first = NULL;
    for (size_t i = 0; i < sink->slot_count; i++) {
        struct slot *s = &sink->slots[i];
        if (s->state == READY &&
            (first == NULL || s->volume < first->volume || (s->volume == first->volume && s->part < first->part)))
            first = s;
    }
    return first;
}

static void *work(void *arg) {
    struct worker *worker = arg;
    struct s3_sink *sink = worker->sink;
    struct pgc_error err;
    pthread_mutex_lock(&sink->lock);
    for (;;) {
        struct slot *slot = ready_slot(sink);
        if (sink->failed || (slot == NULL && sink->closing))
            break;
        if (slot == NULL) {
            pthread_cond_wait(&sink->changed, &sink->lock);
            continue;
        }
        struct part part = { 0 };
        const char *key = sink->volumes[slot->volume].key;
        const char *upload_id = sink->volumes[slot->volume].upload_id;
        slot->state = SENDING;
        pthread_mutex_unlock(&sink->lock);
        enum pgc_code code = send_part(sink, worker->http, slot, key, upload_id, &part, &err);
        pthread_mutex_lock(&sink->lock);
        if (code != PGC_OK)
            note_failure(sink, &err);
        else
            sink->volumes[slot->volume].parts[slot->part] = part;
        slot->state = FREE;
        pthread_cond_broadcast(&sink->changed);
    }
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

static enum pgc_code start_worker(struct s3_sink *sink, struct pgc_error *err) {
    struct worker *worker = &sink->workers[sink->worker_count];
    enum pgc_code code = pgc_http_open(&sink->s3->http_options, sink->s3->rt, &worker->http, err);
    if (code != PGC_OK)
        return code;
    worker->sink = sink;
    int rc = pthread_create(&worker->thread, NULL, work, worker);
    if (rc != 0) {
        pgc_http_free(worker->http);
        return pgc_fail(err, PGC_E_NOMEM, "cannot start a thread: %s", strerror(rc));
    }
    sink->worker_count++;
    return PGC_OK;
}

/* Lets the workers finish (or makes them stop) and waits for them. */
static void end_workers(struct s3_sink *sink, bool now) {
    pthread_mutex_lock(&sink->lock);
    sink->closing = true;
    sink->failed |= now;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    for (size_t i = 0; now && i < sink->worker_count; i++)
        pgc_http_interrupt(sink->workers[i].http);
    for (size_t i = 0; i < sink->worker_count; i++) {
        pthread_join(sink->workers[i].thread, NULL);
        pgc_http_free(sink->workers[i].http);
    }
    sink->worker_count = 0;
}

/* --- the sink ------------------------------------------------------------------------------------------ */

static enum pgc_code own_failure(struct s3_sink *sink, struct pgc_error *err) {
    *err = sink->error;
    return err->code != PGC_OK ? err->code : pgc_fail(err, PGC_E_IO, "upload given up");
}

static enum pgc_code begin_volume(struct s3_sink *sink, struct pgc_error *err) {
    struct volume volume = { .key = pgc_s3_volume_key(sink->s3, sink->key, (unsigned)sink->volume_count) };
    enum pgc_code code = volume.key == NULL ? pgc_fail_nomem(err) : create_upload(sink, &volume, err);
    if (code == PGC_OK) {
        pthread_mutex_lock(&sink->lock);
        if (pgc_array_grow(&sink->volumes, &sink->volume_cap, sink->volume_count + 1, sizeof *sink->volumes))
            sink->volumes[sink->volume_count++] = volume;
        else
            code = pgc_fail_nomem(err);
        pthread_mutex_unlock(&sink->lock);
    }
    if (code != PGC_OK) {
        free(volume.key);
        free(volume.upload_id);
    }
    return code;
}

/* Gives the filled slot to the workers. */
static enum pgc_code hand_over(struct s3_sink *sink, struct pgc_error *err) {
    struct slot *slot = sink->filling;
    enum pgc_code code = PGC_OK;
    if (sink->volume_count == 0 || sink->volumes[sink->volume_count - 1].count == sink->s3->settings.max_parts)
        code = begin_volume(sink, err);
    if (code == PGC_OK && sink->worker_count < sink->worker_max)
        code = start_worker(sink, err);
    if (code != PGC_OK)
        return code;
    pthread_mutex_lock(&sink->lock);
    struct volume *volume = &sink->volumes[sink->volume_count - 1];
    if (pgc_array_grow(&volume->parts, &volume->cap, volume->count + 1, sizeof *volume->parts)) {
        slot->volume = sink->volume_count - 1;
        slot->part = volume->count;
        volume->parts[volume->count++] = (struct part) { 0 };
        volume->bytes += slot->len;
        slot->state = READY;
        sink->filling = NULL;
        pthread_cond_broadcast(&sink->changed);
    } else {
        code = pgc_fail_nomem(err);
    }
    pthread_mutex_unlock(&sink->lock);
    return code;
}

static enum pgc_code next_slot(struct s3_sink *sink, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    pthread_mutex_lock(&sink->lock);
    while (sink->filling == NULL && code == PGC_OK) {
        if (sink->failed)
            code = own_failure(sink, err);
        for (size_t i = 0; code == PGC_OK && sink->filling == NULL && i < sink->slot_count; i++)
            if (sink->slots[i].state == FREE)
                sink->filling = &sink->slots[i];
        if (code == PGC_OK && sink->filling == NULL)
            pthread_cond_wait(&sink->changed, &sink->lock);
    }
    if (code == PGC_OK) {
        sink->filling->state = FILLING;
        sink->filling->len = 0;
    }
    pthread_mutex_unlock(&sink->lock);
    if (code == PGC_OK && sink->filling->data == NULL) {
        sink->filling->data = malloc((size_t)sink->part_bytes);
        if (sink->filling->data == NULL)
            code = pgc_fail_nomem(err);
    }
    return code;
}

static enum pgc_code check_failed(struct s3_sink *sink, struct pgc_error *err) {
    pthread_mutex_lock(&sink->lock);
    enum pgc_code code = sink->failed ? own_failure(sink, err) : PGC_OK;
    pthread_mutex_unlock(&sink->lock);
    return code;
}

static enum pgc_code s3_sink_put(struct pgc_sink *base, const void *data, size_t len, struct pgc_error *err) {
    struct s3_sink *sink = (struct s3_sink *)base;
    const unsigned char *at = data;
    enum pgc_code code = check_failed(sink, err);
    while (code == PGC_OK && len > 0) {
        if (sink->filling != NULL && sink->filling->len == sink->part_bytes)
            code = hand_over(sink, err);
        if (code == PGC_OK && sink->filling == NULL)
            code = next_slot(sink, err);
        if (code != PGC_OK)
            break;
        size_t room = (size_t)sink->part_bytes - sink->filling->len;
        size_t n = len < room ? len : room;
        memcpy(sink->filling->data + sink->filling->len, at, n);
        sink->filling->len += n;
        sink->bytes += n;
        at += n;
        len -= n;
    }
    if (code != PGC_OK)
        return code;
    pgc_store_throttle(sink->s3->rt, sink->s3->bytes_per_second, sink->bytes, sink->started_ms);
    return pgc_check_cancelled(sink->s3->rt, err);
}

static enum pgc_code complete_all(struct s3_sink *sink, struct pgc_error *err) {
    enum pgc_code code = hand_over(sink, err);
    if (code != PGC_OK)
        return code;
    end_workers(sink, false);
    code = check_failed(sink, err);
    for (size_t i = sink->volume_count; code == PGC_OK && i-- > 0;)
        code = complete(sink, &sink->volumes[i], err);
    return code;
}

/* Volumes of an older, longer object of this key would be counted to ours in lists. */
static void forget_old_volumes(struct s3_sink *sink) {
    PGC_AUTO_FREE char *key = pgc_s3_volume_key(sink->s3, sink->key, 0);
    struct pgc_error err;
    unsigned from = sink->volume_count > 1 ? (unsigned)sink->volume_count : 1;
    if (key == NULL || sink->bytes < pgc_s3_volume_threshold(sink->s3))
        return;
    if (pgc_s3_erase_volumes(sink->s3, key, from, &err) != PGC_OK)
        pgc_log(sink->s3->rt, PGC_LOG_WARN, "store.leftover", "volumes of an older object could not be removed",
                PGC_LOG_TEXT("key", key), PGC_LOG_TEXT("cause", err.message));
}

static enum pgc_code s3_sink_commit(struct pgc_sink *base, struct pgc_error *err) {
    struct s3_sink *sink = (struct s3_sink *)base;
    enum pgc_code code = check_failed(sink, err);
    if (code == PGC_OK)
        code = pgc_check_cancelled(sink->s3->rt, err);
    if (code == PGC_OK)
        code = sink->volume_count == 0 ? put_whole(sink, err) : complete_all(sink, err);
    sink->committed = code == PGC_OK;
    if (sink->committed)
        forget_old_volumes(sink);
    return code;
}

/* Nothing of an upload that was not committed may stay: neither open uploads nor volumes that were completed. */
static void undo(struct s3_sink *sink) {
    struct pgc_error err;
    for (size_t i = 0; i < sink->volume_count; i++) {
        struct volume *v = &sink->volumes[i];
        enum pgc_code code = PGC_OK;
        if (v->completed) {
            PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
            struct pgc_s3_request request = { .method = "DELETE", .key = v->key, .cleanup = true };
            code = pgc_s3_call(sink->s3, sink->s3->http, &request, &answer, NULL, &err);
        } else {
            code = pgc_s3_abort(sink->s3, sink->s3->http, v->key, v->upload_id, &err);
        }
        if (code != PGC_OK)
            pgc_log(sink->s3->rt, PGC_LOG_WARN, "store.leftover",
                    "an unfinished upload could not be removed; the sweep of a later backup does",
                    PGC_LOG_TEXT("key", v->key), PGC_LOG_TEXT("cause", err.message));
    }
}

/* Uploads of our keys that nobody will complete: those whose answer was lost. */
static void find_lost_uploads(struct s3_sink *sink) {
    struct pgc_error err;
    size_t count = 0;
    for (unsigned i = 0; i <= sink->volume_count; i++) {
        PGC_AUTO_FREE char *key = pgc_s3_volume_key(sink->s3, sink->key, i);
        if (key == NULL || pgc_s3_sweep(sink->s3, key, true, 0, &count, &err) != PGC_OK)
            return; /* not allowed to list them, perhaps: the sweep of prune tries again */
    }
}

static void s3_sink_drop(struct pgc_sink *base) {
    struct s3_sink *sink = (struct s3_sink *)base;
    end_workers(sink, true);
    if (!sink->committed)
        undo(sink);
    if (sink->lost_upload)
        find_lost_uploads(sink);
    for (size_t i = 0; i < sink->volume_count; i++) {
        struct volume *v = &sink->volumes[i];
        for (size_t p = 0; p < v->count; p++)
            free(v->parts[p].etag);
        free(v->parts);
        free(v->key);
        free(v->upload_id);
    }
    for (size_t i = 0; sink->slots != NULL && i < sink->slot_count; i++)
        free(sink->slots[i].data);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->lock);
    free(sink->volumes);
    free(sink->slots);
    free(sink->workers);
    free(sink->content_type);
    free(sink->key);
    free(sink);
}

static void make_nonce(char out[33]) {
    unsigned char raw[16];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        memset(raw, 0, sizeof raw);
    pgc_text_hex(&text, raw, sizeof raw);
    snprintf(out, 33, "%s", text.data);
}

enum pgc_code pgc_s3_put(struct pgc_store *store, const char *key, const struct pgc_store_put_options *options,
                         struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { s3_sink_put, s3_sink_commit, s3_sink_drop };
    struct pgc_s3 *s3 = (struct pgc_s3 *)store;
    struct s3_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return pgc_fail_nomem(err);
    sink->base.ops = &ops;
    sink->s3 = s3;
    pthread_mutex_init(&sink->lock, NULL);
    pthread_cond_init(&sink->changed, NULL);
    sink->part_bytes = pgc_s3_part_bytes(&s3->settings, options->size_hint_bytes);
    sink->worker_max = pgc_s3_parts_in_flight(&s3->settings, sink->part_bytes);
    sink->slot_count = sink->worker_max + 1;
    sink->slots = calloc(sink->slot_count, sizeof *sink->slots);
    sink->workers = calloc(sink->worker_max, sizeof *sink->workers);
    sink->key = strdup(key);
    sink->content_type = options->content_type != NULL ? strdup(options->content_type) : NULL;
    sink->started_ms = pgc_mono_ms(s3->rt);
    make_nonce(sink->nonce);
    if (sink->slots == NULL || sink->workers == NULL || sink->key == NULL) {
        pgc_sink_drop(&sink->base);
        return pgc_fail_nomem(err);
    }
    *out = &sink->base;
    return PGC_OK;
}
