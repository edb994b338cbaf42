/* Stores on an SSH server: "sftp://user@host:port/folder?host_key=SHA256:...&key_file=FILE".
 *
 * Parameters (or settings PGC_SFTP_<NAME>): host_key: the host key's SHA-256 as ssh-keygen -l prints it; known_hosts: an
 * OpenSSH file (~/.ssh/known_hosts when it is there); one of the two is needed, for an unpinned host may be anybody.
 * key_file: private key (else the password PGC_SFTP_PASSWORD). PGC_SFTP_KEY_PASSPHRASE opens the key. Both also as _FILE.
 *
 * An object is uploaded under a temporary name beside its place and renamed when complete. SFTP version 3 cannot rename
 * over an existing file: an older object is moved aside first and brought back when that fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "net/http.h"
#include "os/secret.h"
#include "store/drivers.h"
#include "store/url.h"

#define LIST_MAX      ((size_t)64 << 20)
#define ZONE_SLACK_MS ((int64_t)26 * 3600 * 1000) /* times of a listing are in the server's zone, to the minute */

struct sftp_store {
    struct pgc_store base;
    const struct pgc_runtime *rt;
    struct pgc_store_url url;
    struct pgc_http_options options;
    char *key_file, *known_hosts, *host_key, *password, *passphrase;
    struct pgc_http *http; /* for everything but transfers of objects */
    uint64_t bytes_per_second;
};

/* --- addresses and commands ------------------------------------------------------------------------------ */

/* "sftp://host/folder/key", encoded; with a slash at the end for folders. */
static void put_url(const struct sftp_store *store, struct pgc_buf *out, const char *key, bool folder) {
    pgc_buf_putf(out, "sftp://%s", store->url.authority);
    pgc_text_percent(out, store->url.path, strlen(store->url.path), "/");
    if (key[0] != '\0')
        pgc_buf_putc(out, '/');
    pgc_text_percent(out, key, strlen(key), "/");
    if (folder)
        pgc_buf_putc(out, '/');
}

static void put_path(const struct sftp_store *store, struct pgc_buf *out, const char *key) {
    pgc_buf_puts(out, " \"");
    for (int half = 0; half < 2; half++) {
        for (const char *c = half == 0 ? store->url.path : key; *c != '\0'; c++) {
            if (*c == '"' || *c == '\'' || *c == '\\')
                pgc_buf_putc(out, '\\');
            pgc_buf_putc(out, *c);
        }
        if (half == 0)
            pgc_buf_putc(out, '/');
    }
    pgc_buf_putc(out, '"');
}

/* One command about one or two keys on the server. */
static enum pgc_code command(struct sftp_store *store, struct pgc_http *http, const char *verb, const char *key,
                             const char *to, bool cleanup, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    pgc_buf_puts(&text, verb);
    put_path(store, &text, key);
    if (to != NULL)
        put_path(store, &text, to);
    pgc_buf_putf(&url, "sftp://%s/", store->url.authority);
    const char *commands[] = { text.data };
    const struct pgc_http_request request = {
        .url = url.data, .ssh_commands = commands, .ssh_command_count = 1, .cleanup = cleanup
    };
    if (text.failed || url.failed)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_http_perform(http, &request, &answer, err);
    if (code != PGC_OK && (strstr(err->message, "No such file") != NULL || strstr(err->message, "ot found") != NULL))
        err->code = code = PGC_E_NOT_FOUND;
    return code;
}

static char *beside(const char *key, const char *name) {
    const char *slash = strrchr(key, '/');
    char *out = NULL;
    int folder = slash != NULL ? (int)(slash - key) + 1 : 0;
    return asprintf(&out, "%.*s" PGC_STORE_TMP_PREFIX "%s", folder, key, name) < 0 ? NULL : out;
}

/* --- writing --------------------------------------------------------------------------------------------- */

struct sftp_sink {
    struct pgc_sink base;
    struct sftp_store *store;
    struct pgc_http *http;
    struct pgc_http_answer answer;
    struct pgc_buf url;
    char *key, *temp, *aside;
    uint64_t bytes;
    int64_t started_ms;
    bool begun;
    bool gone; /* nothing is left under the temporary name */
};

