/* The client against a server of a few lines: one thread that accepts, reads, sends what the test says and closes. */
#include "net/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/runtime.h"

struct peer {
    int fd;
    char url[64];
    const char *until;  /* reads until this text came */
    const char *answer; /* then sends this */
    size_t repeat;      /* and so many bytes 'x' */
    int linger_ms;      /* and keeps the connection open so long */
    char got[1 << 16];  /* the beginning of what came */
    pthread_t thread;
};

static void *serve(void *arg) {
    struct peer *peer = arg;
    size_t len = 0;
    static char block[65536];
    memset(block, 'x', sizeof block);
    int fd = accept(peer->fd, NULL, NULL);
    while (strstr(peer->got, peer->until) == NULL && len < sizeof peer->got - 1) {
        ssize_t n = read(fd, peer->got + len, sizeof peer->got - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    (void)!send(fd, peer->answer, strlen(peer->answer), MSG_NOSIGNAL);
    for (size_t left = peer->repeat; left > 0;) {
        ssize_t n = send(fd, block, left < sizeof block ? left : sizeof block, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        left -= (size_t)n;
    }
    usleep((useconds_t)peer->linger_ms * 1000);
    shutdown(fd, SHUT_WR);
    while (read(fd, block, sizeof block) > 0)
        ;
    close(fd);
    return NULL;
}

static void listen_on(struct peer *peer) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(peer->fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(peer->fd, 1), 0);
    ck_assert_int_eq(getsockname(peer->fd, (struct sockaddr *)&address, &len), 0);
    snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%d/a/../b//c", ntohs(address.sin_port));
}

static void start_peer(struct peer *peer) {
    listen_on(peer);
    ck_assert_int_eq(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void end_peer(struct peer *peer, struct pgc_http *http) {
    pgc_http_free(http);
    pthread_join(peer->thread, NULL);
    close(peer->fd);
}

static struct pgc_error err;

static struct pgc_http *session(int64_t stall_ms) {
    struct pgc_http_options options = { .stall_timeout_ms = stall_ms, .connect_timeout_ms = 2000 };
    struct pgc_http *http = NULL;
    ck_assert_int_eq(pgc_http_open(&options, test_runtime_real(), &http, &err), PGC_OK);
    return http;
}

#define OK(call) ck_assert_msg((call) == PGC_OK, "%s: %s", #call, err.message)

START_TEST(sends_exactly_what_is_asked)
{
    static struct peer peer = { .until = "hello",
                                .answer = "HTTP/1.1 100 Continue\r\nX: interim\r\n\r\n"
                                          "HTTP/1.1 409 Conflict\r\nX-One:  a b \r\nContent-Length: "
                                          "3\r\n\r\nno!" };
    start_peer(&peer);
    struct pgc_http *http = session(5000);
    static const char *const headers[] = { "X-Mine: 1", "Authorization: secret" };
    struct pgc_http_request request = {
        .method = "PUT", .url = peer.url, .headers = headers, .header_count = 2, .body = "hello", .body_len = 5
    };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    OK(pgc_http_perform(http, &request, &answer, &err));
    ck_assert_int_eq(answer.status, 409);
    ck_assert_str_eq(pgc_http_header(&answer, "x-one"), "a b ");
    ck_assert_ptr_null(pgc_http_header(&answer, "x"));
    ck_assert_str_eq(answer.body.data, "no!");
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
    ck_assert(strncmp(peer.got, "PUT /a/../b//c HTTP/1.1\r\n", 25) == 0);
    ck_assert_ptr_nonnull(strstr(peer.got, "\r\nContent-Length: 5\r\n"));
    ck_assert_ptr_nonnull(strstr(peer.got, "\r\nX-Mine: 1\r\n"));
    ck_assert_ptr_null(strstr(peer.got, "Expect:"));
    ck_assert_ptr_null(strstr(peer.got, "Accept-Encoding"));
}
END_TEST

START_TEST(streams_both_ways)
{
    static struct peer peer = { .until = "0\r\n\r\n",
                                .repeat = 3000000,
                                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" };
    char block[10000];
    size_t len = 0;
    size_t total = 0;
    size_t wrong = 0;
    start_peer(&peer);
    struct pgc_http *http = session(5000);
    struct pgc_http_request request = {
        .method = "PUT", .url = peer.url, .upload = true, .upload_bytes = -1, .stream = true
    };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    OK(pgc_http_start(http, &request, &answer, &err));
    OK(pgc_http_send(http, "first ", 6, &err));
    OK(pgc_http_send(http, "", 0, &err));
    OK(pgc_http_send(http, "second", 6, &err));
    OK(pgc_http_end(http, &err));
    OK(pgc_http_wait(http, &err));
    ck_assert_int_eq(answer.status, 200);
    do {
        OK(pgc_http_read(http, block, sizeof block, &len, &err));
        for (size_t i = 0; i < len; i++)
            wrong += block[i] != 'x'; /* an assertion per byte would cost a system call per byte */
        total += len;
    } while (len > 0);
    ck_assert_uint_eq(total, 3000000);
    ck_assert_uint_eq(wrong, 0);
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
    ck_assert_ptr_nonnull(strstr(peer.got, "Transfer-Encoding: chunked"));
    ck_assert_ptr_nonnull(strstr(peer.got, "first "));
    ck_assert_ptr_nonnull(strstr(peer.got, "second"));
}
END_TEST

START_TEST(a_cut_body_is_an_error)
{
    static struct peer peer = { .until = "\r\n\r\n",
                                .repeat = 99999,
                                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" };
    char block[65536];
    size_t len = 0;
    size_t total = 0;
    enum pgc_code code = PGC_OK;
    start_peer(&peer);
    struct pgc_http *http = session(5000);
    struct pgc_http_request request = { .method = "GET", .url = peer.url, .stream = true };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    OK(pgc_http_start(http, &request, &answer, &err));
    do {
        code = pgc_http_read(http, block, sizeof block, &len, &err);
        total += len;
    } while (code == PGC_OK && len > 0);
    ck_assert_int_eq(code, PGC_E_TEMPORARY);
    ck_assert_uint_eq(total, 99999);
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
}
END_TEST

START_TEST(an_endless_answer_is_refused)
{
    static struct peer peer = { .until = "\r\n\r\n", .repeat = 3000000, .answer = "HTTP/1.1 200 OK\r\n\r\n" };
    start_peer(&peer);
    struct pgc_http *http = session(5000);
    struct pgc_http_request request = { .method = "GET", .url = peer.url, .answer_max = 1000 };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    ck_assert_int_eq(pgc_http_perform(http, &request, &answer, &err), PGC_E_DATA);
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
}
END_TEST

START_TEST(a_stalled_transfer_times_out)
{
    static struct peer peer = { .until = "\r\n\r\n",
                                .linger_ms = 3000,
                                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx" };
    start_peer(&peer);
    struct pgc_http *http = session(400);
    struct pgc_http_request request = { .method = "GET", .url = peer.url };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    int64_t before = pgc_mono_ms(test_runtime_real());
    ck_assert_int_eq(pgc_http_perform(http, &request, &answer, &err), PGC_E_TIMEOUT);
    ck_assert_int_lt(pgc_mono_ms(test_runtime_real()) - before, 2500);
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
}
END_TEST

START_TEST(an_early_answer_ends_the_upload)
{
    static struct peer peer = { .until = "\r\n\r\n",
                                .linger_ms = 200,
                                .answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" };
    static char block[1 << 20];
    enum pgc_code code = PGC_OK;
    start_peer(&peer);
    struct pgc_http *http = session(5000);
    struct pgc_http_request request = { .method = "PUT", .url = peer.url, .upload = true, .upload_bytes = -1 };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    OK(pgc_http_start(http, &request, &answer, &err));
    for (int i = 0; i < 100 && code == PGC_OK; i++)
        code = pgc_http_send(http, block, sizeof block, &err);
    ck_assert_int_ne(code, PGC_OK);
    ck_assert_int_eq(answer.status, 403);
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
}
END_TEST

static void *interrupt_soon(void *http) {
    usleep(200000);
    pgc_http_interrupt(http);
    return NULL;
}

START_TEST(another_thread_may_interrupt)
{
    static struct peer peer = { .until = "\r\n\r\n", .linger_ms = 1500, .answer = "" };
    pthread_t thread;
    start_peer(&peer);
    struct pgc_http *http = session(20000);
    struct pgc_http_request request = { .method = "GET", .url = peer.url };
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    pthread_create(&thread, NULL, interrupt_soon, http);
    int64_t before = pgc_mono_ms(test_runtime_real());
    ck_assert_int_eq(pgc_http_perform(http, &request, &answer, &err), PGC_E_CANCELLED);
    ck_assert_int_lt(pgc_mono_ms(test_runtime_real()) - before, 1000);
    pthread_join(thread, NULL);
    end_peer(&peer, http);
    pgc_http_answer_release(&answer);
}
END_TEST

START_TEST(errors_have_their_codes)
{
    struct peer peer = { 0 };
    struct pgc_http *http = session(1000);
    struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    listen_on(&peer);
    close(peer.fd);
    struct pgc_http_request request = { .method = "GET", .url = peer.url };
    ck_assert_int_eq(pgc_http_perform(http, &request, &answer, &err), PGC_E_UNAVAILABLE);
    ck_assert_ptr_null(strstr(err.message, "/b//c")); /* paths and queries stay out of messages */
    request.url = "file:///etc/passwd";
    ck_assert_int_eq(pgc_http_perform(http, &request, &answer, &err), PGC_E_USAGE);
    request.url = "http://no-such-host.invalid/";
    ck_assert_int_eq(pgc_http_perform(http, &request, &answer, &err), PGC_E_UNAVAILABLE);
    pgc_http_free(http);
    pgc_http_free(NULL);
    pgc_http_answer_release(&answer);
}
END_TEST

Suite *http_suite(void);
Suite *http_suite(void) {
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("http");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, sends_exactly_what_is_asked);
    tcase_add_test(tcase, streams_both_ways);
    tcase_add_test(tcase, a_cut_body_is_an_error);
    tcase_add_test(tcase, an_endless_answer_is_refused);
    tcase_add_test(tcase, a_stalled_transfer_times_out);
    tcase_add_test(tcase, an_early_answer_ends_the_upload);
    tcase_add_test(tcase, another_thread_may_interrupt);
    tcase_add_test(tcase, errors_have_their_codes);
    suite_add_tcase(suite, tcase);
    return suite;
}
