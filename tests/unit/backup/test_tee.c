#include "backup/tee.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/memory.h"

static struct pgc_error err;

/* A sink that takes `left` bytes, then fails; its commit fails when `left` is 0 then. */
struct brittle {
    struct pgc_sink base;
    size_t left;
    bool *dropped;
};

static enum pgc_code brittle_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *e) {
    struct brittle *b = (struct brittle *)sink;
    (void)data;
    if (len > b->left)
        return pgc_fail(e, PGC_E_NOSPACE, "full");
    b->left -= len;
    return PGC_OK;
}

static enum pgc_code brittle_commit(struct pgc_sink *sink, struct pgc_error *e) {
    return ((struct brittle *)sink)->left == 0 ? pgc_fail(e, PGC_E_IO, "no commit") : PGC_OK;
}

static void brittle_drop(struct pgc_sink *sink) {
    *((struct brittle *)sink)->dropped = true;
    free(sink);
}

static struct pgc_sink *brittle(size_t left, bool *dropped) {
    static const struct pgc_sink_ops ops = { brittle_put, brittle_commit, brittle_drop };
    struct brittle *b = malloc(sizeof *b);
    *b = (struct brittle) { { &ops }, left, dropped };
    return &b->base;
}

START_TEST(all_get_the_same)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf a = PGC_BUF_INIT, b = PGC_BUF_INIT;
    struct pgc_tee_branch branches[2] = { 0 };
    struct pgc_sink *tee = NULL;
    ck_assert_int_eq(pgc_memory_sink(&a, &branches[0].sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_memory_sink(&b, &branches[1].sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_tee_sink(branches, 2, &tee, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(tee, "one ", 4, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(tee, "two", 3, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(tee, &err), PGC_OK);
    pgc_sink_drop(tee);
    ck_assert_str_eq(a.data, "one two");
    ck_assert_str_eq(b.data, "one two");
}
END_TEST

START_TEST(drop_leaves_nothing)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf a = PGC_BUF_INIT;
    bool dropped = false;
    struct pgc_tee_branch branches[2] = { { .sink = brittle(100, &dropped) } };
    struct pgc_sink *tee = NULL;
    ck_assert_int_eq(pgc_memory_sink(&a, &branches[1].sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_tee_sink(branches, 2, &tee, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(tee, "x", 1, &err), PGC_OK);
    pgc_sink_drop(tee);
    ck_assert_uint_eq(a.len, 0);
    ck_assert(dropped);
}
END_TEST

/* A branch that fails at byte n is dropped at once; the other one is complete. */
START_TEST(one_failure_does_not_spoil_the_others)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf a = PGC_BUF_INIT;
    bool dropped = false;
    struct pgc_tee_branch branches[2] = { { .sink = brittle((size_t)_i, &dropped) } };
    struct pgc_sink *tee = NULL;
    ck_assert_int_eq(pgc_memory_sink(&a, &branches[1].sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_tee_sink(branches, 2, &tee, &err), PGC_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(pgc_sink_put(tee, "xy", 2, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(tee, &err), PGC_OK);
    ck_assert_int_eq(branches[0].code, _i < 10 ? PGC_E_NOSPACE : _i == 10 ? PGC_E_IO : PGC_OK);
    ck_assert(dropped == (_i <= 10));
    ck_assert_int_eq(branches[1].code, PGC_OK);
    pgc_sink_drop(tee);
    ck_assert_str_eq(a.data, "xyxyxyxyxy");
}
END_TEST

START_TEST(the_last_failure_is_the_verdict)
{
    bool dropped[2] = { false };
    struct pgc_tee_branch branches[3] = { { .sink = brittle(1, &dropped[0]) },
                                          { .sink = brittle(3, &dropped[1]) },
                                          { 0 } };
    struct pgc_sink *tee = NULL;
    ck_assert_int_eq(pgc_tee_sink(branches, 3, &tee, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(tee, "xy", 2, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(tee, "xy", 2, &err), PGC_E_NOSPACE);
    ck_assert_str_eq(err.message, "full");
    ck_assert(dropped[0] && dropped[1]);
    pgc_sink_drop(tee);
}
END_TEST

Suite *tee_suite(void);
Suite *tee_suite(void) {
    Suite *s = suite_create("tee");
    TCase *tc = tcase_create("tee");
    tcase_add_test(tc, all_get_the_same);
    tcase_add_test(tc, drop_leaves_nothing);
    tcase_add_loop_test(tc, one_failure_does_not_spoil_the_others, 0, 13);
    tcase_add_test(tc, the_last_failure_is_the_verdict);
    suite_add_tcase(s, tc);
    return s;
}
