#ifndef PGC_STORE_STORE_H
#define PGC_STORE_STORE_H
/* Where backups live: a flat map from keys to immutable objects, on a folder, S3, SFTP or WebDAV.
 *
 *     struct pgc_store_options options = { .url = "file:///srv/backups" };
 *     PGC_AUTO(pgc_store_drop) struct pgc_store *store = NULL;
 *     code = pgc_store_attach(&options, rt, &store, err);
 *     PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
 *     code = pgc_store_put(store, "main/app/x/manifest.json", NULL, &sink, err);
 *     ... pgc_copy(source, sink, NULL, err) ...     // the object appears at commit, whole or not at all
 *
 * Keys, not paths. A key is 1 to 1024 bytes of segments separated by single slashes; no segment is empty, "." or
 * "..", and no byte is below 0x20 or 0x7f. Everything else (blanks, quotes, UTF-8, "a..b") is allowed and must come back
 * from each() byte for byte. There are no folders, no rename and no partial overwrite: what S3 cannot do is not here.
 * The path of the URL is a prefix that callers never see: keys are relative to it.
 *
 * Recipe: a new backend
 *   1. lib/store/<name>.c with one `const struct pgc_store_driver pgc_store_driver_<name>`;
 *   2. a line in lib/store/drivers.h (declaration) and one in drivers[] of lib/store/store.c;
 *   3. a script tests/it/store-<name>.sh that starts the server and runs
 *      PGC_TEST_STORES="URL" "$B/tests/unit" store_contract; 4. a row in README.
 *
 * A store is used by one thread at a time; sinks and sources borrow it and must be dropped before it. */
#include <pgc/runtime.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "io/stream.h"

struct pgc_store_options {
    const char *url; /* "file:///srv/backups", "/srv/backups", "s3://bucket/prefix", "sftp://...", "davs://..." */
    /* Settings that are no part of the URL (AWS_ACCESS_KEY_ID, PGC_S3_ENDPOINT, ...). NULL: the environment. */
    const char *(*setting)(void *arg, const char *name);
    void *setting_arg;
    uint64_t bytes_per_second; /* upper bound of uploads; 0: none */
};

/* What the writer knows beforehand. All may be 0 or NULL. */
struct pgc_store_put_options {
    uint64_t size_hint_bytes; /* upper estimate of the object's size; multipart parts are sized from it */
    const char *content_type; /* "application/json" */
};

struct pgc_store_entry {
    const char *key;
    uint64_t size_bytes;
    int64_t modified_us; /* 0: unknown */
};
typedef enum pgc_code pgc_store_each_fn(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err);

struct pgc_store; /* drivers embed this as first member */

struct pgc_store_driver {
    const char *scheme; /* "s3": what stands before the colon of the URL */
    /* Parses the URL, checks what can be checked without a write. Bad URL: PGC_E_USAGE; missing setting: PGC_E_CONFIG. */
    enum pgc_code (*attach)(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                            struct pgc_store **out, struct pgc_error *err);
    /* A sink; commit makes the object visible (durably) and replaces an older one of the same key, drop leaves nothing. */
    enum pgc_code (*put)(struct pgc_store *store, const char *key, const struct pgc_store_put_options *options,
                         struct pgc_sink **out, struct pgc_error *err);
    /* Bytes [offset, offset + length) of the object; length UINT64_MAX: to the end. Absent: PGC_E_NOT_FOUND.
     * An offset behind the end gives an empty source. A transfer that is cut is an error of get, never a silent end. */
    enum pgc_code (*get)(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                         struct pgc_source **out, struct pgc_error *err);
    /* Calls fn for every object whose key starts with prefix (bytes, not segments; "": all), in any order.
     * Unfinished uploads are never listed. What fn returns other than PGC_OK ends the listing. fn may erase. */
    enum pgc_code (*each)(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn, void *arg,
                          struct pgc_error *err);
    /* PGC_OK also when there is no such object. */
    enum pgc_code (*erase)(struct pgc_store *store, const char *key, struct pgc_error *err);
    void (*drop)(struct pgc_store *store);
    /* Optional: removes what killed writers left behind (temporary files, multipart uploads) older than `older_ms`
     * under `prefix`; *count is how many. NULL: the backend leaves nothing behind. */
    enum pgc_code (*sweep)(struct pgc_store *store, const char *prefix, int64_t older_ms, size_t *count,
                           struct pgc_error *err);
};

struct pgc_store {
    const struct pgc_store_driver *driver;
};

PGC_MUST_USE enum pgc_code pgc_store_attach(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                            struct pgc_store **out, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_store_put(struct pgc_store *store, const char *key,
                                         const struct pgc_store_put_options *options, struct pgc_sink **out,
                                         struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_store_get(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                                         struct pgc_source **out, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_store_each(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn, void *arg,
                                          struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_store_erase(struct pgc_store *store, const char *key, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_store_sweep(struct pgc_store *store, const char *prefix, int64_t older_ms, size_t *count,
                                           struct pgc_error *err);
void pgc_store_drop(struct pgc_store *store);
PGC_DEFINE_AUTO(pgc_store_drop, struct pgc_store *)

/* PGC_E_USAGE when the text is no key. Drivers need not check: the functions above did. */
PGC_MUST_USE enum pgc_code pgc_store_check_key(const char *key, struct pgc_error *err);

/* For drivers: the setting `name` of the options, NULL when unset or empty. */
const char *pgc_store_setting(const struct pgc_store_options *options, const char *name);

/* For drivers: sleeps until `bytes` may have been sent since `started_ms` at bytes_per_second (0: no limit). */
void pgc_store_throttle(const struct pgc_runtime *rt, uint64_t bytes_per_second, uint64_t bytes, int64_t started_ms);

/* A whole small object (a manifest) into or out of memory. load: more than `max` bytes is PGC_E_DATA. */
struct pgc_buf;
PGC_MUST_USE enum pgc_code pgc_store_save(struct pgc_store *store, const char *key, const void *data, size_t len,
                                          const char *content_type, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_store_load(struct pgc_store *store, const char *key, size_t max, struct pgc_buf *out,
                                          struct pgc_error *err);

#endif
