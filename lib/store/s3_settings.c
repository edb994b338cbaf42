#include "store/s3_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/text.h"
#include "io/digest.h"
#include "os/secret.h"
#include "store/url.h"

#define MIB              ((uint64_t)1 << 20)
#define PART_BYTES_LEAST (8 * MIB)
#define PART_BYTES_MOST  (5120 * MIB)
#define BUFFERS_OWN      (80 * MIB)
#define BUFFERS_MOST     (320 * MIB)

static const struct pgc_s3_profile profiles[] = {
    { "aws", ".amazonaws.com", NULL, false, true, 10000, 5 * MIB },
    { "aws", ".amazonaws.com.cn", "cn-north-1", false, true, 10000, 5 * MIB },
    { "r2", ".r2.cloudflarestorage.com", "auto", true, false, 10000, 5 * MIB },
    { "gcs", "storage.googleapis.com", "auto", true, false, 10000, 5 * MIB },
    { "b2", ".backblazeb2.com", "us-west-004", true, false, 10000, 5 * MIB },
    { "scaleway", ".scw.cloud", "fr-par", false, false, 1000, 5 * MIB },
    { "storj", ".storjshare.io", NULL, true, false, 10000, 64 * MIB },
    { "minio", NULL, NULL, true, true, 10000, 5 * MIB },
    { "swift", NULL, NULL, true, true, 1000, 5 * MIB },
    { "ceph", NULL, NULL, true, false, 10000, 5 * MIB },
    { "wasabi", ".wasabisys.com", NULL, true, false, 10000, 5 * MIB },
    { "digitalocean", ".digitaloceanspaces.com", NULL, false, false, 10000, 5 * MIB },
    { "other", NULL, NULL, true, true, 10000, 5 * MIB },
};
#define PROFILE_COUNT (sizeof profiles / sizeof profiles[0])
#define OTHER         (&profiles[PROFILE_COUNT - 1])

static const char *const names[] = { "endpoint",      "region",    "style",       "provider",  "part_size",
                                     "max_parts",     "in_flight", "attempts",    "stall",     "checksum",
                                     "storage_class", "sse",       "sse_kms_key", "lock_mode", "lock_days",
                                     "legal_hold",    "list" };
#define NAME_COUNT (sizeof names / sizeof names[0])

/* Every parameter's value, from the URL or the setting PGC_S3_NAME; NULL when neither is there. */
struct given {
    char *values[NAME_COUNT];
};

static void release_given(struct given *given) {
    for (size_t i = 0; i < NAME_COUNT; i++)
        free(given->values[i]);
}

static const char *value_of(const struct given *given, const char *name) {
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return given->values[i];
    return NULL;
}

static char *unpercent(const char *text, size_t len) {
    struct pgc_buf out = PGC_BUF_INIT;
    char *plain = pgc_text_unpercent(&out, text, len) ? pgc_buf_detach(&out) : NULL;
    pgc_buf_release(&out);
    return plain;
}

static enum pgc_code take_parameter(struct given *given, const char *text, size_t len, struct pgc_error *err) {
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strlen(names[i]) != name_len || memcmp(names[i], text, name_len) != 0)
            continue;
        free(given->values[i]);
        given->values[i] = equals != NULL ? unpercent(equals + 1, len - name_len - 1) : strdup("");
        if (given->values[i] == NULL)
            return pgc_fail(err, PGC_E_USAGE, "malformed value of '%s' in the s3 URL", names[i]);
        return PGC_OK;
    }
    return pgc_fail(err, PGC_E_USAGE,
                    "s3 URL: unknown parameter '%.*s' (known: endpoint, region, style, part_size ...)", (int)name_len,
                    text);
}

static enum pgc_code take_parameters(struct given *given, const char *query, struct pgc_error *err) {
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        enum pgc_code code = len == 0 ? PGC_OK : take_parameter(given, query, len, err);
        if (code != PGC_OK)
            return code;
        query += len + (query[len] == '&' ? 1 : 0);
    }
    return PGC_OK;
}

static enum pgc_code take_environment(struct given *given, const struct pgc_store_options *options,
                                      struct pgc_error *err) {
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "PGC_S3_%s", names[i]);
        for (char *c = name; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        const char *value = pgc_store_setting(options, name);
        if (value == NULL && strcmp(names[i], "endpoint") == 0)
            value = pgc_store_setting(options, "AWS_ENDPOINT_URL_S3");
        if (value == NULL && strcmp(names[i], "endpoint") == 0)
            value = pgc_store_setting(options, "AWS_ENDPOINT_URL");
        if (value == NULL && strcmp(names[i], "region") == 0)
            value = pgc_store_setting(options, "AWS_REGION");
        if (value == NULL && strcmp(names[i], "region") == 0)
            value = pgc_store_setting(options, "AWS_DEFAULT_REGION");
        if (value == NULL || given->values[i] != NULL)
            continue;
        given->values[i] = strdup(value);
        if (given->values[i] == NULL)
            return pgc_fail_nomem(err);
    }
    return PGC_OK;
}

