#include "backup/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backup/mail.h"
#include "backup/template.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/http.h"

#define TRIES 3

void pgc_notify_message_release(struct pgc_notify_message *message) {
    pgc_buf_release(&message->url);
    pgc_buf_release(&message->body);
    pgc_strings_release(&message->headers);
}

/* --- shapes ----------------------------------------------------------------------------------------- */

enum pgc_code pgc_notify_id(char out[PGC_NOTIFY_ID_BYTES], struct pgc_error *err) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        return pgc_fail_errno(err, PGC_E_IO, "cannot get random bytes");
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, PGC_NOTIFY_ID_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return PGC_OK;
}

bool pgc_notify_is_bad(const struct pgc_notice *notice) {
    return notice->event == PGC_NOTIFY_FAILURE || notice->event == PGC_NOTIFY_LATE;
}

void pgc_notify_event_name(struct pgc_buf *out, const struct pgc_notice *notice) {
    static const char *const names[] = { "start", "success", "failure", "late" };
    pgc_buf_putf(out, "%s.%s", notice->verify ? "verify" : "backup", names[notice->event]);
}

void pgc_notify_sentence(struct pgc_buf *out, const struct pgc_notice *n) {
    static const char *const verbs[] = { "started", "succeeded", "FAILED", "is LATE" };
    pgc_buf_putf(out, "pgc backup: %s '%s' on %s %s", n->verify ? "verification of job" : "job", n->job, n->host,
                 verbs[n->event]);
    if (n->event == PGC_NOTIFY_SUCCESS && !n->verify) {
        pgc_buf_puts(out, ": ");
        pgc_text_bytes(out, n->bytes);
    }
    if (n->event == PGC_NOTIFY_SUCCESS)
        pgc_buf_putf(out, " in %" PRId64 ".%" PRId64 " s", n->duration_ms / 1000, n->duration_ms % 1000 / 100);
    if (pgc_notify_is_bad(n))
        pgc_buf_putf(out, ": %s", n->detail);
}