static enum pgc_code begin(struct sftp_sink *sink, struct pgc_error *err) {
    const struct pgc_http_request request = {
        .url = sink->url.data, .upload = true, .upload_bytes = -1, .create_folders = true
    };
    if (sink->begun)
        return PGC_OK;
    sink->begun = true;
    return pgc_http_start(sink->http, &request, &sink->answer, err);
}

static enum pgc_code sftp_sink_put(struct pgc_sink *base, const void *data, size_t len, struct pgc_error *err) {
    struct sftp_sink *sink = (struct sftp_sink *)base;
    enum pgc_code code = begin(sink, err);
    if (code == PGC_OK)
        code = pgc_http_send(sink->http, data, len, err);
    sink->bytes += len;
    if (code == PGC_OK)
        pgc_store_throttle(sink->store->rt, sink->store->bytes_per_second, sink->bytes, sink->started_ms);
    return code != PGC_OK ? pgc_wrap(err, "cannot write '%s'", sink->key) : PGC_OK;
}

/* Renames the temporary to its key; an older object goes aside first. */
static enum pgc_code publish(struct sftp_sink *sink, struct pgc_error *err) {
    struct pgc_error first;
    struct pgc_error ignored;
    if (command(sink->store, sink->http, "rename", sink->temp, sink->key, false, &first) == PGC_OK)
        return PGC_OK;
    enum pgc_code code = command(sink->store, sink->http, "rename", sink->key, sink->aside, false, &ignored);
    if (code != PGC_OK) {
        *err = first;
        return first.code;
    }
    code = command(sink->store, sink->http, "rename", sink->temp, sink->key, true, err);
    enum pgc_code tidy = code == PGC_OK
                             ? command(sink->store, sink->http, "rm", sink->aside, NULL, true, &ignored)
                             : command(sink->store, sink->http, "rename", sink->aside, sink->key, true, &ignored);
    if (tidy != PGC_OK)
        pgc_log(sink->store->rt, PGC_LOG_WARN, "store.leftover", "an older object stays under a temporary name",
                PGC_LOG_TEXT("key", sink->aside));
    return code;
}

static enum pgc_code sftp_sink_commit(struct pgc_sink *base, struct pgc_error *err) {
    struct sftp_sink *sink = (struct sftp_sink *)base;
    enum pgc_code code = begin(sink, err);
    if (code == PGC_OK)
        code = pgc_http_finish(sink->http, err);
    if (code == PGC_OK)
        code = publish(sink, err);
    sink->gone = code == PGC_OK;
    return code != PGC_OK ? pgc_wrap(err, "cannot write '%s'", sink->key) : PGC_OK;
}

static void remove_empty_folders(struct sftp_store *store, struct pgc_http *http, const char *key);

static void sftp_sink_drop(struct pgc_sink *base) {
    struct sftp_sink *sink = (struct sftp_sink *)base;
    struct pgc_error err;
    if (sink->http != NULL)
        pgc_http_stop(sink->http);
    if (sink->begun && !sink->gone) {
        enum pgc_code code = command(sink->store, sink->http, "rm", sink->temp, NULL, true, &err);
        if (code != PGC_OK && code != PGC_E_NOT_FOUND)
            pgc_log(sink->store->rt, PGC_LOG_WARN, "store.leftover", "an unfinished upload could not be removed",
                    PGC_LOG_TEXT("key", sink->temp), PGC_LOG_TEXT("cause", err.message));
        remove_empty_folders(sink->store, sink->http, sink->temp);
    }
    pgc_http_free(sink->http);
    pgc_http_answer_release(&sink->answer);
    pgc_buf_release(&sink->url);
    free(sink->key);
    free(sink->temp);
    free(sink->aside);
    free(sink);
}

