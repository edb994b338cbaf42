/* Every vector of $CORPUS/sigv4, signed by header and by query: canonical request, string to sign, signature and what is
 * sent. Without the corpus nothing is tested and a line says so; tests/conformance/sigv4.sh counts the vectors.
 * S3 never normalises paths, so the library does not either: for the vectors that ask for it, it is done here. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "store/sigv4.h"

#define PAIRS_MAX 16

struct vector {
    char folder[512];
    struct pgc_strings memory; /* owns every text below */
    const char *method, *path, *body;
    struct pgc_sigv4_pair query[PAIRS_MAX], headers[PAIRS_MAX];
    size_t query_count, header_count;
    struct pgc_sigv4_key key;
    const char *token;
    bool token_unsigned, sign_body, normalize;
    int64_t time, expires;
};

static char *slurp(const struct vector *v, const char *name) {
    char path[800];
    snprintf(path, sizeof path, "%s/%s", v->folder, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open '%s'", path);
    char *text = calloc(1, 65536);
    ck_assert(fread(text, 1, 65535, file) < 65535);
    fclose(file);
    return text;
}

static char *keep(struct vector *v, const char *text, size_t len) {
    struct pgc_error err;
    char *copy = strndup(text, len);
    ck_assert_int_eq(pgc_strings_take(&v->memory, copy, &err), PGC_OK);
    return copy;
}

/* The value of "name" in the flat JSON of the corpus, NULL when absent. */
static char *field(struct vector *v, const char *json, const char *name) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *at = strstr(json, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, ": ");
    bool string = *at == '"';
    at += string ? 1 : 0;
    return keep(v, at, strcspn(at, string ? "\"" : ",} \n"));
}

static bool is_true(const char *value) {
    return value != NULL && strcmp(value, "true") == 0;
}

static void load_context(struct vector *v) {
    PGC_AUTO_FREE char *json = slurp(v, "context.json");
    int64_t us = 0;
    v->key.access_key = field(v, json, "access_key_id");
    v->key.secret_key = field(v, json, "secret_access_key");
    v->key.region = field(v, json, "region");
    v->key.service = field(v, json, "service");
    v->token = field(v, json, "token");
    v->token_unsigned = is_true(field(v, json, "omit_session_token"));
    v->sign_body = is_true(field(v, json, "sign_body"));
    v->normalize = is_true(field(v, json, "normalize"));
    v->expires = atoll(field(v, json, "expiration_in_seconds"));
    ck_assert(pgc_text_parse_rfc3339(field(v, json, "timestamp"), &us));
    v->time = us / 1000000;
}

/* RFC 3986 section 5.2.4, and empty segments removed. */
static char *normalized(struct vector *v, const char *path) {
    const char *segments[64];
    size_t lens[64];
    size_t count = 0;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    for (const char *at = path; *at != '\0';) {
        at += strspn(at, "/");
        size_t len = strcspn(at, "/");
        if (len == 2 && memcmp(at, "..", 2) == 0) {
            count -= count > 0 ? 1 : 0;
        } else if (len > 0 && !(len == 1 && *at == '.')) {
            segments[count] = at;
            lens[count++] = len;
        }
        at += len;
    }
    for (size_t i = 0; i < count; i++)
        pgc_buf_putf(&out, "/%.*s", (int)lens[i], segments[i]);
    return out.len > 0 ? keep(v, out.data, out.len) : keep(v, "/", 1);
}

static void load_query(struct vector *v, const char *at, size_t len) {
    const char *end = at + len;
    while (at < end) {
        size_t n = 0;
        while (at + n < end && at[n] != '&')
            n++;
        const char *equals = memchr(at, '=', n);
        size_t name = equals != NULL ? (size_t)(equals - at) : n;
        v->query[v->query_count++] =
            (struct pgc_sigv4_pair) { keep(v, at, name), equals != NULL ? keep(v, equals + 1, n - name - 1) : NULL };
        at += n + 1;
    }
}

static void load_request(struct vector *v) {
    char *text = slurp(v, "request.txt");
    ck_assert_int_eq(pgc_strings_take(&v->memory, text, &(struct pgc_error) { 0 }), PGC_OK);
    size_t method = strcspn(text, " ");
    char *target = text + method + 1;
    char *target_end = strstr(target, " HTTP/1.1");
    size_t path = strcspn(target, "? ");
    v->method = keep(v, text, method);
    v->path = keep(v, target, path);
    if (v->normalize)
        v->path = normalized(v, v->path);
    if (target[path] == '?')
        load_query(v, target + path + 1, (size_t)(target_end - target) - path - 1);
    char *line = strchr(target_end, '\n') + 1;
    while (*line != '\0' && *line != '\n') {
        char *colon = strchr(line, ':');
        char *end = line + strcspn(line, "\n");
        while (end[0] == '\n' && (end[1] == ' ' || end[1] == '\t')) /* a folded header goes on */
            end += 1 + strcspn(end + 1, "\n");
        v->headers[v->header_count++] = (struct pgc_sigv4_pair) { keep(v, line, (size_t)(colon - line)),
                                                                  keep(v, colon + 1, (size_t)(end - colon - 1)) };
        line = *end != '\0' ? end + 1 : end;
    }
    v->body = *line == '\n' ? line + 1 : line;
}

static void same(const struct vector *v, const char *file, const char *got) {
    PGC_AUTO_FREE char *want = slurp(v, file);
    ck_assert_msg(strcmp(got, want) == 0, "%s/%s\n--- got\n%s\n--- wanted\n%s", v->folder, file, got, want);
}