/* A text of at most max bytes that ends with a whole character. */
static void put_cut(struct pgc_buf *out, const char *text, size_t max) {
    size_t len = strlen(text);
    bool cut = len > max;
    for (len = cut ? max : len; cut && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    pgc_buf_put(out, text, len);
    pgc_buf_puts(out, cut ? "..." : "");
}

static void put_keyed(struct pgc_buf *out, const char *key, const char *text) {
    pgc_buf_putf(out, "{\"%s\":", key);
    pgc_text_json(out, text);
    pgc_buf_putc(out, '}');
}

/* Slack reads & < > as its own: <!channel> in an error would wake everybody. */
static enum pgc_code make_slack(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                                struct pgc_error *err) {
    (void)n, (void)err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf escaped = PGC_BUF_INIT;
    for (const char *c = sentence; *c != '\0'; c++) {
        if (*c == '&' || *c == '<' || *c == '>')
            pgc_buf_puts(&escaped, *c == '&' ? "&amp;" : *c == '<' ? "&lt;" : "&gt;");
        else
            pgc_buf_putc(&escaped, *c);
    }
    put_keyed(&m->body, "text", escaped.data);
    return PGC_OK;
}

static enum pgc_code make_discord(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                                  struct pgc_error *err) {
    (void)n, (void)err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf cut = PGC_BUF_INIT;
    put_cut(&cut, sentence, 1900); /* Discord's limit is 2000 */
    put_keyed(&m->body, "content", cut.data);
    pgc_buf_truncate(&m->body, m->body.len - 1);
    pgc_buf_puts(&m->body, ",\"allowed_mentions\":{\"parse\":[]}}");
    return PGC_OK;
}

static enum pgc_code make_teams(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                                struct pgc_error *err) {
    (void)err;
    pgc_buf_putf(&m->body,
                 "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
                 "\"application/vnd.microsoft.card.adaptive\",\"content\":{\"$schema\":"
                 "\"http://adaptivecards.io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\","
                 "\"version\":\"1.4\",\"body\":[{\"type\":\"TextBlock\",\"wrap\":true,\"color\":\"%s\",\"text\":",
                 pgc_notify_is_bad(n) ? "attention" : "good");
    pgc_text_json(&m->body, sentence);
    pgc_buf_puts(&m->body, "}]}}]}");
    return PGC_OK;
}

static enum pgc_code make_ntfy(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                               struct pgc_error *err) {
    bool failed = pgc_notify_is_bad(n);
    m->content_type = "text/plain";
    pgc_buf_puts(&m->body, sentence);
    enum pgc_code code = pgc_strings_addf(&m->headers, err, "Title: pgc backup %s",
                                          n->event == PGC_NOTIFY_LATE ? "late"
                                          : failed                    ? "failed"
                                                                      : "succeeded");
    if (code == PGC_OK)
        code = pgc_strings_addf(&m->headers, err, "Priority: %s", failed ? "high" : "default");
    return code == PGC_OK
               ? pgc_strings_addf(&m->headers, err, "Tags: %s", failed ? "rotating_light" : "white_check_mark")
               : code;
}

static enum pgc_code make_ping(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                               struct pgc_error *err) {
    static const char *const suffixes[] = { "/start", "", "/fail", "/fail" };
    (void)err;
    m->content_type = "text/plain";
    size_t path = strcspn(m->url.data, "?");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf query = PGC_BUF_INIT;
    pgc_buf_puts(&query, m->url.data + path);
    if (n->run_id[0] != '\0')
        pgc_buf_putf(&query, "%srid=%s", query.len > 0 ? "&" : "?", n->run_id);
    pgc_buf_truncate(&m->url, path);
    pgc_buf_putf(&m->url, "%s%s", suffixes[n->event], query.data);
    pgc_buf_puts(&m->body, sentence);
    if (n->event == PGC_NOTIFY_FAILURE && n->log[0] != '\0')
        pgc_buf_putf(&m->body, "\n\n%s", n->log);
    return PGC_OK;
}

static enum pgc_code make_json(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                               struct pgc_error *err) {
    (void)err;
    pgc_buf_puts(&m->body, "{\"event\":\"");
    pgc_notify_event_name(&m->body, n);
    pgc_buf_puts(&m->body, "\",\"job\":");
    pgc_text_json(&m->body, n->job);
    pgc_buf_puts(&m->body, ",\"host\":");
    pgc_text_json(&m->body, n->host);
    pgc_buf_puts(&m->body, ",\"time\":\"");
    pgc_text_rfc3339(&m->body, n->time_us, false);
    pgc_buf_puts(&m->body, "\",\"run\":");
    pgc_text_json(&m->body, n->run_id);
    pgc_buf_putf(&m->body, ",\"duration_ms\":%" PRId64 ",\"bytes\":%" PRIu64 ",\"error\":", n->duration_ms, n->bytes);
    if (pgc_notify_is_bad(n))
        pgc_text_json(&m->body, n->detail);
    else
        pgc_buf_puts(&m->body, "null");
    pgc_buf_puts(&m->body, ",\"message\":");
    pgc_text_json(&m->body, sentence);
    pgc_buf_puts(&m->body, "}");
    return PGC_OK;
}

static const struct shape {
    const char *word; /* in front of the URL */
    enum pgc_code (*make)(struct pgc_notify_message *, const struct pgc_notice *, const char *, struct pgc_error *);
    bool pings; /* told of starts, and of successes always */
} shapes[] = {
    { "slack+", make_slack, false }, { "discord+", make_discord, false }, { "teams+", make_teams, false },
    { "ntfy+", make_ntfy, false },   { "ping+", make_ping, true },        { "", make_json, false },
};

static const struct shape *shape_of(const char *target) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const char *url = target + strlen(shapes[i].word);
        if (pgc_text_starts(target, shapes[i].word) &&
            (pgc_text_starts(url, "https://") || pgc_text_starts(url, "http://")))
            return &shapes[i];
    }
    return NULL;
}

