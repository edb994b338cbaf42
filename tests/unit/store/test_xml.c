#include "store/xml.h"

#include "base/text.h"

#include <check.h>
#include <string.h>

static bool note(void *arg, const char *path, const char *text) {
    pgc_buf_putf(arg, "%s=%s;", path, text);
    return strcmp(text, "stop") != 0;
}

static enum pgc_code walk(const char *xml, struct pgc_buf *out) {
    struct pgc_error err;
    pgc_buf_clear(out);
    return pgc_xml_walk(xml, strlen(xml), note, out, &err);
}

START_TEST(reports_elements_when_they_end)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    ck_assert_int_eq(walk("<?xml version=\"1.0\"?>\n<a xmlns:D='DAV:'><D:b>x &amp; y</D:b><c><d/> t</c></a>", &out),
                     PGC_OK);
    ck_assert_str_eq(out.data, "a/b=x & y;a/c/d=;a/c= t;a=;");
    ck_assert_int_eq(walk("<a><b>stop</b><c>", &out), PGC_OK); /* what follows is not looked at */
    ck_assert_str_eq(out.data, "a/b=stop;");
}
END_TEST

START_TEST(refuses_what_is_not_plain_xml)
{
    static const char *const bad[] = {
        "", "   ", "<a>", "<a></b>", "text", "{}", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&x;</a>"
    };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(walk(bad[i], &out) == PGC_E_DATA, "'%s'", bad[i]);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf deep = PGC_BUF_INIT;
    for (int i = 0; i < 40; i++)
        pgc_buf_puts(&deep, "<a>");
    ck_assert_int_eq(walk(deep.data, &out), PGC_E_DATA);
}
END_TEST

START_TEST(escapes)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_text_markup(&out, "a<b>&\"c\"'");
    ck_assert_str_eq(out.data, "a&lt;b&gt;&amp;&quot;c&quot;&apos;");
}
END_TEST

Suite *xml_suite(void);
Suite *xml_suite(void) {
    Suite *suite = suite_create("xml");
    TCase *tcase = tcase_create("xml");
    tcase_add_test(tcase, reports_elements_when_they_end);
    tcase_add_test(tcase, refuses_what_is_not_plain_xml);
    tcase_add_test(tcase, escapes);
    suite_add_tcase(suite, tcase);
    return suite;
}
