#include "base/parse.h"

#include <check.h>

START_TEST(durations)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = { { "0", 0 },       { "5", 5000 },        { "250ms", 250 },    { "90s", 90000 },
                 { "5m", 300000 }, { "1h30m", 5400000 }, { "2d", 172800000 }, { "1w", 604800000 } };
    struct pgc_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        ck_assert_int_eq(pgc_parse_duration_ms(rows[i].text, &ms, &err), PGC_OK);
        ck_assert_int_eq(ms, rows[i].ms);
    }
    static const char *const bad[] = { "", "s", "-5s", "5x", "1h30", "5 5", "99999999999999999999s", "1.5s" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms;
        ck_assert_int_eq(pgc_parse_duration_ms(bad[i], &ms, &err), PGC_E_USAGE);
    }
}
END_TEST

START_TEST(sizes)
{
    struct pgc_error err;
    uint64_t bytes = 0;
    ck_assert_int_eq(pgc_parse_size("16MB", &bytes, &err), PGC_OK);
    ck_assert_uint_eq(bytes, 16u << 20);
    ck_assert_int_eq(pgc_parse_size("1 GiB", &bytes, &err), PGC_OK);
    ck_assert_uint_eq(bytes, 1u << 30);
    ck_assert_int_eq(pgc_parse_size("4096", &bytes, &err), PGC_OK);
    ck_assert_uint_eq(bytes, 4096);
    ck_assert_int_eq(pgc_parse_size("16MB16MB", &bytes, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_parse_size("-1", &bytes, &err), PGC_E_USAGE);
}
END_TEST

START_TEST(integers_keep_their_bounds)
{
    struct pgc_error err;
    int64_t value = 0;
    ck_assert_int_eq(pgc_parse_int("-3", -5, 5, &value, &err), PGC_OK);
    ck_assert_int_eq(value, -3);
    ck_assert_int_eq(pgc_parse_int("6", -5, 5, &value, &err), PGC_E_USAGE);
    ck_assert_str_eq(err.message, "'6' is not between -5 and 5");
    ck_assert_int_eq(pgc_parse_int("6x", -5, 50, &value, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_parse_int(" 6", -5, 50, &value, &err), PGC_E_USAGE);
}
END_TEST

Suite *parse_suite(void);
Suite *parse_suite(void) {
    Suite *suite = suite_create("parse");
    TCase *cases = tcase_create("parse");
    tcase_add_test(cases, durations);
    tcase_add_test(cases, sizes);
    tcase_add_test(cases, integers_keep_their_bounds);
    suite_add_tcase(suite, cases);
    return suite;
}
