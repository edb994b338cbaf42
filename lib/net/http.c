#include "net/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 10000
#define STALL_TIMEOUT_MS   60000
#define STALL_BYTES        1024
#define ANSWER_MAX         ((size_t)1 << 20)
#define READ_AHEAD         ((size_t)256 * 1024) /* a streamed download pauses when so much is unread */
#define WIRE_BUFFER        ((long)128 * 1024)
#define POLL_MS            1000

struct pgc_http {
    struct pgc_http_options options;
    const struct pgc_runtime *rt;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *commands;
    char message[CURL_ERROR_SIZE];
    atomic_bool interrupted;

    /* the transfer under way */
    struct pgc_http_request request;
    char origin[256]; /* scheme, host and port: what a message may show of a URL (the rest may hold keys and tokens) */
    struct pgc_http_answer *answer;
    bool running;
    bool done;
    CURLcode result;
    bool headers_done;
    bool challenged; /* the 401 that begins digest authentication has come */
    bool too_long;
    const char *pending; /* body bytes not sent yet */
    size_t pending_len;
    size_t body_at;     /* of request->body */
    uint64_t resume_at; /* of an upload that goes on */
    bool body_ended;
    bool send_paused;
    bool receive_paused;
    struct pgc_buf unread;
    size_t unread_at;
    int64_t waited_ms; /* since moved_bytes was last enough */
    int64_t moved_bytes;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void) {
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void pgc_http_answer_release(struct pgc_http_answer *answer) {
    pgc_strings_release(&answer->headers);
    pgc_buf_release(&answer->body);
}

static void clear_answer(struct pgc_http_answer *answer) {
    pgc_strings_release(&answer->headers);
    answer->headers = (struct pgc_strings)PGC_STRINGS_INIT;
    pgc_buf_clear(&answer->body);
    answer->status = 0;
}

const char *pgc_http_header(const struct pgc_http_answer *answer, const char *name) {
    size_t len = strlen(name);
    for (size_t i = answer->headers.count; i-- > 0;) {
        const char *line = answer->headers.items[i];
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

/* --- what libcurl calls ------------------------------------------------------------------------------- */

static size_t on_header(char *data, size_t size, size_t count, void *arg) {
    struct pgc_http *http = arg;
    size_t len = size * count;
    size_t text = len;
    struct pgc_error ignored;
    http->moved_bytes += (int64_t)len;
    while (text > 0 && (data[text - 1] == '\r' || data[text - 1] == '\n'))
        text--;
    if (text > 5 && memcmp(data, "HTTP/", 5) == 0) { /* also after an interim 1xx answer */
        const char *space = memchr(data, ' ', text);
        clear_answer(http->answer);
        http->answer->status = space != NULL ? atoi(space + 1) : 0;
        return len;
    }
    if (text == 0) {
        bool challenge = http->options.digest && http->answer->status == 401 && !http->challenged;
        http->challenged |= challenge; /* libcurl asks again, with the answer to it */
        http->headers_done = http->answer->status >= 200 && !challenge;
        return len;
    }
    char *line = strndup(data, text);
    return pgc_strings_take(&http->answer->headers, line, &ignored) == PGC_OK ? len : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
    struct pgc_http *http = arg;
    size_t len = size * count;
    bool streamed = http->request.stream && (http->answer->status == 0 || http->answer->status / 100 == 2);
    struct pgc_buf *into = streamed ? &http->unread : &http->answer->body;
    size_t max = http->request.answer_max != 0 ? http->request.answer_max : ANSWER_MAX;
    http->headers_done = true;
    if (streamed && http->unread.len - http->unread_at >= READ_AHEAD) {
        http->receive_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    http->moved_bytes += (int64_t)len;
    if (!streamed && into->len + len > max) {
        http->too_long = true;
        return 0;
    }
    pgc_buf_put(into, data, len);
    return into->failed ? 0 : len;
}

static size_t on_send(char *buf, size_t size, size_t count, void *arg) {
    struct pgc_http *http = arg;
    size_t cap = size * count;
    if (http->request.upload) {
        if (http->pending_len == 0 && !http->body_ended) {
            http->send_paused = true;
            return CURL_READFUNC_PAUSE;
        }
        size_t n = http->pending_len < cap ? http->pending_len : cap;
        if (n > 0)
            memcpy(buf, http->pending, n);
        http->pending += n;
        http->pending_len -= n;
        http->moved_bytes += (int64_t)n;
        return n;
    }
    size_t left = http->request.body_len - http->body_at;
    size_t n = left < cap ? left : cap;
    if (n > 0)
        memcpy(buf, (const char *)http->request.body + http->body_at, n);
    http->body_at += n;
    http->moved_bytes += (int64_t)n;
    return n;
}

/* libcurl rewinds when a kept connection turns out to be dead; a body in memory can begin again. */
static int on_seek(void *arg, curl_off_t offset, int origin) {
    struct pgc_http *http = arg;
    if (http->request.resume && origin == SEEK_SET && offset >= 0) {
        http->resume_at = (uint64_t)offset; /* libcurl asked for the length of the file and begins there */
        return CURL_SEEKFUNC_OK;
    }
    if (http->request.upload || origin != SEEK_SET || offset < 0 || (size_t)offset > http->request.body_len)
        return CURL_SEEKFUNC_CANTSEEK;
    http->body_at = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* --- errors -------------------------------------------------------------------------------------------- */

static enum pgc_code code_of(CURLcode result) {
    switch (result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return PGC_E_USAGE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return PGC_E_UNAVAILABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return PGC_E_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
        return PGC_E_TLS;
    case CURLE_LOGIN_DENIED:
    case CURLE_REMOTE_ACCESS_DENIED:
        return PGC_E_AUTH;
    case CURLE_REMOTE_FILE_NOT_FOUND:
        return PGC_E_NOT_FOUND;
    case CURLE_REMOTE_DISK_FULL:
        return PGC_E_NOSPACE;
    case CURLE_OUT_OF_MEMORY:
        return PGC_E_NOMEM;
    case CURLE_BAD_DOWNLOAD_RESUME:
        return PGC_E_DATA;
    case CURLE_QUOTE_ERROR:
    case CURLE_UPLOAD_FAILED:
        return PGC_E_IO;
    default:
        return PGC_E_TEMPORARY;
    }
}

static void note_origin(struct pgc_http *http, const char *url) {
    const char *mark = strstr(url, "://"), *host = mark != NULL ? mark + 3 : url;
    const char *at = memrchr(host, '@', strcspn(host, "/?#"));
    size_t scheme = (size_t)(host - url);
    host = at != NULL ? at + 1 : host;
    snprintf(http->origin, sizeof http->origin, "%.*s%.*s", (int)scheme, url, (int)strcspn(host, "/?#"), host);
}

static enum pgc_code fail_transfer(struct pgc_http *http, struct pgc_error *err) {
    enum pgc_code code = code_of(http->result);
    const char *hint = "";
    if (http->too_long)
        return pgc_fail(err, PGC_E_DATA, "the answer of %s is longer than allowed", http->origin);
    if (http->unread.failed || http->answer->body.failed)
        return pgc_fail_nomem(err);
    if (http->result == CURLE_PEER_FAILED_VERIFICATION && strncmp(http->origin, "sftp:", 5) == 0)
        hint = " (the host key is not the pinned one; if that is right, pin the new one)";
    else if (http->result == CURLE_PEER_FAILED_VERIFICATION)
        hint = " (name a file with the authority's certificate in PGC_CA_FILE)";
    return pgc_fail(err, code, "%s: %s%s", http->origin,
                    http->message[0] != '\0' ? http->message : curl_easy_strerror(http->result), hint);
}

/* --- the loop ------------------------------------------------------------------------------------------ */

static void collect_result(struct pgc_http *http) {
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(http->multi, &left); m != NULL; m = curl_multi_info_read(http->multi, &left))
        if (m->msg == CURLMSG_DONE && m->easy_handle == http->easy) {
            http->done = true;
            http->headers_done = true;
            http->result = m->data.result;
        }
}

static enum pgc_code check_stall(struct pgc_http *http, int64_t waited, struct pgc_error *err) {
    int64_t limit =
        http->request.stall_timeout_ms != 0 ? http->request.stall_timeout_ms : http->options.stall_timeout_ms;
    if (http->moved_bytes >= http->options.stall_bytes) {
        http->moved_bytes = 0;
        http->waited_ms = 0;
        return PGC_OK;
    }
    http->waited_ms += waited;
    if (http->waited_ms < limit)
        return PGC_OK;
    return pgc_fail(err, PGC_E_TIMEOUT, "%s: transfer stalled for %lld s", http->origin, (long long)(limit / 1000));
}

static enum pgc_code poll_once(struct pgc_http *http, struct pgc_error *err) {
    int cancel_fd = http->request.cleanup ? -1 : pgc_cancel_fd(http->rt);
    struct curl_waitfd extra = { cancel_fd, CURL_WAIT_POLLIN, 0 };
    int64_t limit =
        http->request.stall_timeout_ms != 0 ? http->request.stall_timeout_ms : http->options.stall_timeout_ms;
    int64_t left = limit - http->waited_ms;
    int64_t before = pgc_mono_ms(http->rt);
    (void)curl_multi_poll(http->multi, cancel_fd >= 0 ? &extra : NULL, cancel_fd >= 0 ? 1 : 0,
                          left < POLL_MS ? (left > 1 ? (int)left : 1) : POLL_MS, NULL);
    return check_stall(http, pgc_mono_ms(http->rt) - before, err);
}

static enum pgc_code check_stop(const struct pgc_http *http, struct pgc_error *err) {
    if (http->request.cleanup)
        return PGC_OK;
    if (atomic_load(&http->interrupted))
        return pgc_fail(err, PGC_E_CANCELLED, "transfer given up");
    return pgc_check_cancelled(http->rt, err);
}

typedef bool ready_fn(const struct pgc_http *http);

/* Runs the transfer until it is ready for the caller or at its end. */
static enum pgc_code pump(struct pgc_http *http, ready_fn *ready, struct pgc_error *err) {
    for (;;) {
        int running = 0;
        enum pgc_code code = check_stop(http, err);
        if (code != PGC_OK)
            return code;
        CURLMcode rc = curl_multi_perform(http->multi, &running);
        if (rc != CURLM_OK)
            return pgc_fail(err, PGC_E_IO, "transfer failed: %s", curl_multi_strerror(rc));
        collect_result(http);
        if (http->done && http->result != CURLE_OK)
            return fail_transfer(http, err);
        if (http->done || ready(http))
            return PGC_OK;
        code = poll_once(http, err);
        if (code != PGC_OK)
            return code;
    }
}

static bool never_ready(const struct pgc_http *http) {
    (void)http;
    return false;
}
static bool body_taken(const struct pgc_http *http) {
    return http->pending_len == 0;
}
static bool body_wanted(const struct pgc_http *http) {
    return http->send_paused;
}
static bool headers_there(const struct pgc_http *http) {
    return http->headers_done;
}
static bool bytes_there(const struct pgc_http *http) {
    return http->unread.len > http->unread_at;
}

/* --- the interface ------------------------------------------------------------------------------------- */

enum pgc_code pgc_http_open(const struct pgc_http_options *options, const struct pgc_runtime *rt, struct pgc_http **out,
                            struct pgc_error *err) {
    pthread_once(&global_once, global_init);
    struct pgc_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return pgc_fail_nomem(err);
    if (options != NULL)
        http->options = *options;
    http->rt = rt;
    http->unread = (struct pgc_buf)PGC_BUF_INIT;
    if (http->options.connect_timeout_ms == 0)
        http->options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (http->options.stall_timeout_ms == 0)
        http->options.stall_timeout_ms = STALL_TIMEOUT_MS;
    if (http->options.stall_bytes == 0)
        http->options.stall_bytes = STALL_BYTES;
    if (http->options.ca_file == NULL)
        http->options.ca_file = getenv("PGC_CA_FILE");
    if (http->options.ca_file == NULL || http->options.ca_file[0] == '\0')
        http->options.ca_file = getenv("SSL_CERT_FILE");
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    if (http->multi == NULL || http->easy == NULL) {
        pgc_http_free(http);
        return pgc_fail_nomem(err);
    }
    *out = http;
    return PGC_OK;
}

void pgc_http_stop(struct pgc_http *http) {
    if (http->running)
        (void)curl_multi_remove_handle(http->multi, http->easy);
    http->running = false;
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->commands);
    http->headers = NULL;
    http->commands = NULL;
    pgc_buf_release(&http->unread);
    http->unread_at = 0;
}

void pgc_http_free(struct pgc_http *http) {
    if (http == NULL)
        return;
    if (http->multi != NULL && http->easy != NULL)
        pgc_http_stop(http);
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    free(http);
}

void pgc_http_interrupt(struct pgc_http *http) {
    atomic_store(&http->interrupted, true);
    (void)curl_multi_wakeup(http->multi);
}

bool pgc_http_interrupted(const struct pgc_http *http) {
    return atomic_load(&http->interrupted);
}

static bool add_line(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool add_lines(struct pgc_http *http, const struct pgc_http_request *request) {
    bool good = add_line(&http->headers, "Expect:"); /* a 100-continue costs a round trip and confuses proxies */
    for (size_t i = 0; good && i < request->header_count; i++)
        good = add_line(&http->headers, request->headers[i]);
    for (size_t i = 0; good && i < request->ssh_command_count; i++)
        good = add_line(&http->commands, request->ssh_commands[i]);
    return good;
}

static void set_ssh(struct pgc_http *http, CURL *easy) {
    const struct pgc_http_options *o = &http->options;
    (void)curl_easy_setopt(easy, CURLOPT_SSH_AUTH_TYPES,
                           o->ssh_key_file != NULL ? (long)CURLSSH_AUTH_PUBLICKEY
                                                   : (long)(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD));
    (void)curl_easy_setopt(easy, CURLOPT_SSH_PRIVATE_KEYFILE, o->ssh_key_file);
    (void)curl_easy_setopt(easy, CURLOPT_KEYPASSWD, o->ssh_key_secret);
    (void)curl_easy_setopt(easy, CURLOPT_SSH_KNOWNHOSTS, o->ssh_known_hosts);
    (void)curl_easy_setopt(easy, CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, o->ssh_host_sha256);
    if (http->commands != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_QUOTE, http->commands);
    (void)curl_easy_setopt(easy, CURLOPT_RANGE, http->request.range);
    (void)curl_easy_setopt(easy, CURLOPT_FTP_CREATE_MISSING_DIRS,
                           http->request.create_folders ? (long)CURLFTP_CREATE_DIR_RETRY
                                                        : (long)CURLFTP_CREATE_DIR_NONE);
    (void)curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)(http->request.resume ? -1 : 0));
    (void)curl_easy_setopt(easy, CURLOPT_NEW_DIRECTORY_PERMS, 0700L);
    (void)curl_easy_setopt(easy, CURLOPT_NEW_FILE_PERMS, 0600L);
}

static void set_session(struct pgc_http *http, CURL *easy) {
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* threads */
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->message);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->options.connect_timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* keys may hold "//" and "/../" */
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "pgc/" PGC_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, WIRE_BUFFER);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, WIRE_BUFFER);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    if (http->options.ca_file != NULL && http->options.ca_file[0] != '\0')
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, http->options.ca_file);
    if (http->options.direct)
        (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(easy, CURLOPT_USERNAME, http->options.user);
    (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, http->options.password);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)(http->options.digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC));
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, http);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, http);
}

