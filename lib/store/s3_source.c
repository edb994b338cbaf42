/* Reading one object and its volumes as one stream. A connection that breaks is taken up where it broke, of the same
 * version of the object (If-Match). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/s3_upload.h"

struct s3_source {
    struct pgc_source base;
    struct pgc_s3 *s3;
    struct pgc_http *http; /* its own: the store goes on with others while we read */
    struct pgc_http_answer answer;
    char *key;
    char etag[160];
    char nonce[40];
    unsigned volume;
    uint64_t offset;    /* of the next byte, in this volume */
    uint64_t remaining; /* bytes wanted, UINT64_MAX: all */
    uint64_t size;      /* of this volume, once it was opened */
    unsigned failures;  /* since the last byte */
    bool open;
    bool ended;
};

uint64_t pgc_s3_volume_threshold(const struct pgc_s3 *s3) {
    const struct pgc_s3_settings *s = &s3->settings;
    uint64_t part =
        s->part_bytes != 0 && s->part_bytes < s->profile->part_min_bytes ? s->part_bytes : s->profile->part_min_bytes;
    return part * (s->max_parts < 1000 ? s->max_parts : 1000);
}

char *pgc_s3_volume_key(const struct pgc_s3 *s3, const char *key, unsigned volume) {
    char *out = NULL;
    int n = volume == 0 ? asprintf(&out, "%s%s", s3->settings.prefix, key)
                        : asprintf(&out, "%s%s.%03u", s3->settings.prefix, key, volume);
    return n < 0 ? NULL : out;
}

/* "bytes 0-99/1234" or "bytes x/1234": what stands after the slash. */
static uint64_t total_of(const struct pgc_http_answer *answer, uint64_t otherwise) {
    const char *range = pgc_http_header(answer, "content-range");
    const char *slash = range != NULL ? strchr(range, '/') : NULL;
    return slash != NULL && slash[1] >= '0' && slash[1] <= '9' ? strtoull(slash + 1, NULL, 10) : otherwise;
}

static enum pgc_code check_identity(struct s3_source *source, bool resumed, struct pgc_error *err) {
    const char *etag = pgc_http_header(&source->answer, "etag");
    const char *nonce = pgc_http_header(&source->answer, PGC_S3_NONCE_HEADER);
    const char *length = pgc_http_header(&source->answer, "content-length");
    if (source->answer.status == 200 && source->offset > 0)
        return pgc_fail(err, PGC_E_DATA, "the server ignores ranges");
    if (resumed && etag != NULL && strcmp(etag, source->etag) != 0)
        return pgc_fail(err, PGC_E_DATA, "'%s' was replaced while it was read", source->key);
    snprintf(source->etag, sizeof source->etag, "%s", etag != NULL ? etag : "");
    if (source->volume == 0)
        snprintf(source->nonce, sizeof source->nonce, "%.32s", nonce != NULL ? nonce : "");
    else if (nonce == NULL || strncmp(source->nonce, nonce, 32) != 0)
        source->ended = true; /* of another object that once had this name */
    source->size = total_of(&source->answer, length != NULL ? strtoull(length, NULL, 10) : 0);
    return PGC_OK;
}

/* Asks for the rest of the current volume. Behind its end: size is set, nothing is open. */
static enum pgc_code open_here(struct s3_source *source, bool resumed, struct pgc_error *err) {
    PGC_AUTO_FREE char *key = pgc_s3_volume_key(source->s3, source->key, source->volume);
    struct pgc_s3_request request = { .method = "GET", .key = key, .stream = true, .customer_key = true };
    struct pgc_s3_fault fault;
    char range[64];
    if (key == NULL)
        return pgc_fail_nomem(err);
    if (source->remaining != UINT64_MAX && source->remaining - 1 <= UINT64_MAX - source->offset)
        snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)source->offset,
                 (unsigned long long)(source->offset + source->remaining - 1));
    else
        snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)source->offset);
    if (source->offset > 0 || source->remaining != UINT64_MAX)
        pgc_s3_add_header(&request, "range", range);
    if (resumed && source->etag[0] != '\0')
        pgc_s3_add_header(&request, "if-match", source->etag);
    enum pgc_code code = pgc_s3_call(source->s3, source->http, &request, &source->answer, &fault, err);
    if (code != PGC_OK && fault.status == 416) {
        source->size = total_of(&source->answer, source->offset);
        return PGC_OK;
    }
    if (code == PGC_E_NOT_FOUND && source->volume > 0) {
        source->ended = true;
        return PGC_OK;
    }
    if (code != PGC_OK)
        return code;
    code = check_identity(source, resumed, err);
    source->open = code == PGC_OK && !source->ended;
    if (!source->open)
        pgc_http_stop(source->http);
    return code;
}

