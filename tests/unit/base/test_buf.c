#include "base/buf.h"

#include <check.h>
#include <stdlib.h>

START_TEST(grows_and_stays_terminated)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT;
    ck_assert_str_eq(b.data, "");
    for (int i = 0; i < 1000; i++)
        pgc_buf_putf(&b, "%d,", i % 10);
    ck_assert_uint_eq(b.len, 2000);
    ck_assert_int_eq(b.data[2000], 0);
    pgc_buf_drop_front(&b, 1998);
    ck_assert_str_eq(b.data, "9,");
}
END_TEST

START_TEST(failure_sticks)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT;
    struct pgc_error err;
    b.max = 4;
    pgc_buf_puts(&b, "abcd");
    ck_assert_int_eq(pgc_buf_check(&b, &err), PGC_OK);
    pgc_buf_putc(&b, 'e');
    ck_assert_int_eq(pgc_buf_check(&b, &err), PGC_E_NOMEM);
    ck_assert_str_eq(b.data, "abcd");
    ck_assert_ptr_null(pgc_buf_detach(&b));
    pgc_buf_clear(&b);
    pgc_buf_puts(&b, "x");
    ck_assert_int_eq(pgc_buf_check(&b, &err), PGC_OK);
}
END_TEST

START_TEST(detached_text_is_the_callers)
{
    struct pgc_buf b = PGC_BUF_INIT;
    pgc_buf_puts(&b, "mine");
    char *text = pgc_buf_detach(&b);
    ck_assert_str_eq(text, "mine");
    ck_assert_uint_eq(b.len, 0);
    free(text);
}
END_TEST

Suite *buf_suite(void);
Suite *buf_suite(void) {
    Suite *suite = suite_create("buf");
    TCase *cases = tcase_create("buf");
    tcase_add_test(cases, grows_and_stays_terminated);
    tcase_add_test(cases, failure_sticks);
    tcase_add_test(cases, detached_text_is_the_callers);
    suite_add_tcase(suite, cases);
    return suite;
}
