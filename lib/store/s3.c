#include "store/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "store/drivers.h"
#include "store/s3_request.h"
#include "store/s3_uploads.h"
#include "store/xml.h"

/* --- listing ------------------------------------------------------------------------------------------- */

struct object {
    char *key; /* full */
    uint64_t size;
    int64_t modified_us;
};

struct page {
    struct object *objects;
    size_t count, cap;
    struct object now;
    char *next; /* continuation token (version 2) or marker (version 1) */
    bool truncated;
    bool failed;
};

static void release_page(struct page *page) {
    for (size_t i = 0; i < page->count; i++)
        free(page->objects[i].key);
    free(page->objects);
    free(page->now.key);
    free(page->next);
}

static bool take(void *arg, const char *path, const char *text) {
    struct page *page = arg;
    const char *name = strchr(path, '/');
    if (name == NULL)
        return true;
    name++;
    if (strcmp(name, "Contents/Key") == 0) {
        free(page->now.key);
        page->now.key = strdup(text);
    } else if (strcmp(name, "Contents/Size") == 0) {
        page->now.size = strtoull(text, NULL, 10);
    } else if (strcmp(name, "Contents/LastModified") == 0) {
        if (!pgc_text_parse_rfc3339(text, &page->now.modified_us))
            page->now.modified_us = 0;
    } else if (strcmp(name, "IsTruncated") == 0) {
        page->truncated = strcmp(text, "true") == 0;
    } else if (strcmp(name, "NextContinuationToken") == 0) {
        free(page->next);
        page->next = strdup(text);
    } else if (strcmp(name, "Contents") == 0) {
        page->failed = page->now.key == NULL ||
                       !pgc_array_grow(&page->objects, &page->cap, page->count + 1, sizeof *page->objects);
        if (!page->failed)
            page->objects[page->count++] = page->now;
        if (!page->failed)
            page->now = (struct object) { 0 };
    }
    return !page->failed;
}

/* One page from `from` on; `max`: NULL or the number of keys. A server that does not know version 2 either refuses it or
 * answers as version 1: then the last key is the marker of the next page. */
static enum pgc_code fetch_page(struct pgc_s3 *s3, const char *full_prefix, const char *from, const char *max,
                                struct page *page, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "GET" };
    struct pgc_s3_fault fault;
    if (!s3->list_v1)
        pgc_s3_add_query(&request, "list-type", "2");
    if (full_prefix[0] != '\0')
        pgc_s3_add_query(&request, "prefix", full_prefix);
    if (max != NULL)
        pgc_s3_add_query(&request, "max-keys", max);
    if (from != NULL)
        pgc_s3_add_query(&request, s3->list_v1 ? "marker" : "continuation-token", from);
    enum pgc_code code = pgc_s3_call(s3, s3->http, &request, &answer, &fault, err);
    if (code != PGC_OK && !s3->list_v1 && from == NULL &&
        (fault.status == 501 || fault.status == 405 || fault.status == 400)) {
        s3->list_v1 = true;
        return fetch_page(s3, full_prefix, NULL, max, page, err);
    }
    if (code == PGC_OK)
        code = pgc_xml_walk(answer.body.data, answer.body.len, take, page, err);
    if (code == PGC_OK && page->failed)
        code = pgc_fail_nomem(err);
    if (code != PGC_OK || !page->truncated || (page->next != NULL && !s3->list_v1))
        return code;
    if (page->count == 0)
        return pgc_fail(err, PGC_E_DATA, "the server cut an empty list");
    s3->list_v1 = true;
    free(page->next);
    page->next = strdup(page->objects[page->count - 1].key);
    return page->next == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static bool is_volume_of(const char *full_key, const char *other) {
    size_t len = strlen(full_key);
    return strncmp(other, full_key, len) == 0 && other[len] == '.' && strlen(other + len) == 4 &&
           strspn(other + len + 1, "0123456789") == 3;
}

/* Large objects are held back until the keys that begin with theirs are through: their volumes are among those. */
struct report {
    const struct pgc_s3 *s3;
    const char *full_prefix;
    pgc_store_each_fn *fn;
    void *arg;
    struct object *held;
    size_t held_count, held_cap;
};

