#include <check.h>

#include "base/backoff.h"

START_TEST(grows_to_the_maximum_and_stays_in_its_band)
{
    struct pgc_backoff backoff;
    pgc_backoff_init(&backoff, 100, 2000, 42);
    int64_t base = 100;
    for (int i = 0; i < 50; i++) {
        int64_t wait = pgc_backoff_next_ms(&backoff);
        ck_assert_int_ge(wait, base - base / 4);
        ck_assert_int_le(wait, base + base / 4 + 1);
        base = base + base / 2 + 1;
        if (base > 2000)
            base = 2000;
    }
}
END_TEST

START_TEST(different_seeds_spread)
{
    struct pgc_backoff a, b;
    pgc_backoff_init(&a, 1000, 1000, 1);
    pgc_backoff_init(&b, 1000, 1000, 2);
    int same = 0;
    for (int i = 0; i < 20; i++)
        same += pgc_backoff_next_ms(&a) == pgc_backoff_next_ms(&b);
    ck_assert_int_lt(same, 5);
}
END_TEST

START_TEST(odd_values_are_corrected)
{
    struct pgc_backoff backoff;
    pgc_backoff_init(&backoff, 0, -5, 7);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(pgc_backoff_next_ms(&backoff), 1);
}
END_TEST

Suite *backoff_suite(void);
Suite *backoff_suite(void) {
    Suite *suite = suite_create("backoff");
    TCase *tests = tcase_create("backoff");
    tcase_add_test(tests, grows_to_the_maximum_and_stays_in_its_band);
    tcase_add_test(tests, different_seeds_spread);
    tcase_add_test(tests, odd_values_are_corrected);
    suite_add_tcase(suite, tests);
    return suite;
}
