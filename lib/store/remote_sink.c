/* Writing one object to another host: temporary name, window of the bytes sent last, going on after a break. */
#include <stdlib.h>
#include <string.h>

#include "store/remote.h"

#define WINDOW_BYTES    ((size_t)4 << 20)
#define STANDSTILL_MOST 3 /* fresh connections that got no byte further: the server does not want more */

struct remote_sink {
    struct pgc_sink base;
    struct pgc_remote *remote;
    struct pgc_http *http;
    struct pgc_http_answer answer;
    struct pgc_remote_tries tries;
    char *key, *temp, *content_type;
    char *window; /* the bytes [window_at, bytes) */
    size_t window_cap;
    uint64_t window_at;
    uint64_t bytes;
    uint64_t reached; /* what the server had when an upload last went on */
    unsigned standstill;
    int64_t started_ms;
    bool prepared; /* there may be something under the temporary name */
    bool hopeless; /* preparing failed, after as many tries as there are */
    bool running;
    bool resumed;
    bool gone; /* nothing is left under the temporary name */
};

/* --- the window ------------------------------------------------------------------------------------------ */

/* Keeps the new bytes and at least WINDOW_BYTES before them. */
static enum pgc_code remember(struct remote_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    size_t have = (size_t)(sink->bytes - sink->window_at);
    if (have + len > sink->window_cap && have > WINDOW_BYTES) {
        memmove(sink->window, sink->window + (have - WINDOW_BYTES), WINDOW_BYTES);
        sink->window_at += have - WINDOW_BYTES;
        have = WINDOW_BYTES;
    }
    if (have + len > sink->window_cap) {
        size_t cap = have + len > WINDOW_BYTES ? 2 * WINDOW_BYTES + len : 2 * (have + len);
        char *larger = realloc(sink->window, cap);
        if (larger == NULL)
            return pgc_fail_nomem(err);
        sink->window = larger;
        sink->window_cap = cap;
    }
    memcpy(sink->window + have, data, len);
    sink->bytes += len;
    return PGC_OK;
}

/* --- the upload ------------------------------------------------------------------------------------------ */

static enum pgc_code start(struct remote_sink *sink, bool resume, uint64_t *from, struct pgc_error *err) {
    const struct pgc_remote_ops *ops = sink->remote->ops;
    *from = 0;
    if (!sink->prepared) {
        sink->prepared = true;
        enum pgc_code code = ops->prepare != NULL ? ops->prepare(sink->remote, sink->http, sink->temp, err) : PGC_OK;
        sink->hopeless = code != PGC_OK;
        if (code != PGC_OK)
            return code;
    }
    sink->running = true;
    enum pgc_code code = ops->upload(sink->remote, sink->http, sink->temp, sink->content_type, resume && ops->appends,
                                     &sink->answer, err);
    if (code != PGC_OK || !resume || !ops->appends)
        return code;
    code = pgc_http_resume_point(sink->http, from, err);
    if (code != PGC_OK)
        return code;
    if (*from < sink->window_at || *from > sink->bytes)
        return pgc_fail(err, PGC_E_IO, "the upload cannot go on: the server has %llu of %llu bytes",
                        (unsigned long long)*from, (unsigned long long)sink->bytes);
    sink->resumed = true;
    if (*from <= sink->reached) {
        sink->standstill++;
        return PGC_OK;
    }
    sink->standstill = 0;
    sink->reached = *from;
    sink->tries = pgc_remote_tries(sink->remote, false);
    return PGC_OK;
}

static enum pgc_code send_from(struct remote_sink *sink, uint64_t from, struct pgc_error *err) {
    return pgc_http_send(sink->http, sink->window + (from - sink->window_at), (size_t)(sink->bytes - from), err);
}

static enum pgc_code end_upload(struct remote_sink *sink, struct pgc_error *err) {
    enum pgc_code code = pgc_http_finish(sink->http, err);
    if (code == PGC_OK && sink->remote->ops->judge != NULL)
        code = sink->remote->ops->judge(sink->key, &sink->answer, err);
    return code;
}

static bool may_go_on(const struct remote_sink *sink) {
    if (sink->hopeless)
        return false;
    return sink->remote->ops->appends ? sink->standstill < STANDSTILL_MOST : sink->window_at == 0;
}