enum pgc_code pgc_notify_check(const char *target, struct pgc_error *err) {
    PGC_CLEANUP(pgc_mail_target_release) struct pgc_mail_target mail = PGC_MAIL_TARGET_INIT;
    if (pgc_mail_is_target(target))
        return pgc_mail_parse(target, &mail, err);
    if (shape_of(target) != NULL)
        return PGC_OK;
    return pgc_fail(
        err, PGC_E_USAGE,
        "a notification target is [slack+|discord+|teams+|ntfy+|ping+]https://... or smtp://..., not '%.*s'",
        (int)strcspn(target, ":"), target);
}

/* A ping answers for one schedule, that of the backups: a verification is told there only when it is bad. */
static bool is_wanted(const struct shape *shape, const struct pgc_notice *notice, bool successes) {
    if (pgc_notify_is_bad(notice))
        return true;
    if (shape != NULL && shape->pings)
        return !notice->verify;
    return notice->event == PGC_NOTIFY_SUCCESS && successes;
}

static enum pgc_code sign(struct pgc_notify_message *m, const char *secret, struct pgc_error *err) {
    struct pgc_hmac key;
    unsigned char mac[PGC_SHA256_SIZE];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf hex = PGC_BUF_INIT;
    pgc_hmac_init(&key, secret, strlen(secret));
    pgc_hmac_sign(&key, m->body.data, m->body.len, mac);
    pgc_text_hex(&hex, mac, sizeof mac);
    return pgc_strings_addf(&m->headers, err, "X-Pgc-Signature: sha256=%s", hex.data);
}

enum pgc_code pgc_notify_make(const char *target, const struct pgc_notice *notice, const struct pgc_notify_to *to,
                              struct pgc_notify_message *out, struct pgc_error *err) {
    const struct shape *shape = shape_of(target);
    if (shape == NULL)
        return pgc_notify_check(target, err);
    bool ours = shape->make == make_json;
    out->wanted = is_wanted(shape, notice, to->successes);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sentence = PGC_BUF_INIT;
    pgc_notify_sentence(&sentence, notice);
    pgc_buf_puts(&out->url, target + strlen(shape->word));
    enum pgc_code code = ours && to->body_template != NULL
                             ? pgc_template_render(to->body_template, notice, &out->body, err)
                             : shape->make(out, notice, sentence.data, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&out->body, err);
    if (code == PGC_OK && ours && to->secret != NULL)
        code = sign(out, to->secret, err);
    return code == PGC_OK ? pgc_strings_addf(&out->headers, err, "Content-Type: %s", out->content_type) : code;
}

/* --- sending ---------------------------------------------------------------------------------------- */

/* Only the status counts: what an answer says after its headers is not waited for. */
static enum pgc_code post(struct pgc_http *http, const char *url, const struct pgc_strings *headers,
                          const struct pgc_buf *body, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_http_request request = { .method = "POST",
                                        .url = url,
                                        .headers = (const char *const *)headers->items,
                                        .header_count = headers->count,
                                        .body = body->data,
                                        .body_len = body->len,
                                        .has_body = true,
                                        .stream = true,
                                        .cleanup = true };
    enum pgc_code code = pgc_http_start(http, &request, &answer, err);
    if (code == PGC_OK)
        code = pgc_http_wait(http, err);
    pgc_http_stop(http);
    if (code == PGC_OK && answer.status / 100 != 2)
        return pgc_fail(err, answer.status >= 500 || answer.status == 429 ? PGC_E_TEMPORARY : PGC_E_FAILED,
                        "the answer was %d", answer.status);
    return code;
}

