/* Writing one object: by one PUT when it fits into a part, else as multipart upload(s) with several parts in flight.
 *
 * The caller's thread fills a buffer of one part; full buffers are sent by worker threads. All parts have one size but the
 * last (R2 wants that). An object with more than max_parts parts goes on in volumes KEY.001, KEY.002 ...; none of
 * them is completed before all their parts are there, and KEY itself is completed last. */
#include <stdlib.h>
#include <string.h>

#include "store/s3_upload.h"
#include "store/s3_uploads.h"

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
    struct pgc_s3_object object;
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
    struct pgc_s3_volume *volumes;
    size_t volume_count, volume_cap;
    bool closing;
    bool failed;
    struct pgc_error error;
};

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
        struct pgc_s3_part part = { 0 };
        const struct pgc_s3_volume volume = sink->volumes[slot->volume]; /* the array may move */
        slot->state = SENDING;
        pthread_mutex_unlock(&sink->lock);
        enum pgc_code code =
            pgc_s3_upload_part(&sink->object, worker->http, &volume, slot->part, slot->data, slot->len, &part, &err);
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
    struct pgc_s3_volume volume = { .key = pgc_s3_volume_key(sink->s3, sink->key, (unsigned)sink->volume_count) };
    enum pgc_code code = volume.key == NULL ? pgc_fail_nomem(err)
                                            : pgc_s3_upload_create(&sink->object, &volume, &sink->lost_upload, err);
    if (code == PGC_OK) {
        pthread_mutex_lock(&sink->lock);
        if (pgc_array_grow(&sink->volumes, &sink->volume_cap, sink->volume_count + 1, sizeof *sink->volumes))
            sink->volumes[sink->volume_count++] = volume;
        else
            code = pgc_fail_nomem(err);
        pthread_mutex_unlock(&sink->lock);
    }
    if (code != PGC_OK)
        pgc_s3_volume_release(&volume);
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
    struct pgc_s3_volume *volume = &sink->volumes[sink->volume_count - 1];
    if (pgc_array_grow(&volume->parts, &volume->cap, volume->count + 1, sizeof *volume->parts)) {
        slot->volume = sink->volume_count - 1;
        slot->part = volume->count;
        volume->parts[volume->count++] = (struct pgc_s3_part) { 0 };
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
        code = pgc_s3_upload_complete(&sink->object, &sink->volumes[i], err);
    return code;
}

static enum pgc_code put_whole(struct s3_sink *sink, struct pgc_error *err) {
    PGC_AUTO_FREE char *key = pgc_s3_volume_key(sink->s3, sink->key, 0);
    const struct slot *slot = sink->filling;
    if (key == NULL)
        return pgc_fail_nomem(err);
    return pgc_s3_upload_whole(&sink->object, key, slot != NULL ? (const void *)slot->data : "",
                               slot != NULL ? slot->len : 0, err);
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
        struct pgc_s3_volume *v = &sink->volumes[i];
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
    for (size_t i = 0; i < sink->volume_count; i++)
        pgc_s3_volume_release(&sink->volumes[i]);
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
    pgc_s3_object_init(&sink->object, s3, sink->content_type);
    if (sink->slots == NULL || sink->workers == NULL || sink->key == NULL) {
        pgc_sink_drop(&sink->base);
        return pgc_fail_nomem(err);
    }
    *out = &sink->base;
    return PGC_OK;
}