static enum pgc_code sftp_put(struct pgc_store *base, const char *key, const struct pgc_store_put_options *options,
                              struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { sftp_sink_put, sftp_sink_commit, sftp_sink_drop };
    struct sftp_sink *sink = calloc(1, sizeof *sink);
    char name[17];
    char old[17];
    (void)options;
    if (sink == NULL)
        return pgc_fail_nomem(err);
    pgc_store_random_name(name);
    pgc_store_random_name(old);
    sink->base.ops = &ops;
    sink->store = (struct sftp_store *)base;
    sink->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    sink->url = (struct pgc_buf)PGC_BUF_INIT;
    sink->key = strdup(key);
    sink->temp = beside(key, name);
    sink->aside = beside(key, old);
    sink->started_ms = pgc_mono_ms(sink->store->rt);
    if (sink->temp != NULL)
        put_url(sink->store, &sink->url, sink->temp, false);
    enum pgc_code code = sink->key == NULL || sink->temp == NULL || sink->aside == NULL || sink->url.failed
                             ? pgc_fail_nomem(err)
                             : pgc_http_open(&sink->store->options, sink->store->rt, &sink->http, err);
    if (code != PGC_OK) {
        pgc_sink_drop(&sink->base);
        return code;
    }
    *out = &sink->base;
    return PGC_OK;
}

/* --- reading --------------------------------------------------------------------------------------------- */

struct sftp_source {
    struct pgc_source base;
    struct pgc_http *http;
    struct pgc_http_answer answer;
    char *key;
    char first[4096]; /* the first bytes: opening reads them, so that an absent object is noticed at once */
    size_t first_len, first_at;
    bool ended;
};

static enum pgc_code sftp_source_get(struct pgc_source *base, void *buf, size_t cap, size_t *len,
                                     struct pgc_error *err) {
    struct sftp_source *source = (struct sftp_source *)base;
    size_t left = source->first_len - source->first_at;
    *len = left < cap ? left : cap;
    if (left > 0) {
        memcpy(buf, source->first + source->first_at, *len);
        source->first_at += *len;
        return PGC_OK;
    }
    if (source->ended)
        return PGC_OK;
    enum pgc_code code = pgc_http_read(source->http, buf, cap, len, err);
    source->ended = code == PGC_OK && *len == 0;
    return code != PGC_OK ? pgc_wrap(err, "cannot read '%s'", source->key) : PGC_OK;
}

static void sftp_source_drop(struct pgc_source *base) {
    struct sftp_source *source = (struct sftp_source *)base;
    pgc_http_free(source->http);
    pgc_http_answer_release(&source->answer);
    free(source->key);
    free(source);
}

static enum pgc_code open_source(struct sftp_source *source, struct sftp_store *store, uint64_t offset, uint64_t length,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    char range[64];
    uint64_t wanted = length == 0 ? 1 : length;
    put_url(store, &url, source->key, false);
    if (length == UINT64_MAX || offset + wanted < offset)
        snprintf(range, sizeof range, "%llu-", (unsigned long long)offset);
    else
        snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)offset,
                 (unsigned long long)(offset + wanted - 1));
    const struct pgc_http_request request = { .url = url.data,
                                              .stream = true,
                                              .range = offset > 0 || length != UINT64_MAX ? range : NULL };
    enum pgc_code code = pgc_buf_check(&url, err);
    if (code == PGC_OK)
        code = pgc_http_start(source->http, &request, &source->answer, err);
    if (code == PGC_OK)
        code = pgc_http_read(source->http, source->first, sizeof source->first, &source->first_len, err);
    if (code == PGC_E_DATA) /* the offset is behind the end */
        code = PGC_OK;
    source->ended = length == 0 || source->first_len == 0;
    source->first_len = length == 0 ? 0 : source->first_len;
    return code;
}

