#include "store/s3_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/file.h"
#include "os/secret.h"

#define FILE_MAX ((size_t)1 << 20)

static const char *const names[PGC_AWS_VALUES] = {
    [PGC_AWS_ACCESS_KEY] = "aws_access_key_id",
    [PGC_AWS_SECRET_KEY] = "aws_secret_access_key",
    [PGC_AWS_TOKEN] = "aws_session_token",
    [PGC_AWS_REGION] = "region",
    [PGC_AWS_ROLE] = "role_arn",
    [PGC_AWS_SOURCE_PROFILE] = "source_profile",
    [PGC_AWS_CREDENTIAL_SOURCE] = "credential_source",
    [PGC_AWS_WEB_TOKEN_FILE] = "web_identity_token_file",
    [PGC_AWS_SESSION_NAME] = "role_session_name",
    [PGC_AWS_EXTERNAL_ID] = "external_id",
    [PGC_AWS_DURATION] = "duration_seconds",
    [PGC_AWS_MFA_SERIAL] = "mfa_serial",
    [PGC_AWS_PROCESS] = "credential_process",
    [PGC_AWS_SSO_SESSION] = "sso_session",
    [PGC_AWS_SSO_URL] = "sso_start_url",
};

static size_t trimmed(const char *text, size_t len) {
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r'))
        len--;
    return len;
}

char *pgc_aws_ini_value(const char *text, const char *section, const char *key, bool *found) {
    bool inside = false;
    for (size_t len = 0; *text != '\0'; text += len + (text[len] == '\n' ? 1 : 0)) {
        len = strcspn(text, "\n");
        const char *at = text + strspn(text, " \t");
        if (*at == '[') {
            at += 1 + strspn(at + 1, " \t");
            size_t name = trimmed(at, strcspn(at, "]\n"));
            inside = strlen(section) == name && memcmp(at, section, name) == 0;
            *found |= inside;
            continue;
        }
        size_t n = strcspn(at, " \t=\r\n");
        if (!inside || at != text || strlen(key) != n || memcmp(at, key, n) != 0)
            continue; /* an indented line belongs to a nested setting */
        at += n + strspn(at + n, " \t");
        if (*at != '=')
            continue;
        at += 1 + strspn(at + 1, " \t");
        return strndup(at, trimmed(at, strcspn(at, "\n")));
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

enum pgc_code pgc_aws_profile_load(const struct pgc_store_options *options, const char *name,
                                   struct pgc_aws_profile *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf keys = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf config = PGC_BUF_INIT;
    char section[256];
    *out = (struct pgc_aws_profile) { 0 };
    enum pgc_code code = read_shared(options, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &keys, err);
    if (code == PGC_OK)
        code = read_shared(options, "AWS_CONFIG_FILE", "config", &config, err);
    if (code != PGC_OK)
        return code;
    snprintf(section, sizeof section, strcmp(name, "default") == 0 ? "%s" : "profile %s", name);
    for (int i = 0; i < PGC_AWS_VALUES; i++) {
        out->values[i] = pgc_aws_ini_value(keys.data, name, names[i], &out->found);
        if (out->values[i] == NULL)
            out->values[i] = pgc_aws_ini_value(config.data, section, names[i], &out->found);
    }
    return PGC_OK;
}

void pgc_aws_profile_release(struct pgc_aws_profile *profile) {
    for (int i = 0; i < PGC_AWS_VALUES; i++)
        pgc_secret_free(profile->values[i]);
    *profile = (struct pgc_aws_profile) { 0 };
}

char *pgc_aws_profile_take(struct pgc_aws_profile *profile, enum pgc_aws_value which) {
    char *value = profile->values[which];
    profile->values[which] = NULL;
    return value;
}
