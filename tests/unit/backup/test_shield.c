#include "backup/shield.h"

#include <check.h>

#include "support/runtime.h"

START_TEST(puts_cancellation_off)
{
    struct test_runtime inner;
    struct pgc_shield shield;
    struct pgc_error err;
    test_runtime_init(&inner);
    pgc_shield_init(&shield, &inner.rt);
    ck_assert_int_eq(pgc_cancelled(&shield.rt), 0);
    inner.cancelled = 15;
    ck_assert_int_eq(pgc_check_cancelled(&shield.rt, &err), PGC_E_CANCELLED);
    pgc_shield_raise(&shield, true);
    ck_assert_int_eq(pgc_check_cancelled(&shield.rt, &err), PGC_OK);
    ck_assert_int_eq(pgc_cancel_fd(&shield.rt), -1);
    pgc_shield_raise(&shield, false);
    ck_assert_int_eq(pgc_cancelled(&shield.rt), 15);
    pgc_shield_raise(NULL, true);
    inner.now_us = 7000;
    ck_assert_int_eq(pgc_wall_us(&shield.rt), 7000);
}
END_TEST

Suite *shield_suite(void);
Suite *shield_suite(void) {
    Suite *suite = suite_create("shield");
    TCase *cases = tcase_create("shield");
    tcase_add_test(cases, puts_cancellation_off);
    suite_add_tcase(suite, cases);
    return suite;
}
