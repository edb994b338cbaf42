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
#include "os/secret.h"
#include "store/drivers.h"
#include "store/remote.h"
#include "store/webdav_list.h"

#define LIST_MAX ((size_t)64 << 20)

struct dav_store {
    struct pgc_remote remote;
    char *password;
    char *authorization; /* "Authorization: Bearer ..." or NULL */
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
    pgc_buf_putf(out, "%s://%s", strcmp(store->remote.url.scheme, "davs") == 0 ? "https" : "http",
                 store->remote.url.authority);
    pgc_text_percent(out, path, strlen(path), "/");
}

/* "/folder/of/the/store/key", malloc'ed. Some servers never list names that begin with a dot (nginx), so that a dot at the
 * begin of a segment is kept as "%2E", and a '%' there as "%25". */
static char *full_path(const struct dav_store *store, const char *key, bool collection) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_buf_puts(&out, store->remote.url.path);
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
    } else if (status == 416) {
        code = PGC_E_DATA;
    } else if (status == 405 || status == 501) {
        hint = "; the server does not do WebDAV there";
    } else if (status == 408 || status == 429 || status >= 500) {
        code = PGC_E_TEMPORARY;
    }
    return pgc_fail(err, code, "%s '%s': status %d%s", method, path, status, hint);
}

