/* Names, retries, listing, erasing. Transfers: remote_sink.c and remote_source.c. */
#include "store/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/text.h"

#define ATTEMPTS         8
#define CLEANUP_ATTEMPTS 3
#define PAUSE_FIRST_MS   200
#define PAUSE_MOST_MS    20000
#define LEAST_MOST_MS    60000

/* --- opening --------------------------------------------------------------------------------------------- */

static const char *common_value(const struct pgc_remote *remote, const struct pgc_store_options *options,
                                const char *name, const char *prefix, const char *suffix) {
    char setting[64];
    snprintf(setting, sizeof setting, "%s_%s", prefix, suffix);
    return pgc_store_url_value(&remote->url, options, name, setting);
}

enum pgc_code pgc_remote_open(struct pgc_remote *remote, const struct pgc_remote_ops *ops,
                              const struct pgc_store_options *options, const struct pgc_runtime *rt,
                              const char *parameters, const char *prefix, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf known = PGC_BUF_INIT;
    int64_t attempts = ATTEMPTS;
    remote->ops = ops;
    remote->rt = rt;
    remote->bytes_per_second = options->bytes_per_second;
    pgc_buf_putf(&known, "%s%sattempts stall", parameters, parameters[0] != '\0' ? " " : "");
    enum pgc_code code = pgc_buf_check(&known, err);
    if (code == PGC_OK)
        code = pgc_store_url_parse(options->url, known.data, &remote->url, err);
    if (code != PGC_OK)
        return code;
    const char *tries = common_value(remote, options, "attempts", prefix, "ATTEMPTS");
    const char *stall = common_value(remote, options, "stall", prefix, "STALL");
    if (tries != NULL && pgc_parse_int(tries, 1, 100, &attempts, err) != PGC_OK)
        return pgc_wrap(err, "%s attempts", remote->url.scheme);
    if (stall != NULL && pgc_parse_duration_ms(stall, &remote->http_options.stall_timeout_ms, err) != PGC_OK)
        return pgc_wrap(err, "%s stall", remote->url.scheme);
    remote->attempts = (unsigned)attempts;
    return PGC_OK;
}

void pgc_remote_release(struct pgc_remote *remote) {
    pgc_http_free(remote->http);
    pgc_store_url_release(&remote->url);
}

/* --- trying again ---------------------------------------------------------------------------------------- */

struct pgc_remote_tries pgc_remote_tries(const struct pgc_remote *remote, bool cleanup) {
    struct pgc_remote_tries tries = { .remote = remote, .cleanup = cleanup };
    pgc_backoff_init(&tries.backoff, PAUSE_FIRST_MS, PAUSE_MOST_MS, (uint64_t)pgc_wall_us(remote->rt));
    return tries;
}

bool pgc_remote_again(struct pgc_remote_tries *tries, enum pgc_code code, int64_t least_ms,
                      const struct pgc_error *err) {
    const struct pgc_runtime *rt = tries->remote->rt;
    unsigned most = tries->remote->attempts;
    if (code != PGC_E_TEMPORARY && code != PGC_E_UNAVAILABLE && code != PGC_E_TIMEOUT)
        return false;
    if (tries->cleanup && most > CLEANUP_ATTEMPTS)
        most = CLEANUP_ATTEMPTS;
    if (++tries->used >= most || (!tries->cleanup && pgc_cancelled(rt) != 0))
        return false;
    int64_t pause_ms = pgc_backoff_next_ms(&tries->backoff);
    if (least_ms > pause_ms)
        pause_ms = least_ms < LEAST_MOST_MS ? least_ms : LEAST_MOST_MS;
    pgc_log(rt, PGC_LOG_DEBUG, "store.retry", err->message, PGC_LOG_INT("attempt", tries->used));
    if (!tries->cleanup) {
        pgc_sleep_ms(rt, pause_ms);
        return pgc_cancelled(rt) == 0;
    }
    const struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000 };
    nanosleep(&pause, NULL); /* the runtime's sleep ends at once when we are cancelled */
    return true;
}

/* --- names ----------------------------------------------------------------------------------------------- */

char *pgc_remote_temporary(const struct pgc_remote *remote, const char *key) {
    const char *slash = strrchr(key, '/');
    int folder = slash != NULL ? (int)(slash - key) + 1 : 0;
    char random[17];
    char *out = NULL;
    pgc_store_random_name(random);
    return asprintf(&out, "%.*s%s%s", folder, key, remote->ops->temp_prefix, random) < 0 ? NULL : out;
}

void pgc_remote_tidy(struct pgc_remote *remote, struct pgc_http *http, const char *key) {
    PGC_AUTO_FREE char *folder = strdup(key);
    struct pgc_error err;
    for (char *slash = folder != NULL ? strrchr(folder, '/') : NULL; slash != NULL; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (remote->ops->remove_folder(remote, http, folder, &err) != PGC_OK)
            return;
    }
}

/* --- listing --------------------------------------------------------------------------------------------- */

