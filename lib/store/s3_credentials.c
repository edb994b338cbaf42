#include "store/s3_credentials.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/secret.h"
#include "store/s3_keys.h"
#include "store/s3_profile.h"
#include "store/url.h"

#define REFRESH_BEFORE_US ((int64_t)300 * 1000000)
#define METADATA_HOST     "http://169.254.169.254"
#define CONTAINER_HOST    "http://169.254.170.2"
#define PROFILES_DEEP     5 /* source_profile of source_profile ... */

struct pgc_s3_identity {
    const struct pgc_runtime *rt;
    pthread_mutex_t lock; /* guards `now` and the asking */
    struct pgc_s3_credentials now;
    struct pgc_s3_key_source source;
    char *profile_region;
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
    free(identity->profile_region);
    pgc_s3_key_source_release(&identity->source);
    pgc_s3_credentials_release(&identity->now);
    pthread_mutex_destroy(&identity->lock);
    free(identity);
}

const char *pgc_s3_identity_region(const struct pgc_s3_identity *identity) {
    return identity->profile_region;
}

/* --- settings -------------------------------------------------------------------------------------------- */

static enum pgc_code copy_setting(const struct pgc_store_options *options, const char *name, char **out,
                                  struct pgc_error *err) {
    const char *value = pgc_store_setting(options, name);
    if (value == NULL)
        return PGC_OK;
    free(*out);
    *out = strdup(value);
    return *out == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

enum pgc_code pgc_s3_ca_file(const struct pgc_store_options *options, char **out, struct pgc_error *err) {
    return pgc_store_setting(options, "PGC_CA_FILE") != NULL ? PGC_OK
                                                             : copy_setting(options, "AWS_CA_BUNDLE", out, err);
}

static enum pgc_code load_environment(struct pgc_s3_identity *id, const struct pgc_store_options *options,
                                      struct pgc_error *err) {
    struct pgc_s3_key_source *s = &id->source;
    enum pgc_code code = pgc_store_secret(options, "AWS_ACCESS_KEY_ID", &id->now.access_key, err);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "AWS_SECRET_ACCESS_KEY", &id->now.secret_key, err);
    if (code == PGC_OK && (id->now.access_key != NULL) != (id->now.secret_key != NULL))
        code = pgc_fail(err, PGC_E_CONFIG, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one of the two is set");
    if (code == PGC_OK && id->now.access_key != NULL) {
        s->kind = PGC_S3_KEYS_FIXED;
        return pgc_store_secret(options, "AWS_SESSION_TOKEN", &id->now.token, err);
    }
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_WEB_IDENTITY_TOKEN_FILE", &s->token_file, err);
    if (code != PGC_OK || s->token_file == NULL)
        return code;
    s->kind = PGC_S3_KEYS_WEB_IDENTITY;
    code = copy_setting(options, "AWS_ROLE_ARN", &s->role, err);
    if (code == PGC_OK && s->role == NULL)
        code = pgc_fail(err, PGC_E_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
    return code == PGC_OK ? copy_setting(options, "AWS_ROLE_SESSION_NAME", &s->session, err) : code;
}

/* Keys over plain HTTP are taken from this machine's own addresses only, as AWS's tools do. */
static bool is_own_address(const char *url) {
    static const char *const hosts[] = { "127.0.0.1",      "localhost", "169.254.170.2",
                                         "169.254.170.23", "[::1]",     "[fd00:ec2::23]" };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncmp(url, "http://", 7) == 0 && strncasecmp(url + 7, hosts[i], len) == 0 &&
            strchr(":/", url[7 + len]) != NULL)
            return true;
    }
    return strncmp(url, "https://", 8) == 0;
}

