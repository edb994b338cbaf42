#include "io/memory.h"

#include <check.h>
#include <stdlib.h>

START_TEST(drop_takes_back)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_buf_puts(&out, "before");
    struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_memory_sink(&out, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, " after", 6, &err), PGC_OK);
    pgc_sink_drop(sink);
    ck_assert_str_eq(out.data, "before");
    ck_assert_int_eq(pgc_memory_sink(&out, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, " after", 6, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(sink, &err), PGC_OK);
    pgc_sink_drop(sink);
    ck_assert_str_eq(out.data, "before after");
}
END_TEST

START_TEST(the_limit_of_the_buffer)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    out.max = 4;
    ck_assert_int_eq(pgc_memory_sink(&out, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_memory_source("12345", 5, &source, &err), PGC_OK);
    ck_assert_int_eq(pgc_copy(source, sink, NULL, &err), PGC_E_NOMEM);
}
END_TEST

Suite *memory_suite(void);
Suite *memory_suite(void) {
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, drop_takes_back);
    tcase_add_test(tcase, the_limit_of_the_buffer);
    suite_add_tcase(suite, tcase);
    return suite;
}
