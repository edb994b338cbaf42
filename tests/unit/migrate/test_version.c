#include "migrate/version.h"

#include <check.h>

START_TEST(numbers_not_texts)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        { "9", "10", -1 },
        { "007", "7", 0 },
        { "1", "1.0", 0 },
        { "1.2", "1.10", -1 },
        { "1_2", "1.2", 0 },
        { "1.0.0.1", "1", 1 },
        { "0", "", 0 },
        { "20240101000000", "20240101000001", -1 },
        { NULL, "0", -1 },
        { NULL, NULL, 0 },
        { "2", "1.9.9", 1 },
        { "9_a.sql", "10_a.sql", -1 },
        { "10_a.sql", "10_b.sql", -1 },
        { "1.a", "1.b", -1 },
        { "init.sql", "users.sql", -1 },
        { "2016-01-07-082941", "2016-01-08", -1 },
        { "123456789012345678901234567890", "123456789012345678901234567891", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int got = pgc_version_compare(cases[i].a, cases[i].b);
        ck_assert_int_eq((got > 0) - (got < 0), cases[i].order);
        got = pgc_version_compare(cases[i].b, cases[i].a);
        ck_assert_int_eq((got > 0) - (got < 0), -cases[i].order);
    }
}
END_TEST

START_TEST(valid_forms)
{
    ck_assert(pgc_version_valid("1"));
    ck_assert(pgc_version_valid("1.2_3-4"));
    ck_assert(!pgc_version_valid(""));
    ck_assert(!pgc_version_valid("1."));
    ck_assert(!pgc_version_valid("1..2"));
    ck_assert(!pgc_version_valid("v1"));
    ck_assert_uint_eq(pgc_version_digits("0012_x"), 4);
}
END_TEST

Suite *version_suite(void);
Suite *version_suite(void) {
    Suite *suite = suite_create("migrate version");
    TCase *tc = tcase_create("version");
    tcase_add_test(tc, numbers_not_texts);
    tcase_add_test(tc, valid_forms);
    suite_add_tcase(suite, tc);
    return suite;
}
