#include "net/http_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(void *arg, const struct pgc_http_query *query, struct pgc_http_reply *reply) {
    struct pgc_error err;
    ++*(int *)arg;
    if (strcmp(query->path, "/boom") == 0)
        reply->body.failed = true;
    if (strcmp(query->path, "/gone") == 0)
        reply->status = 404;
    const char *level = pgc_http_query_param(query, "level");
    pgc_buf_putf(&reply->body, "%s %s %s\n", query->method, query->path, level != NULL ? level : "(none)");
    ck_assert_int_eq(pgc_strings_add(&reply->headers, "Retry-After: 7", &err), PGC_OK);
}

/* Sends `request` to the port over IPv4 or IPv6 and reads until the server closes. */
static bool talk(int port, int family, const char *request, char *out, size_t cap) {
    struct sockaddr_in v4 = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port),
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    size_t len = 0;
    ssize_t got = 0;
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0)
        return false;
    int rc = family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                               : connect(fd, (struct sockaddr *)&v6, sizeof v6);
    if (rc == 0)
        ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while (rc == 0 && len < cap - 1 && (got = read(fd, out + len, cap - 1 - len)) > 0)
        len += (size_t)got;
    out[len] = '\0';
    close(fd);
    return rc == 0;
}

static const char close_line[] = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static char *ask(int port, const char *what) {
    static char out[4096];
    char request[512];
    snprintf(request, sizeof request, "%s%s", what, close_line);
    ck_assert(talk(port, AF_INET, request, out, sizeof out));
    return out;
}

START_TEST(answers_get_and_head)
{
    PGC_AUTO(pgc_http_server_free) struct pgc_http_server *server = NULL;
    struct pgc_error err;
    int calls = 0;
    ck_assert_int_eq(pgc_http_server_start(":0", answer, &calls, &server, &err), PGC_OK);
    int port = pgc_http_server_port(server);
    ck_assert_int_gt(port, 0);

    const char *reply = ask(port, "GET /a%20b?level=auth&x");
    ck_assert(strstr(reply, "HTTP/1.1 200 ") == reply);
    ck_assert_ptr_nonnull(strstr(reply, "\r\n\r\nGET /a b auth\n"));
    ck_assert_ptr_nonnull(strstr(reply, "Retry-After: 7\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "Content-Type: text/plain; charset=utf-8\r\n"));

    reply = ask(port, "HEAD /a");
    ck_assert_ptr_nonnull(strstr(reply, "Content-Length: 15\r\n"));
    ck_assert_ptr_null(strstr(reply, "(none)"));
    ck_assert_int_eq(calls, 2);
}
END_TEST

START_TEST(refuses_what_it_does_not_do)
{
    PGC_AUTO(pgc_http_server_free) struct pgc_http_server *server = NULL;
    struct pgc_error err;
    char out[4096];
    int calls = 0;
    ck_assert_int_eq(pgc_http_server_start("127.0.0.1:0", answer, &calls, &server, &err), PGC_OK);
    int port = pgc_http_server_port(server);
    ck_assert(talk(port, AF_INET, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
                   out, sizeof out));
    ck_assert(strstr(out, "HTTP/1.1 405 ") == out);
    ck_assert_ptr_nonnull(strstr(out, "Allow: GET, HEAD\r\n"));
    ck_assert_int_eq(calls, 0);
    ck_assert(strstr(ask(port, "GET /gone"), "HTTP/1.1 404 ") != NULL);
    ck_assert(strstr(ask(port, "GET /boom"), "HTTP/1.1 500 ") != NULL);
}
END_TEST

START_TEST(listens_on_both_families_and_stops)
{
    struct pgc_http_server *server = NULL;
    struct pgc_error err;
    char out[4096];
    char request[128];
    char again[32];
    int calls = 0;
    snprintf(request, sizeof request, "GET /%s", close_line);
    ck_assert_int_eq(pgc_http_server_start(":0", answer, &calls, &server, &err), PGC_OK);
    int port = pgc_http_server_port(server);
    ck_assert(talk(port, AF_INET, request, out, sizeof out));
    int probe = socket(AF_INET6, SOCK_STREAM, 0); /* machines without IPv6 exist */
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    if (probe >= 0 && bind(probe, (struct sockaddr *)&any, sizeof any) == 0)
        ck_assert(talk(port, AF_INET6, request, out, sizeof out));
    if (probe >= 0)
        close(probe);

    snprintf(again, sizeof again, "127.0.0.1:%d", port);
    struct pgc_http_server *second = NULL;
    ck_assert_int_eq(pgc_http_server_start(again, answer, &calls, &second, &err), PGC_E_IO);
    pgc_http_server_free(server);
    ck_assert(!talk(port, AF_INET, request, out, sizeof out));
    ck_assert_int_eq(pgc_http_server_start(again, answer, &calls, &second, &err), PGC_OK);
    pgc_http_server_free(second);
    pgc_http_server_free(NULL);
}
END_TEST

START_TEST(checks_the_address)
{
    static const char *const bad[] = { "", "8008", ":", ":x", ":70000", "host:", "::1:80", ":-1", ":80 " };
    struct pgc_http_server *server = NULL;
    struct pgc_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(pgc_http_server_start(bad[i], answer, NULL, &server, &err) == PGC_E_USAGE, "'%s'", bad[i]);
}
END_TEST

Suite *http_server_suite(void);
Suite *http_server_suite(void) {
    Suite *suite = suite_create("http_server");
    TCase *tcase = tcase_create("http_server");
    tcase_add_test(tcase, answers_get_and_head);
    tcase_add_test(tcase, refuses_what_it_does_not_do);
    tcase_add_test(tcase, listens_on_both_families_and_stops);
    tcase_add_test(tcase, checks_the_address);
    suite_add_tcase(suite, tcase);
    return suite;
}
