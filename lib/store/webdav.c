/* Stores on a WebDAV server: "davs://user@host/folder" over HTTPS, "dav://..." over HTTP.
 *
 * PGC_DAV_PASSWORD (or _FILE) is the user's password, PGC_DAV_TOKEN (or _FILE) a bearer token instead. With auth=digest in the
 * URL (or PGC_DAV_AUTH) the password is proven, not sent.
 *
 * An object is PUT under a temporary name beside its place and MOVEd when complete, because servers show a file while it
 * is being written. Collections are made as needed and removed when the last object in them is erased. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "net/http.h"
#include "os/secret.h"
#include "store/drivers.h"
#include "store/url.h"
#include "store/webdav_list.h"

#define LIST_MAX   ((size_t)64 << 20)
#define TMP_PREFIX "_pgc-tmp-" /* no dot: a temporary that is not listed could not be swept */

struct dav_store {
    struct pgc_store base;
    const struct pgc_runtime *rt;
    struct pgc_store_url url;
    struct pgc_http_options options;
    char *password;
    char *authorization;   /* "Authorization: Bearer ..." or NULL */
    struct pgc_http *http; /* for everything but transfers of objects */
    uint64_t bytes_per_second;
};

/* One exchange about a path below the root of the server. */
struct call {
    const char *method;
    const char *path; /* decoded, with a slash at the end for collections */
    const char *header;
    const char *more_header;
    const char *body;
    bool cleanup;
};

static void put_url(const struct dav_store *store, struct pgc_buf *out, const char *path) {
    pgc_buf_putf(out, "%s://%s", strcmp(store->url.scheme, "davs") == 0 ? "https" : "http", store->url.authority);
    pgc_text_percent(out, path, strlen(path), "/");
}

/* "/folder/of/the/store/key", malloc'ed. Some servers never list names that begin with a dot (nginx), so that a dot at the
 * begin of a segment is kept as "%2E", and a '%' there as "%25". */
static char *full_path(const struct dav_store *store, const char *key, bool collection) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_buf_puts(&out, store->url.path);
    if (key[0] != '\0')
        pgc_buf_putc(&out, '/');
    for (const char *c = key; *c != '\0'; c++) {
        bool first = c == key || c[-1] == '/';
        if (first && (*c == '.' || *c == '%'))
            pgc_buf_puts(&out, *c == '.' ? "%2E" : "%25");
        else
            pgc_buf_putc(&out, *c);
    }
    if (collection)
        pgc_buf_putc(&out, '/');
    return pgc_buf_detach(&out);
}

/* The segment of a key that a name on the server stands for. */
static void put_segment(struct pgc_buf *out, const char *name) {
    if (strncmp(name, "%2E", 3) == 0 || strncmp(name, "%25", 3) == 0) {
        pgc_buf_putc(out, name[2] == 'E' ? '.' : '%');
        name += 3;
    }
    pgc_buf_puts(out, name);
}

static bool is_temporary(const char *key) {
    const char *slash = strrchr(key, '/');
    return pgc_text_starts(slash != NULL ? slash + 1 : key, TMP_PREFIX);
}

static size_t collect_headers(const struct dav_store *store, const char *one, const char *two, const char **out) {
    size_t count = 0;
    if (store->authorization != NULL)
        out[count++] = store->authorization;
    if (one != NULL)
        out[count++] = one;
    if (two != NULL)
        out[count++] = two;
    return count;
}

static enum pgc_code ask(struct dav_store *store, struct pgc_http *http, const struct call *call,
                         struct pgc_http_answer *answer, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    const char *headers[3];
    if (call->path == NULL)
        return pgc_fail_nomem(err);
    put_url(store, &url, call->path);
    const struct pgc_http_request request = {
        .method = call->method,
        .url = url.data,
        .headers = headers,
        .header_count = collect_headers(store, call->header, call->more_header, headers),
        .body = call->body,
        .body_len = call->body != NULL ? strlen(call->body) : 0,
        .answer_max = LIST_MAX,
        .cleanup = call->cleanup,
    };
    return url.failed ? pgc_fail_nomem(err) : pgc_http_perform(http, &request, answer, err);
}

