#include "store/s3_credentials.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "io/file.h"
#include "net/http.h"
#include "os/secret.h"
#include "store/xml.h"

#define REFRESH_BEFORE_US ((int64_t)300 * 1000000)
#define METADATA_HOST     "http://169.254.169.254"
#define CONTAINER_HOST    "http://169.254.170.2"
#define FILE_MAX          ((size_t)1 << 20)

struct pgc_s3_identity {
    const struct pgc_runtime *rt;
    pthread_mutex_t lock;
    struct pgc_s3_credentials now;
    bool fixed;   /* keys that were given: nothing to fetch */
    char *region; /* of the profile, or AWS_REGION: for STS */
    char *profile_region;
    char *token_file, *role, *session, *sts; /* web identity */
    char *container_url, *container_token, *container_token_file;
    char *metadata; /* base URL, NULL: switched off */
};

void pgc_s3_credentials_release(struct pgc_s3_credentials *c) {
    free(c->access_key);
    pgc_secret_free(c->secret_key);
    pgc_secret_free(c->token);
    *c = (struct pgc_s3_credentials) { 0 };
}

void pgc_s3_identity_free(struct pgc_s3_identity *identity) {
    if (identity == NULL)
        return;
    char *const texts[] = { identity->region,        identity->profile_region,
                            identity->token_file,    identity->role,
                            identity->session,       identity->sts,
                            identity->container_url, identity->container_token_file,
                            identity->metadata };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    pgc_secret_free(identity->container_token);
    pgc_s3_credentials_release(&identity->now);
    pthread_mutex_destroy(&identity->lock);
    free(identity);
}

const char *pgc_s3_identity_region(const struct pgc_s3_identity *identity) {
    return identity->profile_region;
}

/* --- settings ------------------------------------------------------------------------------------------ */