enum pgc_code pgc_notify_post(const char *url, const struct pgc_strings *headers, const struct pgc_buf *body,
                              bool hurried, const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
    struct pgc_http_options options = { .connect_timeout_ms = hurried ? 2000 : 5000,
                                        .stall_timeout_ms = hurried ? 3000 : 10000 };
    int tries = hurried ? 1 : TRIES;
    enum pgc_code code = pgc_http_open(&options, rt, &http, err);
    for (int i = 0; code == PGC_OK && i < tries; i++) {
        code = post(http, url, headers, body, err);
        if (code == PGC_OK || !pgc_code_retryable(code) || i + 1 == tries)
            return code;
        pgc_sleep_ms(rt, 500 << i);
        code = PGC_OK;
    }
    return code;
}

static enum pgc_code send_mail(const char *target, const struct pgc_notify_to *to, const struct pgc_notice *notice,
                               bool hurried, const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_CLEANUP(pgc_mail_target_release) struct pgc_mail_target parsed = PGC_MAIL_TARGET_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf subject = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    int tries = hurried ? 1 : TRIES;
    enum pgc_code code = pgc_mail_parse(target, &parsed, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_putf(&subject, "pgc %s %s: %s on %s", notice->verify ? "verify" : "backup",
                 notice->event == PGC_NOTIFY_LATE ? "LATE"
                 : pgc_notify_is_bad(notice)      ? "FAILED"
                                                  : "succeeded",
                 notice->job, notice->host);
    pgc_notify_sentence(&body, notice);
    pgc_buf_puts(&body, "\r\n");
    if (pgc_notify_is_bad(notice) && notice->log[0] != '\0')
        pgc_buf_putf(&body, "\r\n%s\r\n", notice->log);
    pgc_mail_write(&text, &parsed, subject.data, body.data, notice->host, notice->time_us);
    code = pgc_buf_check(&text, err);
    struct pgc_smtp_mail mail = { parsed.host, parsed.port, parsed.tls, parsed.user, to->smtp_password,
                                  parsed.from, &parsed.to,  text.data,  true };
    for (int i = 0; code == PGC_OK && i < tries; i++) {
        code = pgc_smtp_send(&mail, hurried ? 5000 : 20000, rt, err);
        if (code == PGC_OK || !pgc_code_retryable(code) || i + 1 == tries)
            return code;
        pgc_sleep_ms(rt, 500 << i);
        code = PGC_OK;
    }
    return code;
}

static enum pgc_code tell(const char *target, const struct pgc_notify_to *to, const struct pgc_notice *notice,
                          const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_CLEANUP(pgc_notify_message_release) struct pgc_notify_message message = PGC_NOTIFY_MESSAGE_INIT;
    bool hurried = pgc_cancelled(rt) != 0 || notice->event == PGC_NOTIFY_START;
    if (pgc_mail_is_target(target))
        return is_wanted(NULL, notice, to->successes) ? send_mail(target, to, notice, hurried, rt, err) : PGC_OK;
    enum pgc_code code = pgc_notify_make(target, notice, to, &message, err);
    if (code != PGC_OK || !message.wanted)
        return code;
    return pgc_notify_post(message.url.data, &message.headers, &message.body, hurried, rt, err);
}

/* The target without what may be secret: scheme and host. */
static void put_host(struct pgc_buf *out, const char *target) {
    const char *host = strstr(target, "://");
    host = host != NULL ? host + 3 : target;
    const char *at = memchr(host, '@', strcspn(host, "/?"));
    host = at != NULL ? at + 1 : host;
    pgc_buf_put(out, host, strcspn(host, "/?"));
}

void pgc_notify_all(const struct pgc_notify_to *to, const struct pgc_notice *notice, const struct pgc_runtime *rt) {
    for (size_t i = 0; i < to->targets->count; i++) {
        struct pgc_error err;
        if (tell(to->targets->items[i], to, notice, rt, &err) == PGC_OK)
            continue;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf host = PGC_BUF_INIT;
        put_host(&host, to->targets->items[i]);
        pgc_log(rt, PGC_LOG_WARN, "backup.notify_failed", "cannot tell of a run", PGC_LOG_TEXT("target", host.data),
                PGC_LOG_TEXT("job", notice->job), PGC_LOG_TEXT("error.message", err.message));
    }
}