static void header_case(struct vector *v, const char *hash) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf authorization = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf canonical = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
    struct pgc_sigv4_pair headers[PAIRS_MAX + 3];
    size_t count = v->header_count;
    char date[PGC_SIGV4_DATE_SIZE];
    char signature[65];
    memcpy(headers, v->headers, sizeof v->headers);
    pgc_sigv4_date(v->time, date);
    headers[count++] = (struct pgc_sigv4_pair) { "X-Amz-Date", date };
    if (v->token != NULL && !v->token_unsigned)
        headers[count++] = (struct pgc_sigv4_pair) { "X-Amz-Security-Token", v->token };
    if (v->sign_body)
        headers[count++] = (struct pgc_sigv4_pair) { "x-amz-content-sha256", hash };
    const struct pgc_sigv4_request request = { v->method, v->path, v->query, v->query_count, headers, count, hash };
    pgc_sigv4_authorization(&request, &v->key, v->time, &authorization, &canonical);
    pgc_sigv4_string_to_sign(&request, &v->key, v->time, &text);
    pgc_sigv4_signature(&request, &v->key, v->time, signature);
    same(v, "header-canonical-request.txt", canonical.data);
    same(v, "header-string-to-sign.txt", text.data);
    same(v, "header-signature.txt", signature);
    PGC_AUTO_FREE char *sent = slurp(v, "header-signed-request.txt");
    pgc_buf_putf(&line, "\nAuthorization:%s\n", authorization.data);
    ck_assert_msg(strstr(sent, line.data) != NULL, "%s: %s", v->folder, line.data);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The parameters of a query string in byte order, so that their order in the request does not matter. */
static void sorted_params(const char *query, size_t len, struct pgc_buf *out) {
    struct pgc_strings parts = PGC_STRINGS_INIT;
    PGC_AUTO_FREE char *text = strndup(query, len);
    char *rest = NULL;
    for (char *p = strtok_r(text, "&", &rest); p != NULL; p = strtok_r(NULL, "&", &rest))
        ck_assert_int_eq(pgc_strings_add(&parts, p, &(struct pgc_error) { 0 }), PGC_OK);
    qsort(parts.items, parts.count, sizeof *parts.items, by_text);
    for (size_t i = 0; i < parts.count; i++)
        pgc_buf_putf(out, "%s\n", parts.items[i]);
    pgc_strings_release(&parts);
}

static void query_case(struct vector *v, const char *hash) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf query = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf canonical = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf got = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf want = PGC_BUF_INIT;
    const struct pgc_sigv4_request request = { v->method,  v->path,         v->query, v->query_count,
                                               v->headers, v->header_count, hash };
    struct pgc_sigv4_key key = v->key;
    key.token = v->token_unsigned ? NULL : v->token;
    ck_assert(pgc_sigv4_presign(&request, &key, v->time, v->expires, &query, &canonical, &text));
    same(v, "query-canonical-request.txt", canonical.data);
    same(v, "query-string-to-sign.txt", text.data);
    const char *signature = strstr(query.data, "X-Amz-Signature=");
    ck_assert_ptr_nonnull(signature);
    same(v, "query-signature.txt", signature + strlen("X-Amz-Signature="));
    if (v->token_unsigned) {
        pgc_buf_puts(&query, "&X-Amz-Security-Token=");
        pgc_text_percent(&query, v->token, strlen(v->token), "");
    }
    PGC_AUTO_FREE char *sent = slurp(v, "query-signed-request.txt");
    const char *begin = strchr(sent, '?') + 1;
    sorted_params(query.data, query.len, &got);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf encoded = PGC_BUF_INIT; /* one vector has raw UTF-8 in its request */
    for (const char *c = begin; *c != ' '; c++)
        if ((unsigned char)*c < 0x80)
            pgc_buf_putc(&encoded, *c);
        else
            pgc_text_percent(&encoded, c, 1, "");
    sorted_params(encoded.data, encoded.len, &want);
    ck_assert_str_eq(got.data, want.data);
}

static char vectors[64][512];
static int vector_count;

START_TEST(vector)
{
    struct vector v = { 0 };
    char hash[65];
    snprintf(v.folder, sizeof v.folder, "%s", vectors[_i]);
    load_context(&v);
    load_request(&v);
    pgc_sigv4_hash(v.body, v.sign_body ? strlen(v.body) : 0, hash, NULL);
    header_case(&v, hash);
    query_case(&v, hash);
    pgc_strings_release(&v.memory);
}
END_TEST

Suite *sigv4_corpus_suite(void);
Suite *sigv4_corpus_suite(void) {
    Suite *suite = suite_create("sigv4_corpus");
    TCase *tcase = tcase_create("vectors");
    const char *corpus = getenv("CORPUS");
    char folder[400];
    snprintf(folder, sizeof folder, "%s/sigv4", corpus != NULL ? corpus : "../shared/corpus");
    DIR *dir = opendir(folder);
    vector_count = 0;
    for (struct dirent *entry; dir != NULL && vector_count < 64 && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            snprintf(vectors[vector_count++], sizeof vectors[0], "%.255s/%.255s", folder, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    if (vector_count == 0)
        fprintf(stderr, "skipped - sigv4 vectors: '%s' is absent\n", folder);
    tcase_add_loop_test(tcase, vector, 0, vector_count);
    suite_add_tcase(suite, tcase);
    return suite;
}
