#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/drivers.h"

static const struct pgc_store_driver *const drivers[] = {
    &pgc_store_driver_file, &pgc_store_driver_s3, &pgc_store_driver_sftp, &pgc_store_driver_dav, &pgc_store_driver_davs,
};

#define KEY_MAX_BYTES 1024

static const struct pgc_store_driver *find_driver(const char *url) {
    size_t len = strcspn(url, ":/");
    if (url[len] != ':' || len == 0)
        return &pgc_store_driver_file; /* a plain path */
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strncmp(url, drivers[i]->scheme, len) == 0 && drivers[i]->scheme[len] == '\0')
            return drivers[i];
    return NULL;
}

static enum pgc_code unknown_scheme(const char *url, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf known = PGC_BUF_INIT;
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        pgc_buf_putf(&known, "%s%s", i == 0 ? "" : ", ", drivers[i]->scheme);
    return pgc_fail(err, PGC_E_USAGE, "store URL begins with '%.*s:', which is none of: %s", (int)strcspn(url, ":"),
                    url, known.data);
}

enum pgc_code pgc_store_attach(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                               struct pgc_store **out, struct pgc_error *err) {
    if (options->url == NULL || options->url[0] == '\0')
        return pgc_fail(err, PGC_E_USAGE, "no store given (a folder, or a URL such as s3://bucket/prefix)");
    const struct pgc_store_driver *driver = find_driver(options->url);
    return driver == NULL ? unknown_scheme(options->url, err) : driver->attach(options, rt, out, err);
}

static bool segment_is_bad(const char *segment, size_t len) {
    return len == 0 || (len == 1 && segment[0] == '.') || (len == 2 && memcmp(segment, "..", 2) == 0);
}

enum pgc_code pgc_store_check_key(const char *key, struct pgc_error *err) {
    size_t len = strlen(key);
    if (len == 0 || len > KEY_MAX_BYTES)
        return pgc_fail(err, PGC_E_USAGE, "a key has 1 to %d bytes, this one has %zu", KEY_MAX_BYTES, len);
    for (const char *p = key; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return pgc_fail(err, PGC_E_USAGE, "a key holds no control characters");
    const char *p = key;
    for (;;) {
        size_t n = strcspn(p, "/");
        if (segment_is_bad(p, n))
            return pgc_fail(err, PGC_E_USAGE, "'%s' is no key: its segments must not be empty, '.' or '..'", key);
        if (p[n] == '\0')
            return PGC_OK;
        p += n + 1;
    }
}

enum pgc_code pgc_store_put(struct pgc_store *store, const char *key, const struct pgc_store_put_options *options,
                            struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_store_put_options none = { 0 };
    enum pgc_code code = pgc_store_check_key(key, err);
    return code != PGC_OK ? code : store->driver->put(store, key, options == NULL ? &none : options, out, err);
}

enum pgc_code pgc_store_get(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                            struct pgc_source **out, struct pgc_error *err) {
    enum pgc_code code = pgc_store_check_key(key, err);
    return code != PGC_OK ? code : store->driver->get(store, key, offset, length, out, err);
}

enum pgc_code pgc_store_each(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn, void *arg,
                             struct pgc_error *err) {
    return store->driver->each(store, prefix, fn, arg, err);
}

enum pgc_code pgc_store_erase(struct pgc_store *store, const char *key, struct pgc_error *err) {
    enum pgc_code code = pgc_store_check_key(key, err);
    return code != PGC_OK ? code : store->driver->erase(store, key, err);
}

enum pgc_code pgc_store_sweep(struct pgc_store *store, const char *prefix, int64_t older_ms, size_t *count,
                              struct pgc_error *err) {
    *count = 0;
    return store->driver->sweep == NULL ? PGC_OK : store->driver->sweep(store, prefix, older_ms, count, err);
}

void pgc_store_drop(struct pgc_store *store) {
    if (store != NULL)
        store->driver->drop(store);
}

const char *pgc_store_setting(const struct pgc_store_options *options, const char *name) {
    const char *value = options->setting == NULL ? getenv(name) : options->setting(options->setting_arg, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

void pgc_store_throttle(const struct pgc_runtime *rt, uint64_t bytes_per_second, uint64_t bytes, int64_t started_ms) {
    if (bytes_per_second == 0)
        return;
    int64_t due_ms = (int64_t)(bytes * 1000 / bytes_per_second) - (pgc_mono_ms(rt) - started_ms);
    if (due_ms > 0)
        pgc_sleep_ms(rt, due_ms);
}

enum pgc_code pgc_store_save(struct pgc_store *store, const char *key, const void *data, size_t len,
                             const char *content_type, struct pgc_error *err) {
    struct pgc_store_put_options options = { .size_hint_bytes = len, .content_type = content_type };
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    enum pgc_code code = pgc_store_put(store, key, &options, &sink, err);
    if (code == PGC_OK)
        code = pgc_sink_put(sink, data, len, err);
    return code != PGC_OK ? code : pgc_sink_commit(sink, err);
}

enum pgc_code pgc_store_load(struct pgc_store *store, const char *key, size_t max, struct pgc_buf *out,
                             struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_store_get(store, key, 0, UINT64_MAX, &source, err);
    while (code == PGC_OK) {
        char block[8192];
        size_t len = 0;
        code = pgc_source_get(source, block, sizeof block, &len, err);
        if (code != PGC_OK)
            break;
        if (len == 0)
            return pgc_source_verify(source, err);
        if (out->len + len > max)
            return pgc_fail(err, PGC_E_DATA, "'%s' is larger than %zu bytes", key, max);
        pgc_buf_put(out, block, len);
        code = pgc_buf_check(out, err);
    }
    return code;
}
