#include "backup/notify.h"

#include <check.h>
#include <string.h>

#include "base/json.h"

static const struct pgc_notice base = { .job = "app",
                                        .host = "host1",
                                        .detail = "it \"broke\" <!channel> & @everyone",
                                        .log = "last words\n",
                                        .run_id = "4ee8a6d1",
                                        .time_us = 1700000000000000,
                                        .duration_ms = 2500,
                                        .bytes = 1048576 };
static const struct pgc_notify_to to = { .successes = false };

static struct pgc_notify_message make(const char *target, enum pgc_notify_event event) {
    struct pgc_notice notice = base;
    struct pgc_notify_message message = PGC_NOTIFY_MESSAGE_INIT;
    struct pgc_error err;
    notice.event = event;
    ck_assert_int_eq(pgc_notify_make(target, &notice, &to, &message, &err), PGC_OK);
    return message;
}

START_TEST(shapes)
{
    static const struct {
        const char *target, *url, *body;
    } rows[] = {
        { "slack+https://hooks/x", "https://hooks/x",
          "{\"text\":\"pgc backup: job 'app' on host1 FAILED: it \\\"broke\\\" &lt;!channel&gt; &amp; @everyone\"}" },
        { "discord+https://d/x", "https://d/x",
          "{\"content\":\"pgc backup: job 'app' on host1 FAILED: it \\\"broke\\\" <!channel> & @everyone\","
          "\"allowed_mentions\":{\"parse\":[]}}" },
        { "ntfy+https://n/topic", "https://n/topic",
          "pgc backup: job 'app' on host1 FAILED: it \"broke\" <!channel> & @everyone" },
        { "ping+https://hc/uuid?create=1", "https://hc/uuid/fail?create=1&rid=4ee8a6d1",
          "pgc backup: job 'app' on host1 FAILED: it \"broke\" <!channel> & @everyone\n\nlast words\n" },
        { "https://w/h", "https://w/h",
          "{\"event\":\"backup.failure\",\"job\":\"app\",\"host\":\"host1\",\"time\":\"2023-11-14T22:13:20Z\","
          "\"run\":\"4ee8a6d1\",\"duration_ms\":2500,\"bytes\":1048576,"
          "\"error\":\"it \\\"broke\\\" <!channel> & @everyone\","
          "\"message\":\"pgc backup: job 'app' on host1 FAILED: it \\\"broke\\\" <!channel> & @everyone\"}" },
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
    ck_assert_str_eq(ping.url.data, "https://hc/u/start?rid=4ee8a6d1");
    pgc_notify_message_release(&chat);
    pgc_notify_message_release(&ping);
}
END_TEST

START_TEST(teams_and_long_texts)
{
    static char detail[5000];
    for (size_t i = 0; i + 3 < sizeof detail; i += 2)
        memcpy(detail + i, "\xc3\xa9", 3);
    struct pgc_notify_message message = make("teams+https://t/x", PGC_NOTIFY_FAILURE), cut = PGC_NOTIFY_MESSAGE_INIT;
    struct pgc_json *doc = NULL;
    struct pgc_error err;
    ck_assert_int_eq(pgc_json_parse(message.body.data, message.body.len, &doc, &err), PGC_OK);
    const struct pgc_json *card = pgc_json_at(pgc_json_get(doc, "attachments"), 0);
    ck_assert_str_eq(pgc_json_text(pgc_json_get(card, "contentType")), "application/vnd.microsoft.card.adaptive");
    pgc_json_free(doc);
    struct pgc_notice notice = base;
    notice.event = PGC_NOTIFY_FAILURE;
    notice.detail = detail;
    ck_assert_int_eq(pgc_notify_make("discord+https://d/x", &notice, &to, &cut, &err), PGC_OK);
    ck_assert_int_eq(pgc_json_parse(cut.body.data, cut.body.len, &doc, &err), PGC_OK);
    const char *content = pgc_json_text(pgc_json_get(doc, "content"));
    ck_assert_uint_le(strlen(content), 1904);
    ck_assert_ptr_null(strstr(content, "\xef\xbf\xbd")); /* no character was torn apart */
    pgc_json_free(doc);
    pgc_notify_message_release(&message);
    pgc_notify_message_release(&cut);
}
END_TEST

START_TEST(verifications_ping_only_when_bad)
{
    static const struct {
        enum pgc_notify_event event;
        bool ping, chat;
        const char *name, *sentence;
    } rows[] = {
        { PGC_NOTIFY_START, false, false, "verify.start", "pgc backup: verification of job 'app' on host1 started" },
        { PGC_NOTIFY_SUCCESS, false, false, "verify.success",
          "pgc backup: verification of job 'app' on host1 succeeded in 2.5 s" },
        { PGC_NOTIFY_FAILURE, true, true, "verify.failure",
          "pgc backup: verification of job 'app' on host1 FAILED: since Monday" },
        { PGC_NOTIFY_LATE, true, true, "verify.late",
          "pgc backup: verification of job 'app' on host1 is LATE: since Monday" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT, sentence = PGC_BUF_INIT;
        struct pgc_notify_message ping = PGC_NOTIFY_MESSAGE_INIT, chat = PGC_NOTIFY_MESSAGE_INIT;
        struct pgc_notice notice = base;
        struct pgc_error err;
        notice.event = rows[i].event;
        notice.verify = true;
        notice.detail = "since Monday";
        ck_assert_int_eq(pgc_notify_make("ping+https://hc/u", &notice, &to, &ping, &err), PGC_OK);
        ck_assert_int_eq(pgc_notify_make("slack+https://s/u", &notice, &to, &chat, &err), PGC_OK);
        ck_assert_int_eq(ping.wanted, rows[i].ping);
        ck_assert_int_eq(chat.wanted, rows[i].chat);
        pgc_notify_event_name(&name, &notice);
        pgc_notify_sentence(&sentence, &notice);
        ck_assert_str_eq(name.data, rows[i].name);
        ck_assert_str_eq(sentence.data, rows[i].sentence);
        pgc_notify_message_release(&ping);
        pgc_notify_message_release(&chat);
    }
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
    tcase_add_test(cases, teams_and_long_texts);
    tcase_add_test(cases, verifications_ping_only_when_bad);
    tcase_add_test(cases, unknown_shapes_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
