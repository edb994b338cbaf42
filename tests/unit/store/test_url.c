#include "store/url.h"

#include <check.h>
#include <string.h>

static struct pgc_error err;

START_TEST(takes_a_url_apart)
{
    PGC_CLEANUP(pgc_store_url_release) struct pgc_store_url url = { 0 };
    const struct pgc_store_options none = { 0 };
    ck_assert_int_eq(pgc_store_url_parse("sftp://me%40corp@[::1]:2222/a%20b/c//?key_file=/k%26&host_key=SHA256:a%2Bb",
                                         "host_key key_file", &url, &err),
                     PGC_OK);
    ck_assert_str_eq(url.scheme, "sftp");
    ck_assert_str_eq(url.user, "me@corp");
    ck_assert_str_eq(url.authority, "[::1]:2222");
    ck_assert_str_eq(url.path, "/a b/c");
    ck_assert_str_eq(pgc_store_url_value(&url, &none, "key_file", "NO_SUCH_SETTING"), "/k&");
    ck_assert_str_eq(pgc_store_url_value(&url, &none, "host_key", "NO_SUCH_SETTING"), "SHA256:a+b");
    ck_assert_ptr_null(pgc_store_url_value(&url, &none, "key", "NO_SUCH_SETTING"));
}
END_TEST

START_TEST(refuses_what_is_no_store_url)
{
    static const char *const bad[] = { "dav:/x",    "dav://",       "dav://:80/",   "dav://u:secret@h/",
                                       "dav://h/%", "dav://h/?y=1", "dav://h/?x=%f" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PGC_CLEANUP(pgc_store_url_release) struct pgc_store_url url = { 0 };
        ck_assert_msg(pgc_store_url_parse(bad[i], "x", &url, &err) == PGC_E_USAGE, "%s", bad[i]);
        ck_assert_ptr_null(strstr(err.message, "secret"));
    }
}
END_TEST

START_TEST(http_dates)
{
    ck_assert_int_eq(pgc_store_http_date("Sun, 30 Aug 2015 12:36:00 GMT"), 1440938160);
    ck_assert_int_eq(pgc_store_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    static const char *const bad[] = { "", "yesterday", "Sun, 30 Axx 2015 12:36:00 GMT",
                                       "Sun, 30 anF 2015 12:36:00 GMT", "Sun, 30 Aug 2015" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(pgc_store_http_date(bad[i]) == -1, "%s", bad[i]);
    ck_assert_int_eq(pgc_store_http_date(NULL), -1);
}
END_TEST

Suite *url_suite(void);
Suite *url_suite(void) {
    Suite *suite = suite_create("url");
    TCase *tcase = tcase_create("url");
    tcase_add_test(tcase, takes_a_url_apart);
    tcase_add_test(tcase, refuses_what_is_no_store_url);
    tcase_add_test(tcase, http_dates);
    suite_add_tcase(suite, tcase);
    return suite;
}