/* One walk over the tree, and the folder it is in. */
struct walk {
    struct pgc_remote *remote;
    const char *prefix;
    bool temporaries; /* these only, instead of objects */
    pgc_store_each_fn *fn;
    void *arg;
    const char *folder;
};

static enum pgc_code visit_entry(void *arg, const struct pgc_remote_entry *entry, struct pgc_error *err) {
    const struct walk *walk = arg;
    PGC_AUTO_FREE char *key = NULL;
    size_t prefix = strlen(walk->prefix);
    if (asprintf(&key, "%s%s%s", walk->folder, walk->folder[0] != '\0' ? "/" : "", entry->name) < 0)
        return pgc_fail_nomem(err);
    size_t len = strlen(key);
    if (entry->folder) { /* worth a look when it can hold keys of that prefix */
        struct walk below = *walk;
        below.folder = key;
        bool inside = len >= prefix ? strncmp(key, walk->prefix, prefix) == 0
                                    : strncmp(key, walk->prefix, len) == 0 && walk->prefix[len] == '/';
        return inside ? walk->remote->ops->list(walk->remote, key, visit_entry, &below, err) : PGC_OK;
    }
    if (strncmp(key, walk->prefix, prefix) != 0 ||
        pgc_text_starts(entry->name, walk->remote->ops->temp_prefix) != walk->temporaries)
        return PGC_OK;
    bool dated = walk->temporaries || walk->remote->ops->lists_modified;
    const struct pgc_store_entry found = { key, entry->size, dated ? entry->modified_us : 0 };
    return walk->fn(walk->arg, &found, err);
}

static enum pgc_code visit(struct pgc_remote *remote, const char *prefix, bool temporaries, pgc_store_each_fn *fn,
                           void *arg, struct pgc_error *err) {
    const char *slash = strrchr(prefix, '/');
    PGC_AUTO_FREE char *folder = strndup(prefix, slash != NULL ? (size_t)(slash - prefix) : 0);
    struct walk walk = { remote, prefix, temporaries, fn, arg, folder };
    return folder == NULL ? pgc_fail_nomem(err) : remote->ops->list(remote, folder, visit_entry, &walk, err);
}

enum pgc_code pgc_remote_each(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn, void *arg,
                              struct pgc_error *err) {
    return visit((struct pgc_remote *)store, prefix, false, fn, arg, err);
}

struct sought {
    const char *name;
    bool found;
    uint64_t size;
};

static enum pgc_code compare_name(void *arg, const struct pgc_remote_entry *entry, struct pgc_error *err) {
    struct sought *sought = arg;
    (void)err;
    if (!entry->folder && strcmp(entry->name, sought->name) == 0) {
        sought->found = true;
        sought->size = entry->size;
    }
    return PGC_OK;
}

enum pgc_code pgc_remote_check_size(struct pgc_remote *remote, const char *key, uint64_t bytes, struct pgc_error *err) {
    const char *slash = strrchr(key, '/');
    PGC_AUTO_FREE char *folder = strndup(key, slash != NULL ? (size_t)(slash - key) : 0);
    struct sought sought = { .name = slash != NULL ? slash + 1 : key };
    if (folder == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = remote->ops->list(remote, folder, compare_name, &sought, err);
    if (code == PGC_OK && !sought.found)
        code = pgc_fail(err, PGC_E_DATA, "'%s' is not there after its upload", key);
    if (code == PGC_OK && sought.size != bytes)
        code = pgc_fail(err, PGC_E_DATA, "the server has %llu bytes of '%s' after the upload of %llu",
                        (unsigned long long)sought.size, key, (unsigned long long)bytes);
    return code;
}

/* --- erasing --------------------------------------------------------------------------------------------- */

enum pgc_code pgc_remote_erase(struct pgc_store *store, const char *key, struct pgc_error *err) {
    struct pgc_remote *remote = (struct pgc_remote *)store;
    enum pgc_code code = remote->ops->remove(remote, remote->http, key, false, err);
    if (code == PGC_OK)
        pgc_remote_tidy(remote, remote->http, key);
    return code == PGC_E_NOT_FOUND ? PGC_OK : code;
}

struct sweep {
    struct pgc_remote *remote;
    int64_t before_us;
    bool all;
    size_t count;
};

static enum pgc_code sweep_one(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct sweep *sweep = arg;
    if (!sweep->all && (entry->modified_us == 0 || entry->modified_us > sweep->before_us))
        return PGC_OK;
    sweep->count++;
    return pgc_remote_erase(&sweep->remote->base, entry->key, err);
}

enum pgc_code pgc_remote_sweep(struct pgc_store *store, const char *prefix, int64_t older_ms, size_t *count,
                               struct pgc_error *err) {
    struct pgc_remote *remote = (struct pgc_remote *)store;
    int64_t before_us = pgc_wall_us(remote->rt) - (older_ms + remote->ops->clock_slack_ms) * 1000;
    struct sweep sweep = { remote, before_us, older_ms == 0, 0 };
    enum pgc_code code = visit(remote, prefix, true, sweep_one, &sweep, err);
    *count = sweep.count;
    return code;
}
