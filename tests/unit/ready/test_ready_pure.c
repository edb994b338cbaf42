#include <check.h>
#include <string.h>

#include "ready/http.h"
#include "ready/ledger.h"
#include "ready/objects.h"
#include "ready/report.h"
#include "ready/state.h"
#include "ready/target.h"
#include "ready/verdict.h"

START_TEST(versions_compare_as_people_do)
{
    static const char *const ordered[] = {
        "0", "1", "1.2", "1_9", "1.10", "2", "9", "10", "20240101000000", "99999999999999999999999"
    };
    size_t n = sizeof ordered / sizeof ordered[0];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            int order = pgc_ready_version_compare(ordered[i], ordered[k]);
            ck_assert_msg(i < k ? order < 0 : i > k ? order > 0 : order == 0, "%s and %s", ordered[i], ordered[k]);
        }
    ck_assert_int_eq(pgc_ready_version_compare("1", "1.0"), 0);
    ck_assert_int_eq(pgc_ready_version_compare("007", "7"), 0);
    ck_assert_int_eq(pgc_ready_version_compare("1.0.0", "1_0"), 0);
}
END_TEST

START_TEST(some_ledgers_have_no_order)
{
    ck_assert(pgc_ready_version_reaches("dbmate", "10", "9"));
    ck_assert(!pgc_ready_version_reaches("dbmate", "8", "9"));
    ck_assert(pgc_ready_version_reaches("alembic", "abc", "abc"));
    ck_assert(!pgc_ready_version_reaches("alembic", "abd", "abc"));
    ck_assert(pgc_ready_version_reaches("django", "blog.0010_x", "blog.0003"));
    ck_assert(!pgc_ready_version_reaches("django", "auth.0010_x", "blog.0003"));
    ck_assert(!pgc_ready_version_reaches("django", "blog.0010_x", "0003"));
}
END_TEST

START_TEST(table_names)
{
    struct pgc_ready_name name;
    ck_assert(pgc_ready_name_parse("Public.Users", &name));
    ck_assert_str_eq(name.schema, "Public");
    ck_assert_str_eq(name.schema_folded, "public");
    ck_assert_str_eq(name.table_folded, "users");
    ck_assert(pgc_ready_name_parse("\"a.b\".\"c\"\"D\"", &name));
    ck_assert_str_eq(name.schema, "a.b");
    ck_assert_str_eq(name.table, "c\"D");
    ck_assert_str_eq(name.table_folded, "c\"D");
    ck_assert(pgc_ready_name_parse("t'; drop table x; --", &name));
    ck_assert_str_eq(name.schema, "");
    static const char *const bad[] = { "", ".", "a.", ".b", "a.b.c", "\"a", "\"\"", "\"a\"b" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!pgc_ready_name_parse(bad[i], &name), "accepted: %s", bad[i]);
}
END_TEST

static struct pgc_ready_request request(const char *text, size_t want) {
    struct pgc_ready_request out;
    ck_assert_uint_eq(pgc_ready_request_parse(text, strlen(text), &out), want);
    return out;
}

