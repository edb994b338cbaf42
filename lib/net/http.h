#ifndef PGC_NET_HTTP_H
#define PGC_NET_HTTP_H
/* HTTP(S) and SFTP transfers. This is the only file pair that knows libcurl.
 *
 * A session runs one transfer after the other and keeps the connection between them. One thread uses a session at a
 * time (pgc_http_interrupt alone may come from another). Nothing is retried, redirected or signed here: who asks knows
 * what may be repeated.
 *
 *     PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
 *     code = pgc_http_open(NULL, rt, &http, err);
 *     PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
 *     struct pgc_http_request request = { .method = "POST", .url = url, .body = text, .body_len = len };
 *     code = pgc_http_perform(http, &request, &answer, err);      // PGC_OK for every status the server sent
 *     if (code == PGC_OK && answer.status / 100 != 2) ...
 *
 * Bodies that do not fit in memory are streamed:
 *     upload:    start (with .upload) / send ... / finish
 *     download:  start (with .stream) / wait / read ... until *len == 0 / stop
 *
 * Environment: proxies as curl(1) takes them (https_proxy, http_proxy, all_proxy, no_proxy); PGC_CA_FILE or SSL_CERT_FILE
 * name a file of trusted certificates instead of the system's.
 *
 * Errors: PGC_E_UNAVAILABLE no such host, nobody listens; PGC_E_TEMPORARY connection lost or cut; PGC_E_TIMEOUT connecting or
 * stalled; PGC_E_TLS not trusted; PGC_E_AUTH refused (SFTP); PGC_E_NOT_FOUND (SFTP); PGC_E_NOSPACE (SFTP);
 * PGC_E_DATA answer longer than allowed; PGC_E_CANCELLED by the runtime or pgc_http_interrupt; PGC_E_USAGE bad URL. */
#include <pgc/runtime.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"

struct pgc_http;

/* All may be 0 or NULL: then the default in brackets holds. Texts are borrowed for the session's life. */
struct pgc_http_options {
    int64_t connect_timeout_ms; /* [10 s] name, TCP and TLS together */
    int64_t stall_timeout_ms;   /* [60 s] a transfer that moves fewer than stall_bytes in this time has stalled; */
    int64_t stall_bytes;        /* [1024] only time spent waiting for the network counts */
    const char *ca_file;        /* [environment, system] */
    bool direct;                /* never through a proxy */
    const char *user;           /* HTTP authentication or SSH */
    const char *password;
    bool digest; /* HTTP: digest authentication (the password is not sent, each request takes two exchanges) */
    const char *ssh_key_file;    /* private key; its public half is derived */
    const char *ssh_key_secret;  /* passphrase of that file */
    const char *ssh_known_hosts; /* OpenSSH known_hosts file; unknown hosts are refused */
    const char *ssh_host_sha256; /* base64 SHA-256 of the host key, as ssh-keygen -l prints after "SHA256:" */
};

struct pgc_http_request {
    const char *method;         /* "GET", "PUT", "PROPFIND", ... ; NULL for SFTP */
    const char *url;            /* sent byte for byte, already encoded; http, https or sftp */
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const void *body; /* whole body in memory, borrowed until the end of the transfer */
    size_t body_len;
    bool has_body;        /* send a body although it is empty (PUT and POST do always) */
    bool upload;          /* the body comes by pgc_http_send */
    int64_t upload_bytes; /* its length, -1: unknown (chunked) */
    bool stream;          /* a 2xx body is left to pgc_http_read; other statuses collect it */
    const char *range;    /* SFTP: "0-99", "100-" (HTTP: the header); an offset behind the end is PGC_E_DATA */
    bool create_folders;  /* SFTP upload: makes the folders of the path */
    bool resume;          /* SFTP upload: behind what is there, see pgc_http_resume_point */
    const char *const
        *ssh_commands; /* SFTP: "rename 'a' 'b'", "rm 'a'", "mkdir 'a'" before the transfer; then no body */
    size_t ssh_command_count;
    size_t answer_max;        /* bytes of a collected body [1 MiB] */
    int64_t stall_timeout_ms; /* [of the session] */
    bool fresh;               /* on a new connection: libcurl silently repeats a request whose kept connection died */
    bool cleanup; /* goes through although the runtime is cancelled or the session interrupted: for undoing */
};

struct pgc_http_answer {
    int status;                 /* 0 for SFTP and before the headers are there */
    struct pgc_strings headers; /* "Name: value" as they came */
    struct pgc_buf body;        /* collected */
};
#define PGC_HTTP_ANSWER_INIT                                                                                           \
    { 0, PGC_STRINGS_INIT, PGC_BUF_INIT }
void pgc_http_answer_release(struct pgc_http_answer *answer);
/* Value of the last header of that name (any letter case), NULL when absent. */
const char *pgc_http_header(const struct pgc_http_answer *answer, const char *name);

/* NULL options are the defaults. */
PGC_MUST_USE enum pgc_code pgc_http_open(const struct pgc_http_options *options, const struct pgc_runtime *rt,
                                         struct pgc_http **out, struct pgc_error *err);
void pgc_http_free(struct pgc_http *http);
PGC_DEFINE_AUTO(pgc_http_free, struct pgc_http *)

/* A whole exchange. `answer` is emptied first. */
PGC_MUST_USE enum pgc_code pgc_http_perform(struct pgc_http *http, const struct pgc_http_request *request,
                                            struct pgc_http_answer *answer, struct pgc_error *err);

/* Begins a transfer; answer and a body in memory are borrowed until finish or stop, the request is copied. A transfer still running is stopped. */
PGC_MUST_USE enum pgc_code pgc_http_start(struct pgc_http *http, const struct pgc_http_request *request,
                                          struct pgc_http_answer *answer, struct pgc_error *err);
/* Sends all len bytes. PGC_E_IO when the server answered before the body was complete: see answer->status. */
PGC_MUST_USE enum pgc_code pgc_http_send(struct pgc_http *http, const void *data, size_t len, struct pgc_error *err);
/* After start with .resume, before the first send: *offset is the length of the file that is there (0: none), where to go on. */
PGC_MUST_USE enum pgc_code pgc_http_resume_point(struct pgc_http *http, uint64_t *offset, struct pgc_error *err);
/* Ends the body of an upload without waiting for the answer. */
PGC_MUST_USE enum pgc_code pgc_http_end(struct pgc_http *http, struct pgc_error *err);
/* Waits until the status and headers are there. */
PGC_MUST_USE enum pgc_code pgc_http_wait(struct pgc_http *http, struct pgc_error *err);
/* Up to cap bytes of the body; *len == 0 is its true end: a cut transfer is an error. */
PGC_MUST_USE enum pgc_code pgc_http_read(struct pgc_http *http, void *buf, size_t cap, size_t *len,
                                         struct pgc_error *err);
/* Ends the body and waits for the whole answer. */
PGC_MUST_USE enum pgc_code pgc_http_finish(struct pgc_http *http, struct pgc_error *err);
/* Gives a running transfer up (its connection is closed). Nothing to do is fine. */
void pgc_http_stop(struct pgc_http *http);
/* From another thread: the running transfer, and each later one, fails with PGC_E_CANCELLED. */
void pgc_http_interrupt(struct pgc_http *http);
bool pgc_http_interrupted(const struct pgc_http *http);
#endif