static enum pgc_code fail_status(const char *method, const char *path, const struct pgc_http_answer *answer,
                                 struct pgc_error *err) {
    enum pgc_code code = PGC_E_IO;
    const char *hint = "";
    int status = answer->status;
    if (status == 401 || status == 403) {
        const char *wants = pgc_http_header(answer, "www-authenticate");
        code = PGC_E_AUTH;
        hint = "; check the user and PGC_DAV_PASSWORD (or PGC_DAV_TOKEN)";
        if (status == 401 && wants != NULL && strncasecmp(wants, "digest", 6) == 0)
            hint = "; the server wants digest authentication: check PGC_DAV_PASSWORD and say auth=digest in the URL";
    } else if (status == 404 || status == 410) {
        code = PGC_E_NOT_FOUND;
    } else if (status == 507) {
        code = PGC_E_NOSPACE;
    } else if (status == 413) {
        hint = "; the server limits the size of uploads";
    } else if (status == 405 || status == 501) {
        hint = "; the server does not do WebDAV there";
    } else if (status == 408 || status == 429 || status >= 500) {
        code = PGC_E_TEMPORARY;
    }
    return pgc_fail(err, code, "%s '%s': status %d%s", method, path, status, hint);
}

/* The same, and every status but 2xx is an error. */
static enum pgc_code demand(struct dav_store *store, struct pgc_http *http, const struct call *call,
                            struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    enum pgc_code code = ask(store, http, call, &answer, err);
    return code == PGC_OK && answer.status / 100 != 2 ? fail_status(call->method, call->path, &answer, err) : code;
}

/* --- collections ----------------------------------------------------------------------------------------- */

