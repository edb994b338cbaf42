#include <check.h>

#include "pg/probe.h"

static void ck(const char *text, bool asked, enum pgc_probe_outcome outcome, const char *sqlstate, const char *message,
               int ping) {
    struct pgc_probe_result r = { 0 };
    pgc_probe_classify(text, asked, &r);
    ck_assert_msg(r.outcome == outcome, "outcome %d of: %s", (int)r.outcome, text);
    ck_assert_str_eq(r.sqlstate, sqlstate);
    ck_assert_str_eq(r.message, message);
    ck_assert_int_eq(pgc_probe_ping_status(&r), ping);
}

START_TEST(messages_of_libpq)
{
    ck("connection to server at \"h\" (1.2.3.4), port 5432 failed: FATAL:  57P03: the database system is starting up\n"
       "LOCATION:  x\n",
       false, PGC_PROBE_REJECTED, "57P03", "the database system is starting up", 1);
    ck("connection to server at \"h\", port 1 failed: FATAL:  28000: no pg_hba.conf entry, SSL encryption\n"
       "connection to server at \"h\", port 1 failed: FATAL:  28P01: password authentication failed\n",
       false, PGC_PROBE_REJECTED, "28P01", "password authentication failed", 0);
    ck("connection to server at \"h\", port 1 failed: Connection refused\n\tIs the server running?\n", false,
       PGC_PROBE_NO_RESPONSE, "", "Connection refused", 2);
    ck("could not translate host name \"h\" to address: Name or service not known\n", false, PGC_PROBE_NAME_UNKNOWN, "",
       "could not translate host name \"h\" to address: Name or service not known", 2);
    ck("connection to server at \"h\", port 1 failed: SSL error: certificate verify failed\n", false,
       PGC_PROBE_TLS_FAILED, "", "SSL error: certificate verify failed", 2);
    ck("connection to server at \"h\", port 1 failed: SSL SYSCALL error: EOF detected\n", false, PGC_PROBE_NO_RESPONSE,
       "", "SSL SYSCALL error: EOF detected", 2);
    ck("connection to server at \"h\", port 1 failed: fe_sendauth: no password supplied\n", true, PGC_PROBE_AUTH_FAILED,
       "", "fe_sendauth: no password supplied", 0);
    ck("connection to server at \"h\", port 1 failed: server is not in hot standby mode\n", false, PGC_PROBE_WRONG_ROLE,
       "", "server is not in hot standby mode", 0);
}
END_TEST

Suite *probe_classify_suite(void);
Suite *probe_classify_suite(void) {
    Suite *suite = suite_create("probe_classify");
    TCase *tests = tcase_create("probe_classify");
    tcase_add_test(tests, messages_of_libpq);
    suite_add_tcase(suite, tests);
    return suite;
}
