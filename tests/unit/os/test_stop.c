#include "os/stop.h"

#include <check.h>
#include <poll.h>

#include "support/runtime.h"

static bool readable(const struct pgc_runtime *rt) {
    struct pollfd fd = { .fd = pgc_cancel_fd(rt), .events = POLLIN };
    return poll(&fd, 1, 0) == 1;
}

START_TEST(asking_stops_the_inner_one_only)
{
    struct test_runtime outer;
    struct pgc_stop stop;
    struct pgc_error err;
    test_runtime_init(&outer);
    ck_assert_int_eq(pgc_stop_init(&stop, &outer.rt, &err), PGC_OK);
    ck_assert_int_eq(pgc_check_cancelled(&stop.rt, &err), PGC_OK);
    ck_assert(!readable(&stop.rt));
    ck_assert_int_eq(pgc_mono_ms(&stop.rt), pgc_mono_ms(&outer.rt));
    pgc_stop_ask(&stop);
    ck_assert_int_eq(pgc_check_cancelled(&stop.rt, &err), PGC_E_CANCELLED);
    ck_assert(readable(&stop.rt));
    ck_assert_int_eq(pgc_check_cancelled(&outer.rt, &err), PGC_OK);
    pgc_stop_release(&stop);
    pgc_stop_release(&stop);
}
END_TEST

START_TEST(the_outer_one_stops_it)
{
    struct test_runtime outer;
    struct pgc_stop stop;
    struct pgc_error err;
    test_runtime_init(&outer);
    ck_assert_int_eq(pgc_stop_init(&stop, &outer.rt, &err), PGC_OK);
    outer.cancelled = 15;
    ck_assert_int_eq(pgc_cancelled(&stop.rt), 15);
    pgc_log(&stop.rt, PGC_LOG_INFO, "x", "a line");
    ck_assert_uint_eq(outer.log_count, 1);
    pgc_stop_release(&stop);
}
END_TEST

Suite *stop_suite(void);
Suite *stop_suite(void) {
    Suite *suite = suite_create("stop");
    TCase *tc = tcase_create("stop");
    tcase_add_test(tc, asking_stops_the_inner_one_only);
    tcase_add_test(tc, the_outer_one_stops_it);
    suite_add_tcase(suite, tc);
    return suite;
}