/* Sends what the window has from `from` on, and ends the upload when told; after a break it goes on as far as it can. */
static enum pgc_code drive(struct remote_sink *sink, uint64_t from, bool end, struct pgc_error *err) {
    enum pgc_code code = sink->running ? PGC_OK : start(sink, false, &from, err);
    for (;;) {
        if (code == PGC_OK)
            code = send_from(sink, from, err);
        if (code == PGC_OK && end)
            code = end_upload(sink, err);
        if (code == PGC_OK)
            return PGC_OK;
        /* A status that came before the body was complete says more than the broken connection. */
        if (code != PGC_E_CANCELLED && sink->answer.status >= 300 && sink->remote->ops->judge != NULL)
            code = sink->remote->ops->judge(sink->key, &sink->answer, err);
        pgc_http_stop(sink->http);
        if (code == PGC_E_TEMPORARY && sink->standstill >= STANDSTILL_MOST)
            code = pgc_fail(err, PGC_E_NOSPACE, "the server takes no more than %llu bytes (disk full, or a quota)",
                            (unsigned long long)sink->reached);
        if (!may_go_on(sink) || !pgc_remote_again(&sink->tries, code, 0, err))
            return code;
        code = start(sink, true, &from, err);
    }
}

/* --- the sink -------------------------------------------------------------------------------------------- */

static enum pgc_code sink_put(struct pgc_sink *base, const void *data, size_t len, struct pgc_error *err) {
    struct remote_sink *sink = (struct remote_sink *)base;
    uint64_t from = sink->bytes;
    enum pgc_code code = remember(sink, data, len, err);
    if (code == PGC_OK)
        code = drive(sink, from, false, err);
    if (code == PGC_OK)
        pgc_store_throttle(sink->remote->rt, sink->remote->bytes_per_second, sink->bytes, sink->started_ms);
    return code != PGC_OK ? pgc_wrap(err, "cannot write '%s'", sink->key) : PGC_OK;
}

/* A rename whose answer was lost may have been done: then the object is in its place already. */
static enum pgc_code publish(struct remote_sink *sink, struct pgc_error *err) {
    struct pgc_error second;
    enum pgc_code code = sink->remote->ops->publish(sink->remote, sink->http, sink->temp, sink->key, err);
    if (code == PGC_E_NOT_FOUND && pgc_remote_check_size(sink->remote, sink->key, sink->bytes, &second) == PGC_OK)
        code = PGC_OK;
    return code;
}

static enum pgc_code sink_commit(struct pgc_sink *base, struct pgc_error *err) {
    struct remote_sink *sink = (struct remote_sink *)base;
    bool sized = sink->remote->ops->judge != NULL; /* HTTP: a proxy may have cut the body */
    enum pgc_code code = drive(sink, sink->bytes, true, err);
    if (code == PGC_OK && (sink->resumed || sized))
        code = pgc_remote_check_size(sink->remote, sink->temp, sink->bytes, err);
    if (code == PGC_OK)
        code = publish(sink, err);
    sink->gone = code == PGC_OK;
    return code != PGC_OK ? pgc_wrap(err, "cannot write '%s'", sink->key) : PGC_OK;
}

static void sink_drop(struct pgc_sink *base) {
    struct remote_sink *sink = (struct remote_sink *)base;
    struct pgc_error err;
    if (sink->http != NULL)
        pgc_http_stop(sink->http);
    if (sink->prepared && !sink->gone) {
        enum pgc_code code = sink->remote->ops->remove(sink->remote, sink->http, sink->temp, true, &err);
        if (code != PGC_OK && code != PGC_E_NOT_FOUND)
            pgc_log(sink->remote->rt, PGC_LOG_WARN, "store.leftover", "an unfinished upload could not be removed",
                    PGC_LOG_TEXT("key", sink->temp), PGC_LOG_TEXT("cause", err.message));
        pgc_remote_tidy(sink->remote, sink->http, sink->temp);
    }
    pgc_http_free(sink->http);
    pgc_http_answer_release(&sink->answer);
    free(sink->key);
    free(sink->temp);
    free(sink->content_type);
    free(sink->window);
    free(sink);
}

enum pgc_code pgc_remote_put(struct pgc_store *store, const char *key, const struct pgc_store_put_options *options,
                             struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { sink_put, sink_commit, sink_drop };
    struct pgc_remote *remote = (struct pgc_remote *)store;
    struct remote_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return pgc_fail_nomem(err);
    sink->base.ops = &ops;
    sink->remote = remote;
    sink->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    sink->tries = pgc_remote_tries(remote, false);
    sink->started_ms = pgc_mono_ms(remote->rt);
    sink->key = strdup(key);
    sink->temp = pgc_remote_temporary(remote, key);
    sink->content_type = options->content_type != NULL ? strdup(options->content_type) : NULL;
    enum pgc_code code = sink->key == NULL || sink->temp == NULL
                             ? pgc_fail_nomem(err)
                             : pgc_http_open(&remote->http_options, remote->rt, &sink->http, err);
    if (code != PGC_OK) {
        pgc_sink_drop(&sink->base);
        return code;
    }
    *out = &sink->base;
    return PGC_OK;
}
