#include "store/s3_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "base/text.h"
#include "store/url.h"
#include "store/xml.h"

#define BACKOFF_FIRST_MS 200
#define BACKOFF_MOST_MS  20000
#define RETRY_AFTER_MOST 60
#define CLEANUP_ATTEMPTS 4
#define ADAPTATIONS_MOST 4
#define SKEW_WORTH_A_TRY 60 /* seconds */
#define NAP_MS           100

void pgc_s3_add_header(struct pgc_s3_request *request, const char *name, const char *value) {
    if (value != NULL && request->header_count < PGC_S3_PAIRS_MAX)
        request->headers[request->header_count++] = (struct pgc_sigv4_pair) { name, value };
}

void pgc_s3_add_query(struct pgc_s3_request *request, const char *name, const char *value) {
    if (request->query_count < sizeof request->query / sizeof request->query[0])
        request->query[request->query_count++] = (struct pgc_sigv4_pair) { name, value };
}

/* --- one attempt --------------------------------------------------------------------------------------- */

/* What one attempt is made of; everything signed is what is sent. */
struct attempt {
    struct pgc_buf host, path, query, url, authorization, canonical, to_sign;
    struct pgc_s3_credentials keys;
    struct pgc_strings lines;
    char date[PGC_SIGV4_DATE_SIZE];
    char hash[65];
    char region[64];
    bool with_checksum; /* checksum headers were sent */
};

static void release_attempt(struct attempt *a) {
    struct pgc_buf *const bufs[] = { &a->host,          &a->path,      &a->query,  &a->url,
                                     &a->authorization, &a->canonical, &a->to_sign };
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        pgc_buf_release(bufs[i]);
    pgc_strings_release(&a->lines);
    pgc_s3_credentials_release(&a->keys);
}

static void put_address(const struct pgc_s3 *s3, const struct pgc_s3_request *request, struct attempt *a) {
    const struct pgc_s3_settings *s = &s3->settings;
    if (!s->path_style)
        pgc_buf_putf(&a->host, "%s.", s->bucket);
    if (s->host[0] != '\0')
        pgc_buf_puts(&a->host, s->host);
    else
        pgc_buf_putf(&a->host, "s3.%s.amazonaws.com%s", a->region, strncmp(a->region, "cn-", 3) == 0 ? ".cn" : "");
    pgc_buf_puts(&a->path, s->base_path);
    if (s->path_style)
        pgc_buf_putf(&a->path, "/%s", s->bucket);
    if (request->key != NULL || !s->path_style)
        pgc_buf_putc(&a->path, '/');
    if (request->key != NULL)
        pgc_sigv4_path(&a->path, request->key);
    pgc_sigv4_query(&a->query, request->query, request->query_count);
    pgc_buf_putf(&a->url, "%s://%s%s%s%s", s->tls ? "https" : "http", a->host.data, a->path.data,
                 a->query.len > 0 ? "?" : "", a->query.data);
}

static bool is_checksum(const char *header) {
    return strncmp(header, "x-amz-checksum-", 15) == 0;
}

static size_t put_customer_key(const struct pgc_s3_settings *s, struct pgc_sigv4_pair *out) {
    out[0] = (struct pgc_sigv4_pair) { "x-amz-server-side-encryption-customer-algorithm", "AES256" };
    out[1] = (struct pgc_sigv4_pair) { "x-amz-server-side-encryption-customer-key", s->customer_key };
    out[2] = (struct pgc_sigv4_pair) { "x-amz-server-side-encryption-customer-key-md5", s->customer_key_md5 };
    return 3;
}