/* At the end of a volume: the next one, if this one is so long that there may be one. */
static enum pgc_code next_volume(struct s3_source *source, struct pgc_error *err) {
    source->open = false;
    pgc_http_stop(source->http);
    if (source->remaining > 0 && source->offset < source->size)
        return pgc_fail(err, PGC_E_TEMPORARY, "the server ended the transfer early");
    if (source->remaining == 0 || source->size < pgc_s3_volume_threshold(source->s3)) {
        source->ended = true;
        return PGC_OK;
    }
    source->offset -= source->size;
    source->volume++;
    return open_here(source, false, err);
}

static bool worth_resuming(struct s3_source *source, enum pgc_code code) {
    return (code == PGC_E_TEMPORARY || code == PGC_E_TIMEOUT || code == PGC_E_UNAVAILABLE) &&
           ++source->failures < source->s3->settings.attempts;
}

static enum pgc_code s3_source_get(struct pgc_source *base, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct s3_source *source = (struct s3_source *)base;
    enum pgc_code code = PGC_OK;
    *len = 0;
    while (code == PGC_OK && !source->ended && source->remaining > 0) {
        if (!source->open) {
            code = next_volume(source, err);
            continue;
        }
        code = pgc_http_read(source->http, buf, cap, len, err);
        if (code != PGC_OK && worth_resuming(source, code)) {
            pgc_http_stop(source->http);
            code = open_here(source, true, err);
            continue;
        }
        if (code != PGC_OK || *len > 0)
            break;
        source->open = false;
    }
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot read '%s'", source->key);
    if (*len > source->remaining)
        *len = (size_t)source->remaining;
    source->offset += *len;
    source->remaining -= source->remaining == UINT64_MAX ? 0 : *len;
    source->failures = *len > 0 ? 0 : source->failures;
    return PGC_OK;
}

static void s3_source_drop(struct pgc_source *base) {
    struct s3_source *source = (struct s3_source *)base;
    pgc_http_free(source->http);
    pgc_http_answer_release(&source->answer);
    free(source->key);
    free(source);
}

static enum pgc_code check_exists(struct s3_source *source, struct pgc_error *err) {
    PGC_AUTO_FREE char *key = pgc_s3_volume_key(source->s3, source->key, 0);
    struct pgc_s3_request request = { .method = "HEAD", .key = key, .customer_key = true };
    return key == NULL ? pgc_fail_nomem(err)
                       : pgc_s3_call(source->s3, source->http, &request, &source->answer, NULL, err);
}

enum pgc_code pgc_s3_get(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                         struct pgc_source **out, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { s3_source_get, NULL, s3_source_drop };
    struct s3_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return pgc_fail_nomem(err);
    source->base.ops = &ops;
    source->s3 = (struct pgc_s3 *)store;
    source->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    source->key = strdup(key);
    source->offset = offset;
    source->remaining = length;
    enum pgc_code code = source->key == NULL ? pgc_fail_nomem(err) : PGC_OK;
    if (code == PGC_OK)
        code = pgc_http_open(&source->s3->http_options, source->s3->rt, &source->http, err);
    if (code == PGC_OK)
        code = length == 0 ? check_exists(source, err) : open_here(source, false, err);
    if (code != PGC_OK) {
        pgc_source_drop(&source->base);
        return code;
    }
    *out = &source->base;
    return PGC_OK;
}
