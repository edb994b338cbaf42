#ifndef PGC_STORE_REMOTE_H
#define PGC_STORE_REMOTE_H
/* Stores that keep objects as files in folders of another host: all that SFTP and WebDAV have in common. A driver embeds
 * struct pgc_remote as first member, fills it, and gives the few requests that differ:
 *
 *     static const struct pgc_remote_ops ops = { .temp_prefix = ".pgc-tmp-", .upload = ..., .download = ..., ... };
 *     code = pgc_remote_open(&store->remote, &ops, options, rt, "host_key key_file", "PGC_SFTP", err);
 *
 * An object is uploaded under a temporary name beside its place and published when complete: nobody sees a half. Whatever
 * may pass (connection lost or refused, stalled, 408, 429, 5xx) is tried again with a growing random pause,
 * `attempts` times without progress (URL parameter or PREFIX_ATTEMPTS; 8). What an upload sent last (4 MiB) is kept: one
 * that broke goes on where the server has got to, or begins anew as long as all of it is still kept.
 * A download that broke goes on where it broke, of the same version of the object. */
#include "base/backoff.h"
#include "net/http.h"
#include "store/url.h"

struct pgc_remote;

/* What a folder holds. */
struct pgc_remote_entry {
    const char *name;
    uint64_t size;
    int64_t modified_us; /* 0: not told */
    bool folder;
};
typedef enum pgc_code pgc_remote_entry_fn(void *arg, const struct pgc_remote_entry *entry, struct pgc_error *err);

/* Keys are the store's, temporaries included. Requests are tried again inside (pgc_remote_again) but for upload and download,
 * whose callers know from where to go on. */
struct pgc_remote_ops {
    const char *temp_prefix; /* of names of uploads under way; never listed */
    bool appends;            /* an upload can go on behind what is there */
    int64_t clock_slack_ms;  /* by how much times in a listing may be wrong */
    bool lists_modified;     /* times in a listing are good enough to be shown */
    /* Before the first upload of a key: folders, claims. May be NULL. */
    enum pgc_code (*prepare)(struct pgc_remote *remote, struct pgc_http *http, const char *key, struct pgc_error *err);
    /* Starts an upload of unknown length; with `resume` behind what is there (pgc_http_resume_point tells). */
    enum pgc_code (*upload)(struct pgc_remote *remote, struct pgc_http *http, const char *key, const char *content_type,
                            bool resume, struct pgc_http_answer *answer, struct pgc_error *err);
    /* What the answer to a transfer means; NULL: it has no status. */
    enum pgc_code (*judge)(const char *key, const struct pgc_http_answer *answer, struct pgc_error *err);
    /* The temporary takes the place of the key. */
    enum pgc_code (*publish)(struct pgc_remote *remote, struct pgc_http *http, const char *temp, const char *key,
                             struct pgc_error *err);
    /* PGC_E_NOT_FOUND when there is no such object. */
    enum pgc_code (*remove)(struct pgc_remote *remote, struct pgc_http *http, const char *key, bool cleanup,
                            struct pgc_error *err);
    /* Only when it is empty; anything else than PGC_OK ends the tidying. */
    enum pgc_code (*remove_folder)(struct pgc_remote *remote, struct pgc_http *http, const char *folder,
                                   struct pgc_error *err);
    /* Calls fn for each entry ("" : the root); a folder that is not there is empty. fn may use the store. */
    enum pgc_code (*list)(struct pgc_remote *remote, const char *folder, pgc_remote_entry_fn *fn, void *arg,
                          struct pgc_error *err);
    /* Starts a download of [offset, offset + length), length UINT64_MAX: to the end; 0 is never asked for. Behind the end:
     * PGC_E_DATA here or from the first read. */
    enum pgc_code (*download)(struct pgc_remote *remote, struct pgc_http *http, const char *key, uint64_t offset,
                              uint64_t length, struct pgc_http_answer *answer, struct pgc_error *err);
};

struct pgc_remote {
    struct pgc_store base;
    const struct pgc_remote_ops *ops;
    const struct pgc_runtime *rt;
    struct pgc_store_url url;
    struct pgc_http_options http_options; /* filled by the driver; each transfer has a session of its own */
    struct pgc_http *http; /* for everything but transfers; opened by the driver once http_options stands */
    uint64_t bytes_per_second;
    unsigned attempts;
};

/* Parses the URL: `parameters` are the driver's own ("" or separated by blanks), attempts and stall are known to all; `prefix` is that
 * of their settings, as "PGC_SFTP". pgc_remote_release is fine after a failure too. */
PGC_MUST_USE enum pgc_code pgc_remote_open(struct pgc_remote *remote, const struct pgc_remote_ops *ops,
                                           const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                           const char *parameters, const char *prefix, struct pgc_error *err);
void pgc_remote_release(struct pgc_remote *remote);

/* The loop around a request:
 *
 *     struct pgc_remote_tries tries = pgc_remote_tries(remote, cleanup);
 *     do
 *         code = ...;
 *     while (pgc_remote_again(&tries, code, 0, err));
 *
 * False: it was good, cannot pass, was tried often enough, or we are cancelled. least_ms: the server asked for that pause. */
struct pgc_remote_tries {
    const struct pgc_remote *remote;
    struct pgc_backoff backoff;
    unsigned used;
    bool cleanup; /* few attempts, also when cancelled */
};
struct pgc_remote_tries pgc_remote_tries(const struct pgc_remote *remote, bool cleanup);
bool pgc_remote_again(struct pgc_remote_tries *tries, enum pgc_code code, int64_t least_ms,
                      const struct pgc_error *err);

/* The driver's six operations, for its table. */
PGC_MUST_USE enum pgc_code pgc_remote_put(struct pgc_store *store, const char *key,
                                          const struct pgc_store_put_options *options, struct pgc_sink **out,
                                          struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_remote_get(struct pgc_store *store, const char *key, uint64_t offset, uint64_t length,
                                          struct pgc_source **out, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_remote_each(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn,
                                           void *arg, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_remote_erase(struct pgc_store *store, const char *key, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_remote_sweep(struct pgc_store *store, const char *prefix, int64_t older_ms,
                                            size_t *count, struct pgc_error *err);

/* "folder/" + temp_prefix + 16 random hex digits beside `key`; malloc'ed, NULL: no memory. */
char *pgc_remote_temporary(const struct pgc_remote *remote, const char *key);
/* From the folder of the key up to the root (which stays), as long as they are empty. */
void pgc_remote_tidy(struct pgc_remote *remote, struct pgc_http *http, const char *key);
/* PGC_OK: `key` is listed with that size; else PGC_E_DATA. */
PGC_MUST_USE enum pgc_code pgc_remote_check_size(struct pgc_remote *remote, const char *key, uint64_t bytes,
                                                 struct pgc_error *err);
#endif
