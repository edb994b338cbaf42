#include "backup/log_tail.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

START_TEST(the_last_whole_lines)
{
    struct pgc_log_tail tail;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    char word[32];
    pgc_log_tail_init(&tail, pgc_runtime_quiet());
    pgc_log_tail_copy(&tail, &out);
    ck_assert_str_eq(out.data, "");
    for (int i = 0; i < 1000; i++) {
        snprintf(word, sizeof word, "number %d", i);
        pgc_log(&tail.rt, i % 2 == 0 ? PGC_LOG_DEBUG : PGC_LOG_INFO, "x", word);
    }
    pgc_log_tail_copy(&tail, &out);
    ck_assert_uint_le(out.len, 4096);
    ck_assert_uint_ge(out.len, 3900);
    ck_assert_ptr_nonnull(strstr(out.data, "number 999\n"));
    ck_assert_ptr_null(strstr(out.data, "number 998\n")); /* level debug */
    ck_assert(out.data[0] >= '0' && out.data[0] <= '9');  /* a line begins with its time */
    pgc_log_tail_release(&tail);
}
END_TEST

Suite *log_tail_suite(void);
Suite *log_tail_suite(void) {
    Suite *suite = suite_create("log_tail");
    TCase *cases = tcase_create("log_tail");
    tcase_add_test(cases, the_last_whole_lines);
    suite_add_tcase(suite, cases);
    return suite;
}