/* Host, all x-amz-* and content-md5 are signed; the rest is only sent. */
static enum pgc_code put_headers(const struct pgc_s3_settings *settings, const struct pgc_s3_request *request,
                                 const struct pgc_sigv4_key *key, int64_t now, bool checksum, struct attempt *a,
                                 struct pgc_error *err) {
    struct pgc_sigv4_pair sign[PGC_S3_PAIRS_MAX + 7];
    size_t count = 0;
    sign[count++] = (struct pgc_sigv4_pair) { "host", a->host.data };
    sign[count++] = (struct pgc_sigv4_pair) { "x-amz-content-sha256", a->hash };
    sign[count++] = (struct pgc_sigv4_pair) { "x-amz-date", a->date };
    if (a->keys.token != NULL)
        sign[count++] = (struct pgc_sigv4_pair) { "x-amz-security-token", a->keys.token };
    if (request->customer_key && settings->customer_key != NULL)
        count += put_customer_key(settings, &sign[count]);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct pgc_sigv4_pair *h = &request->headers[i];
        if (is_checksum(h->name) && !checksum)
            continue;
        a->with_checksum |= is_checksum(h->name);
        if (strncmp(h->name, "x-amz-", 6) == 0 || strcmp(h->name, "content-md5") == 0)
            sign[count++] = *h;
        else if (pgc_strings_addf(&a->lines, err, "%s: %s", h->name, h->value) != PGC_OK)
            return err->code;
    }
    const struct pgc_sigv4_request signing = {
        request->method, a->path.data, request->query, request->query_count, sign, count, a->hash
    };
    pgc_sigv4_authorization(&signing, key, now, &a->authorization, &a->canonical);
    pgc_sigv4_string_to_sign(&signing, key, now, &a->to_sign);
    for (size_t i = 0; i < count; i++)
        if (pgc_strings_addf(&a->lines, err, "%s: %s", sign[i].name, sign[i].value) != PGC_OK)
            return err->code;
    return pgc_strings_addf(&a->lines, err, "Authorization: %s", a->authorization.data);
}

static enum pgc_code build(struct pgc_s3 *s3, const struct pgc_s3_request *request, bool refresh_keys,
                           struct attempt *a, struct pgc_error *err) {
    *a = (struct attempt) { .host = PGC_BUF_INIT,
                            .path = PGC_BUF_INIT,
                            .query = PGC_BUF_INIT,
                            .url = PGC_BUF_INIT,
                            .authorization = PGC_BUF_INIT,
                            .canonical = PGC_BUF_INIT,
                            .to_sign = PGC_BUF_INIT };
    pthread_mutex_lock(&s3->lock);
    int64_t now = pgc_wall_us(s3->rt) / 1000000 + s3->skew_s;
    bool checksum = s3->checksum;
    snprintf(a->region, sizeof a->region, "%s", s3->region);
    pthread_mutex_unlock(&s3->lock);
    enum pgc_code code = pgc_s3_identity_get(s3->identity, refresh_keys, &a->keys, err);
    if (code != PGC_OK)
        return code;
    put_address(s3, request, a);
    pgc_sigv4_date(now, a->date);
    if (request->body_hash != NULL)
        snprintf(a->hash, sizeof a->hash, "%s", request->body_hash);
    else
        pgc_sigv4_hash(request->body, request->body_len, a->hash, NULL);
    const struct pgc_sigv4_key key = { a->keys.access_key, a->keys.secret_key, NULL, a->region, "s3" };
    code = put_headers(&s3->settings, request, &key, now, checksum, a, err);
    if (code == PGC_OK && (a->url.failed || a->authorization.failed || a->canonical.failed || a->to_sign.failed))
        code = pgc_fail_nomem(err);
    return code;
}

static enum pgc_code exchange(struct pgc_http *http, const struct pgc_s3_request *request, const struct attempt *a,
                              struct pgc_http_answer *answer, struct pgc_error *err) {
    const struct pgc_http_request wire = {
        .method = request->method,
        .url = a->url.data,
        .headers = (const char *const *)a->lines.items,
        .header_count = a->lines.count,
        .body = request->body,
        .body_len = request->body_len,
        .stream = request->stream,
        .cleanup = request->cleanup,
        .fresh = strcmp(request->method, "POST") == 0, /* not idempotent: we must know how often it was sent */
        .answer_max = (size_t)8 << 20,
        .stall_timeout_ms = request->stall_timeout_ms,
    };
    if (!request->stream)
        return pgc_http_perform(http, &wire, answer, err);
    enum pgc_code code = pgc_http_start(http, &wire, answer, err);
    if (code == PGC_OK)
        code = pgc_http_wait(http, err);
    if (code == PGC_OK && answer->status / 100 != 2)
        code = pgc_http_finish(http, err);
    if (code != PGC_OK)
        pgc_http_stop(http);
    return code;
}