static enum pgc_code report_one(const struct report *r, const struct object *o, struct pgc_error *err) {
    struct pgc_error ignored;
    const char *key = o->key + strlen(r->s3->settings.prefix);
    if (!pgc_text_starts(o->key, r->full_prefix) || pgc_store_check_key(key, &ignored) != PGC_OK)
        return PGC_OK; /* folder marks of consoles ("a/") and what else is no key of ours */
    const struct pgc_store_entry entry = { key, o->size, o->modified_us };
    return r->fn(r->arg, &entry, err);
}

/* Reports the held ones whose volumes cannot come any more; `key` NULL: all. */
static enum pgc_code release_held(struct report *r, const char *key, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    while (code == PGC_OK && r->held_count > 0) {
        struct object *last = &r->held[r->held_count - 1];
        if (key != NULL && pgc_text_starts(key, last->key))
            break;
        code = report_one(r, last, err);
        free(last->key);
        r->held_count--;
    }
    return code;
}

static enum pgc_code report_page(struct report *r, struct page *page, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < page->count; i++) {
        struct object *o = &page->objects[i];
        size_t owner = 0;
        code = release_held(r, o->key, err);
        while (owner < r->held_count && !is_volume_of(r->held[owner].key, o->key))
            owner++;
        if (code != PGC_OK)
            break;
        if (owner < r->held_count) {
            r->held[owner].size += o->size;
        } else if (o->size < pgc_s3_volume_threshold(r->s3)) {
            code = report_one(r, o, err);
        } else if (pgc_array_grow(&r->held, &r->held_cap, r->held_count + 1, sizeof *r->held)) {
            r->held[r->held_count++] = *o;
            o->key = NULL;
        } else {
            code = pgc_fail_nomem(err);
        }
    }
    return code;
}

static void drop_report(struct report *r) {
    for (size_t i = 0; i < r->held_count; i++)
        free(r->held[i].key);
    free(r->held);
}

static enum pgc_code s3_each(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn, void *arg,
                             struct pgc_error *err) {
    struct pgc_s3 *s3 = (struct pgc_s3 *)store;
    PGC_AUTO_FREE char *full = pgc_s3_volume_key(s3, prefix, 0);
    PGC_AUTO_FREE char *from = NULL;
    PGC_CLEANUP(drop_report) struct report report = { .s3 = s3, .full_prefix = full, .fn = fn, .arg = arg };
    if (full == NULL)
        return pgc_fail_nomem(err);
    for (;;) {
        PGC_CLEANUP(release_page) struct page page = { 0 };
        enum pgc_code code = fetch_page(s3, full, from, NULL, &page, err);
        if (code == PGC_OK)
            code = report_page(&report, &page, err);
        if (code == PGC_OK && !page.truncated)
            return release_held(&report, NULL, err);
        if (code != PGC_OK)
            return code;
        free(from);
        from = page.next;
        page.next = NULL;
    }
}

/* --- erasing ------------------------------------------------------------------------------------------- */

static enum pgc_code erase_one(struct pgc_s3 *s3, const char *full_key, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "DELETE", .key = full_key };
    enum pgc_code code = pgc_s3_call(s3, s3->http, &request, &answer, NULL, err);
    return code == PGC_E_NOT_FOUND ? PGC_OK : code;
}

enum pgc_code pgc_s3_erase_volumes(struct pgc_s3 *s3, const char *full_key, unsigned from, struct pgc_error *err) {
    PGC_CLEANUP(release_page) struct page page = { 0 };
    PGC_AUTO_FREE char *below = NULL;
    if (asprintf(&below, "%s.", full_key) < 0)
        return pgc_fail_nomem(err);
    enum pgc_code code = fetch_page(s3, below, NULL, NULL, &page, err);
    for (size_t i = 0; code == PGC_OK && i < page.count; i++) {
        const char *key = page.objects[i].key;
        if (is_volume_of(full_key, key) && strtoul(key + strlen(below), NULL, 10) >= from)
            code = erase_one(s3, key, err);
    }
    return code;
}

/* Volumes go first, so that an object whose erasure was interrupted is still listed. */
static enum pgc_code erase_own_volumes(struct pgc_s3 *s3, const char *full_key, struct pgc_error *err) {
    PGC_CLEANUP(release_page) struct page first = { 0 };
    struct pgc_error ignored;
    if (fetch_page(s3, full_key, NULL, "1", &first, &ignored) != PGC_OK)
        return PGC_OK; /* we may erase but not look */
    if (first.count == 0 || strcmp(first.objects[0].key, full_key) != 0 ||
        first.objects[0].size < pgc_s3_volume_threshold(s3))
        return PGC_OK;
    return pgc_s3_erase_volumes(s3, full_key, 1, err);
}