static bool sends_body(const struct pgc_http_request *request) {
    return request->upload || request->body_len > 0 || request->has_body ||
           (request->method != NULL && (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0));
}

static void set_request(struct pgc_http *http, const struct pgc_http_request *request) {
    CURL *easy = http->easy;
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (strncmp(request->url, "sftp:", 5) == 0)
        set_ssh(http, easy);
    else
        (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    if (request->ssh_command_count > 0)
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (request->method != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (sends_body(request)) {
        (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                               (curl_off_t)(request->upload ? request->upload_bytes : (int64_t)request->body_len));
    }
}

enum pgc_code pgc_http_start(struct pgc_http *http, const struct pgc_http_request *request,
                             struct pgc_http_answer *answer, struct pgc_error *err) {
    pgc_http_stop(http);
    clear_answer(answer);
    note_origin(http, request->url);
    if (strncmp(request->url, "http://", 7) != 0 && strncmp(request->url, "https://", 8) != 0 &&
        strncmp(request->url, "sftp://", 7) != 0)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is no http, https or sftp URL", http->origin);
    http->request = *request;
    http->answer = answer;
    http->done = http->headers_done = http->challenged = http->too_long = false;
    http->send_paused = http->receive_paused = http->body_ended = false;
    http->result = CURLE_OK;
    http->message[0] = '\0';
    http->pending = NULL;
    http->pending_len = http->body_at = 0;
    http->waited_ms = http->moved_bytes = 0;
    http->resume_at = 0;
    if (!add_lines(http, request))
        return pgc_fail_nomem(err);
    curl_easy_reset(http->easy);
    set_session(http, http->easy);
    set_request(http, request);
    CURLMcode rc = curl_multi_add_handle(http->multi, http->easy);
    if (rc != CURLM_OK)
        return pgc_fail(err, PGC_E_IO, "cannot start a transfer: %s", curl_multi_strerror(rc));
    http->running = true;
    return PGC_OK;
}

static void resume(struct pgc_http *http) {
    if (!http->send_paused && !http->receive_paused)
        return;
    http->send_paused = http->receive_paused = false;
    (void)curl_easy_pause(http->easy, CURLPAUSE_CONT);
}

enum pgc_code pgc_http_send(struct pgc_http *http, const void *data, size_t len, struct pgc_error *err) {
    http->pending = data;
    http->pending_len = len;
    if (len == 0)
        return PGC_OK;
    resume(http);
    enum pgc_code code = pump(http, body_taken, err);
    if (code == PGC_OK && http->pending_len > 0)
        code = pgc_fail(err, PGC_E_IO, "%s answered with status %d before the upload was complete", http->origin,
                        http->answer->status);
    return code;
}

enum pgc_code pgc_http_resume_point(struct pgc_http *http, uint64_t *offset, struct pgc_error *err) {
    enum pgc_code code = pump(http, body_wanted, err);
    *offset = http->resume_at;
    return code;
}

enum pgc_code pgc_http_wait(struct pgc_http *http, struct pgc_error *err) {
    enum pgc_code code = pump(http, headers_there, err);
    return http->done && http->answer->status != 0 ? PGC_OK : code; /* a cut after the headers is an error of read */
}

enum pgc_code pgc_http_read(struct pgc_http *http, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    *len = 0;
    if (http->unread_at == http->unread.len) {
        pgc_buf_clear(&http->unread);
        http->unread_at = 0;
        resume(http);
        enum pgc_code code = http->done && http->result == CURLE_OK ? PGC_OK : pump(http, bytes_there, err);
        if (code != PGC_OK && !(http->done && bytes_there(http))) /* what came before a cut is given out first */
            return code;
    }
    size_t left = http->unread.len - http->unread_at;
    *len = left < cap ? left : cap;
    if (*len > 0)
        memcpy(buf, http->unread.data + http->unread_at, *len);
    http->unread_at += *len;
    return PGC_OK;
}

enum pgc_code pgc_http_end(struct pgc_http *http, struct pgc_error *err) {
    http->body_ended = true;
    resume(http);
    return check_stop(http, err);
}

enum pgc_code pgc_http_finish(struct pgc_http *http, struct pgc_error *err) {
    enum pgc_code code = pgc_http_end(http, err);
    if (code == PGC_OK && !(http->done && http->result == CURLE_OK))
        code = pump(http, never_ready, err);
    pgc_http_stop(http);
    return code;
}

enum pgc_code pgc_http_perform(struct pgc_http *http, const struct pgc_http_request *request,
                               struct pgc_http_answer *answer, struct pgc_error *err) {
    enum pgc_code code = pgc_http_start(http, request, answer, err);
    if (code == PGC_OK)
        code = pgc_http_finish(http, err);
    pgc_http_stop(http);
    return code;
}