/* --- what the answer means ----------------------------------------------------------------------------- */

struct document {
    struct pgc_s3_fault *fault;
    struct pgc_buf canonical, to_sign; /* as the server computed them */
    char endpoint[256];                /* where a redirect leads */
    bool is_error;
};

static void release_document(struct document *d) {
    pgc_buf_release(&d->canonical);
    pgc_buf_release(&d->to_sign);
}

static bool take_error(void *arg, const char *path, const char *text) {
    struct document *d = arg;
    const char *name = strrchr(path, '/');
    if (strcmp(path, "Error") == 0)
        d->is_error = true;
    if (name == NULL || strncmp(path, "Error/", 6) != 0)
        return true;
    name++;
    d->is_error = true;
    if (strcmp(name, "Code") == 0)
        snprintf(d->fault->code, sizeof d->fault->code, "%s", text);
    else if (strcmp(name, "Message") == 0)
        snprintf(d->fault->message, sizeof d->fault->message, "%s", text);
    else if (strcmp(name, "Region") == 0)
        snprintf(d->fault->region, sizeof d->fault->region, "%s", text);
    else if (strcmp(name, "CanonicalRequest") == 0)
        pgc_buf_puts(&d->canonical, text);
    else if (strcmp(name, "StringToSign") == 0)
        pgc_buf_puts(&d->to_sign, text);
    else if (strcmp(name, "Endpoint") == 0)
        snprintf(d->endpoint, sizeof d->endpoint, "%s", text);
    return true;
}

/* The region in "bucket.s3.eu-west-1.amazonaws.com" or "bucket.s3-eu-west-1.amazonaws.com". */
static void region_of_host(const char *host, char *out, size_t size) {
    const char *at = strstr(host, ".s3.") != NULL ? strstr(host, ".s3.") : strstr(host, ".s3-");
    size_t len = at != NULL ? strcspn(at + 4, ".") : 0;
    if (at != NULL && strncmp(at + 4 + len, ".amazonaws.com", 14) == 0)
        snprintf(out, size, "%.*s", (int)len, at + 4);
}

