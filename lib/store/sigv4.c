#include "store/sigv4.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

void pgc_sigv4_date(int64_t unix_s, char out[PGC_SIGV4_DATE_SIZE]) {
    int64_t days = unix_s / 86400;
    int64_t rest = unix_s % 86400;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    char text[64];
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    pgc_civil_from_days(days, &year, &month, &day);
    snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02dZ", (int)(year % 10000), month, day, (int)(rest / 3600),
             (int)(rest / 60 % 60), (int)(rest % 60));
    memcpy(out, text, PGC_SIGV4_DATE_SIZE - 1);
    out[PGC_SIGV4_DATE_SIZE - 1] = '\0';
}

void pgc_sigv4_path(struct pgc_buf *out, const char *key) {
    pgc_text_percent(out, key, strlen(key), "/");
}

void pgc_sigv4_hash(const void *data, size_t len, char hex[65], unsigned char raw[32]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[32];
    unsigned int size = sizeof sum;
    if (EVP_Digest(data, len, sum, &size, EVP_sha256(), NULL) != 1)
        memset(sum, 0, sizeof sum); /* cannot happen with SHA-256; a wrong hash is refused by the server */
    for (size_t i = 0; hex != NULL && i < sizeof sum; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    if (hex != NULL)
        hex[64] = '\0';
    if (raw != NULL)
        memcpy(raw, sum, sizeof sum);
}

/* One "name=value" (query) or "name:value" (header) of the canonical request; `len` is the name's length. */
struct line {
    char *text;
    size_t name_len;
};

static int compare_lines(const void *a, const void *b) {
    const struct line *x = a;
    const struct line *y = b;
    size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
    int order = memcmp(x->text, y->text, n);
    if (order == 0 && x->name_len != y->name_len)
        return x->name_len < y->name_len ? -1 : 1;
    return order != 0 ? order : strcmp(x->text + n, y->text + n);
}

static void free_lines(struct line *lines, size_t count) {
    for (size_t i = 0; lines != NULL && i < count; i++)
        free(lines[i].text);
    free(lines);
}

static char *query_line(const struct pgc_sigv4_pair *pair, size_t *name_len) {
    struct pgc_buf text = PGC_BUF_INIT;
    const char *value = pair->value != NULL ? pair->value : "";
    pgc_text_percent(&text, pair->name, strlen(pair->name), "");
    *name_len = text.len;
    pgc_buf_putc(&text, '=');
    pgc_text_percent(&text, value, strlen(value), "");
    char *line = pgc_buf_detach(&text);
    pgc_buf_release(&text);
    return line;
}

static char *header_line(const struct pgc_sigv4_pair *pair, size_t *name_len) {
    struct pgc_buf text = PGC_BUF_INIT;
    const char *c = pair->value != NULL ? pair->value : "";
    bool gap = false;
    for (const char *n = pair->name; *n != '\0'; n++)
        pgc_buf_putc(&text, (char)tolower((unsigned char)*n));
    *name_len = text.len;
    pgc_buf_putc(&text, ':');
    size_t begin = text.len;
    for (; *c != '\0'; c++) {
        if (isspace((unsigned char)*c)) {
            gap = text.len > begin;
            continue;
        }
        if (gap)
            pgc_buf_putc(&text, ' ');
        gap = false;
        pgc_buf_putc(&text, *c);
    }
    char *line = pgc_buf_detach(&text);
    pgc_buf_release(&text);
    return line;
}

/* Sorted lines of all pairs; NULL when there is no memory (then `out` is marked as failed). */
static struct line *sorted_lines(const struct pgc_sigv4_pair *pairs, size_t count,
                                 char *(*make)(const struct pgc_sigv4_pair *, size_t *), struct pgc_buf *out) {
    struct line *lines = calloc(count + 1, sizeof *lines);
    bool good = lines != NULL;
    for (size_t i = 0; good && i < count; i++) {
        lines[i].text = make(&pairs[i], &lines[i].name_len);
        good = lines[i].text != NULL;
    }
    if (!good) {
        free_lines(lines, count);
        out->failed = true;
        return NULL;
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    return lines;
}

void pgc_sigv4_query(struct pgc_buf *out, const struct pgc_sigv4_pair *pairs, size_t count) {
    struct line *lines = sorted_lines(pairs, count, query_line, out);
    if (lines == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            pgc_buf_putc(out, '&');
        pgc_buf_puts(out, lines[i].text);
    }
    free_lines(lines, count);
}

static void put_signed_names(struct pgc_buf *out, const struct line *lines, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            pgc_buf_putc(out, ';');
        pgc_buf_put(out, lines[i].text, lines[i].name_len);
    }
}

static void signed_names(const struct pgc_sigv4_request *request, struct pgc_buf *out) {
    struct line *lines = sorted_lines(request->headers, request->header_count, header_line, out);
    if (lines == NULL)
        return;
    put_signed_names(out, lines, request->header_count);
    free_lines(lines, request->header_count);
}

void pgc_sigv4_canonical(const struct pgc_sigv4_request *request, struct pgc_buf *out) {
    struct line *lines = sorted_lines(request->headers, request->header_count, header_line, out);
    if (lines == NULL)
        return;
    pgc_buf_putf(out, "%s\n%s\n", request->method, request->path[0] != '\0' ? request->path : "/");
    pgc_sigv4_query(out, request->query, request->query_count);
    pgc_buf_putc(out, '\n');
    for (size_t i = 0; i < request->header_count; i++)
        pgc_buf_putf(out, "%s\n", lines[i].text);
    pgc_buf_putc(out, '\n');
    put_signed_names(out, lines, request->header_count);
    pgc_buf_putf(out, "\n%s", request->payload_hash);
    free_lines(lines, request->header_count);
}

static void put_scope(struct pgc_buf *out, const struct pgc_sigv4_key *key, const char *date) {
    pgc_buf_putf(out, "%.8s/%s/%s/aws4_request", date, key->region, key->service);
}

void pgc_sigv4_string_to_sign(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                              struct pgc_buf *out) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf canonical = PGC_BUF_INIT;
    char date[PGC_SIGV4_DATE_SIZE];
    char hash[65];
    pgc_sigv4_date(unix_s, date);
    pgc_sigv4_canonical(request, &canonical);
    out->failed |= canonical.failed;
    pgc_sigv4_hash(canonical.data, canonical.len, hash, NULL);
    pgc_buf_putf(out, ALGORITHM "\n%s\n", date);
    put_scope(out, key, date);
    pgc_buf_putf(out, "\n%s", hash);
}