static enum pgc_code sftp_get(struct pgc_store *base, const char *key, uint64_t offset, uint64_t length,
                              struct pgc_source **out, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { sftp_source_get, NULL, sftp_source_drop };
    struct sftp_store *store = (struct sftp_store *)base;
    struct sftp_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return pgc_fail_nomem(err);
    source->base.ops = &ops;
    source->answer = (struct pgc_http_answer)PGC_HTTP_ANSWER_INIT;
    source->key = strdup(key);
    enum pgc_code code =
        source->key == NULL ? pgc_fail_nomem(err) : pgc_http_open(&store->options, store->rt, &source->http, err);
    if (code == PGC_OK)
        code = open_source(source, store, offset, length, err);
    if (code != PGC_OK) {
        pgc_source_drop(&source->base);
        return pgc_wrap(err, "cannot read '%s'", key);
    }
    *out = &source->base;
    return PGC_OK;
}

/* --- listing --------------------------------------------------------------------------------------------- */

struct line {
    const char *name; /* borrowed from the listing, ended by NUL */
    uint64_t size;
    int64_t modified_us; /* in the server's zone */
    bool folder;
};

static int64_t listed_time(const char *month, const char *day, const char *when, int64_t now_us) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
    int64_t year = 0;
    int m = 0;
    int d = 0;
    pgc_civil_from_days(now_us / 1000000 / 86400, &year, &m, &d);
    if (at == NULL)
        return 0;
    int number = (int)(at - months) / 3 + 1;
    int hour = 0;
    int minute = 0;
    if (sscanf(when, "%2d:%2d", &hour, &minute) != 2)
        year = atoll(when);
    int64_t us = (pgc_days_from_civil(year, number, atoi(day)) * 86400 + hour * 3600 + minute * 60) * 1000000;
    return us > now_us + 2 * ZONE_SLACK_MS * 1000 ? us - (int64_t)365 * 86400 * 1000000 : us;
}

/* "-rw-------    1 user     group        1234 Nov 21 23:40 name with blanks" */
static bool parse_line(char *text, int64_t now_us, struct line *out) {
    char month[8];
    char day[8];
    char when[8];
    unsigned long long size = 0;
    int name = 0;
    if (sscanf(text, "%*10s%*s %*s %*s %llu %7s %7s %7s%n", &size, month, day, when, &name) != 4 || text[name] != ' ')
        return false;
    *out = (struct line) { text + name + 1, size, listed_time(month, day, when, now_us), text[0] == 'd' };
    return (text[0] == 'd' || text[0] == '-') && strcmp(out->name, ".") != 0 && strcmp(out->name, "..") != 0;
}

/* What one walk over the tree needs. */
struct walk {
    struct sftp_store *store;
    const char *prefix;
    bool temporaries; /* these only, instead of objects */
    pgc_store_each_fn *fn;
    void *arg;
};

static enum pgc_code visit_folder(const struct walk *walk, const char *folder, struct pgc_error *err);

