#include "store/s3_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "net/http.h"
#include "os/secret.h"
#include "os/spawn.h"
#include "store/sigv4.h"
#include "store/xml.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define TRIES      3
#define PAUSE_MS   300
#define NO_EXPIRY_US                                                                                                   \
    ((int64_t)600 * 1000000) /* temporary keys that do not say when they end are asked for anew after that */

void pgc_s3_key_source_release(struct pgc_s3_key_source *source) {
    char *const texts[] = {
        source->region,   source->sts,         source->ca_file,       source->role,
        source->session,  source->duration,    source->token_file,    source->process,
        source->metadata, source->external_id, source->container_url, source->container_token_file
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    pgc_secret_free(source->container_token);
    pgc_s3_identity_free(source->base);
    *source = (struct pgc_s3_key_source) { 0 };
}

/* --- asking ---------------------------------------------------------------------------------------------- */

struct question {
    const char *method;
    const char *url;
    const struct pgc_strings *headers;
    const struct pgc_buf *body;
    bool link_local; /* an address of this machine's own: never through a proxy, answers at once or not at all */
};

static bool take_message(void *arg, const char *path, const char *text) {
    if (pgc_text_ends(path, "Error/Message"))
        snprintf(arg, 200, "%s", text);
    return true;
}

/* Why the token service refused, in its own words. */
static enum pgc_code fail_status(const struct pgc_http_answer *answer, struct pgc_error *err) {
    char message[200] = "";
    struct pgc_error ignored;
    if (answer->body.len > 0 && answer->body.data[0] == '<')
        (void)!pgc_xml_walk(answer->body.data, answer->body.len, take_message, message, &ignored);
    return pgc_fail(err, answer->status >= 500 || answer->status == 429 ? PGC_E_TEMPORARY : PGC_E_AUTH, "status %d%s%s",
                    answer->status, message[0] != '\0' ? ": " : "", message);
}

static enum pgc_code ask(const struct pgc_s3_key_source *source, const struct question *q,
                         struct pgc_http_answer *answer, struct pgc_error *err) {
    const struct pgc_http_options options = { .connect_timeout_ms = q->link_local ? 2000 : 10000,
                                              .stall_timeout_ms = q->link_local ? 3000 : 20000,
                                              .ca_file = source->ca_file,
                                              .direct = q->link_local };
    PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
    const struct pgc_http_request request = {
        .method = q->method,
        .url = q->url,
        .headers = (const char *const *)q->headers->items,
        .header_count = q->headers->count,
        .body = q->body != NULL ? q->body->data : NULL,
        .body_len = q->body != NULL ? q->body->len : 0,
        .answer_max = ANSWER_MAX,
    };
    enum pgc_code code = pgc_http_open(&options, source->rt, &http, err);
    for (int attempt = 1; code == PGC_OK; attempt++) {
        code = pgc_http_perform(http, &request, answer, err);
        if (code == PGC_OK && answer->status == 200)
            return PGC_OK;
        if (code == PGC_OK)
            code = fail_status(answer, err);
        if (code != PGC_E_TEMPORARY || attempt == TRIES)
            break;
        pgc_sleep_ms(source->rt, PAUSE_MS * attempt);
        code = pgc_check_cancelled(source->rt, err);
    }
    return code;
}

static enum pgc_code fail_empty(struct pgc_s3_credentials *keys, struct pgc_error *err) {
    pgc_s3_credentials_release(keys);
    return pgc_fail(err, PGC_E_AUTH, "the answer holds no keys");
}

static char *text_of(const struct pgc_json *doc, const char *name) {
    const char *text = pgc_json_text(pgc_json_get(doc, name));
    return text != NULL ? strdup(text) : NULL;
}

/* The same document from the container's endpoint, instance metadata (token_name "Token") and programs. */
static enum pgc_code take_json(const struct pgc_s3_key_source *source, const char *text, size_t len,
                               const char *token_name, struct pgc_s3_credentials *out, struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    enum pgc_code code = pgc_json_parse(text, len, &doc, err);
    if (code != PGC_OK)
        return pgc_fail(err, PGC_E_AUTH, "the answer is no JSON");
    const char *expires = pgc_json_text(pgc_json_get(doc, "Expiration"));
    *out = (struct pgc_s3_credentials) { text_of(doc, "AccessKeyId"), text_of(doc, "SecretAccessKey"),
                                         text_of(doc, token_name), 0 };
    if (out->access_key == NULL || out->secret_key == NULL)
        return fail_empty(out, err);
    if (expires != NULL && !pgc_text_parse_rfc3339(expires, &out->expires_us))
        out->expires_us = pgc_wall_us(source->rt) + NO_EXPIRY_US;
    return PGC_OK;
}

/* --- the token service ----------------------------------------------------------------------------------- */

static bool take_sts(void *arg, const char *path, const char *text) {
    struct pgc_s3_credentials *c = arg;
    char **slot = pgc_text_ends(path, "/Credentials/AccessKeyId")       ? &c->access_key
                  : pgc_text_ends(path, "/Credentials/SecretAccessKey") ? &c->secret_key
                  : pgc_text_ends(path, "/Credentials/SessionToken")    ? &c->token
                                                                        : NULL;
    if (slot != NULL && *slot == NULL)
        *slot = strdup(text);
    if (pgc_text_ends(path, "/Credentials/Expiration") && !pgc_text_parse_rfc3339(text, &c->expires_us))
        return false;
    return true;
}

static void put_field(struct pgc_buf *form, const char *name, const char *value) {
    if (value == NULL)
        return;
    pgc_buf_putf(form, "&%s=", name);
    pgc_text_percent(form, value, strlen(value), "");
}

static void put_form(const struct pgc_s3_key_source *source, const char *action, struct pgc_buf *form) {
    pgc_buf_putf(form, "Action=%s&Version=2011-06-15", action);
    put_field(form, "RoleArn", source->role);
    put_field(form, "RoleSessionName", source->session != NULL ? source->session : "pgc");
    put_field(form, "DurationSeconds", source->duration);
}

/* "https://host[:port]/" of the token service. */
static void put_sts_url(const struct pgc_s3_key_source *source, struct pgc_buf *url) {
    if (source->sts != NULL)
        pgc_buf_putf(url, "%s/", source->sts);
    else if (source->region != NULL)
        pgc_buf_putf(url, "https://sts.%s.amazonaws.com%s/", source->region,
                     strncmp(source->region, "cn-", 3) == 0 ? ".cn" : "");
    else
        pgc_buf_puts(url, "https://sts.amazonaws.com/");
}

static enum pgc_code ask_sts(const struct pgc_s3_key_source *source, const char *url, const struct pgc_strings *headers,
                             const struct pgc_buf *form, struct pgc_s3_credentials *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    const struct question question = { "POST", url, headers, form, false };
    enum pgc_code code = form->failed ? pgc_fail_nomem(err) : ask(source, &question, &answer, err);
    if (code == PGC_OK)
        code = pgc_xml_walk(answer.body.data, answer.body.len, take_sts, out, err);
    if (code == PGC_OK && (out->access_key == NULL || out->secret_key == NULL || out->token == NULL))
        code = fail_empty(out, err);
    return code;
}

#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded"

static enum pgc_code fetch_web_identity(const struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                        struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf form = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings headers = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_secret_free) char *token = NULL;
    enum pgc_code code = pgc_secret_file(source->token_file, &token, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&headers, FORM_TYPE, err);
    if (code != PGC_OK)
        return code;
    put_form(source, "AssumeRoleWithWebIdentity", &form);
    put_field(&form, "WebIdentityToken", token);
    put_sts_url(source, &url);
    code = url.failed ? pgc_fail_nomem(err) : ask_sts(source, url.data, &headers, &form, out, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot assume the role '%s' by web identity", source->role) : PGC_OK;
}

static enum pgc_code sign_sts(const struct pgc_s3_key_source *source, const struct pgc_s3_credentials *base,
                              const char *url, const struct pgc_buf *form, struct pgc_strings *headers,
                              struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf authorization = PGC_BUF_INIT;
    char date[PGC_SIGV4_DATE_SIZE];
    char hash[65];
    int64_t now = pgc_wall_us(source->rt) / 1000000;
    const char *host = strstr(url, "://") != NULL ? strstr(url, "://") + 3 : url;
    PGC_AUTO_FREE char *name = strndup(host, strcspn(host, "/"));
    if (name == NULL || form->failed)
        return pgc_fail_nomem(err);
    pgc_sigv4_date(now, date);
    pgc_sigv4_hash(form->data, form->len, hash, NULL);
    struct pgc_sigv4_pair sign[4] = { { "host", name }, { "x-amz-content-sha256", hash }, { "x-amz-date", date } };
    size_t count = 3;
    if (base->token != NULL)
        sign[count++] = (struct pgc_sigv4_pair) { "x-amz-security-token", base->token };
    const struct pgc_sigv4_request request = { "POST", strchr(host, '/'), NULL, 0, sign, count, hash };
    const struct pgc_sigv4_key key = { base->access_key, base->secret_key, NULL,
                                       source->region != NULL ? source->region : "us-east-1", "sts" };
    pgc_sigv4_authorization(&request, &key, now, &authorization, NULL);
    enum pgc_code code = pgc_buf_check(&authorization, err);
    for (size_t i = 0; code == PGC_OK && i < count; i++)
        code = pgc_strings_addf(headers, err, "%s: %s", sign[i].name, sign[i].value);
    return code == PGC_OK ? pgc_strings_addf(headers, err, "Authorization: %s", authorization.data) : code;
}

static enum pgc_code fetch_role(const struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf form = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings headers = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_s3_credentials_release) struct pgc_s3_credentials base = { 0 };
    put_form(source, "AssumeRole", &form);
    put_field(&form, "ExternalId", source->external_id);
    put_sts_url(source, &url);
    enum pgc_code code = pgc_buf_check(&url, err);
    if (code == PGC_OK)
        code = pgc_s3_identity_get(source->base, false, &base, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&headers, FORM_TYPE, err);
    if (code == PGC_OK)
        code = sign_sts(source, &base, url.data, &form, &headers, err);
    if (code == PGC_OK)
        code = ask_sts(source, url.data, &headers, &form, out, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot assume the role '%s'", source->role) : PGC_OK;
}

/* --- the machine's own endpoints ------------------------------------------------------------------------- */

static enum pgc_code fetch_container(const struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                     struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings headers = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_secret_free) char *token = NULL;
    enum pgc_code code = PGC_OK;
    if (source->container_token_file != NULL)
        code = pgc_secret_file(source->container_token_file, &token, err);
    const char *secret = token != NULL ? token : source->container_token;
    if (code == PGC_OK && secret != NULL)
        code = pgc_strings_addf(&headers, err, "Authorization: %s", secret);
    const struct question question = { "GET", source->container_url, &headers, NULL, true };
    if (code == PGC_OK)
        code = ask(source, &question, &answer, err);
    if (code == PGC_OK)
        code = take_json(source, answer.body.data, answer.body.len, "Token", out, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot get keys from the container's credentials endpoint") : PGC_OK;
}

static enum pgc_code metadata_get(const struct pgc_s3_key_source *source, const char *path,
                                  const struct pgc_strings *headers, struct pgc_http_answer *answer,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    pgc_buf_putf(&url, "%s/latest/%s", source->metadata, path);
    const struct question question = { strcmp(path, "api/token") == 0 ? "PUT" : "GET", url.data, headers, NULL, true };
    return url.failed ? pgc_fail_nomem(err) : ask(source, &question, answer, err);
}

static enum pgc_code metadata_token(const struct pgc_s3_key_source *source, struct pgc_strings *headers,
                                    struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings lifetime = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_strings_add(&lifetime, "X-aws-ec2-metadata-token-ttl-seconds: 21600", err);
    if (code == PGC_OK)
        code = metadata_get(source, "api/token", &lifetime, &answer, err);
    if (code == PGC_E_TIMEOUT)
        return pgc_wrap(err, "instance metadata gives no token (in a container on EC2, its hop limit must be 2)");
    if (code == PGC_E_AUTH)
        return pgc_wrap(err, "instance metadata is switched off");
    if (code != PGC_OK)
        return pgc_wrap(err, "no instance metadata");
    return pgc_strings_addf(headers, err, "X-aws-ec2-metadata-token: %s", answer.body.data);
}

static enum pgc_code fetch_metadata(const struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                    struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings headers = PGC_STRINGS_INIT;
    PGC_AUTO_FREE char *path = NULL;
    enum pgc_code code = metadata_token(source, &headers, err);
    if (code != PGC_OK)
        return code;
    code = metadata_get(source, "meta-data/iam/security-credentials/", &headers, &answer, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "instance metadata: no role is attached to this instance");
    if (asprintf(&path, "meta-data/iam/security-credentials/%.*s", (int)strcspn(answer.body.data, "\r\n"),
                 answer.body.data) < 0)
        return pgc_fail_nomem(err);
    code = metadata_get(source, path, &headers, &answer, err);
    if (code == PGC_OK)
        code = take_json(source, answer.body.data, answer.body.len, "Token", out, err);
    return code != PGC_OK ? pgc_wrap(err, "instance metadata") : PGC_OK;
}

/* --- a program ------------------------------------------------------------------------------------------- */

bool pgc_s3_split_command(const char *text, struct pgc_strings *out) {
    struct pgc_error ignored;
    while (*(text += strspn(text, " \t")) != '\0') {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf word = PGC_BUF_INIT;
        char quote = '\0';
        for (; *text != '\0' && (quote != '\0' || (*text != ' ' && *text != '\t')); text++) {
            if (quote == '\0' && (*text == '\'' || *text == '"'))
                quote = *text;
            else if (*text == quote)
                quote = '\0';
            else
                pgc_buf_putc(&word, *text);
        }
        if (quote != '\0' || pgc_strings_take(out, pgc_buf_detach(&word), &ignored) != PGC_OK)
            return false;
    }
    return out->count > 0;
}

static enum pgc_code run_process(const struct pgc_s3_key_source *source, char *const *argv, struct pgc_buf *printed,
                                 struct pgc_error *err) {
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *output = NULL;
    const struct pgc_spawn spec = { .argv = argv, .stdin_from = PGC_SPAWN_NULL, .stdout_to = PGC_SPAWN_PIPE };
    char block[4096];
    size_t len = 1;
    enum pgc_code code = pgc_child_start(&spec, source->rt, &child, err);
    if (code == PGC_OK)
        code = pgc_child_source(&child, &output, err);
    while (code == PGC_OK && len > 0) {
        code = pgc_source_get(output, block, sizeof block, &len, err);
        if (code == PGC_OK && printed->len + len > ANSWER_MAX)
            return pgc_fail(err, PGC_E_AUTH, "it printed more than 64 KiB");
        if (code == PGC_OK)
            pgc_buf_put(printed, block, len);
    }
    return code == PGC_OK ? pgc_source_verify(output, err) : code;
}

static enum pgc_code fetch_process(const struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                   struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf printed = PGC_BUF_INIT;
    if (!pgc_s3_split_command(source->process, &argv))
        return pgc_fail(err, PGC_E_CONFIG, "malformed credential_process (a quote is not closed)");
    enum pgc_code code = run_process(source, argv.items, &printed, err);
    if (code == PGC_OK)
        code = take_json(source, printed.data, printed.len, "SessionToken", out, err);
    return code != PGC_OK ? pgc_wrap(err, "credential_process '%s'", argv.items[0]) : PGC_OK;
}

enum pgc_code pgc_s3_keys_fetch(struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                struct pgc_error *err) {
    *out = (struct pgc_s3_credentials) { 0 };
    switch (source->kind) {
    case PGC_S3_KEYS_WEB_IDENTITY:
        return fetch_web_identity(source, out, err);
    case PGC_S3_KEYS_ROLE:
        return fetch_role(source, out, err);
    case PGC_S3_KEYS_PROCESS:
        return fetch_process(source, out, err);
    case PGC_S3_KEYS_CONTAINER:
        return fetch_container(source, out, err);
    case PGC_S3_KEYS_METADATA:
        return fetch_metadata(source, out, err);
    default:
        return pgc_fail(err, PGC_E_AUTH, "no source of keys");
    }
}