static enum pgc_code copy_setting(const struct pgc_store_options *options, const char *name, char **out,
                                  struct pgc_error *err) {
    const char *value = pgc_store_setting(options, name);
    free(*out);
    *out = value != NULL ? strdup(value) : NULL;
    return value != NULL && *out == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

/* NAME or the content of NAME_FILE. */
static enum pgc_code copy_secret(const struct pgc_store_options *options, const char *name, char **out,
                                 struct pgc_error *err) {
    char file[128];
    snprintf(file, sizeof file, "%s_FILE", name);
    const char *path = pgc_store_setting(options, file);
    if (path == NULL)
        return copy_setting(options, name, out, err);
    if (pgc_store_setting(options, name) != NULL)
        return pgc_fail(err, PGC_E_USAGE, "both %s and %s are set: which one?", name, file);
    return pgc_secret_file(path, out, err);
}

/* The value of `key` in `[section]` of an ini file, malloc'ed; NULL when absent. */
static char *ini_value(const char *text, const char *section, const char *key) {
    bool inside = false;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        const char *at = text + strspn(text, " \t");
        size_t n = strcspn(at, " \t=\r\n");
        if (*at == '[') {
            at += 1 + strspn(at + 1, " \t");
            size_t name = strcspn(at, "]\n");
            while (name > 0 && (at[name - 1] == ' ' || at[name - 1] == '\t'))
                name--;
            inside = strlen(section) == name && memcmp(at, section, name) == 0;
        } else if (inside && at == text && strlen(key) == n && memcmp(at, key, n) == 0) {
            at += n + strspn(at + n, " \t");
            if (*at == '=') {
                at += 1 + strspn(at + 1, " \t");
                size_t end = strcspn(at, "\r\n");
                while (end > 0 && (at[end - 1] == ' ' || at[end - 1] == '\t'))
                    end--;
                return strndup(at, end);
            }
        }
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    return NULL;
}

/* A shared file as text; absent files count as empty unless they were named. */
static enum pgc_code read_shared(const struct pgc_store_options *options, const char *setting, const char *name,
                                 struct pgc_buf *out, struct pgc_error *err) {
    const char *path = pgc_store_setting(options, setting);
    const char *home = pgc_store_setting(options, "HOME");
    char usual[4096];
    bool named = path != NULL;
    snprintf(usual, sizeof usual, "%s/.aws/%s", home != NULL ? home : "", name);
    if (!named && home == NULL)
        return PGC_OK;
    enum pgc_code code = pgc_file_read(named ? path : usual, FILE_MAX, out, err);
    return !named && (code == PGC_E_NOT_FOUND || code == PGC_E_IO) ? PGC_OK : code;
}

static enum pgc_code load_profile(struct pgc_s3_identity *id, const struct pgc_store_options *options,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf keys = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf config = PGC_BUF_INIT;
    const char *profile = pgc_store_setting(options, "AWS_PROFILE");
    char section[256];
    bool plain = profile == NULL || strcmp(profile, "default") == 0;
    enum pgc_code code = read_shared(options, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &keys, err);
    if (code == PGC_OK)
        code = read_shared(options, "AWS_CONFIG_FILE", "config", &config, err);
    if (code != PGC_OK)
        return code;
    snprintf(section, sizeof section, plain ? "default" : "profile %s", profile != NULL ? profile : "");
    id->profile_region = ini_value(config.data, section, "region");
    if (id->fixed || id->token_file != NULL)
        return PGC_OK;
    const char *in_keys = profile != NULL ? profile : "default";
    id->now.access_key = ini_value(keys.data, in_keys, "aws_access_key_id");
    id->now.secret_key = ini_value(keys.data, in_keys, "aws_secret_access_key");
    id->now.token = ini_value(keys.data, in_keys, "aws_session_token");
    if (id->now.access_key == NULL) {
        id->now.access_key = ini_value(config.data, section, "aws_access_key_id");
        id->now.secret_key = ini_value(config.data, section, "aws_secret_access_key");
        id->now.token = ini_value(config.data, section, "aws_session_token");
    }
    id->fixed = id->now.access_key != NULL && id->now.secret_key != NULL;
    if (id->fixed)
        return PGC_OK;
    id->token_file = ini_value(config.data, section, "web_identity_token_file");
    id->role = ini_value(config.data, section, "role_arn");
    if (id->token_file == NULL && id->role != NULL)
        return pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s': role_arn works with web_identity_token_file only",
                        profile != NULL ? profile : "default");
    if (profile != NULL && id->token_file == NULL && id->profile_region == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s' is in neither shared file", profile);
    return PGC_OK;
}

static enum pgc_code load_fixed(struct pgc_s3_identity *id, const struct pgc_store_options *options,
                                struct pgc_error *err) {
    enum pgc_code code = copy_secret(options, "AWS_ACCESS_KEY_ID", &id->now.access_key, err);
    if (code == PGC_OK)
        code = copy_secret(options, "AWS_SECRET_ACCESS_KEY", &id->now.secret_key, err);
    if (code == PGC_OK)
        code = copy_secret(options, "AWS_SESSION_TOKEN", &id->now.token, err);
    if (code == PGC_OK && (id->now.access_key != NULL) != (id->now.secret_key != NULL))
        code = pgc_fail(err, PGC_E_CONFIG, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one of the two is set");
    id->fixed = id->now.access_key != NULL;
    return code;
}

static enum pgc_code load_container(struct pgc_s3_identity *id, const struct pgc_store_options *options,
                                    struct pgc_error *err) {
    const char *relative = pgc_store_setting(options, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *off = pgc_store_setting(options, "AWS_EC2_METADATA_DISABLED");
    const char *base = pgc_store_setting(options, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    enum pgc_code code = copy_setting(options, "AWS_CONTAINER_CREDENTIALS_FULL_URI", &id->container_url, err);
    if (code == PGC_OK && relative != NULL) {
        free(id->container_url);
        if (asprintf(&id->container_url, CONTAINER_HOST "%s", relative) < 0)
            return pgc_fail_nomem(err);
    }
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_CONTAINER_AUTHORIZATION_TOKEN", &id->container_token, err);
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &id->container_token_file, err);
    if (code != PGC_OK || (off != NULL && strcasecmp(off, "true") == 0))
        return code;
    id->metadata = strdup(base != NULL ? base : METADATA_HOST);
    return id->metadata == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static enum pgc_code load(struct pgc_s3_identity *id, const struct pgc_store_options *options, struct pgc_error *err) {
    enum pgc_code code = load_fixed(id, options, err);
    if (code == PGC_OK && !id->fixed)
        code = copy_setting(options, "AWS_WEB_IDENTITY_TOKEN_FILE", &id->token_file, err);
    if (code == PGC_OK && id->token_file != NULL)
        code = copy_setting(options, "AWS_ROLE_ARN", &id->role, err);
    if (code == PGC_OK)
        code = load_profile(id, options, err);
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_REGION", &id->region, err);
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_ROLE_SESSION_NAME", &id->session, err);
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_ENDPOINT_URL_STS", &id->sts, err);
    return code == PGC_OK && !id->fixed ? load_container(id, options, err) : code;
}

enum pgc_code pgc_s3_identity_open(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                   struct pgc_s3_identity **out, struct pgc_error *err) {
    struct pgc_s3_identity *id = calloc(1, sizeof *id);
    if (id == NULL)
        return pgc_fail_nomem(err);
    id->rt = rt;
    pthread_mutex_init(&id->lock, NULL);
    enum pgc_code code = load(id, options, err);
    if (code != PGC_OK) {
        pgc_s3_identity_free(id);
        return code;
    }
    *out = id;
    return PGC_OK;
}

/* --- fetching ------------------------------------------------------------------------------------------ */

static enum pgc_code ask(struct pgc_s3_identity *id, const char *method, const char *url, const char *header,
                         const struct pgc_buf *body, struct pgc_http_answer *answer, struct pgc_error *err) {
    struct pgc_http_options options = { .connect_timeout_ms = 2000, .stall_timeout_ms = 10000 };
    PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
    const char *headers[] = { header };
    struct pgc_http_request request = {
        .method = method, .url = url, .headers = headers, .header_count = header != NULL ? 1 : 0
    };
    if (body != NULL) {
        request.body = body->data;
        request.body_len = body->len;
    }
    enum pgc_code code = pgc_http_open(&options, id->rt, &http, err);
    if (code == PGC_OK)
        code = pgc_http_perform(http, &request, answer, err);
    if (code == PGC_OK && answer->status != 200)
        code = pgc_fail(err, answer->status >= 500 ? PGC_E_TEMPORARY : PGC_E_AUTH, "status %d", answer->status);
    return code;
}

static bool set_text(char **out, const char *text) {
    pgc_secret_free(*out);
    *out = text != NULL ? strdup(text) : NULL;
    return *out != NULL;
}

static enum pgc_code take_json(struct pgc_s3_identity *id, const struct pgc_buf *text, struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    enum pgc_code code = pgc_json_parse(text->data, text->len, &doc, err);
    if (code != PGC_OK)
        return code;
    const char *expires = pgc_json_text(pgc_json_get(doc, "Expiration"));
    if (!set_text(&id->now.access_key, pgc_json_text(pgc_json_get(doc, "AccessKeyId"))) ||
        !set_text(&id->now.secret_key, pgc_json_text(pgc_json_get(doc, "SecretAccessKey"))) ||
        !set_text(&id->now.token, pgc_json_text(pgc_json_get(doc, "Token"))))
        return pgc_fail(err, PGC_E_AUTH, "the answer holds no keys");
    if (expires == NULL || !pgc_text_parse_rfc3339(expires, &id->now.expires_us))
        id->now.expires_us = pgc_wall_us(id->rt) + 2 * REFRESH_BEFORE_US;
    return PGC_OK;
}

static bool take_sts(void *arg, const char *path, const char *text) {
    struct pgc_s3_credentials *c = arg;
    if (pgc_text_ends(path, "/Credentials/AccessKeyId"))
        (void)set_text(&c->access_key, text);
    else if (pgc_text_ends(path, "/Credentials/SecretAccessKey"))
        (void)set_text(&c->secret_key, text);
    else if (pgc_text_ends(path, "/Credentials/SessionToken"))
        (void)set_text(&c->token, text);
    else if (pgc_text_ends(path, "/Credentials/Expiration") && !pgc_text_parse_rfc3339(text, &c->expires_us))
        return false;
    return true;
}

static enum pgc_code fetch_web_identity(struct pgc_s3_identity *id, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf body = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_s3_credentials_release) struct pgc_s3_credentials fresh = { 0 };
    char *token = NULL;
    const char *session = id->session != NULL ? id->session : "pgc";
    if (id->role == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
    enum pgc_code code = pgc_secret_file(id->token_file, &token, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_puts(&body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
    pgc_text_percent(&body, id->role, strlen(id->role), "");
    pgc_buf_puts(&body, "&RoleSessionName=");
    pgc_text_percent(&body, session, strlen(session), "");
    pgc_buf_puts(&body, "&WebIdentityToken=");
    pgc_text_percent(&body, token, strlen(token), "");
    pgc_secret_free(token);
    if (id->sts != NULL)
        pgc_buf_putf(&url, "%s/", id->sts);
    else if (id->region != NULL)
        pgc_buf_putf(&url, "https://sts.%s.amazonaws.com/", id->region);
    else
        pgc_buf_puts(&url, "https://sts.amazonaws.com/");
    code = body.failed || url.failed
               ? pgc_fail_nomem(err)
               : ask(id, "POST", url.data, "Content-Type: application/x-www-form-urlencoded", &body, &answer, err);
    if (code == PGC_OK)
        code = pgc_xml_walk(answer.body.data, answer.body.len, take_sts, &fresh, err);
    if (code == PGC_OK && (fresh.access_key == NULL || fresh.secret_key == NULL))
        code = pgc_fail(err, PGC_E_AUTH, "the answer holds no keys");
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot assume the role '%s' by web identity", id->role);
    pgc_s3_credentials_release(&id->now);
    id->now = fresh;
    fresh = (struct pgc_s3_credentials) { 0 };
    return PGC_OK;
}

static enum pgc_code fetch_container(struct pgc_s3_identity *id, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf header = PGC_BUF_INIT;
    char *token = NULL;
    if (id->container_token_file != NULL) {
        enum pgc_code code = pgc_secret_file(id->container_token_file, &token, err);
        if (code != PGC_OK)
            return code;
    }
    const char *secret = token != NULL ? token : id->container_token;
    if (secret != NULL)
        pgc_buf_putf(&header, "Authorization: %s", secret);
    pgc_secret_free(token);
    enum pgc_code code = ask(id, "GET", id->container_url, header.len > 0 ? header.data : NULL, NULL, &answer, err);
    if (code == PGC_OK)
        code = take_json(id, &answer.body, err);
    return code != PGC_OK ? pgc_wrap(err, "cannot get keys from the container's credentials endpoint") : PGC_OK;
}

static enum pgc_code fetch_metadata(struct pgc_s3_identity *id, struct pgc_error *err) {
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf header = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    pgc_buf_putf(&url, "%s/latest/api/token", id->metadata);
    enum pgc_code code = ask(id, "PUT", url.data, "X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL, &answer, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_putf(&header, "X-aws-ec2-metadata-token: %s", answer.body.data);
    pgc_buf_clear(&url);
    pgc_buf_putf(&url, "%s/latest/meta-data/iam/security-credentials/", id->metadata);
    code = ask(id, "GET", url.data, header.data, NULL, &answer, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "instance metadata: no role is attached");
    pgc_buf_put(&url, answer.body.data, strcspn(answer.body.data, "\r\n"));
    code = ask(id, "GET", url.data, header.data, NULL, &answer, err);
    if (code == PGC_OK)
        code = take_json(id, &answer.body, err);
    return code != PGC_OK ? pgc_wrap(err, "instance metadata") : PGC_OK;
}

static enum pgc_code fetch(struct pgc_s3_identity *id, struct pgc_error *err) {
    struct pgc_error why = { 0 };
    if (id->token_file != NULL)
        return fetch_web_identity(id, err);
    if (id->container_url != NULL)
        return fetch_container(id, err);
    if (id->metadata != NULL && fetch_metadata(id, &why) == PGC_OK)
        return PGC_OK;
    if (id->metadata != NULL && why.code == PGC_E_CANCELLED)
        return pgc_fail(err, PGC_E_CANCELLED, "%s", why.message);
    return pgc_fail(err, PGC_E_AUTH,
                    "no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or _FILE), AWS_PROFILE, or "
                    "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN");
}

static enum pgc_code copy_credentials(const struct pgc_s3_credentials *from, struct pgc_s3_credentials *to,
                                      struct pgc_error *err) {
    *to = (struct pgc_s3_credentials) { .expires_us = from->expires_us };
    to->access_key = strdup(from->access_key);
    to->secret_key = strdup(from->secret_key);
    to->token = from->token != NULL ? strdup(from->token) : NULL;
    if (to->access_key != NULL && to->secret_key != NULL && (from->token == NULL || to->token != NULL))
        return PGC_OK;
    pgc_s3_credentials_release(to);
    return pgc_fail_nomem(err);
}

enum pgc_code pgc_s3_identity_get(struct pgc_s3_identity *id, bool refresh, struct pgc_s3_credentials *out,
                                  struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    pthread_mutex_lock(&id->lock);
    bool old = id->now.access_key == NULL || refresh ||
               (id->now.expires_us != 0 && pgc_wall_us(id->rt) > id->now.expires_us - REFRESH_BEFORE_US);
    if (old && !id->fixed)
        code = fetch(id, err);
    if (code == PGC_OK)
        code = copy_credentials(&id->now, out, err);
    pthread_mutex_unlock(&id->lock);
    return code;
}