START_TEST(requests)
{
    struct pgc_ready_request r = request("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /", 33);
    ck_assert_str_eq(r.path, "/readyz");
    ck_assert(!r.head && !r.close && r.refuse == 0);
    r = request("HEAD /livez?x=1 HTTP/1.0\r\n\r\n", 28);
    ck_assert(r.head && r.close && r.refuse == 0);
    ck_assert_str_eq(r.path, "/livez?x=1");
    ck_assert(request("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", 37).close);
    ck_assert(!request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 42).close);
    ck_assert_int_eq(request("POST / HTTP/1.1\r\n\r\n", 19).refuse, 405);
    ck_assert_int_eq(request("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 37).refuse, 413);
    ck_assert_int_eq(request("nonsense\n\n", 10).refuse, 400);
    ck_assert_int_eq(request("GET http://x/ HTTP/1.1\r\n\r\n", 26).refuse, 400);
    request("GET / HTTP/1.1\r\nHost: x\r\n", 0);
    request("", 0);
    char longest[700] = "GET /";
    memset(longest + 5, 'a', 600);
    memcpy(longest + 605, " HTTP/1.1\r\n\r\n", 14);
    ck_assert_int_eq(request(longest, 618).refuse, 414);
}
END_TEST

static struct pgc_ready_state fed(int64_t rise, int64_t fall, const char *checks) {
    static char name[] = "db:5432";
    static struct pgc_ready_target target = { .text = name };
    struct pgc_ready_state state = { .target = &target, .rise = rise, .fall = fall, .stale_ms = 1000 };
    int64_t now = 0;
    for (; *checks != '\0'; checks++) {
        struct pgc_ready_report report = { .verdict.status = *checks == '+' ? PGC_READY_OK : PGC_READY_NO_RESPONSE };
        pgc_ready_state_feed(&state, &report, now += 100);
    }
    return state;
}

START_TEST(hysteresis)
{
    ck_assert(!fed(1, 2, "").ready);
    ck_assert(!fed(1, 2, "-").ready);
    ck_assert(fed(1, 2, "-+").ready);
    ck_assert(fed(1, 2, "+-").ready);
    ck_assert(!fed(1, 2, "+--").ready);
    ck_assert(fed(1, 2, "+-+-+-").ready);
    ck_assert(fed(3, 2, "+").ready); /* the first time at once */
    ck_assert(!fed(3, 2, "+--++").ready);
    ck_assert(fed(3, 2, "+--+++").ready);
    ck_assert(fed(1, 1, "+-").started);
    ck_assert_int_eq(fed(1, 1, "+-+").changes, 3);
}
END_TEST

static int answer(const struct pgc_ready_state *state, const char *path, int64_t now, const char *word) {
    struct pgc_ready_answer out = { .body = PGC_BUF_INIT };
    pgc_ready_state_answer(state, path, now, &out);
    ck_assert_msg(strstr(out.body.data, word) != NULL, "%s answers %s", path, out.body.data);
    pgc_buf_release(&out.body);
    return out.status;
}

START_TEST(answers)
{
    struct pgc_ready_state state = fed(1, 2, "");
    ck_assert_int_eq(answer(&state, "/livez", 0, "\"alive\":true"), 200);
    ck_assert_int_eq(answer(&state, "/readyz", 0, "\"last_check\":null"), 503);
    ck_assert_int_eq(answer(&state, "/startupz", 0, "false"), 503);
    state = fed(1, 2, "+");
    ck_assert_int_eq(answer(&state, "/readyz", 200, "\"ready\":true"), 200);
    ck_assert_int_eq(answer(&state, "/readyz", 5000, "too old"), 503);
    ck_assert_int_eq(answer(&state, "/livez", 5000, "true"), 200);
    ck_assert_int_eq(answer(&state, "/primary", 200, "true"), 200);
    ck_assert_int_eq(answer(&state, "/replica", 200, "is a primary"), 503);
    ck_assert_int_eq(answer(&state, "/metrics", 200, "\npgc_ready 1\n"), 200);
    ck_assert_int_eq(answer(&state, "/nothing", 200, "known"), 404);
    state.report.server = (struct pgc_ready_server) {
        .known = true, .in_recovery = true, .lag_known = true, .streaming = true, .lag_bytes = 2048, .lag_ms = 1500
    };
    ck_assert_int_eq(answer(&state, "/primary", 200, "is a standby"), 503);
    ck_assert_int_eq(answer(&state, "/replica", 200, "\"lag_bytes\":2048"), 200);
    ck_assert_int_eq(answer(&state, "/replica?lag=2kB", 200, "true"), 200);
    ck_assert_int_eq(answer(&state, "/replica?lag=1kB", 200, "behind"), 503);
    ck_assert_int_eq(answer(&state, "/replica?lag=1s", 200, "behind"), 503);
    ck_assert_int_eq(answer(&state, "/replica?lag=1500ms", 200, "true"), 200);
    ck_assert_int_eq(answer(&state, "/replica?lag=x", 200, "expected"), 400);
    ck_assert_int_eq(answer(&state, "/metrics", 200, "pgc_ready_replay_lag_bytes 2048"), 200);
}
END_TEST

static void ck_target(const char *text, enum pgc_ready_kind kind, const char *host, const char *port,
                      const char *path) {
    struct pgc_probe_options none = { 0 };
    struct pgc_ready_target target;
    struct pgc_error err;
    ck_assert_msg(pgc_ready_target_parse(text, &none, &target, &err) == PGC_OK, "%s", text);
    ck_assert_int_eq(target.kind, kind);
    ck_assert_pstr_eq(target.host, host);
    ck_assert_pstr_eq(target.port, port);
    if (path != NULL)
        ck_assert_str_eq(target.path, path);
    pgc_ready_target_release(&target);
}

START_TEST(targets)
{
    ck_target("tcp://redis:6379", PGC_READY_TCP_PORT, "redis", "6379", NULL);
    ck_target("tcp://[::1]:80", PGC_READY_TCP_PORT, "::1", "80", NULL);
    ck_target("http://h", PGC_READY_HTTP, "h", "80", "/");
    ck_target("http://h:81/a?b=c#d", PGC_READY_HTTP, "h", "81", "/a?b=c");
    ck_target("http://h?q", PGC_READY_HTTP, "h", "80", "/?q");
    ck_target("postgres://h/d", PGC_READY_POSTGRES, NULL, NULL, NULL);
    ck_target("app", PGC_READY_POSTGRES, NULL, NULL, NULL);
    static const char *const bad[] = { "tcp://h", "tcp://:1",   "tcp://h:",   "tcp://h:x",     "tcp://[::1:5",
                                       "http://", "https://h/", "ftp://h:21", "tcp://h:123456" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_probe_options none = { 0 };
        struct pgc_ready_target target;
        struct pgc_error err;
        ck_assert_msg(pgc_ready_target_parse(bad[i], &none, &target, &err) == PGC_E_USAGE, "accepted: %s", bad[i]);
    }
}
END_TEST

static struct pgc_ready_verdict judged(enum pgc_probe_outcome outcome, const char *sqlstate,
                                       enum pgc_ready_level level) {
    struct pgc_probe_result result = { .outcome = outcome, .message = "m" };
    strcpy(result.sqlstate, sqlstate);
    struct pgc_ready_verdict verdict;
    pgc_ready_judge_connect(&result, level, &verdict);
    return verdict;
}

START_TEST(verdicts)
{
    static const struct {
        enum pgc_probe_outcome outcome;
        const char *sqlstate;
        int status;
        bool permanent;
        int ping;
    } rows[] = {
        { PGC_PROBE_CONNECTED, "", 0, false, 0 },     { PGC_PROBE_NO_ATTEMPT, "", 3, true, 3 },
        { PGC_PROBE_NAME_UNKNOWN, "", 2, false, 2 },  { PGC_PROBE_NO_RESPONSE, "", 2, false, 2 },
        { PGC_PROBE_TIMED_OUT, "", 2, false, 2 },     { PGC_PROBE_TLS_FAILED, "", 7, true, 2 },
        { PGC_PROBE_AUTH_FAILED, "", 4, true, 0 },    { PGC_PROBE_WRONG_ROLE, "", 5, false, 0 },
        { PGC_PROBE_REJECTED, "57P03", 1, false, 1 }, { PGC_PROBE_REJECTED, "57P01", 1, false, 0 },
        { PGC_PROBE_REJECTED, "53300", 1, false, 0 }, { PGC_PROBE_REJECTED, "28P01", 4, true, 0 },
        { PGC_PROBE_REJECTED, "28000", 4, true, 0 },  { PGC_PROBE_REJECTED, "3D000", 4, true, 0 },
        { PGC_PROBE_REJECTED, "42501", 4, true, 0 },  { PGC_PROBE_REJECTED, "XX000", 1, false, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pgc_ready_verdict v = judged(rows[i].outcome, rows[i].sqlstate, PGC_READY_QUERY);
        ck_assert_msg((int)v.status == rows[i].status && v.permanent == rows[i].permanent, "row %zu: %d", i,
                      (int)v.status);
        ck_assert_int_eq(judged(rows[i].outcome, rows[i].sqlstate, PGC_READY_PING).status, rows[i].ping);
        ck_assert_int_eq(v.status == PGC_READY_OK, v.reason[0] == '\0');
        ck_assert_int_eq(v.status == PGC_READY_OK, v.hint[0] == '\0');
    }
}
END_TEST

Suite *ready_pure_suite(void);
Suite *ready_pure_suite(void) {
    Suite *suite = suite_create("ready_pure");
    TCase *tests = tcase_create("ready_pure");
    tcase_add_test(tests, versions_compare_as_people_do);
    tcase_add_test(tests, some_ledgers_have_no_order);
    tcase_add_test(tests, table_names);
    tcase_add_test(tests, requests);
    tcase_add_test(tests, hysteresis);
    tcase_add_test(tests, answers);
    tcase_add_test(tests, targets);
    tcase_add_test(tests, verdicts);
    suite_add_tcase(suite, tests);
    return suite;
}