/* "bucket/prefix" after "s3://". Slashes around the prefix do not count. */
static enum pgc_code take_bucket(struct pgc_s3_settings *s, const char *text, size_t len, struct pgc_error *err) {
    const char *slash = memchr(text, '/', len);
    size_t bucket = slash != NULL ? (size_t)(slash - text) : len;
    if (memchr(text, '@', bucket) != NULL)
        return pgc_fail(err, PGC_E_USAGE,
                        "credentials do not belong into the s3 URL: set AWS_ACCESS_KEY_ID and "
                        "AWS_SECRET_ACCESS_KEY (or _FILE)");
    s->bucket = strndup(text, bucket);
    if (s->bucket == NULL)
        return pgc_fail_nomem(err);
    if (bucket < 3 || bucket > 63 || strspn(s->bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != bucket)
        return pgc_fail(err, PGC_E_USAGE,
                        "'%s' is no bucket name (3 to 63 of a-z, 0-9, '-' and '.'), as in s3://bucket/prefix",
                        s->bucket);
    const char *begin = text + bucket;
    const char *end = text + len;
    while (begin < end && *begin == '/')
        begin++;
    while (end > begin && end[-1] == '/')
        end--;
    PGC_AUTO_FREE char *prefix = unpercent(begin, (size_t)(end - begin));
    if (prefix == NULL)
        return pgc_fail(err, PGC_E_USAGE, "malformed percent-encoding in the s3 URL");
    s->prefix = malloc(strlen(prefix) + 2);
    if (s->prefix == NULL)
        return pgc_fail_nomem(err);
    sprintf(s->prefix, "%s%s", prefix, prefix[0] != '\0' ? "/" : "");
    return PGC_OK;
}

static enum pgc_code take_endpoint(struct pgc_s3_settings *s, const char *endpoint, struct pgc_error *err) {
    s->tls = true;
    if (endpoint != NULL) {
        s->tls = strncmp(endpoint, "https://", 8) == 0;
        if (!s->tls && strncmp(endpoint, "http://", 7) != 0)
            return pgc_fail(err, PGC_E_USAGE, "s3 endpoint '%s' does not begin with https:// or http://", endpoint);
        endpoint += s->tls ? 8 : 7;
    }
    const char *host = endpoint != NULL ? endpoint : "";
    size_t len = strcspn(host, "/?#");
    size_t path = strlen(host);
    while (path > len && host[path - 1] == '/')
        path--;
    if (endpoint != NULL && (len == 0 || memchr(host, '@', len) != NULL))
        return pgc_fail(err, PGC_E_USAGE, "malformed s3 endpoint (it looks like https://host:port)");
    size_t default_port = strlen(s->tls ? ":443" : ":80");
    s->base_path = strndup(host + len, path - len);
    if (len > default_port && memcmp(host + len - default_port, s->tls ? ":443" : ":80", default_port) == 0)
        len -= default_port;
    s->host = strndup(host, len);
    return s->host == NULL || s->base_path == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static enum pgc_code fail_provider(const char *name, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf known = PGC_BUF_INIT;
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        if (i == 0 || strcmp(profiles[i].name, profiles[i - 1].name) != 0)
            pgc_buf_putf(&known, "%s%s", i > 0 ? ", " : "", profiles[i].name);
    return pgc_fail(err, PGC_E_USAGE, "s3 provider '%s' is none of %s", name, known.data);
}

static enum pgc_code find_profile(struct pgc_s3_settings *s, const char *name, struct pgc_error *err) {
    PGC_AUTO_FREE char *host = strdup(s->host);
    if (host == NULL)
        return pgc_fail_nomem(err);
    host[strcspn(host, ":")] = '\0';
    s->profile = host[0] == '\0' ? &profiles[0] : OTHER;
    for (size_t i = 0; name == NULL && i < PROFILE_COUNT; i++)
        if (profiles[i].host_suffix != NULL && pgc_text_ends(host, profiles[i].host_suffix))
            s->profile = &profiles[i];
    if (name == NULL)
        return PGC_OK;
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        if (strcmp(profiles[i].name, name) == 0) {
            s->profile = &profiles[i];
            return PGC_OK;
        }
    return fail_provider(name, err);
}

static enum pgc_code take_choice(const struct given *given, const char *name, const char *yes, const char *no,
                                 bool otherwise, bool *out, struct pgc_error *err) {
    const char *value = value_of(given, name);
    *out = value == NULL ? otherwise : strcmp(value, yes) == 0;
    if (value != NULL && !*out && strcmp(value, no) != 0)
        return pgc_fail(err, PGC_E_USAGE, "s3 %s '%s' is neither %s nor %s", name, value, yes, no);
    return PGC_OK;
}

static enum pgc_code take_int(const struct given *given, const char *name, int64_t min, int64_t max, int64_t otherwise,
                              int64_t *out, struct pgc_error *err) {
    const char *value = value_of(given, name);
    *out = otherwise;
    if (value == NULL || pgc_parse_int(value, min, max, out, err) == PGC_OK)
        return PGC_OK;
    return pgc_wrap(err, "s3 %s", name);
}

static enum pgc_code take_numbers(struct pgc_s3_settings *s, const struct given *given, struct pgc_error *err) {
    int64_t parts = 0;
    int64_t flight = 0;
    int64_t attempts = 0;
    int64_t days = 0;
    int64_t list = 0;
    const char *size = value_of(given, "part_size");
    const char *stall = value_of(given, "stall");
    enum pgc_code code = take_int(given, "max_parts", 1, 10000, s->profile->max_parts, &parts, err);
    if (code == PGC_OK)
        code = take_int(given, "in_flight", 1, 64, 4, &flight, err);
    if (code == PGC_OK)
        code = take_int(given, "attempts", 1, 100, 8, &attempts, err);
    if (code == PGC_OK)
        code = take_int(given, "lock_days", 0, 36500, 0, &days, err);
    if (code == PGC_OK)
        code = take_int(given, "list", 1, 2, 2, &list, err);
    if (code == PGC_OK && size != NULL && pgc_parse_size(size, &s->part_bytes, err) != PGC_OK)
        code = pgc_wrap(err, "s3 part_size");
    if (code == PGC_OK && size != NULL && (s->part_bytes < 65536 || s->part_bytes > PART_BYTES_MOST))
        code = pgc_fail(err, PGC_E_USAGE, "s3 part_size '%s' is not between 64KiB and 5GiB", size);
    s->stall_ms = 60000;
    if (code == PGC_OK && stall != NULL && pgc_parse_duration_ms(stall, &s->stall_ms, err) != PGC_OK)
        code = pgc_wrap(err, "s3 stall");
    s->max_parts = (unsigned)parts;
    s->in_flight = (unsigned)flight;
    s->attempts = (unsigned)attempts;
    s->lock_days = (int)days;
    s->list_version = (int)list;
    return code;
}

static bool copy_value(char **out, const struct given *given, const char *name) {
    const char *value = value_of(given, name);
    *out = value != NULL && value[0] != '\0' ? strdup(value) : NULL;
    return value == NULL || value[0] == '\0' || *out != NULL;
}

static enum pgc_code take_texts(struct pgc_s3_settings *s, const struct given *given, struct pgc_error *err) {
    if (!copy_value(&s->region, given, "region") || !copy_value(&s->storage_class, given, "storage_class") ||
        !copy_value(&s->sse, given, "sse") || !copy_value(&s->sse_kms_key, given, "sse_kms_key") ||
        !copy_value(&s->lock_mode, given, "lock_mode"))
        return pgc_fail_nomem(err);
    if ((s->lock_mode != NULL) != (s->lock_days > 0))
        return pgc_fail(err, PGC_E_USAGE, "s3 lock_mode and lock_days go together");
    if (s->lock_mode != NULL && strcmp(s->lock_mode, "GOVERNANCE") != 0 && strcmp(s->lock_mode, "COMPLIANCE") != 0)
        return pgc_fail(err, PGC_E_USAGE, "s3 lock_mode '%s' is neither GOVERNANCE nor COMPLIANCE", s->lock_mode);
    if (s->sse_kms_key != NULL && s->sse == NULL) {
        s->sse = strdup("aws:kms");
        return s->sse == NULL ? pgc_fail_nomem(err) : PGC_OK;
    }
    return PGC_OK;
}

/* Encryption with a key that the server gets with every request and does not keep. */
static enum pgc_code take_customer_key(struct pgc_s3_settings *s, const struct pgc_store_options *options,
                                       struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf raw = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sum = PGC_BUF_INIT;
    unsigned char md5[16];
    enum pgc_code code = pgc_store_secret(options, "PGC_S3_CUSTOMER_KEY", &s->customer_key, err);
    if (code != PGC_OK || s->customer_key == NULL)
        return code;
    if (!pgc_text_unbase64(&raw, s->customer_key, strlen(s->customer_key), true) || raw.len != 32)
        return pgc_fail(err, PGC_E_CONFIG,
                        "PGC_S3_CUSTOMER_KEY is not the base64 of 32 bytes (openssl rand -base64 32)");
    if (s->sse != NULL)
        return pgc_fail(err, PGC_E_USAGE, "s3 sse and PGC_S3_CUSTOMER_KEY exclude each other");
    if (!s->tls && strncmp(s->host, "127.0.0.1", 9) != 0 && strncmp(s->host, "localhost", 9) != 0)
        return pgc_fail(err, PGC_E_USAGE, "PGC_S3_CUSTOMER_KEY is sent with every request: the endpoint must be https");
    pgc_digest(PGC_DIGEST_MD5, raw.data, raw.len, md5);
    pgc_text_base64(&sum, md5, sizeof md5, true);
    s->customer_key_md5 = pgc_buf_detach(&sum);
    return s->customer_key_md5 == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static enum pgc_code fill(struct pgc_s3_settings *s, const struct given *given, struct pgc_error *err) {
    bool virtual_style = false;
    enum pgc_code code = take_endpoint(s, value_of(given, "endpoint"), err);
    if (code == PGC_OK)
        code = find_profile(s, value_of(given, "provider"), err);
    if (code == PGC_OK) /* a dot in the bucket's name would not match the wildcard certificate */
        code = take_choice(given, "style", "virtual", "path", !s->profile->path_style && strchr(s->bucket, '.') == NULL,
                           &virtual_style, err);
    s->path_style = !virtual_style;
    if (code == PGC_OK)
        code = take_choice(given, "checksum", "yes", "no", s->profile->checksum, &s->checksum, err);
    if (code == PGC_OK)
        code = take_choice(given, "legal_hold", "yes", "no", false, &s->legal_hold, err);
    if (code == PGC_OK)
        code = take_numbers(s, given, err);
    return code != PGC_OK ? code : take_texts(s, given, err);
}

enum pgc_code pgc_s3_settings_load(const struct pgc_store_options *options, struct pgc_s3_settings *out,
                                   struct pgc_error *err) {
    PGC_CLEANUP(release_given) struct given given = { 0 };
    *out = (struct pgc_s3_settings) { 0 };
    const char *rest = options->url + strlen("s3:");
    rest += strncmp(rest, "//", 2) == 0 ? 2 : 0;
    size_t len = strcspn(rest, "?");
    enum pgc_code code = take_bucket(out, rest, len, err);
    if (code == PGC_OK && rest[len] == '?')
        code = take_parameters(&given, rest + len + 1, err);
    if (code == PGC_OK)
        code = take_environment(&given, options, err);
    if (code == PGC_OK)
        code = fill(out, &given, err);
    return code != PGC_OK ? code : take_customer_key(out, options, err);
}

void pgc_s3_settings_release(struct pgc_s3_settings *s) {
    char *const texts[] = { s->bucket,        s->prefix, s->host,        s->base_path, s->region,
                            s->storage_class, s->sse,    s->sse_kms_key, s->lock_mode };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    free(s->customer_key_md5);
    pgc_secret_free(s->customer_key);
    *s = (struct pgc_s3_settings) { 0 };
}

uint64_t pgc_s3_part_bytes(const struct pgc_s3_settings *s, uint64_t hint) {
    uint64_t least = s->profile->part_min_bytes > PART_BYTES_LEAST ? s->profile->part_min_bytes : PART_BYTES_LEAST;
    uint64_t parts = s->max_parts > 1 ? (uint64_t)s->max_parts * 9 / 10 : 1;
    if (s->part_bytes != 0)
        return s->part_bytes;
    uint64_t wanted = (hint + hint / 5) / (parts == 0 ? 1 : parts);
    wanted = (wanted + MIB - 1) / MIB * MIB;
    return wanted < least ? least : wanted > PART_BYTES_MOST ? PART_BYTES_MOST : wanted;
}

unsigned pgc_s3_parts_in_flight(const struct pgc_s3_settings *s, uint64_t part_bytes) {
    unsigned flight = s->in_flight;
    uint64_t most = s->part_bytes == 0 ? BUFFERS_OWN : BUFFERS_MOST;
    while (flight > 1 && (flight + 1) * part_bytes > most)
        flight--;
    return flight;
}
