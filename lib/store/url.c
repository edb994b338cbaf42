#include "store/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "os/secret.h"

void pgc_store_url_release(struct pgc_store_url *url) {
    free(url->scheme);
    free(url->user);
    free(url->authority);
    free(url->path);
    pgc_strings_release(&url->parameters);
    *url = (struct pgc_store_url) { 0 };
}

static char *decoded(const char *text, size_t len) {
    struct pgc_buf out = PGC_BUF_INIT;
    char *plain = pgc_text_unpercent(&out, text, len) ? pgc_buf_detach(&out) : NULL;
    pgc_buf_release(&out);
    return plain;
}

static bool is_known(const char *known, const char *name, size_t len) {
    while (*known != '\0') {
        size_t n = strcspn(known, " ");
        if (n == len && memcmp(known, name, n) == 0)
            return true;
        known += n + strspn(known + n, " ");
    }
    return false;
}

static enum pgc_code take_parameters(const char *query, const char *known, struct pgc_store_url *out,
                                     struct pgc_error *err) {
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        size_t name = strcspn(query, "=&");
        if (len > 0 && !is_known(known, query, name))
            return pgc_fail(err, PGC_E_USAGE, "%s URL: unknown parameter '%.*s' (known: %s)", out->scheme, (int)name,
                            query, known);
        char *pair = decoded(query, len);
        if (pair == NULL)
            return pgc_fail(err, PGC_E_USAGE, "%s URL: malformed percent-encoding", out->scheme);
        enum pgc_code code = pgc_strings_take(&out->parameters, pair, err);
        if (code != PGC_OK)
            return code;
        query += len + (query[len] == '&' ? 1 : 0);
    }
    return PGC_OK;
}

static enum pgc_code take_authority(const char *text, size_t len, struct pgc_store_url *out, struct pgc_error *err) {
    const char *at = memrchr(text, '@', len);
    size_t user = at != NULL ? (size_t)(at - text) : 0;
    if (memchr(text, ':', user) != NULL)
        return pgc_fail(err, PGC_E_USAGE, "a password does not belong into the %s URL: it would be logged",
                        out->scheme);
    if (at != NULL && (out->user = decoded(text, user)) == NULL)
        return pgc_fail(err, PGC_E_USAGE, "%s URL: malformed percent-encoding", out->scheme);
    const char *host = at != NULL ? at + 1 : text;
    out->authority = strndup(host, len - (size_t)(host - text));
    if (out->authority == NULL)
        return pgc_fail_nomem(err);
    if (out->authority[0] == '\0' || out->authority[0] == ':')
        return pgc_fail(err, PGC_E_USAGE, "%s URL without a host, as in %s://user@host/folder", out->scheme,
                        out->scheme);
    return PGC_OK;
}

enum pgc_code pgc_store_url_parse(const char *text, const char *known, struct pgc_store_url *out,
                                  struct pgc_error *err) {
    *out = (struct pgc_store_url) { 0 };
    const char *rest = strstr(text, "://");
    if (rest == NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%.*s': a store URL has the form scheme://user@host/folder",
                        (int)strcspn(text, "?"), text);
    out->scheme = strndup(text, (size_t)(rest - text));
    if (out->scheme == NULL)
        return pgc_fail_nomem(err);
    rest += 3;
    size_t authority = strcspn(rest, "/?");
    enum pgc_code code = take_authority(rest, authority, out, err);
    if (code != PGC_OK)
        return code;
    rest += authority;
    size_t len = strcspn(rest, "?");
    size_t path = len;
    while (path > 0 && rest[path - 1] == '/')
        path--;
    out->path = decoded(rest, path);
    if (out->path == NULL)
        return pgc_fail(err, PGC_E_USAGE, "%s URL: malformed percent-encoding", out->scheme);
    return rest[len] == '?' ? take_parameters(rest + len + 1, known, out, err) : PGC_OK;
}

const char *pgc_store_url_value(const struct pgc_store_url *url, const struct pgc_store_options *options,
                                const char *parameter, const char *setting) {
    size_t len = strlen(parameter);
    for (size_t i = 0; i < url->parameters.count; i++)
        if (strncmp(url->parameters.items[i], parameter, len) == 0 && url->parameters.items[i][len] == '=')
            return url->parameters.items[i] + len + 1;
    return pgc_store_setting(options, setting);
}

enum pgc_code pgc_store_secret(const struct pgc_store_options *options, const char *name, char **out,
                               struct pgc_error *err) {
    char file[128];
    snprintf(file, sizeof file, "%s_FILE", name);
    const char *path = pgc_store_setting(options, file);
    const char *value = pgc_store_setting(options, name);
    *out = NULL;
    if (path != NULL && value != NULL)
        return pgc_fail(err, PGC_E_USAGE, "both %s and %s are set: which one?", name, file);
    if (path != NULL)
        return pgc_secret_file(path, out, err);
    if (value != NULL && (*out = strdup(value)) == NULL)
        return pgc_fail_nomem(err);
    return PGC_OK;
}

void pgc_store_random_name(char out[17]) {
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)(uintptr_t)out;
    snprintf(out, 17, "%016llx", (unsigned long long)random);
}

int64_t pgc_store_http_date(const char *text) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    int day = 0;
    int year = 0;
    int h = 0;
    int m = 0;
    int s = 0;
    const char *comma = text != NULL ? strchr(text, ',') : NULL;
    if (comma == NULL || sscanf(comma + 1, " %2d %3s %4d %2d:%2d:%2d", &day, month, &year, &h, &m, &s) != 6)
        return -1;
    const char *at = strstr(months, month);
    if (at == NULL || strlen(month) != 3 || (at - months) % 3 != 0)
        return -1;
    return pgc_days_from_civil(year, (int)(at - months) / 3 + 1, day) * 86400 + h * 3600 + m * 60 + s;
}
