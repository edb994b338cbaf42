#include "backup/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/mail.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/http.h"

#define TRIES 3

static const char *const event_names[] = { "start", "success", "failure" };

void pgc_notify_message_release(struct pgc_notify_message *message) {
    pgc_buf_release(&message->url);
    pgc_buf_release(&message->body);
    pgc_strings_release(&message->headers);
}

/* --- shapes ----------------------------------------------------------------------------------------- */

static void put_sentence(struct pgc_buf *out, const struct pgc_notice *n) {
    static const char *const verbs[] = { "started", "succeeded", "FAILED" };
    pgc_buf_putf(out, "pgc backup: job '%s' on %s %s", n->job, n->host, verbs[n->event]);
    if (n->event == PGC_NOTIFY_SUCCESS) {
        pgc_buf_puts(out, ": ");
        pgc_text_bytes(out, n->bytes);
        pgc_buf_putf(out, " in %" PRId64 " s", n->duration_ms / 1000);
    }
    if (n->event == PGC_NOTIFY_FAILURE)
        pgc_buf_putf(out, ": %s", n->detail);
}

static void put_keyed(struct pgc_buf *out, const char *key, const char *text) {
    pgc_buf_putf(out, "{\"%s\":", key);
    pgc_text_json(out, text);
    pgc_buf_putc(out, '}');
}

static enum pgc_code make_slack(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                                struct pgc_error *err) {
    (void)n, (void)err;
    put_keyed(&m->body, "text", sentence);
    return PGC_OK;
}

static enum pgc_code make_discord(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                                  struct pgc_error *err) {
    (void)n, (void)err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf cut = PGC_BUF_INIT;
    pgc_buf_put(&cut, sentence, strlen(sentence) < 1900 ? strlen(sentence) : 1900); /* Discord's limit is 2000 */
    put_keyed(&m->body, "content", cut.data);
    return PGC_OK;
}

static enum pgc_code make_teams(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                                struct pgc_error *err) {
    (void)err;
    pgc_buf_putf(&m->body,
                 "{\"@type\":\"MessageCard\",\"@context\":\"https://schema.org/"
                 "extensions\",\"themeColor\":\"%s\",\"summary\":\"pgc backup\",\"text\":",
                 n->event == PGC_NOTIFY_FAILURE ? "C0392B" : "2E7D32");
    pgc_text_json(&m->body, sentence);
    pgc_buf_putc(&m->body, '}');
    return PGC_OK;
}

static enum pgc_code make_ntfy(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                               struct pgc_error *err) {
    bool failed = n->event == PGC_NOTIFY_FAILURE;
    m->content_type = "text/plain";
    pgc_buf_puts(&m->body, sentence);
    enum pgc_code code = pgc_strings_addf(&m->headers, err, "Title: pgc backup %s", failed ? "failed" : "succeeded");
    if (code == PGC_OK)
        code = pgc_strings_addf(&m->headers, err, "Priority: %s", failed ? "high" : "default");
    return code == PGC_OK
               ? pgc_strings_addf(&m->headers, err, "Tags: %s", failed ? "rotating_light" : "white_check_mark")
               : code;
}

static enum pgc_code make_ping(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                               struct pgc_error *err) {
    static const char *const suffixes[] = { "/start", "", "/fail" };
    (void)err;
    m->content_type = "text/plain";
    size_t query = strcspn(m->url.data, "?");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf rest = PGC_BUF_INIT;
    pgc_buf_puts(&rest, m->url.data + query);
    pgc_buf_truncate(&m->url, query);
    pgc_buf_putf(&m->url, "%s%s", suffixes[n->event], rest.data);
    pgc_buf_puts(&m->body, sentence);
    return PGC_OK;
}