static enum pgc_code find_properties(struct dav_store *store, struct pgc_http *http, const char *collection,
                                     bool members, bool cleanup, struct pgc_dav_listing *out, struct pgc_error *err) {
    static const char body[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                               "<D:propfind xmlns:D=\"DAV:\"><D:prop><D:resourcetype/><D:getcontentlength/>"
                               "<D:getlastmodified/></D:prop></D:propfind>";
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    const struct call call = {
        "PROPFIND", collection, members ? "Depth: 1" : "Depth: 0", "Content-Type: application/xml", body, cleanup
    };
    enum pgc_code code = ask(store, http, &call, &answer, err);
    if (code == PGC_OK && answer.status != 207)
        code = fail_status("PROPFIND", collection, &answer, err);
    if (code == PGC_OK)
        code = pgc_dav_listing_read(answer.body.data, answer.body.len, out, err);
    return code;
}

/* Does a part of the path name an object, so that there is nothing below it? (Apache answers such a PROPFIND with 400.) */
static bool is_below_object(struct dav_store *store, struct pgc_http *http, const char *path) {
    PGC_AUTO_FREE char *part = strdup(path);
    struct pgc_error ignored;
    for (char *slash = part != NULL ? strrchr(part, '/') : NULL; slash != NULL && slash != part;
         slash = strrchr(part, '/')) {
        PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing listing = { 0 };
        *slash = '\0';
        if (find_properties(store, http, part, false, false, &listing, &ignored) == PGC_OK)
            return listing.count == 1 && !listing.items[0].collection;
    }
    return false;
}

/* Makes the collection `path` (with a slash at its end) and those above it. */
static enum pgc_code make_collection(struct dav_store *store, struct pgc_http *http, const char *path,
                                     struct pgc_error *err) {
    PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing listing = { 0 };
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    if (strcmp(path, "/") == 0)
        return PGC_OK;
    enum pgc_code code = find_properties(store, http, path, false, false, &listing, err);
    if (code != PGC_E_NOT_FOUND)
        return code;
    PGC_AUTO_FREE char *parent = strdup(path);
    if (parent == NULL)
        return pgc_fail_nomem(err);
    parent[strlen(parent) - 1] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        return err->code;
    slash[1] = '\0';
    code = make_collection(store, http, parent, err);
    if (code != PGC_OK)
        return code;
    const struct call call = { .method = "MKCOL", .path = path };
    code = ask(store, http, &call, &answer, err);
    bool made =
        answer.status == 201 || answer.status == 200 || answer.status == 405; /* 405: another writer was faster */
    return code == PGC_OK && !made ? fail_status("MKCOL", path, &answer, err) : code;
}

/* From the collection of the key up to the root of the store (which stays), as long as they are empty. A writer that has just
 * made its collection may lose it here: its first PUT fails then, and is not taken for done. */
static void remove_empty_collections(struct dav_store *store, struct pgc_http *http, const char *key) {
    PGC_AUTO_FREE char *folder = strdup(key);
    struct pgc_error err;
    for (char *slash = folder != NULL ? strrchr(folder, '/') : NULL; slash != NULL; slash = strrchr(folder, '/')) {
        PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing listing = { 0 };
        *slash = '\0';
        PGC_AUTO_FREE char *path = full_path(store, folder, true);
        const struct call call = { .method = "DELETE", .path = path, .cleanup = true };
        if (path == NULL || find_properties(store, http, path, true, true, &listing, &err) != PGC_OK ||
            listing.count != 1 || demand(store, http, &call, &err) != PGC_OK)
            return;
    }
}

/* --- writing --------------------------------------------------------------------------------------------- */

struct dav_sink {
    struct pgc_sink base;
    struct dav_store *store;
    struct pgc_http *http;
    struct pgc_http_answer answer;
    char *key, *path, *temp, *temp_key;
    char *content_type; /* a whole header line, or NULL */
    uint64_t bytes;
    int64_t started_ms;
    bool begun;
    bool gone; /* nothing is left under the temporary name */
};

static enum pgc_code begin(struct dav_sink *sink, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    const char *headers[3];
    if (sink->begun)
        return PGC_OK;
    PGC_AUTO_FREE char *collection = strndup(sink->path, (size_t)(strrchr(sink->path, '/') - sink->path) + 1);
    if (collection == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = make_collection(sink->store, sink->http, collection, err);
    /* Servers that show a file only when its upload is complete (nginx) would let another writer's tidying take the
     * collection away meanwhile: so the name is taken first, with nothing in it. */
    const struct call claim = { .method = "PUT", .path = sink->temp, .body = "" };
    sink->begun = true;
    if (code == PGC_OK)
        code = demand(sink->store, sink->http, &claim, err);
    if (code != PGC_OK)
        return code;
    put_url(sink->store, &url, sink->temp);
    const struct pgc_http_request request = {
        .method = "PUT",
        .url = url.data,
        .headers = headers,
        .header_count = collect_headers(sink->store, sink->content_type, NULL, headers),
        .upload = true,
        .upload_bytes = -1,
    };
    return url.failed ? pgc_fail_nomem(err) : pgc_http_start(sink->http, &request, &sink->answer, err);
}

/* A status that came before the body was complete says more than the broken connection. */
static enum pgc_code upload_failure(struct dav_sink *sink, enum pgc_code code, struct pgc_error *err) {
    if (code != PGC_OK && code != PGC_E_CANCELLED && sink->answer.status >= 300)
        code = fail_status("PUT", sink->path, &sink->answer, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot write '%s'", sink->key) : PGC_OK;
}

static enum pgc_code dav_sink_put(struct pgc_sink *base, const void *data, size_t len, struct pgc_error *err) {
    struct dav_sink *sink = (struct dav_sink *)base;
    enum pgc_code code = begin(sink, err);
    if (code == PGC_OK)
        code = pgc_http_send(sink->http, data, len, err);
    sink->bytes += len;
    if (code == PGC_OK)
        pgc_store_throttle(sink->store->rt, sink->store->bytes_per_second, sink->bytes, sink->started_ms);
    return upload_failure(sink, code, err);
}

static enum pgc_code publish(struct dav_sink *sink, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf destination = PGC_BUF_INIT;
    pgc_buf_puts(&destination, "Destination: ");
    put_url(sink->store, &destination, sink->path);
    const struct call call = { "MOVE", sink->temp, destination.data, "Overwrite: T", NULL, false };
    return destination.failed ? pgc_fail_nomem(err) : demand(sink->store, sink->http, &call, err);
}

/* A proxy that cut the body, a full disk behind a polite server: the size tells. */
static enum pgc_code verify(struct dav_sink *sink, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    const struct call call = { .method = "HEAD", .path = sink->temp };
    enum pgc_code code = ask(sink->store, sink->http, &call, &answer, err);
    if (code == PGC_OK && answer.status / 100 != 2)
        code = fail_status("HEAD", sink->temp, &answer, err);
    const char *length = code == PGC_OK ? pgc_http_header(&answer, "content-length") : NULL;
    if (length != NULL && strtoull(length, NULL, 10) != sink->bytes)
        code = pgc_fail(err, PGC_E_DATA, "the server has %s bytes after the upload of %llu", length,
                        (unsigned long long)sink->bytes);
    return code;
}

static enum pgc_code dav_sink_commit(struct pgc_sink *base, struct pgc_error *err) {
    struct dav_sink *sink = (struct dav_sink *)base;
    enum pgc_code code = begin(sink, err);
    if (code == PGC_OK)
        code = pgc_http_finish(sink->http, err);
    if (code == PGC_OK && sink->answer.status / 100 != 2)
        code = fail_status("PUT", sink->path, &sink->answer, err);
    if (code != PGC_OK)
        return upload_failure(sink, code, err);
    code = verify(sink, err);
    if (code == PGC_OK)
        code = publish(sink, err);
    sink->gone = code == PGC_OK;
    return code != PGC_OK ? pgc_wrap(err, "cannot write '%s'", sink->key) : PGC_OK;
}

static void dav_sink_drop(struct pgc_sink *base) {
    struct dav_sink *sink = (struct dav_sink *)base;
    struct pgc_error err;
    if (sink->http != NULL)
        pgc_http_stop(sink->http);
    if (sink->begun && !sink->gone) {
        const struct call call = { .method = "DELETE", .path = sink->temp, .cleanup = true };
        enum pgc_code code = demand(sink->store, sink->http, &call, &err);
        if (code != PGC_OK && code != PGC_E_NOT_FOUND)
            pgc_log(sink->store->rt, PGC_LOG_WARN, "store.leftover", "an unfinished upload could not be removed",
                    PGC_LOG_TEXT("key", sink->temp), PGC_LOG_TEXT("cause", err.message));
        remove_empty_collections(sink->store, sink->http, sink->temp_key);
    }
    pgc_http_free(sink->http);
    pgc_http_answer_release(&sink->answer);
    free(sink->key);
    free(sink->path);
    free(sink->temp);
    free(sink->temp_key);
    free(sink->content_type);
    free(sink);
}

static bool name_sink(struct dav_sink *sink, const char *key, const char *content_type) {
    const char *slash = strrchr(key, '/');
    int folder = slash != NULL ? (int)(slash - key) + 1 : 0;
    char random[17];
    pgc_store_random_name(random);
    sink->key = strdup(key);
    sink->path = full_path(sink->store, key, false);
    if (asprintf(&sink->temp_key, "%.*s" TMP_PREFIX "%s", folder, key, random) < 0)
        sink->temp_key = NULL;
    sink->temp = sink->temp_key != NULL ? full_path(sink->store, sink->temp_key, false) : NULL;
    if (content_type != NULL && asprintf(&sink->content_type, "Content-Type: %s", content_type) < 0)
        sink->content_type = NULL;
    return sink->key != NULL && sink->path != NULL && sink->temp != NULL;
}

static enum pgc_code dav_put(struct pgc_store *base, const char *key, const struct pgc_store_put_options *options,
                             struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { dav_sink_put, dav_sink_commit, dav_sink_drop };
    struct dav_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return pgc_fail_nomem(err);
    sink->base.ops = &ops;
    sink->store = (struct dav_store *)base;
    sink->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    sink->started_ms = pgc_mono_ms(sink->store->rt);
    enum pgc_code code = !name_sink(sink, key, options->content_type)
                             ? pgc_fail_nomem(err)
                             : pgc_http_open(&sink->store->options, sink->store->rt, &sink->http, err);
    if (code != PGC_OK) {
        pgc_sink_drop(&sink->base);
        return code;
    }
    *out = &sink->base;
    return PGC_OK;
}

/* --- reading --------------------------------------------------------------------------------------------- */

struct dav_source {
    struct pgc_source base;
    struct pgc_http *http;
    struct pgc_http_answer answer;
    char *key;
    uint64_t remaining;
};

static enum pgc_code dav_source_get(struct pgc_source *base, void *buf, size_t cap, size_t *len,
                                    struct pgc_error *err) {
    struct dav_source *source = (struct dav_source *)base;
    *len = 0;
    if (source->remaining == 0)
        return PGC_OK;
    enum pgc_code code = pgc_http_read(source->http, buf, cap, len, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot read '%s'", source->key);
    if (*len > source->remaining)
        *len = (size_t)source->remaining;
    source->remaining = *len == 0 ? 0 : source->remaining - (source->remaining == UINT64_MAX ? 0 : *len);
    return PGC_OK;
}

static void dav_source_drop(struct pgc_source *base) {
    struct dav_source *source = (struct dav_source *)base;
    pgc_http_free(source->http);
    pgc_http_answer_release(&source->answer);
    free(source->key);
    free(source);
}

static enum pgc_code open_source(struct dav_store *store, struct dav_source *source, uint64_t offset, uint64_t length,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_AUTO_FREE char *path = full_path(store, source->key, false);
    const char *headers[3];
    char range[80];
    bool whole = offset == 0 && length == UINT64_MAX;
    if (path == NULL)
        return pgc_fail_nomem(err);
    if (length == UINT64_MAX || offset + length < offset)
        snprintf(range, sizeof range, "Range: bytes=%llu-", (unsigned long long)offset);
    else
        snprintf(range, sizeof range, "Range: bytes=%llu-%llu", (unsigned long long)offset,
                 (unsigned long long)(offset + (length > 0 ? length : 1) - 1));
    put_url(store, &url, path);
    const struct pgc_http_request request = {
        .method = "GET",
        .url = url.data,
        .headers = headers,
        .header_count = collect_headers(store, whole ? NULL : range, NULL, headers),
        .stream = true,
    };
    enum pgc_code code =
        url.failed ? pgc_fail_nomem(err) : pgc_http_start(source->http, &request, &source->answer, err);
    if (code == PGC_OK)
        code = pgc_http_wait(source->http, err);
    if (code != PGC_OK)
        return code;
    source->remaining = source->answer.status == 416 ? 0 : length;
    if (source->answer.status == 200 && offset > 0)
        return pgc_fail(err, PGC_E_DATA, "the server ignores ranges");
    return source->answer.status / 100 == 2 || source->answer.status == 416
               ? PGC_OK
               : fail_status("GET", path, &source->answer, err);
}

static enum pgc_code dav_get(struct pgc_store *base, const char *key, uint64_t offset, uint64_t length,
                             struct pgc_source **out, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { dav_source_get, NULL, dav_source_drop };
    struct dav_store *store = (struct dav_store *)base;
    struct dav_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return pgc_fail_nomem(err);
    source->base.ops = &ops;
    source->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    source->key = strdup(key);
    enum pgc_code code =
        source->key == NULL ? pgc_fail_nomem(err) : pgc_http_open(&store->options, store->rt, &source->http, err);
    if (code == PGC_OK)
        code = open_source(store, source, offset, length, err);
    if (code != PGC_OK) {
        pgc_source_drop(&source->base);
        return code;
    }
    *out = &source->base;
    return PGC_OK;
}

/* --- listing and erasing --------------------------------------------------------------------------------- */

struct walk {
    struct dav_store *store;
    const char *prefix;
    bool temporaries; /* these only, instead of objects */
    pgc_store_each_fn *fn;
    void *arg;
};

static enum pgc_code visit_collection(const struct walk *walk, const char *folder, struct pgc_error *err);

static enum pgc_code visit_resource(const struct walk *walk, const char *folder,
                                    const struct pgc_dav_resource *resource, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    size_t prefix = strlen(walk->prefix);
    const char *slash = strrchr(resource->path, '/');
    pgc_buf_putf(&name, "%s%s", folder, folder[0] != '\0' ? "/" : "");
    put_segment(&name, slash != NULL ? slash + 1 : resource->path);
    if (name.failed)
        return pgc_fail_nomem(err);
    const char *key = name.data;
    size_t len = strlen(key);
    if (resource->collection) { /* worth a look when it can hold keys of that prefix */
        bool inside = len >= prefix ? strncmp(key, walk->prefix, prefix) == 0
                                    : strncmp(key, walk->prefix, len) == 0 && walk->prefix[len] == '/';
        return inside ? visit_collection(walk, key, err) : PGC_OK;
    }
    if (strncmp(key, walk->prefix, prefix) != 0 || is_temporary(key) != walk->temporaries)
        return PGC_OK;
    const struct pgc_store_entry entry = { key, resource->size, resource->modified_us };
    return walk->fn(walk->arg, &entry, err);
}

static enum pgc_code visit_collection(const struct walk *walk, const char *folder, struct pgc_error *err) {
    PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing listing = { 0 };
    PGC_AUTO_FREE char *path = full_path(walk->store, folder, true);
    if (path == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = find_properties(walk->store, walk->store->http, path, true, false, &listing, err);
    if (code == PGC_E_NOT_FOUND || (code == PGC_E_IO && is_below_object(walk->store, walk->store->http, path)))
        return PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < listing.count; i++) {
        const struct pgc_dav_resource *r = &listing.items[i];
        bool self = strncmp(r->path, path, strlen(path) - 1) == 0 && strlen(r->path) == strlen(path) - 1;
        if (!self)
            code = visit_resource(walk, folder, r, err);
    }
    return code;
}

static enum pgc_code visit(const struct walk *walk, struct pgc_error *err) {
    const char *slash = strrchr(walk->prefix, '/');
    PGC_AUTO_FREE char *folder = strndup(walk->prefix, slash != NULL ? (size_t)(slash - walk->prefix) : 0);
    return folder == NULL ? pgc_fail_nomem(err) : visit_collection(walk, folder, err);
}

static enum pgc_code dav_each(struct pgc_store *base, const char *prefix, pgc_store_each_fn *fn, void *arg,
                              struct pgc_error *err) {
    const struct walk walk = { (struct dav_store *)base, prefix, false, fn, arg };
    return visit(&walk, err);
}

static enum pgc_code dav_erase(struct pgc_store *base, const char *key, struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)base;
    PGC_AUTO_FREE char *path = full_path(store, key, false);
    const struct call call = { .method = "DELETE", .path = path };
    enum pgc_code code = path == NULL ? pgc_fail_nomem(err) : demand(store, store->http, &call, err);
    if (code == PGC_OK)
        remove_empty_collections(store, store->http, key);
    return code == PGC_E_NOT_FOUND ? PGC_OK : code;
}

struct sweep {
    struct dav_store *store;
    int64_t before_us;
    bool all;
    size_t count;
};

static enum pgc_code sweep_one(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct sweep *sweep = arg;
    if (!sweep->all && (entry->modified_us == 0 || entry->modified_us > sweep->before_us))
        return PGC_OK;
    sweep->count++;
    return dav_erase(&sweep->store->base, entry->key, err);
}

static enum pgc_code dav_sweep(struct pgc_store *base, const char *prefix, int64_t older_ms, size_t *count,
                               struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)base;
    struct sweep sweep = { store, pgc_wall_us(store->rt) - older_ms * 1000, older_ms == 0, 0 };
    const struct walk walk = { store, prefix, true, sweep_one, &sweep };
    enum pgc_code code = visit(&walk, err);
    *count = sweep.count;
    return code;
}

/* --- opening --------------------------------------------------------------------------------------------- */

static void dav_drop(struct pgc_store *base) {
    struct dav_store *store = (struct dav_store *)base;
    pgc_http_free(store->http);
    pgc_store_url_release(&store->url);
    pgc_secret_free(store->password);
    pgc_secret_free(store->authorization);
    free(store);
}

static enum pgc_code configure(struct dav_store *store, const struct pgc_store_options *options,
                               struct pgc_error *err) {
    PGC_AUTO(pgc_secret_free) char *token = NULL;
    enum pgc_code code = pgc_store_url_parse(options->url, "auth", &store->url, err);
    const char *auth = code == PGC_OK ? pgc_store_url_value(&store->url, options, "auth", "PGC_DAV_AUTH") : NULL;
    store->options.digest = auth != NULL && strcmp(auth, "digest") == 0;
    if (auth != NULL && !store->options.digest && strcmp(auth, "basic") != 0)
        return pgc_fail(err, PGC_E_USAGE, "%s URL: auth '%s' is neither basic nor digest", store->url.scheme, auth);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "PGC_DAV_PASSWORD", &store->password, err);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "PGC_DAV_TOKEN", &token, err);
    if (code == PGC_OK && token != NULL && asprintf(&store->authorization, "Authorization: Bearer %s", token) < 0) {
        store->authorization = NULL;
        code = pgc_fail_nomem(err);
    }
    return code;
}

static enum pgc_code dav_attach(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                struct pgc_store **out, struct pgc_error *err) {
    struct dav_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return pgc_fail_nomem(err);
    store->base.driver = &pgc_store_driver_dav;
    store->rt = rt;
    store->bytes_per_second = options->bytes_per_second;
    enum pgc_code code = configure(store, options, err);
    store->options.user = store->url.user;
    store->options.password = store->password;
    if (code == PGC_OK)
        code = pgc_http_open(&store->options, rt, &store->http, err);
    if (code != PGC_OK) {
        dav_drop(&store->base);
        return code;
    }
    *out = &store->base;
    return PGC_OK;
}

#define DRIVER(scheme)                                                                                                 \
    { scheme, dav_attach, dav_put, dav_get, dav_each, dav_erase, dav_drop, dav_sweep }
const struct pgc_store_driver pgc_store_driver_dav = DRIVER("dav");
const struct pgc_store_driver pgc_store_driver_davs = DRIVER("davs");