static void read_fault(const struct pgc_http_answer *answer, struct pgc_s3_fault *fault, struct document *d) {
    struct pgc_error ignored;
    const char *region = pgc_http_header(answer, "x-amz-bucket-region");
    const char *location = pgc_http_header(answer, "location");
    d->fault = fault;
    fault->status = answer->status;
    fault->code[0] = fault->message[0] = fault->region[0] = '\0';
    if (answer->body.len > 0 && pgc_xml_walk(answer->body.data, answer->body.len, take_error, d, &ignored) != PGC_OK)
        snprintf(fault->message, sizeof fault->message, "%.200s", answer->body.data);
    if (fault->region[0] == '\0' && region != NULL)
        snprintf(fault->region, sizeof fault->region, "%s", region);
    if (fault->region[0] == '\0' && answer->status / 100 == 3)
        region_of_host(d->endpoint[0] != '\0' || location == NULL ? d->endpoint : location, fault->region,
                       sizeof fault->region);
    for (char *c = fault->message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
}

static bool in_list(const char *text, const char *const *list) {
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static bool worth_repeating(const struct pgc_s3_fault *fault) {
    static const char *const codes[] = { "SlowDown",
                                         "InternalError",
                                         "ServiceUnavailable",
                                         "RequestTimeout",
                                         "OperationAborted",
                                         "Throttling",
                                         "ThrottlingException",
                                         "RequestLimitExceeded",
                                         "TooManyRequests",
                                         "IncompleteBody",
                                         "BadDigest",
                                         "XAmzContentSHA256Mismatch",
                                         "503 SlowDown",
                                         NULL };
    static const int statuses[] = { 408, 429, 500, 502, 503, 504 };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (fault->status == statuses[i])
            return true;
    return in_list(fault->code, codes);
}

static enum pgc_code code_of(const struct pgc_s3_fault *fault) {
    static const char *const space[] = { "QuotaExceeded",  "InsufficientStorage", "NoSpace",
                                         "EntityTooLarge", "XMinioStorageFull",   NULL };
    if (worth_repeating(fault))
        return PGC_E_TEMPORARY;
    if (fault->status == 507 || in_list(fault->code, space))
        return PGC_E_NOSPACE;
    if (strcmp(fault->code, "NoSuchBucket") == 0)
        return PGC_E_CONFIG;
    if (fault->status == 404)
        return PGC_E_NOT_FOUND;
    if (fault->status == 401 || fault->status == 403 || fault->status == 412)
        return PGC_E_AUTH;
    return PGC_E_IO;
}

static enum pgc_code fail_fault(const struct pgc_s3 *s3, const struct pgc_s3_request *request,
                                const struct pgc_s3_fault *fault, struct pgc_error *err) {
    const char *hint = "";
    if (strcmp(fault->code, "NoSuchBucket") == 0)
        hint = "; create the bucket first";
    else if (strcmp(fault->code, "SignatureDoesNotMatch") == 0)
        hint = "; wrong secret key, or something between changes requests: 'pgc backup doctor' shows both sides";
    else if (strcmp(fault->code, "AccessDenied") == 0)
        hint = "; the key may not do this here";
    else if (fault->status / 100 == 3)
        hint = "; the bucket is elsewhere: set endpoint and region";
    return pgc_fail(err, code_of(fault), "s3://%s: %s '%s': status %d%s%s%s%s%s", s3->settings.bucket, request->method,
                    request->key != NULL ? request->key : "", fault->status, fault->code[0] != '\0' ? " " : "",
                    fault->code, fault->message[0] != '\0' ? ": " : "", fault->message, hint);
}

/* A text that was signed, without what nobody may see. */
static void put_shown(struct pgc_buf *out, const char *text) {
    static const char *const hidden[] = { "x-amz-security-token:", "x-amz-server-side-encryption-customer-key:" };
    for (size_t len = 0; *text != '\0'; text += len + (text[len] == '\n' ? 1 : 0)) {
        len = strcspn(text, "\n");
        size_t show = len;
        for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
            show = strncasecmp(text, hidden[i], strlen(hidden[i])) == 0 ? strlen(hidden[i]) : show;
        pgc_buf_put(out, text, show);
        pgc_buf_puts(out, show < len ? "(hidden)\n" : "\n");
    }
}

static void put_pair(struct pgc_buf *out, const char *what, const struct pgc_buf *ours, const struct pgc_buf *theirs) {
    pgc_buf_putf(out, "%s as signed here:\n", what);
    put_shown(out, ours->data);
    if (theirs->len == 0)
        return;
    pgc_buf_putf(out, "\n%s as the server computed it:\n", what);
    put_shown(out, theirs->data);
    pgc_buf_putc(out, '\n');
}

static void keep_diagnosis(struct pgc_s3 *s3, const struct attempt *a, const struct document *d) {
    pthread_mutex_lock(&s3->lock);
    pgc_buf_clear(&s3->diagnosis);
    put_pair(&s3->diagnosis, "canonical request", &a->canonical, &d->canonical);
    put_pair(&s3->diagnosis, "string to sign", &a->to_sign, &d->to_sign);
    if (d->canonical.len > 0 && strcmp(d->canonical.data, a->canonical.data) == 0)
        pgc_buf_puts(&s3->diagnosis,
                     "both canonical requests are equal: the secret key or the region is wrong, not the request\n");
    pthread_mutex_unlock(&s3->lock);
}

/* --- doing better -------------------------------------------------------------------------------------- */

static bool learn_region(struct pgc_s3 *s3, const struct attempt *a, const struct pgc_s3_fault *fault) {
    static const char *const codes[] = { "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
                                         "IllegalLocationConstraintException", NULL };
    bool told = fault->status == 301 || fault->status == 307 || in_list(fault->code, codes) ||
                (fault->status == 400 && fault->code[0] == '\0');
    if (!told || fault->region[0] == '\0' || strcmp(fault->region, a->region) == 0 ||
        strspn(fault->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(fault->region))
        return false;
    pthread_mutex_lock(&s3->lock);
    snprintf(s3->region, sizeof s3->region, "%s", fault->region);
    pthread_mutex_unlock(&s3->lock);
    pgc_log(s3->rt, PGC_LOG_INFO, "store.region", "the bucket is in another region",
            PGC_LOG_TEXT("region", fault->region));
    return true;
}

static bool learn_skew(struct pgc_s3 *s3, const struct pgc_http_answer *answer, const struct pgc_s3_fault *fault) {
    bool named = strcmp(fault->code, "RequestTimeTooSkewed") == 0;
    int64_t server = pgc_store_http_date(pgc_http_header(answer, "date"));
    if (fault->status != 403 || server < 0 || (fault->code[0] != '\0' && !named))
        return false;
    int64_t skew = server - pgc_wall_us(s3->rt) / 1000000;
    pthread_mutex_lock(&s3->lock);
    bool news = llabs(skew - s3->skew_s) > SKEW_WORTH_A_TRY;
    if (news)
        s3->skew_s = skew;
    pthread_mutex_unlock(&s3->lock);
    if (news)
        pgc_log(s3->rt, PGC_LOG_WARN, "store.clock",
                "the clock differs from the server's; signing with the server's time", PGC_LOG_INT("seconds", skew));
    return news;
}

static bool learn_checksum(struct pgc_s3 *s3, const struct attempt *a, const struct pgc_s3_fault *fault) {
    bool refused = a->with_checksum && (fault->status == 501 || fault->status == 400) &&
                   (strcmp(fault->code, "NotImplemented") == 0 || strcasestr(fault->message, "checksum") != NULL);
    if (!refused)
        return false;
    pthread_mutex_lock(&s3->lock);
    bool news = s3->checksum;
    s3->checksum = false;
    pthread_mutex_unlock(&s3->lock);
    return news;
}

static bool keys_expired(const struct pgc_s3_fault *fault) {
    static const char *const codes[] = { "ExpiredToken", "TokenRefreshRequired", "InvalidToken",
                                         "ExpiredTokenException", NULL };
    return in_list(fault->code, codes);
}

/* --- the loop ------------------------------------------------------------------------------------------ */

static void nap(const struct pgc_s3 *s3, const struct pgc_http *http, bool cleanup, int64_t ms) {
    for (; ms > 0 && (cleanup || (!pgc_http_interrupted(http) && pgc_cancelled(s3->rt) == 0)); ms -= NAP_MS) {
        int64_t slice = ms < NAP_MS ? ms : NAP_MS;
        if (cleanup) /* the runtime's sleep ends at once when we are cancelled */
            nanosleep(&(struct timespec) { 0, (long)slice * 1000000 }, NULL);
        else
            pgc_sleep_ms(s3->rt, slice);
    }
}

static int64_t delay_ms(unsigned attempt, const struct pgc_http_answer *answer) {
    int64_t top = attempt < 8 ? (int64_t)BACKOFF_FIRST_MS << attempt : BACKOFF_MOST_MS;
    const char *after = answer->status != 0 ? pgc_http_header(answer, "retry-after") : NULL;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = attempt * 2654435761U;
    int64_t delay = random % ((top < BACKOFF_MOST_MS ? top : BACKOFF_MOST_MS) + 1);
    int64_t told = after != NULL ? atoll(after) : 0;
    if (told > 0)
        delay += (told < RETRY_AFTER_MOST ? told : RETRY_AFTER_MOST) * 1000;
    return delay;
}

enum next { DONE, FAILED, AGAIN_LATER, AGAIN_NOW, AGAIN_WITH_NEW_KEYS };

static enum next judge(struct pgc_s3 *s3, const struct pgc_s3_request *request, const struct attempt *a,
                       const struct pgc_http_answer *answer, struct pgc_s3_fault *fault, struct pgc_error *err) {
    PGC_CLEANUP(release_document) struct document d = { .canonical = PGC_BUF_INIT, .to_sign = PGC_BUF_INIT };
    if (answer->status / 100 == 2 && !request->error_in_200) {
        fault->status = answer->status;
        return DONE;
    }
    read_fault(answer, fault, &d);
    fault->ambiguous |= answer->status >= 500;
    if (answer->status / 100 == 2 && !d.is_error && answer->body.len > 0 && fault->message[0] == '\0')
        return DONE;
    if (answer->status / 100 == 2 && !d.is_error) { /* an empty or cut document says nothing */
        fault->ambiguous = true;
        (void)!pgc_fail(err, PGC_E_TEMPORARY, "s3://%s: unreadable answer to %s", s3->settings.bucket, request->method);
        return AGAIN_LATER;
    }
    if (strcmp(fault->code, "SignatureDoesNotMatch") == 0)
        keep_diagnosis(s3, a, &d);
    (void)!fail_fault(s3, request, fault, err);
    if (learn_region(s3, a, fault) || learn_skew(s3, answer, fault) || learn_checksum(s3, a, fault))
        return AGAIN_NOW;
    if (keys_expired(fault))
        return AGAIN_WITH_NEW_KEYS;
    return worth_repeating(fault) ? AGAIN_LATER : FAILED;
}

static enum next try_once(struct pgc_s3 *s3, struct pgc_http *http, const struct pgc_s3_request *request, bool refresh,
                          struct pgc_http_answer *answer, struct pgc_s3_fault *fault, struct pgc_error *err) {
    PGC_CLEANUP(release_attempt) struct attempt a;
    enum pgc_code code = build(s3, request, refresh, &a, err);
    if (code != PGC_OK)
        return FAILED;
    code = exchange(http, request, &a, answer, err);
    if (code == PGC_OK)
        return judge(s3, request, &a, answer, fault, err);
    if (code != PGC_E_TEMPORARY && code != PGC_E_UNAVAILABLE && code != PGC_E_TIMEOUT)
        return FAILED;
    fault->ambiguous |= code != PGC_E_UNAVAILABLE;
    answer->status = 0;
    return AGAIN_LATER;
}

enum pgc_code pgc_s3_call(struct pgc_s3 *s3, struct pgc_http *http, const struct pgc_s3_request *request,
                          struct pgc_http_answer *answer, struct pgc_s3_fault *fault, struct pgc_error *err) {
    struct pgc_s3_fault own;
    unsigned attempts =
        request->cleanup && s3->settings.attempts > CLEANUP_ATTEMPTS ? CLEANUP_ATTEMPTS : s3->settings.attempts;
    unsigned adaptations = 0;
    bool refresh = false;
    fault = fault != NULL ? fault : &own;
    *fault = (struct pgc_s3_fault) { 0 };
    for (unsigned attempt = 1;;) {
        enum next next = try_once(s3, http, request, refresh, answer, fault, err);
        if (next == DONE)
            return PGC_OK;
        bool now = next == AGAIN_NOW || (next == AGAIN_WITH_NEW_KEYS && !refresh);
        refresh = next == AGAIN_WITH_NEW_KEYS;
        if (now && adaptations++ < ADAPTATIONS_MOST)
            continue;
        if (next != AGAIN_LATER || attempt >= attempts)
            return err->code;
        pgc_log(s3->rt, PGC_LOG_DEBUG, "store.retry", err->message, PGC_LOG_INT("attempt", attempt));
        nap(s3, http, request->cleanup, delay_ms(attempt++, answer));
    }
}