static enum pgc_code make_json(struct pgc_notify_message *m, const struct pgc_notice *n, const char *sentence,
                               struct pgc_error *err) {
    (void)err;
    pgc_buf_putf(&m->body, "{\"event\":\"backup.%s\",\"job\":", event_names[n->event]);
    pgc_text_json(&m->body, n->job);
    pgc_buf_puts(&m->body, ",\"host\":");
    pgc_text_json(&m->body, n->host);
    pgc_buf_puts(&m->body, ",\"time\":\"");
    pgc_text_rfc3339(&m->body, n->time_us, false);
    pgc_buf_putf(&m->body, "\",\"duration_ms\":%" PRId64 ",\"bytes\":%" PRIu64 ",\"error\":", n->duration_ms, n->bytes);
    if (n->event == PGC_NOTIFY_FAILURE)
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
    bool starts; /* told of starts, and of successes always */
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

enum pgc_code pgc_notify_make(const char *target, const struct pgc_notice *notice, bool successes, const char *secret,
                              struct pgc_notify_message *out, struct pgc_error *err) {
    const struct shape *shape = shape_of(target);
    if (shape == NULL)
        return pgc_notify_check(target, err);
    out->wanted =
        shape->starts || notice->event == PGC_NOTIFY_FAILURE || (notice->event == PGC_NOTIFY_SUCCESS && successes);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sentence = PGC_BUF_INIT;
    put_sentence(&sentence, notice);
    pgc_buf_puts(&out->url, target + strlen(shape->word));
    enum pgc_code code = shape->make(out, notice, sentence.data, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&out->body, err);
    if (code == PGC_OK && shape->make == make_json && secret != NULL) {
        struct pgc_hmac key;
        unsigned char mac[PGC_SHA256_SIZE];
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf hex = PGC_BUF_INIT;
        pgc_hmac_init(&key, secret, strlen(secret));
        pgc_hmac_sign(&key, out->body.data, out->body.len, mac);
        pgc_text_hex(&hex, mac, sizeof mac);
        code = pgc_strings_addf(&out->headers, err, "X-Pgc-Signature: sha256=%s", hex.data);
    }
    return code == PGC_OK ? pgc_strings_addf(&out->headers, err, "Content-Type: %s", out->content_type) : code;
}

/* --- sending ---------------------------------------------------------------------------------------- */

static enum pgc_code post(struct pgc_http *http, const char *url, const struct pgc_strings *headers,
                          const struct pgc_buf *body, bool undisturbed, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_http_request request = { .method = "POST",
                                        .url = url,
                                        .headers = (const char *const *)headers->items,
                                        .header_count = headers->count,
                                        .body = body->data,
                                        .body_len = body->len,
                                        .has_body = true,
                                        .cleanup = undisturbed };
    enum pgc_code code = pgc_http_perform(http, &request, &answer, err);
    if (code == PGC_OK && answer.status / 100 != 2)
        return pgc_fail(err, answer.status >= 500 || answer.status == 429 ? PGC_E_TEMPORARY : PGC_E_FAILED,
                        "the answer was %d", answer.status);
    return code;
}

enum pgc_code pgc_notify_post(const char *url, const struct pgc_strings *headers, const struct pgc_buf *body,
                              bool undisturbed, const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
    bool hurried = pgc_cancelled(rt) != 0;
    struct pgc_http_options options = { .connect_timeout_ms = hurried ? 2000 : 5000,
                                        .stall_timeout_ms = hurried ? 3000 : 10000 };
    int tries = hurried ? 1 : TRIES;
    enum pgc_code code = pgc_http_open(&options, rt, &http, err);
    for (int i = 0; code == PGC_OK && i < tries; i++) {
        code = post(http, url, headers, body, undisturbed, err);
        if (code == PGC_OK || !pgc_code_retryable(code) || i + 1 == tries)
            return code;
        pgc_sleep_ms(rt, 500 << i);
        code = PGC_OK;
    }
    return code;
}

static enum pgc_code send_mail(const char *target, const struct pgc_notify_to *to, const struct pgc_notice *notice,
                               const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_CLEANUP(pgc_mail_target_release) struct pgc_mail_target parsed = PGC_MAIL_TARGET_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf subject = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool hurried = pgc_cancelled(rt) != 0;
    int tries = hurried ? 1 : TRIES;
    enum pgc_code code = pgc_mail_parse(target, &parsed, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_putf(&subject, "pgc backup %s: %s on %s", notice->event == PGC_NOTIFY_FAILURE ? "FAILED" : "succeeded",
                 notice->job, notice->host);
    put_sentence(&body, notice);
    pgc_buf_puts(&body, "\r\n");
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
    if (pgc_mail_is_target(target)) {
        bool wanted = notice->event == PGC_NOTIFY_FAILURE || (notice->event == PGC_NOTIFY_SUCCESS && to->successes);
        return wanted ? send_mail(target, to, notice, rt, err) : PGC_OK;
    }
    enum pgc_code code = pgc_notify_make(target, notice, to->successes, to->secret, &message, err);
    if (code != PGC_OK || !message.wanted)
        return code;
    return pgc_notify_post(message.url.data, &message.headers, &message.body, notice->event != PGC_NOTIFY_START, rt,
                           err);
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
