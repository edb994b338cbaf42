#include "backup/notify.h"

#include <check.h>

static struct pgc_notify_message make(const char *target, enum pgc_notify_event event) {
    struct pgc_notice notice = { event, "app", "host1", "it \"broke\"", 1700000000000000, 2500, 1048576 };
    struct pgc_notify_message message = PGC_NOTIFY_MESSAGE_INIT;
    struct pgc_error err;
    ck_assert_int_eq(pgc_notify_make(target, &notice, false, NULL, &message, &err), PGC_OK);
    return message;
}

START_TEST(shapes)
{
    static const struct {
        const char *target, *url, *body;
    } rows[] = {
        { "slack+https://hooks/x", "https://hooks/x",
          "{\"text\":\"pgc backup: job 'app' on host1 FAILED: it \\\"broke\\\"\"}" },
        { "discord+https://d/x", "https://d/x",
          "{\"content\":\"pgc backup: job 'app' on host1 FAILED: it \\\"broke\\\"\"}" },
        { "ntfy+https://n/topic", "https://n/topic", "pgc backup: job 'app' on host1 FAILED: it \"broke\"" },
        { "ping+https://hc/uuid?rid=1", "https://hc/uuid/fail?rid=1",
          "pgc backup: job 'app' on host1 FAILED: it \"broke\"" },
        { "https://w/h", "https://w/h",
          "{\"event\":\"backup.failure\",\"job\":\"app\",\"host\":\"host1\",\"time\":\"2023-11-14T22:13:20Z\","
          "\"duration_ms\":2500,"
          "\"bytes\":1048576,\"error\":\"it \\\"broke\\\"\",\"message\":\"pgc backup: job 'app' on host1 FAILED: it "
          "\\\"broke\\\"\"}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pgc_notify_message message = make(rows[i].target, PGC_NOTIFY_FAILURE);
        ck_assert(message.wanted);
        ck_assert_str_eq(message.url.data, rows[i].url);
        ck_assert_str_eq(message.body.data, rows[i].body);
        pgc_notify_message_release(&message);
    }
}
END_TEST

START_TEST(only_pings_hear_of_starts)
{
    struct pgc_notify_message chat = make("slack+https://hooks/x", PGC_NOTIFY_START),
                              ping = make("ping+https://hc/u", PGC_NOTIFY_START);
    ck_assert(!chat.wanted);
    ck_assert(ping.wanted);
    ck_assert_str_eq(ping.url.data, "https://hc/u/start");
    pgc_notify_message_release(&chat);
    pgc_notify_message_release(&ping);
}
END_TEST

START_TEST(unknown_shapes_are_refused)
{
    struct pgc_error err;
    ck_assert_int_eq(pgc_notify_check("ftp://x", &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_notify_check("telegram+https://x", &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_notify_check("teams+https://x", &err), PGC_OK);
}
END_TEST

Suite *notify_suite(void);
Suite *notify_suite(void) {
    Suite *suite = suite_create("notify");
    TCase *cases = tcase_create("notify");
    tcase_add_test(cases, shapes);
    tcase_add_test(cases, only_pings_hear_of_starts);
    tcase_add_test(cases, unknown_shapes_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