static enum pgc_code load_container(struct pgc_s3_key_source *s, const struct pgc_store_options *options,
                                    struct pgc_error *err) {
    const char *relative = pgc_store_setting(options, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    enum pgc_code code = PGC_OK;
    if (relative == NULL)
        code = copy_setting(options, "AWS_CONTAINER_CREDENTIALS_FULL_URI", &s->container_url, err);
    else if (asprintf(&s->container_url, CONTAINER_HOST "%s", relative) < 0)
        return pgc_fail_nomem(err);
    if (code != PGC_OK || s->container_url == NULL)
        return code;
    if (!is_own_address(s->container_url))
        return pgc_fail(err, PGC_E_CONFIG,
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine");
    s->kind = PGC_S3_KEYS_CONTAINER;
    code = copy_setting(options, "AWS_CONTAINER_AUTHORIZATION_TOKEN", &s->container_token, err);
    return code == PGC_OK
               ? copy_setting(options, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &s->container_token_file, err)
               : code;
}

static enum pgc_code load_metadata(struct pgc_s3_key_source *s, const struct pgc_store_options *options,
                                   struct pgc_error *err) {
    const char *off = pgc_store_setting(options, "AWS_EC2_METADATA_DISABLED");
    const char *base = pgc_store_setting(options, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (off != NULL && strcasecmp(off, "true") == 0)
        return PGC_OK;
    s->kind = PGC_S3_KEYS_METADATA;
    s->metadata = strdup(base != NULL ? base : METADATA_HOST);
    return s->metadata == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

/* --- profiles -------------------------------------------------------------------------------------------- */

static struct pgc_s3_identity *identity_new(const struct pgc_runtime *rt) {
    struct pgc_s3_identity *id = calloc(1, sizeof *id);
    if (id == NULL)
        return NULL;
    id->rt = rt;
    id->source.rt = rt;
    pthread_mutex_init(&id->lock, NULL);
    return id;
}

static enum pgc_code use_profile(struct pgc_s3_identity *id, const struct pgc_store_options *options, const char *name,
                                 int depth, struct pgc_error *err);

static void take_keys(struct pgc_s3_identity *id, struct pgc_aws_profile *profile) {
    id->source.kind = PGC_S3_KEYS_FIXED;
    id->now.access_key = pgc_aws_profile_take(profile, PGC_AWS_ACCESS_KEY);
    id->now.secret_key = pgc_aws_profile_take(profile, PGC_AWS_SECRET_KEY);
    id->now.token = pgc_aws_profile_take(profile, PGC_AWS_TOKEN);
}

static bool has_keys(const struct pgc_aws_profile *profile) {
    return profile->values[PGC_AWS_ACCESS_KEY] != NULL && profile->values[PGC_AWS_SECRET_KEY] != NULL;
}

/* credential_source: where the keys come from that may assume the role. */
static enum pgc_code use_named_source(struct pgc_s3_identity *id, const struct pgc_store_options *options,
                                      const char *name, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (strcmp(name, "Environment") == 0)
        code = load_environment(id, options, err);
    else if (strcmp(name, "EcsContainer") == 0)
        code = load_container(&id->source, options, err);
    else if (strcmp(name, "Ec2InstanceMetadata") == 0)
        code = load_metadata(&id->source, options, err);
    if (code == PGC_OK && id->source.kind == PGC_S3_KEYS_NONE)
        code = pgc_fail(err, PGC_E_CONFIG, "credential_source '%s' gives no keys here", name);
    return code;
}

/* The keys that may assume the role of this profile. */
static enum pgc_code find_base(struct pgc_s3_identity *id, const struct pgc_store_options *options, const char *name,
                               struct pgc_aws_profile *profile, int depth, struct pgc_error *err) {
    const char *source = profile->values[PGC_AWS_SOURCE_PROFILE];
    const char *named = profile->values[PGC_AWS_CREDENTIAL_SOURCE];
    id->source.base = identity_new(id->rt);
    if (id->source.base == NULL)
        return pgc_fail_nomem(err);
    if (source != NULL && named != NULL)
        return pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s' has both source_profile and credential_source", name);
    if (named != NULL)
        return use_named_source(id->source.base, options, named, err);
    if (source == NULL)
        return pgc_fail(err, PGC_E_CONFIG,
                        "AWS profile '%s' has role_arn but none of source_profile, credential_source and "
                        "web_identity_token_file",
                        name);
    if (strcmp(source, name) == 0 && has_keys(profile)) {
        take_keys(id->source.base, profile);
        return PGC_OK;
    }
    enum pgc_code code = use_profile(id->source.base, options, source, depth + 1, err);
    if (code == PGC_OK && id->source.base->source.kind == PGC_S3_KEYS_NONE)
        code = pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s' (source_profile of '%s') has no keys", source, name);
    return code;
}

static enum pgc_code use_role(struct pgc_s3_identity *id, const struct pgc_store_options *options, const char *name,
                              struct pgc_aws_profile *profile, int depth, struct pgc_error *err) {
    struct pgc_s3_key_source *s = &id->source;
    if (profile->values[PGC_AWS_MFA_SERIAL] != NULL)
        return pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s' has mfa_serial: nobody is there to enter a code", name);
    s->role = pgc_aws_profile_take(profile, PGC_AWS_ROLE);
    s->session = pgc_aws_profile_take(profile, PGC_AWS_SESSION_NAME);
    s->external_id = pgc_aws_profile_take(profile, PGC_AWS_EXTERNAL_ID);
    s->duration = pgc_aws_profile_take(profile, PGC_AWS_DURATION);
    s->token_file = pgc_aws_profile_take(profile, PGC_AWS_WEB_TOKEN_FILE);
    s->kind = s->token_file != NULL ? PGC_S3_KEYS_WEB_IDENTITY : PGC_S3_KEYS_ROLE;
    enum pgc_code code = copy_setting(options, "AWS_ENDPOINT_URL_STS", &s->sts, err);
    if (code == PGC_OK)
        code = pgc_s3_ca_file(options, &s->ca_file, err);
    if (code == PGC_OK && s->region == NULL && id->profile_region != NULL &&
        (s->region = strdup(id->profile_region)) == NULL)
        code = pgc_fail_nomem(err);
    return code == PGC_OK && s->token_file == NULL ? find_base(id, options, name, profile, depth, err) : code;
}

/* A role goes before keys, as in AWS's own tools; a profile without either leaves the kind NONE. */
static enum pgc_code use_profile(struct pgc_s3_identity *id, const struct pgc_store_options *options, const char *name,
                                 int depth, struct pgc_error *err) {
    PGC_CLEANUP(pgc_aws_profile_release) struct pgc_aws_profile profile = { 0 };
    if (depth > PROFILES_DEEP)
        return pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s': source_profile goes round in circles", name);
    enum pgc_code code = pgc_aws_profile_load(options, name, &profile, err);
    if (code != PGC_OK)
        return code;
    id->profile_region = pgc_aws_profile_take(&profile, PGC_AWS_REGION);
    if (id->source.kind != PGC_S3_KEYS_NONE) /* the environment has keys: only the region is wanted */
        return PGC_OK;
    if (!profile.found && (depth > 0 || strcmp(name, "default") != 0))
        return pgc_fail(err, PGC_E_CONFIG, "AWS profile '%s' is in neither shared file", name);
    if (profile.values[PGC_AWS_ROLE] != NULL)
        return use_role(id, options, name, &profile, depth, err);
    if (has_keys(&profile)) {
        take_keys(id, &profile);
    } else if (profile.values[PGC_AWS_SSO_SESSION] != NULL || profile.values[PGC_AWS_SSO_URL] != NULL) {
        return pgc_fail(
            err, PGC_E_CONFIG,
            "AWS profile '%s' wants a person to sign in (sso); a way out is credential_process = aws configure "
            "export-credentials --profile %s",
            name, name);
    } else if (profile.values[PGC_AWS_PROCESS] != NULL) {
        id->source.kind = PGC_S3_KEYS_PROCESS;
        id->source.process = pgc_aws_profile_take(&profile, PGC_AWS_PROCESS);
    }
    return PGC_OK;
}

static enum pgc_code load(struct pgc_s3_identity *id, const struct pgc_store_options *options, struct pgc_error *err) {
    const char *profile = pgc_store_setting(options, "AWS_PROFILE");
    struct pgc_s3_key_source *s = &id->source;
    enum pgc_code code = copy_setting(options, "AWS_DEFAULT_REGION", &s->region, err);
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_REGION", &s->region, err);
    if (code == PGC_OK)
        code = copy_setting(options, "AWS_ENDPOINT_URL_STS", &s->sts, err);
    if (code == PGC_OK)
        code = pgc_s3_ca_file(options, &s->ca_file, err);
    if (code == PGC_OK)
        code = load_environment(id, options, err);
    if (code == PGC_OK)
        code = use_profile(id, options, profile != NULL ? profile : "default", 0, err);
    if (code == PGC_OK && s->kind == PGC_S3_KEYS_NONE)
        code = load_container(s, options, err);
    return code == PGC_OK && s->kind == PGC_S3_KEYS_NONE ? load_metadata(s, options, err) : code;
}

enum pgc_code pgc_s3_identity_open(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                   struct pgc_s3_identity **out, struct pgc_error *err) {
    struct pgc_s3_identity *id = identity_new(rt);
    if (id == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = load(id, options, err);
    if (code != PGC_OK) {
        pgc_s3_identity_free(id);
        return code;
    }
    *out = id;
    return PGC_OK;
}

/* --- giving out ------------------------------------------------------------------------------------------ */

/* Nothing was configured, so that the instance was asked as the last resort. */
static enum pgc_code fail_nothing(const struct pgc_error *why, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_AUTH,
                    "no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or _FILE), AWS_PROFILE, or "
                    "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN%s%s%s",
                    why != NULL ? " (" : "", why != NULL ? why->message : "", why != NULL ? ")" : "");
}

static enum pgc_code fetch(struct pgc_s3_identity *id, bool may_stay, struct pgc_error *err) {
    struct pgc_s3_credentials fresh = { 0 };
    struct pgc_error why;
    if (id->source.kind == PGC_S3_KEYS_NONE)
        return fail_nothing(NULL, err);
    enum pgc_code code = pgc_s3_keys_fetch(&id->source, &fresh, &why);
    if (code == PGC_OK) {
        pgc_s3_credentials_release(&id->now);
        id->now = fresh;
        return PGC_OK;
    }
    pgc_s3_credentials_release(&fresh);
    if (may_stay && code != PGC_E_CANCELLED) {
        pgc_log(id->rt, PGC_LOG_WARN, "store.keys", "keys that end soon could not be renewed; going on with them",
                PGC_LOG_TEXT("cause", why.message));
        return PGC_OK;
    }
    if (id->source.kind == PGC_S3_KEYS_METADATA && id->now.access_key == NULL && code != PGC_E_CANCELLED)
        return fail_nothing(&why, err);
    *err = why;
    return code;
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
    bool none = id->now.access_key == NULL;
    int64_t left_us = id->now.expires_us == 0 ? INT64_MAX : id->now.expires_us - pgc_wall_us(id->rt);
    if (id->source.kind != PGC_S3_KEYS_FIXED && (none || refresh || left_us < REFRESH_BEFORE_US))
        code = fetch(id, !none && !refresh && left_us > 0, err);
    if (code == PGC_OK)
        code = copy_credentials(&id->now, out, err);
    pthread_mutex_unlock(&id->lock);
    return code;
}
