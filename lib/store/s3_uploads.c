/* Unfinished multipart uploads: ending one for sure, and finding those that killed writers left open. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/text.h"
#include "store/s3_uploads.h"
#include "store/xml.h"

#define ABORT_ROUNDS 5

/* A part that was under way when the upload was aborted may arrive after it and keep the upload alive: so the server is
 * asked whether it is gone. */
enum pgc_code pgc_s3_abort(struct pgc_s3 *s3, struct pgc_http *http, const char *full_key, const char *upload_id,
                           struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_fault fault;
    for (int round = 0; round < ABORT_ROUNDS; round++) {
        struct pgc_s3_request request = { .method = "DELETE", .key = full_key, .cleanup = true };
        pgc_s3_add_query(&request, "uploadId", upload_id);
        enum pgc_code code = pgc_s3_call(s3, http, &request, &answer, NULL, err);
        if (code == PGC_E_NOT_FOUND)
            return PGC_OK;
        if (code != PGC_OK)
            return code;
        request.method = "GET";
        pgc_s3_add_query(&request, "max-parts", "1");
        code = pgc_s3_call(s3, http, &request, &answer, &fault, err);
        if (code != PGC_OK && (fault.status / 100 == 4 || fault.status == 501))
            return PGC_OK; /* gone, or we may not look */
        if (code != PGC_OK)
            return code;
        nanosleep(&(struct timespec) { 0, 100000000L << round }, NULL);
    }
    return pgc_fail(err, PGC_E_TEMPORARY, "the multipart upload of '%s' is still open after %d aborts", full_key,
                    ABORT_ROUNDS);
}

struct upload {
    char *key;
    char *id;
    int64_t started_us;
};

struct page {
    struct upload *uploads;
    size_t count, cap;
    struct upload now;
    char *next_key;
    char *next_id;
    bool truncated;
    bool failed;
};

static void keep(struct page *page, char **slot, const char *text) {
    free(*slot);
    *slot = strdup(text);
    page->failed |= *slot == NULL;
}

static bool take(void *arg, const char *path, const char *text) {
    struct page *page = arg;
    const char *name = strchr(path, '/');
    if (name == NULL)
        return true;
    name++;
    if (strcmp(name, "Upload/Key") == 0)
        keep(page, &page->now.key, text);
    else if (strcmp(name, "Upload/UploadId") == 0)
        keep(page, &page->now.id, text);
    else if (strcmp(name, "Upload/Initiated") == 0 && !pgc_text_parse_rfc3339(text, &page->now.started_us))
        page->now.started_us = 0;
    else if (strcmp(name, "NextKeyMarker") == 0)
        keep(page, &page->next_key, text);
    else if (strcmp(name, "NextUploadIdMarker") == 0)
        keep(page, &page->next_id, text);
    else if (strcmp(name, "IsTruncated") == 0)
        page->truncated = strcmp(text, "true") == 0;
    else if (strcmp(name, "Upload") == 0) {
        if (page->now.key != NULL && page->now.id != NULL &&
            pgc_array_grow(&page->uploads, &page->cap, page->count + 1, sizeof *page->uploads)) {
            page->uploads[page->count++] = page->now;
            page->now = (struct upload) { 0 };
        } else {
            page->failed = true;
        }
    }
    return !page->failed;
}

static void release_page(struct page *page) {
    for (size_t i = 0; i < page->count; i++) {
        free(page->uploads[i].key);
        free(page->uploads[i].id);
    }
    free(page->uploads);
    free(page->now.key);
    free(page->now.id);
    free(page->next_key);
    free(page->next_id);
}

static enum pgc_code fetch_page(struct pgc_s3 *s3, const char *full_prefix, const char *key_marker,
                                const char *id_marker, bool cleanup, struct page *page, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_s3_request request = { .method = "GET", .cleanup = cleanup };
    pgc_s3_add_query(&request, "uploads", NULL);
    pgc_s3_add_query(&request, "prefix", full_prefix);
    if (key_marker != NULL)
        pgc_s3_add_query(&request, "key-marker", key_marker);
    if (id_marker != NULL)
        pgc_s3_add_query(&request, "upload-id-marker", id_marker);
    enum pgc_code code = pgc_s3_call(s3, s3->http, &request, &answer, NULL, err);
    if (code == PGC_OK)
        code = pgc_xml_walk(answer.body.data, answer.body.len, take, page, err);
    return code == PGC_OK && page->failed ? pgc_fail_nomem(err) : code;
}

enum pgc_code pgc_s3_sweep(struct pgc_s3 *s3, const char *full_prefix, bool exact, int64_t older_ms, size_t *count,
                           struct pgc_error *err) {
    PGC_AUTO_FREE char *key_marker = NULL;
    PGC_AUTO_FREE char *id_marker = NULL;
    int64_t before_us = pgc_wall_us(s3->rt) + s3->skew_s * 1000000 - older_ms * 1000;
    for (;;) {
        PGC_CLEANUP(release_page) struct page page = { 0 };
        enum pgc_code code = fetch_page(s3, full_prefix, key_marker, id_marker, exact, &page, err);
        for (size_t i = 0; code == PGC_OK && i < page.count; i++) {
            const struct upload *u = &page.uploads[i];
            if ((exact && strcmp(u->key, full_prefix) != 0) || !pgc_text_starts(u->key, full_prefix) ||
                (!exact && older_ms > 0 && u->started_us > before_us))
                continue;
            code = pgc_s3_abort(s3, s3->http, u->key, u->id, err);
            *count += code == PGC_OK ? 1 : 0;
        }
        if (code != PGC_OK || !page.truncated || page.next_key == NULL)
            return code;
        free(key_marker);
        free(id_marker);
        key_marker = page.next_key;
        id_marker = page.next_id;
        page.next_key = page.next_id = NULL;
    }
}