static bool mac(const void *key, size_t key_len, const char *text, size_t len, unsigned char out[32]) {
    unsigned int size = 32;
    return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len, out, &size) != NULL;
}

/* The chain date, region, service, "aws4_request" that makes the signing key of one day. */
static bool signing_key(const struct pgc_sigv4_key *key, const char *date, unsigned char out[32]) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf secret = PGC_BUF_INIT;
    unsigned char a[32];
    unsigned char b[32];
    pgc_buf_putf(&secret, "AWS4%s", key->secret_key);
    bool good = !secret.failed && mac(secret.data, secret.len, date, 8, a) &&
                mac(a, sizeof a, key->region, strlen(key->region), b) &&
                mac(b, sizeof b, key->service, strlen(key->service), a) &&
                mac(a, sizeof a, "aws4_request", strlen("aws4_request"), out);
    OPENSSL_cleanse(a, sizeof a);
    OPENSSL_cleanse(b, sizeof b);
    return good;
}

void pgc_sigv4_signature(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                         char hex[65]) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    unsigned char signer[32];
    unsigned char sum[32] = { 0 };
    char date[PGC_SIGV4_DATE_SIZE];
    pgc_sigv4_date(unix_s, date);
    pgc_sigv4_string_to_sign(request, key, unix_s, &text);
    if (!text.failed && signing_key(key, date, signer) && !mac(signer, sizeof signer, text.data, text.len, sum))
        memset(sum, 0, sizeof sum);
    OPENSSL_cleanse(signer, sizeof signer);
    pgc_text_hex(&out, sum, sizeof sum);
    snprintf(hex, 65, "%s", out.data);
}

void pgc_sigv4_authorization(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                             struct pgc_buf *out, struct pgc_buf *canonical) {
    char date[PGC_SIGV4_DATE_SIZE];
    char signature[65];
    pgc_sigv4_date(unix_s, date);
    pgc_sigv4_signature(request, key, unix_s, signature);
    pgc_buf_putf(out, ALGORITHM " Credential=%s/", key->access_key);
    put_scope(out, key, date);
    pgc_buf_puts(out, ", SignedHeaders=");
    signed_names(request, out);
    pgc_buf_putf(out, ", Signature=%s", signature);
    if (canonical != NULL)
        pgc_sigv4_canonical(request, canonical);
}

bool pgc_sigv4_presign(const struct pgc_sigv4_request *request, const struct pgc_sigv4_key *key, int64_t unix_s,
                       int64_t expires_s, struct pgc_buf *out, struct pgc_buf *canonical, struct pgc_buf *to_sign) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf credential = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf names = PGC_BUF_INIT;
    char date[PGC_SIGV4_DATE_SIZE];
    char expires[24];
    char signature[65];
    size_t count = request->query_count;
    PGC_AUTO_FREE struct pgc_sigv4_pair *query = calloc(count + 6, sizeof *query);
    if (query == NULL)
        return false;
    if (count > 0)
        memcpy(query, request->query, count * sizeof *query);
    pgc_sigv4_date(unix_s, date);
    snprintf(expires, sizeof expires, "%lld", (long long)expires_s);
    pgc_buf_putf(&credential, "%s/", key->access_key);
    put_scope(&credential, key, date);
    signed_names(request, &names);
    query[count++] = (struct pgc_sigv4_pair) { "X-Amz-Algorithm", ALGORITHM };
    query[count++] = (struct pgc_sigv4_pair) { "X-Amz-Credential", credential.data };
    query[count++] = (struct pgc_sigv4_pair) { "X-Amz-Date", date };
    query[count++] = (struct pgc_sigv4_pair) { "X-Amz-Expires", expires };
    query[count++] = (struct pgc_sigv4_pair) { "X-Amz-SignedHeaders", names.data };
    if (key->token != NULL)
        query[count++] = (struct pgc_sigv4_pair) { "X-Amz-Security-Token", key->token };
    struct pgc_sigv4_request signed_request = *request;
    signed_request.query = query;
    signed_request.query_count = count;
    pgc_sigv4_signature(&signed_request, key, unix_s, signature);
    pgc_sigv4_query(out, query, count);
    pgc_buf_putf(out, "&X-Amz-Signature=%s", signature);
    if (canonical != NULL)
        pgc_sigv4_canonical(&signed_request, canonical);
    if (to_sign != NULL)
        pgc_sigv4_string_to_sign(&signed_request, key, unix_s, to_sign);
    return !out->failed && !credential.failed && !names.failed;
}
