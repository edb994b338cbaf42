#ifndef PGC_STORE_URL_H
#define PGC_STORE_URL_H
/* "scheme://user@host:port/path?name=value" of the sftp and dav stores, in parts.
 *
 *     PGC_CLEANUP(pgc_store_url_release) struct pgc_store_url url = { 0 };
 *     code = pgc_store_url_parse(options->url, "known_hosts host_key key_file", &url, err);
 *
 * A password in the URL is refused: URLs are logged and stand in manifests. */
#include "base/array.h"
#include "store/store.h"

struct pgc_store_url {
    char *scheme;
    char *user;                    /* decoded, NULL: none */
    char *authority;               /* "host:port" as written, without the user */
    char *path;                    /* decoded, begins with '/', no slash at the end: "" is the root */
    struct pgc_strings parameters; /* "name=value", decoded */
};

/* `known`: names of the parameters, separated by blanks; others are PGC_E_USAGE. */
PGC_MUST_USE enum pgc_code pgc_store_url_parse(const char *text, const char *known, struct pgc_store_url *out,
                                               struct pgc_error *err);
void pgc_store_url_release(struct pgc_store_url *url);
/* The parameter, else the setting; NULL when there is neither. */
const char *pgc_store_url_value(const struct pgc_store_url *url, const struct pgc_store_options *options,
                                const char *parameter, const char *setting);
/* The secret setting NAME, or the content of the file named by NAME_FILE; *out is malloc'ed or NULL. */
PGC_MUST_USE enum pgc_code pgc_store_secret(const struct pgc_store_options *options, const char *name, char **out,
                                            struct pgc_error *err);
/* 16 hex digits nobody else has, for names of temporaries. */
void pgc_store_random_name(char out[17]);
/* Begin of the names of temporaries, of writers under way; never listed. */
#define PGC_STORE_TMP_PREFIX ".pgc-tmp-"
/* Seconds since 1970 of an HTTP date ("Sat, 21 Nov 2026 23:00:00 GMT"), -1 when malformed or NULL. */
int64_t pgc_store_http_date(const char *text);
#endif
