/* Reading one object from another host; a download that broke goes on where it broke. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/remote.h"

struct remote_source {
    struct pgc_source base;
    struct pgc_remote *remote;
    struct pgc_http *http;
    struct pgc_http_answer answer;
    struct pgc_remote_tries tries;
    char *key;
    char version[200]; /* ETag, else the date of the last change; "": unknown */
    uint64_t offset;   /* of the next byte */
    uint64_t remaining;
    char first[4096]; /* the first bytes: opening reads them, so that an absent object is noticed at once */
    size_t first_len, first_at;
    bool ended;
};

static enum pgc_code check_version(struct remote_source *source, struct pgc_error *err) {
    const char *version = pgc_http_header(&source->answer, "etag");
    if (version == NULL)
        version = pgc_http_header(&source->answer, "last-modified");
    if (version == NULL)
        version = "";
    version += strncmp(version, "W/", 2) == 0 ? 2 : 0; /* Apache calls an ETag weak in the first second of a file */
    if (source->version[0] != '\0' && strncmp(source->version, version, sizeof source->version - 1) != 0)
        return pgc_fail(err, PGC_E_DATA, "'%s' was replaced while it was read", source->key);
    snprintf(source->version, sizeof source->version, "%s", version);
    return PGC_OK;
}

/* Begins at the offset; the first bytes are there afterwards. */
static enum pgc_code open_once(struct remote_source *source, struct pgc_error *err) {
    uint64_t wanted = source->remaining == 0 ? 1 : source->remaining;
    if (source->offset + wanted < source->offset)
        wanted = UINT64_MAX;
    enum pgc_code code = source->remote->ops->download(source->remote, source->http, source->key, source->offset,
                                                       wanted, &source->answer, err);
    if (code == PGC_OK)
        code = check_version(source, err);
    else if (code != PGC_E_DATA)
        return code;
    source->first_at = source->first_len = 0;
    if (code == PGC_OK)
        code = pgc_http_read(source->http, source->first, sizeof source->first, &source->first_len, err);
    bool behind_end = code == PGC_E_DATA && (source->answer.status == 416 || source->answer.status == 0);
    source->ended = source->first_len == 0 && (code == PGC_OK || behind_end);
    return behind_end ? PGC_OK : code;
}

static enum pgc_code open_here(struct remote_source *source, struct pgc_error *err) {
    enum pgc_code code;
    do
        code = open_once(source, err);
    while (pgc_remote_again(&source->tries, code, 0, err));
    return code;
}

static enum pgc_code take_bytes(struct remote_source *source, void *buf, size_t cap, size_t *len,
                                struct pgc_error *err) {
    size_t left = source->first_len - source->first_at;
    if (left == 0)
        return pgc_http_read(source->http, buf, cap, len, err);
    *len = left < cap ? left : cap;
    memcpy(buf, source->first + source->first_at, *len);
    source->first_at += *len;
    return PGC_OK;
}

static enum pgc_code source_get(struct pgc_source *base, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct remote_source *source = (struct remote_source *)base;
    *len = 0;
    if (source->ended || source->remaining == 0)
        return PGC_OK;
    enum pgc_code code = take_bytes(source, buf, cap, len, err);
    while (code != PGC_OK && pgc_remote_again(&source->tries, code, 0, err)) {
        code = open_here(source, err);
        if (code == PGC_OK && !source->ended)
            code = take_bytes(source, buf, cap, len, err);
    }
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot read '%s'", source->key);
    if (*len > source->remaining)
        *len = (size_t)source->remaining;
    source->ended = *len == 0;
    source->offset += *len;
    source->remaining -= source->remaining == UINT64_MAX ? 0 : *len;
    if (*len > 0 && source->tries.used > 0)
        source->tries = pgc_remote_tries(source->remote, false);
    return PGC_OK;
}

static void source_drop(struct pgc_source *base) {
    struct remote_source *source = (struct remote_source *)base;
    pgc_http_free(source->http);
    pgc_http_answer_release(&source->answer);
    free(source->key);
    free(source);
}

enum pgc_code pgc_remote_get(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                             struct pgc_source **out, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { source_get, NULL, source_drop };
    struct pgc_remote *remote = (struct pgc_remote *)store;
    struct remote_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return pgc_fail_nomem(err);
    source->base.ops = &ops;
    source->remote = remote;
    source->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    source->tries = pgc_remote_tries(remote, false);
    source->key = strdup(key);
    source->offset = offset;
    source->remaining = length;
    enum pgc_code code = source->key == NULL ? pgc_fail_nomem(err)
                                             : pgc_http_open(&remote->http_options, remote->rt, &source->http, err);
    if (code == PGC_OK)
        code = open_here(source, err);
    if (code != PGC_OK) {
        pgc_source_drop(&source->base);
        return pgc_wrap(err, "cannot read '%s'", key);
    }
    *out = &source->base;
    return PGC_OK;
}