/* Worth asking again: the loop of ask() must know it before the caller says what the status means to him. */
static bool may_pass(int status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* PGC_OK for every answer but those that may pass. */
static enum pgc_code ask(struct dav_store *store, struct pgc_http *http, const struct call *call,
                         struct pgc_http_answer *answer, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    struct pgc_remote_tries tries = pgc_remote_tries(&store->remote, call->cleanup);
    const char *headers[3];
    const char *after = NULL;
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
    enum pgc_code code = pgc_buf_check(&url, err);
    if (code != PGC_OK)
        return code;
    do {
        code = pgc_http_perform(http, &request, answer, err);
        after = code == PGC_OK ? pgc_http_header(answer, "retry-after") : NULL;
        if (code == PGC_OK && may_pass(answer->status))
            code = fail_status(call->method, call->path, answer, err);
    } while (pgc_remote_again(&tries, code, after != NULL ? atoll(after) * 1000 : 0, err));
    return code;
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

/* --- what the requests are ------------------------------------------------------------------------------- */

/* Servers that show a file only when its upload is complete (nginx) would let another writer's tidying take the collection
 * away meanwhile: so the name is taken first, with nothing in it. */
static enum pgc_code prepare(struct pgc_remote *remote, struct pgc_http *http, const char *key, struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_AUTO_FREE char *path = full_path(store, key, false);
    PGC_AUTO_FREE char *collection = path != NULL ? strndup(path, (size_t)(strrchr(path, '/') - path) + 1) : NULL;
    const struct call claim = { .method = "PUT", .path = path, .body = "" };
    if (collection == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = make_collection(store, http, collection, err);
    return code == PGC_OK ? demand(store, http, &claim, err) : code;
}

static enum pgc_code upload(struct pgc_remote *remote, struct pgc_http *http, const char *key, const char *content_type,
                            bool resume, struct pgc_http_answer *answer, struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf type = PGC_BUF_INIT;
    PGC_AUTO_FREE char *path = full_path(store, key, false);
    const char *headers[3];
    (void)resume;
    if (path == NULL)
        return pgc_fail_nomem(err);
    put_url(store, &url, path);
    pgc_buf_putf(&type, "Content-Type: %s", content_type != NULL ? content_type : "application/octet-stream");
    const struct pgc_http_request request = {
        .method = "PUT",
        .url = url.data,
        .headers = headers,
        .header_count = collect_headers(store, type.data, NULL, headers),
        .upload = true,
        .upload_bytes = -1,
    };
    return url.failed || type.failed ? pgc_fail_nomem(err) : pgc_http_start(http, &request, answer, err);
}

static enum pgc_code judge(const char *key, const struct pgc_http_answer *answer, struct pgc_error *err) {
    return answer->status / 100 == 2 ? PGC_OK : fail_status("PUT", key, answer, err);
}

static enum pgc_code publish(struct pgc_remote *remote, struct pgc_http *http, const char *temp, const char *key,
                             struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf destination = PGC_BUF_INIT;
    PGC_AUTO_FREE char *from = full_path(store, temp, false);
    PGC_AUTO_FREE char *path = full_path(store, key, false);
    if (path == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_puts(&destination, "Destination: ");
    put_url(store, &destination, path);
    const struct call call = { "MOVE", from, destination.data, "Overwrite: T", NULL, false };
    return destination.failed ? pgc_fail_nomem(err) : demand(store, http, &call, err);
}

static enum pgc_code remove_object(struct pgc_remote *remote, struct pgc_http *http, const char *key, bool cleanup,
                                   struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_AUTO_FREE char *path = full_path(store, key, false);
    const struct call call = { .method = "DELETE", .path = path, .cleanup = cleanup };
    return demand(store, http, &call, err);
}

/* A writer that has just made its collection may lose it here: its first PUT fails then, and is not taken for done. */
static enum pgc_code remove_folder(struct pgc_remote *remote, struct pgc_http *http, const char *folder,
                                   struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing listing = { 0 };
    PGC_AUTO_FREE char *path = full_path(store, folder, true);
    const struct call call = { .method = "DELETE", .path = path, .cleanup = true };
    if (path == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = find_properties(store, http, path, true, true, &listing, err);
    if (code == PGC_OK && listing.count != 1)
        code = pgc_fail(err, PGC_E_EXISTS, "'%s' is not empty", path);
    return code == PGC_OK ? demand(store, http, &call, err) : code;
}

static enum pgc_code list(struct pgc_remote *remote, const char *folder, pgc_remote_entry_fn *fn, void *arg,
                          struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing listing = { 0 };
    PGC_AUTO_FREE char *path = full_path(store, folder, true);
    if (path == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = find_properties(store, remote->http, path, true, false, &listing, err);
    if (code == PGC_E_NOT_FOUND || (code == PGC_E_IO && is_below_object(store, remote->http, path)))
        return PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < listing.count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
        const struct pgc_dav_resource *r = &listing.items[i];
        const char *slash = strrchr(r->path, '/');
        if (strncmp(r->path, path, strlen(path) - 1) == 0 && strlen(r->path) == strlen(path) - 1)
            continue; /* the collection itself */
        put_segment(&name, slash != NULL ? slash + 1 : r->path);
        const struct pgc_remote_entry entry = { name.data, r->size, r->modified_us, r->collection };
        code = name.failed ? pgc_fail_nomem(err) : fn(arg, &entry, err);
    }
    return code;
}

static enum pgc_code download(struct pgc_remote *remote, struct pgc_http *http, const char *key, uint64_t offset,
                              uint64_t length, struct pgc_http_answer *answer, struct pgc_error *err) {
    struct dav_store *store = (struct dav_store *)remote;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_AUTO_FREE char *path = full_path(store, key, false);
    const char *headers[3];
    char range[80];
    bool whole = offset == 0 && length == UINT64_MAX;
    if (path == NULL)
        return pgc_fail_nomem(err);
    if (length == UINT64_MAX)
        snprintf(range, sizeof range, "Range: bytes=%llu-", (unsigned long long)offset);
    else
        snprintf(range, sizeof range, "Range: bytes=%llu-%llu", (unsigned long long)offset,
                 (unsigned long long)(offset + length - 1));
    put_url(store, &url, path);
    const struct pgc_http_request request = {
        .method = "GET",
        .url = url.data,
        .headers = headers,
        .header_count = collect_headers(store, whole ? NULL : range, NULL, headers),
        .stream = true,
    };
    enum pgc_code code = url.failed ? pgc_fail_nomem(err) : pgc_http_start(http, &request, answer, err);
    if (code == PGC_OK)
        code = pgc_http_wait(http, err);
    if (code == PGC_OK && answer->status == 200 && offset > 0)
        code = pgc_fail(err, PGC_E_DATA, "the server ignores ranges");
    return code == PGC_OK && answer->status / 100 != 2 ? fail_status("GET", path, answer, err) : code;
}

static const struct pgc_remote_ops remote_ops = {
    .temp_prefix = "_pgc-tmp-", /* no dot: a temporary that is not listed could not be swept */
    .lists_modified = true,
    .prepare = prepare,
    .upload = upload,
    .judge = judge,
    .publish = publish,
    .remove = remove_object,
    .remove_folder = remove_folder,
    .list = list,
    .download = download,
};

/* --- opening --------------------------------------------------------------------------------------------- */

static void dav_drop(struct pgc_store *base) {
    struct dav_store *store = (struct dav_store *)base;
    pgc_remote_release(&store->remote);
    pgc_secret_free(store->password);
    pgc_secret_free(store->authorization);
    free(store);
}

static enum pgc_code configure(struct dav_store *store, const struct pgc_store_options *options,
                               struct pgc_error *err) {
    PGC_AUTO(pgc_secret_free) char *token = NULL;
    const char *auth = pgc_store_url_value(&store->remote.url, options, "auth", "PGC_DAV_AUTH");
    bool digest = auth != NULL && strcmp(auth, "digest") == 0;
    if (auth != NULL && !digest && strcmp(auth, "basic") != 0)
        return pgc_fail(err, PGC_E_USAGE, "%s URL: auth '%s' is neither basic nor digest", store->remote.url.scheme,
                        auth);
    store->remote.http_options.digest = digest;
    enum pgc_code code = pgc_store_secret(options, "PGC_DAV_PASSWORD", &store->password, err);
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
    store->remote.base.driver = &pgc_store_driver_dav;
    enum pgc_code code = pgc_remote_open(&store->remote, &remote_ops, options, rt, "auth", "PGC_DAV", err);
    if (code == PGC_OK)
        code = configure(store, options, err);
    store->remote.http_options.user = store->remote.url.user;
    store->remote.http_options.password = store->password;
    if (code == PGC_OK)
        code = pgc_http_open(&store->remote.http_options, rt, &store->remote.http, err);
    if (code != PGC_OK) {
        dav_drop(&store->remote.base);
        return code;
    }
    *out = &store->remote.base;
    return PGC_OK;
}

#define DRIVER(scheme)                                                                                                 \
    {                                                                                                                  \
        scheme, dav_attach, pgc_remote_put, pgc_remote_get, pgc_remote_each, pgc_remote_erase, dav_drop,               \
            pgc_remote_sweep                                                                                           \
    }
const struct pgc_store_driver pgc_store_driver_dav = DRIVER("dav");
const struct pgc_store_driver pgc_store_driver_davs = DRIVER("davs");
