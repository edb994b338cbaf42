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
#include "os/secret.h"
#include "store/drivers.h"
#include "store/remote.h"

#define LIST_MAX      ((size_t)64 << 20)
#define ZONE_SLACK_MS ((int64_t)26 * 3600 * 1000) /* times of a listing are in the server's zone, to the minute */

struct sftp_store {
    struct pgc_remote remote;
    char *key_file, *known_hosts, *host_key, *password, *passphrase;
};

/* --- addresses and commands ------------------------------------------------------------------------------ */

/* "sftp://host/folder/key", encoded; with a slash at the end for folders. */
static void put_url(const struct sftp_store *store, struct pgc_buf *out, const char *key, bool folder) {
    pgc_buf_putf(out, "sftp://%s", store->remote.url.authority);
    pgc_text_percent(out, store->remote.url.path, strlen(store->remote.url.path), "/");
    if (key[0] != '\0')
        pgc_buf_putc(out, '/');
    pgc_text_percent(out, key, strlen(key), "/");
    if (folder)
        pgc_buf_putc(out, '/');
}

static void put_path(const struct sftp_store *store, struct pgc_buf *out, const char *key) {
    pgc_buf_puts(out, " \"");
    for (int half = 0; half < 2; half++) {
        for (const char *c = half == 0 ? store->remote.url.path : key; *c != '\0'; c++) {
            if (*c == '"' || *c == '\'' || *c == '\\')
                pgc_buf_putc(out, '\\');
            pgc_buf_putc(out, *c);
        }
        if (half == 0)
            pgc_buf_putc(out, '/');
    }
    pgc_buf_putc(out, '"');
}

/* The server's word for an absent file comes as text. */
static enum pgc_code recognize(enum pgc_code code, struct pgc_error *err) {
    if (code == PGC_E_IO && (strstr(err->message, "No such file") != NULL || strstr(err->message, "ot found") != NULL))
        err->code = code = PGC_E_NOT_FOUND;
    return code;
}

/* One command about one or two keys on the server. */
static enum pgc_code command(struct sftp_store *store, struct pgc_http *http, const char *verb, const char *key,
                             const char *to, bool cleanup, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_remote_tries tries = pgc_remote_tries(&store->remote, cleanup);
    pgc_buf_puts(&text, verb);
    put_path(store, &text, key);
    if (to != NULL)
        put_path(store, &text, to);
    pgc_buf_putf(&url, "sftp://%s/", store->remote.url.authority);
    const char *commands[] = { text.data };
    const struct pgc_http_request request = {
        .url = url.data, .ssh_commands = commands, .ssh_command_count = 1, .cleanup = cleanup
    };
    if (text.failed || url.failed)
        return pgc_fail_nomem(err);
    enum pgc_code code;
    do
        code = recognize(pgc_http_perform(http, &request, &answer, err), err);
    while (pgc_remote_again(&tries, code, 0, err));
    return code;
}

/* --- what the requests are ------------------------------------------------------------------------------- */

static enum pgc_code upload(struct pgc_remote *remote, struct pgc_http *http, const char *key, const char *content_type,
                            bool resume, struct pgc_http_answer *answer, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    (void)content_type;
    put_url((struct sftp_store *)remote, &url, key, false);
    const struct pgc_http_request request = {
        .url = url.data, .upload = true, .upload_bytes = -1, .create_folders = true, .resume = resume
    };
    return url.failed ? pgc_fail_nomem(err) : pgc_http_start(http, &request, answer, err);
}

/* An older object goes aside first and comes back when the new one cannot take its place. */
static enum pgc_code publish(struct pgc_remote *remote, struct pgc_http *http, const char *temp, const char *key,
                             struct pgc_error *err) {
    struct sftp_store *store = (struct sftp_store *)remote;
    struct pgc_error first;
    struct pgc_error ignored;
    if (command(store, http, "rename", temp, key, false, &first) == PGC_OK)
        return PGC_OK;
    PGC_AUTO_FREE char *aside = pgc_remote_temporary(remote, key);
    if (aside == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = first.code;
    if (code != PGC_E_NOT_FOUND)
        code = command(store, http, "rename", key, aside, false, &ignored);
    if (code != PGC_OK) {
        *err = first;
        return first.code;
    }
    code = command(store, http, "rename", temp, key, true, err);
    enum pgc_code tidy = code == PGC_OK ? command(store, http, "rm", aside, NULL, true, &ignored)
                                        : command(store, http, "rename", aside, key, true, &ignored);
    if (tidy != PGC_OK)
        pgc_log(remote->rt, PGC_LOG_WARN, "store.leftover", "an older object stays under a temporary name",
                PGC_LOG_TEXT("key", aside));
    return code;
}

static enum pgc_code remove_object(struct pgc_remote *remote, struct pgc_http *http, const char *key, bool cleanup,
                                   struct pgc_error *err) {
    return command((struct sftp_store *)remote, http, "rm", key, NULL, cleanup, err);
}

/* The server keeps those that are not empty. */
static enum pgc_code remove_folder(struct pgc_remote *remote, struct pgc_http *http, const char *folder,
                                   struct pgc_error *err) {
    return command((struct sftp_store *)remote, http, "rmdir", folder, NULL, true, err);
}

static enum pgc_code download(struct pgc_remote *remote, struct pgc_http *http, const char *key, uint64_t offset,
                              uint64_t length, struct pgc_http_answer *answer, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    char range[64];
    put_url((struct sftp_store *)remote, &url, key, false);
    if (length == UINT64_MAX)
        snprintf(range, sizeof range, "%llu-", (unsigned long long)offset);
    else
        snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)offset,
                 (unsigned long long)(offset + length - 1));
    const struct pgc_http_request request = { .url = url.data,
                                              .stream = true,
                                              .range = offset > 0 || length != UINT64_MAX ? range : NULL };
    return url.failed ? pgc_fail_nomem(err) : pgc_http_start(http, &request, answer, err);
}

