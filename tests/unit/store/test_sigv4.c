#include "store/sigv4.h"

#include <check.h>
#include <string.h>

START_TEST(encodes_once_and_never_normalises)
{
    static const struct {
        const char *key, *path;
    } cases[] = {
        { "/a b", "/a%20b" },
        { "/a//b/../c/./d", "/a//b/../c/./d" },
        { "/a+b%20&=?#", "/a%2Bb%2520%26%3D%3F%23" },
        { "/\xc3\xa9~-._", "/%C3%A9~-._" },
        { "/'\"(!*)", "/%27%22%28%21%2A%29" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        pgc_sigv4_path(&out, cases[i].key);
        ck_assert_str_eq(out.data, cases[i].path);
    }
}
END_TEST

START_TEST(query_is_sorted_after_encoding)
{
    static const struct pgc_sigv4_pair pairs[] = {
        { "prefix", "a b+c" }, { "uploads", NULL }, { "a-b", "2" }, { "a", "2" }, { "a", "1" }, { "A", "x/y=" },
    };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_sigv4_query(&out, pairs, sizeof pairs / sizeof pairs[0]);
    ck_assert_str_eq(out.data, "A=x%2Fy%3D&a=1&a=2&a-b=2&prefix=a%20b%2Bc&uploads=");
}
END_TEST

/* x-amz-meta-a sorts before x-amz-meta-a-b although ':' is greater than '-'. */
START_TEST(headers_are_sorted_by_name)
{
    static const struct pgc_sigv4_pair headers[] = {
        { "X-Amz-Meta-A-B", "two" },
        { "Host", "example.org" },
        { "X-Amz-Meta-A", "  one \t more " },
    };
    const struct pgc_sigv4_request request = { "GET", "", NULL, 0, headers, 3, PGC_SIGV4_EMPTY };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_sigv4_canonical(&request, &out);
    ck_assert_str_eq(out.data, "GET\n/\n\nhost:example.org\nx-amz-meta-a:one more\nx-amz-meta-a-b:two\n\n"
                               "host;x-amz-meta-a;x-amz-meta-a-b\n" PGC_SIGV4_EMPTY);
}
END_TEST

START_TEST(signs_the_documented_example)
{
    static const struct pgc_sigv4_pair headers[] = {
        { "host", "example.amazonaws.com" },
        { "x-amz-date", "20150830T123600Z" },
    };
    const struct pgc_sigv4_request request = { "GET", "/", NULL, 0, headers, 2, PGC_SIGV4_EMPTY };
    const struct pgc_sigv4_key key = { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, "us-east-1",
                                       "service" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_sigv4_authorization(&request, &key, 1440938160, &out, NULL);
    ck_assert_str_eq(out.data, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                               "SignedHeaders=host;x-amz-date, "
                               "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}
END_TEST

START_TEST(dates)
{
    char out[PGC_SIGV4_DATE_SIZE];
    pgc_sigv4_date(0, out);
    ck_assert_str_eq(out, "19700101T000000Z");
    pgc_sigv4_date(1440938160, out);
    ck_assert_str_eq(out, "20150830T123600Z");
    pgc_sigv4_date(1709251199, out);
    ck_assert_str_eq(out, "20240229T235959Z");
}
END_TEST

Suite *sigv4_suite(void);
Suite *sigv4_suite(void) {
    Suite *suite = suite_create("sigv4");
    TCase *tcase = tcase_create("sigv4");
    tcase_add_test(tcase, encodes_once_and_never_normalises);
    tcase_add_test(tcase, query_is_sorted_after_encoding);
    tcase_add_test(tcase, headers_are_sorted_by_name);
    tcase_add_test(tcase, signs_the_documented_example);
    tcase_add_test(tcase, dates);
    suite_add_tcase(suite, tcase);
    return suite;
}