static enum pgc_code s3_erase(struct pgc_store *store, const char *key, struct pgc_error *err) {
    struct pgc_s3 *s3 = (struct pgc_s3 *)store;
    PGC_AUTO_FREE char *full = pgc_s3_volume_key(s3, key, 0);
    if (full == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = erase_own_volumes(s3, full, err);
    return code == PGC_OK ? erase_one(s3, full, err) : code;
}

static enum pgc_code s3_sweep(struct pgc_store *store, const char *prefix, int64_t older_ms, size_t *count,
                              struct pgc_error *err) {
    struct pgc_s3 *s3 = (struct pgc_s3 *)store;
    PGC_AUTO_FREE char *full = pgc_s3_volume_key(s3, prefix, 0);
    return full == NULL ? pgc_fail_nomem(err) : pgc_s3_sweep(s3, full, false, older_ms, count, err);
}

/* --- opening ------------------------------------------------------------------------------------------- */

static void s3_drop(struct pgc_store *store) {
    struct pgc_s3 *s3 = (struct pgc_s3 *)store;
    pgc_http_free(s3->http);
    pgc_s3_identity_free(s3->identity);
    pgc_s3_settings_release(&s3->settings);
    pgc_buf_release(&s3->diagnosis);
    free(s3->ca_file);
    pthread_mutex_destroy(&s3->lock);
    free(s3);
}

static void choose_region(struct pgc_s3 *s3) {
    const char *region = s3->settings.region;
    if (region == NULL)
        region = s3->settings.host[0] == '\0' ? pgc_s3_identity_region(s3->identity) : s3->settings.profile->region;
    if (region == NULL)
        region = s3->settings.profile->region != NULL ? s3->settings.profile->region : "us-east-1";
    snprintf(s3->region, sizeof s3->region, "%s", region);
}

static enum pgc_code s3_attach(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                               struct pgc_store **out, struct pgc_error *err) {
    struct pgc_s3_credentials keys = { 0 };
    struct pgc_s3 *s3 = calloc(1, sizeof *s3);
    if (s3 == NULL)
        return pgc_fail_nomem(err);
    s3->base.driver = &pgc_store_driver_s3;
    s3->rt = rt;
    s3->bytes_per_second = options->bytes_per_second;
    s3->diagnosis = (struct pgc_buf)PGC_BUF_INIT;
    pthread_mutex_init(&s3->lock, NULL);
    enum pgc_code code = pgc_s3_settings_load(options, &s3->settings, err);
    if (code == PGC_OK)
        code = pgc_s3_identity_open(options, rt, &s3->identity, err);
    if (code == PGC_OK) /* fail before a dump is made, not after */
        code = pgc_s3_identity_get(s3->identity, false, &keys, err);
    pgc_s3_credentials_release(&keys);
    if (code == PGC_OK)
        code = pgc_s3_ca_file(options, &s3->ca_file, err);
    s3->http_options.ca_file = s3->ca_file;
    s3->http_options.stall_timeout_ms = s3->settings.stall_ms;
    if (code == PGC_OK)
        code = pgc_http_open(&s3->http_options, rt, &s3->http, err);
    if (code != PGC_OK) {
        s3_drop(&s3->base);
        return code;
    }
    s3->checksum = s3->settings.checksum;
    s3->list_v1 = s3->settings.list_version == 1;
    choose_region(s3);
    *out = &s3->base;
    return PGC_OK;
}

const char *pgc_s3_diagnosis(const struct pgc_store *store) {
    const struct pgc_s3 *s3 = (const struct pgc_s3 *)store;
    return store->driver != &pgc_store_driver_s3 || s3->diagnosis.len == 0 ? NULL : s3->diagnosis.data;
}

uint64_t pgc_s3_multipart_bytes(const struct pgc_store *store) {
    const struct pgc_s3 *s3 = (const struct pgc_s3 *)store;
    return store->driver != &pgc_store_driver_s3 ? 0 : pgc_s3_part_bytes(&s3->settings, 0);
}

const struct pgc_store_driver pgc_store_driver_s3 = {
    "s3", s3_attach, pgc_s3_put, pgc_s3_get, s3_each, s3_erase, s3_drop, s3_sweep,
};