static enum pgc_code visit_line(const struct walk *walk, const char *folder, const struct line *line,
                                struct pgc_error *err) {
    PGC_AUTO_FREE char *key = NULL;
    size_t prefix = strlen(walk->prefix);
    if (asprintf(&key, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", line->name) < 0)
        return pgc_fail_nomem(err);
    size_t len = strlen(key);
    if (line->folder) { /* worth a look when it can hold keys of that prefix */
        bool inside = len >= prefix ? strncmp(key, walk->prefix, prefix) == 0
                                    : strncmp(key, walk->prefix, len) == 0 && walk->prefix[len] == '/';
        return inside ? visit_folder(walk, key, err) : PGC_OK;
    }
    if (strncmp(key, walk->prefix, prefix) != 0 || pgc_store_is_temporary(key) != walk->temporaries)
        return PGC_OK;
    const struct pgc_store_entry entry = { key, line->size, walk->temporaries ? line->modified_us : 0 };
    return walk->fn(walk->arg, &entry, err);
}

static enum pgc_code visit_folder(const struct walk *walk, const char *folder, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    put_url(walk->store, &url, folder, true);
    const struct pgc_http_request request = { .url = url.data, .answer_max = LIST_MAX };
    enum pgc_code code = pgc_buf_check(&url, err);
    if (code == PGC_OK)
        code = pgc_http_perform(walk->store->http, &request, &answer, err);
    if (code == PGC_E_NOT_FOUND)
        return PGC_OK;
    char *rest = NULL;
    for (char *text = code == PGC_OK ? strtok_r(answer.body.data, "\n", &rest) : NULL; code == PGC_OK && text != NULL;
         text = strtok_r(NULL, "\n", &rest)) {
        struct line line;
        if (parse_line(text, pgc_wall_us(walk->store->rt), &line))
            code = visit_line(walk, folder, &line, err);
    }
    return code;
}

static enum pgc_code visit(const struct walk *walk, struct pgc_error *err) {
    const char *slash = strrchr(walk->prefix, '/');
    PGC_AUTO_FREE char *folder = strndup(walk->prefix, slash != NULL ? (size_t)(slash - walk->prefix) : 0);
    return folder == NULL ? pgc_fail_nomem(err) : visit_folder(walk, folder, err);
}

static enum pgc_code sftp_each(struct pgc_store *base, const char *prefix, pgc_store_each_fn *fn, void *arg,
                               struct pgc_error *err) {
    const struct walk walk = { (struct sftp_store *)base, prefix, false, fn, arg };
    return visit(&walk, err);
}

/* --- erasing --------------------------------------------------------------------------------------------- */

/* From the folder of the key up to the root of the store (which stays); the server keeps those that are not empty. */
static void remove_empty_folders(struct sftp_store *store, struct pgc_http *http, const char *key) {
    PGC_AUTO_FREE char *folder = strdup(key);
    struct pgc_error err;
    for (char *slash = folder != NULL ? strrchr(folder, '/') : NULL; slash != NULL; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (command(store, http, "rmdir", folder, NULL, true, &err) != PGC_OK)
            return;
    }
}

static enum pgc_code sftp_erase(struct pgc_store *base, const char *key, struct pgc_error *err) {
    struct sftp_store *store = (struct sftp_store *)base;
    enum pgc_code code = command(store, store->http, "rm", key, NULL, false, err);
    if (code == PGC_OK)
        remove_empty_folders(store, store->http, key);
    return code == PGC_E_NOT_FOUND ? PGC_OK : code;
}

struct sweep {
    struct sftp_store *store;
    int64_t before_us;
    bool all;
    size_t count;
};

static enum pgc_code sweep_one(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct sweep *sweep = arg;
    if (!sweep->all && (entry->modified_us == 0 || entry->modified_us > sweep->before_us))
        return PGC_OK;
    sweep->count++;
    return sftp_erase(&sweep->store->base, entry->key, err);
}

static enum pgc_code sftp_sweep(struct pgc_store *base, const char *prefix, int64_t older_ms, size_t *count,
                                struct pgc_error *err) {
    struct sftp_store *store = (struct sftp_store *)base;
    struct sweep sweep = { store, pgc_wall_us(store->rt) - (older_ms + ZONE_SLACK_MS) * 1000, older_ms == 0, 0 };
    const struct walk walk = { store, prefix, true, sweep_one, &sweep };
    enum pgc_code code = visit(&walk, err);
    *count = sweep.count;
    return code;
}

/* --- opening --------------------------------------------------------------------------------------------- */

static void sftp_drop(struct pgc_store *base) {
    struct sftp_store *store = (struct sftp_store *)base;
    pgc_http_free(store->http);
    pgc_store_url_release(&store->url);
    free(store->key_file);
    free(store->known_hosts);
    free(store->host_key);
    pgc_secret_free(store->password);
    pgc_secret_free(store->passphrase);
    free(store);
}

static enum pgc_code copy_value(struct sftp_store *store, const struct pgc_store_options *options, const char *name,
                                const char *setting, char **out, struct pgc_error *err) {
    const char *value = pgc_store_url_value(&store->url, options, name, setting);
    *out = value != NULL ? strdup(value) : NULL;
    return value != NULL && *out == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

/* The host key must be pinned one way or the other. */
static enum pgc_code find_pin(struct sftp_store *store, const struct pgc_store_options *options,
                              struct pgc_error *err) {
    const char *home = pgc_store_setting(options, "HOME");
    enum pgc_code code = copy_value(store, options, "host_key", "PGC_SFTP_HOST_KEY", &store->host_key, err);
    if (code == PGC_OK)
        code = copy_value(store, options, "known_hosts", "PGC_SFTP_KNOWN_HOSTS", &store->known_hosts, err);
    if (code != PGC_OK)
        return code;
    if (store->known_hosts == NULL && store->host_key == NULL && home != NULL &&
        asprintf(&store->known_hosts, "%s/.ssh/known_hosts", home) < 0) {
        store->known_hosts = NULL;
        return pgc_fail_nomem(err);
    }
    if (store->known_hosts != NULL && access(store->known_hosts, R_OK) != 0) {
        int saved = errno;
        if (pgc_store_url_value(&store->url, options, "known_hosts", "PGC_SFTP_KNOWN_HOSTS") != NULL) {
            errno = saved;
            return pgc_fail_errno(err, PGC_E_CONFIG, "cannot read '%s'", store->known_hosts);
        }
        free(store->known_hosts);
        store->known_hosts = NULL;
    }
    if (store->known_hosts == NULL && store->host_key == NULL)
        return pgc_fail(
            err, PGC_E_CONFIG,
            "the host key of %s is not pinned: set host_key=SHA256:... (ssh-keyscan HOST | ssh-keygen -lf -) "
            "or known_hosts=FILE",
            store->url.authority);
    if (store->host_key != NULL && strncmp(store->host_key, "SHA256:", 7) != 0)
        return pgc_fail(err, PGC_E_USAGE, "sftp host_key has the form SHA256:..., as ssh-keygen -l prints it");
    return PGC_OK;
}

static enum pgc_code configure(struct sftp_store *store, const struct pgc_store_options *options,
                               struct pgc_error *err) {
    enum pgc_code code = pgc_store_url_parse(options->url, "host_key known_hosts key_file", &store->url, err);
    if (code == PGC_OK)
        code = find_pin(store, options, err);
    if (code == PGC_OK)
        code = copy_value(store, options, "key_file", "PGC_SFTP_KEY_FILE", &store->key_file, err);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "PGC_SFTP_PASSWORD", &store->password, err);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "PGC_SFTP_KEY_PASSPHRASE", &store->passphrase, err);
    if (code == PGC_OK && store->key_file == NULL && store->password == NULL)
        code = pgc_fail(err, PGC_E_CONFIG, "sftp needs key_file=FILE (PGC_SFTP_KEY_FILE) or PGC_SFTP_PASSWORD");
    if (code == PGC_OK && store->url.user == NULL)
        code = pgc_fail(err, PGC_E_USAGE, "sftp URL without a user, as in sftp://user@host/folder");
    if (code == PGC_OK && store->key_file != NULL && access(store->key_file, R_OK) != 0)
        code = pgc_fail_errno(err, PGC_E_CONFIG, "cannot read '%s'", store->key_file);
    return code;
}

static enum pgc_code sftp_attach(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                 struct pgc_store **out, struct pgc_error *err) {
    struct sftp_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return pgc_fail_nomem(err);
    store->base.driver = &pgc_store_driver_sftp;
    store->rt = rt;
    store->bytes_per_second = options->bytes_per_second;
    enum pgc_code code = configure(store, options, err);
    store->options = (struct pgc_http_options) {
        .user = store->url.user,
        .password = store->password,
        .ssh_key_file = store->key_file,
        .ssh_key_secret = store->passphrase,
        .ssh_known_hosts = store->known_hosts,
        .ssh_host_sha256 = store->host_key != NULL ? store->host_key + strlen("SHA256:") : NULL,
    };
    if (code == PGC_OK)
        code = pgc_http_open(&store->options, rt, &store->http, err);
    if (code != PGC_OK) {
        sftp_drop(&store->base);
        return code;
    }
    *out = &store->base;
    return PGC_OK;
}

const struct pgc_store_driver pgc_store_driver_sftp = {
    "sftp", sftp_attach, sftp_put, sftp_get, sftp_each, sftp_erase, sftp_drop, sftp_sweep,
};
