#include "backup/template.h"

#include <check.h>

static const struct pgc_notice notice = { .event = PGC_NOTIFY_FAILURE,
                                          .job = "a\"b",
                                          .host = "h",
                                          .detail = "line 1\nline 2 \\ {{host}}",
                                          .log = "",
                                          .run_id = "id",
                                          .time_us = 1700000000000000,
                                          .duration_ms = 5,
                                          .bytes = 6 };

START_TEST(fields)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    struct pgc_error err;
    ck_assert_int_eq(
        pgc_template_render(
            "{\"j\":\"{{job}} on {{ host }}\",\"e\":\"{{error}}\",\"n\":[{{bytes}},{{duration_ms}},{{ok}}],"
            "\"t\":\"{{time}} {{event}} {{run}}{{log}}\"} }",
            &notice, &out, &err),
        PGC_OK);
    ck_assert_str_eq(out.data, "{\"j\":\"a\\\"b on h\",\"e\":\"line 1\\nline 2 \\\\ {{host}}\",\"n\":[6,5,false],"
                               "\"t\":\"2023-11-14T22:13:20Z backup.failure id\"} }");
}
END_TEST

START_TEST(mistakes)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        { "{\"a\":\"{{jobs}}\"}", "notification template: {{jobs}} is not known" },
        { "{\"a\":\"{{job}\"}", "notification template: a '{{' has no '}}'" },
    };
    struct pgc_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(pgc_template_check(rows[i].text, &err), PGC_E_USAGE);
        ck_assert_str_eq(err.message, rows[i].message);
    }
    ck_assert_int_eq(pgc_template_check("{\"a\": {{job}}}", &err), PGC_E_USAGE); /* a text outside of a string */
    ck_assert_int_eq(pgc_template_check("{\"a\": \"{{message}}\"}", &err), PGC_OK);
}
END_TEST

Suite *template_suite(void);
Suite *template_suite(void) {
    Suite *suite = suite_create("template");
    TCase *cases = tcase_create("template");
    tcase_add_test(cases, fields);
    tcase_add_test(cases, mistakes);
    suite_add_tcase(suite, cases);
    return suite;
}