/* --- listing --------------------------------------------------------------------------------------------- */

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
static bool parse_line(char *text, int64_t now_us, struct pgc_remote_entry *out) {
    char month[8];
    char day[8];
    char when[8];
    unsigned long long size = 0;
    int name = 0;
    if (sscanf(text, "%*10s%*s %*s %*s %llu %7s %7s %7s%n", &size, month, day, when, &name) != 4 || text[name] != ' ')
        return false;
    *out = (struct pgc_remote_entry) { text + name + 1, size, listed_time(month, day, when, now_us), text[0] == 'd' };
    return (text[0] == 'd' || text[0] == '-') && strcmp(out->name, ".") != 0 && strcmp(out->name, "..") != 0;
}

static enum pgc_code list(struct pgc_remote *remote, const char *folder, pgc_remote_entry_fn *fn, void *arg,
                          struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    struct pgc_remote_tries tries = pgc_remote_tries(remote, false);
    put_url((struct sftp_store *)remote, &url, folder, true);
    const struct pgc_http_request request = { .url = url.data, .answer_max = LIST_MAX };
    enum pgc_code code = pgc_buf_check(&url, err);
    if (code != PGC_OK)
        return code;
    do
        code = pgc_http_perform(remote->http, &request, &answer, err);
    while (pgc_remote_again(&tries, code, 0, err));
    if (code == PGC_E_NOT_FOUND)
        return PGC_OK;
    char *rest = NULL;
    for (char *text = code == PGC_OK ? strtok_r(answer.body.data, "\n", &rest) : NULL; code == PGC_OK && text != NULL;
         text = strtok_r(NULL, "\n", &rest)) {
        struct pgc_remote_entry entry;
        if (parse_line(text, pgc_wall_us(remote->rt), &entry))
            code = fn(arg, &entry, err);
    }
    return code;
}

static const struct pgc_remote_ops remote_ops = {
    .temp_prefix = PGC_STORE_TMP_PREFIX,
    .appends = true,
    .clock_slack_ms = ZONE_SLACK_MS,
    .upload = upload,
    .publish = publish,
    .remove = remove_object,
    .remove_folder = remove_folder,
    .list = list,
    .download = download,
};

/* --- opening --------------------------------------------------------------------------------------------- */

static void sftp_drop(struct pgc_store *base) {
    struct sftp_store *store = (struct sftp_store *)base;
    pgc_remote_release(&store->remote);
    free(store->key_file);
    free(store->known_hosts);
    free(store->host_key);
    pgc_secret_free(store->password);
    pgc_secret_free(store->passphrase);
    free(store);
}

static enum pgc_code copy_value(struct sftp_store *store, const struct pgc_store_options *options, const char *name,
                                const char *setting, char **out, struct pgc_error *err) {
    const char *value = pgc_store_url_value(&store->remote.url, options, name, setting);
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
        if (pgc_store_url_value(&store->remote.url, options, "known_hosts", "PGC_SFTP_KNOWN_HOSTS") != NULL) {
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
            store->remote.url.authority);
    if (store->host_key != NULL && strncmp(store->host_key, "SHA256:", 7) != 0)
        return pgc_fail(err, PGC_E_USAGE, "sftp host_key has the form SHA256:..., as ssh-keygen -l prints it");
    return PGC_OK;
}

static enum pgc_code configure(struct sftp_store *store, const struct pgc_store_options *options,
                               struct pgc_error *err) {
    enum pgc_code code = find_pin(store, options, err);
    if (code == PGC_OK)
        code = copy_value(store, options, "key_file", "PGC_SFTP_KEY_FILE", &store->key_file, err);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "PGC_SFTP_PASSWORD", &store->password, err);
    if (code == PGC_OK)
        code = pgc_store_secret(options, "PGC_SFTP_KEY_PASSPHRASE", &store->passphrase, err);
    if (code == PGC_OK && store->key_file == NULL && store->password == NULL)
        code = pgc_fail(err, PGC_E_CONFIG, "sftp needs key_file=FILE (PGC_SFTP_KEY_FILE) or PGC_SFTP_PASSWORD");
    if (code == PGC_OK && store->remote.url.user == NULL)
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
    store->remote.base.driver = &pgc_store_driver_sftp;
    enum pgc_code code =
        pgc_remote_open(&store->remote, &remote_ops, options, rt, "host_key known_hosts key_file", "PGC_SFTP", err);
    if (code == PGC_OK)
        code = configure(store, options, err);
    struct pgc_http_options *http = &store->remote.http_options;
    http->user = store->remote.url.user;
    http->password = store->password;
    http->ssh_key_file = store->key_file;
    http->ssh_key_secret = store->passphrase;
    http->ssh_known_hosts = store->known_hosts;
    http->ssh_host_sha256 = store->host_key != NULL ? store->host_key + strlen("SHA256:") : NULL;
    if (code == PGC_OK)
        code = pgc_http_open(http, rt, &store->remote.http, err);
    if (code != PGC_OK) {
        sftp_drop(&store->remote.base);
        return code;
    }
    *out = &store->remote.base;
    return PGC_OK;
}

const struct pgc_store_driver pgc_store_driver_sftp = {
    "sftp", sftp_attach, pgc_remote_put, pgc_remote_get, pgc_remote_each, pgc_remote_erase, sftp_drop, pgc_remote_sweep,
};
