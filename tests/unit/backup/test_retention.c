#include "backup/retention.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DAY ((int64_t)86400 * 1000000)

static int64_t us(const char *text) {
    int64_t at = 0;
    ck_assert_msg(pgc_text_parse_rfc3339(text, &at), "%s", text);
    return at;
}

/* What is kept, as "K" and "-" newest first. */
static void expect(const struct pgc_keep_policy *policy, const char *times, const char *now, const char *want) {
    struct pgc_error err;
    struct pgc_keep_item items[32] = { 0 };
    size_t count = 0;
    char copy[1024], got[33] = "", *save = NULL;
    strcpy(copy, times);
    for (char *t = strtok_r(copy, " ", &save); t != NULL; t = strtok_r(NULL, " ", &save))
        items[count++].time_us = us(t);
    ck_assert_int_eq(pgc_keep_apply(policy, items, count, us(now), &err), PGC_OK);
    for (size_t i = 0; i < count; i++)
        got[i] = items[i].keep ? 'K' : '-';
    ck_assert_str_eq(got, want);
    pgc_keep_items_release(items, count);
}

static const char week[] = "2026-01-05T01:00:00Z 2026-01-06T01:00:00Z 2026-01-07T01:00:00Z 2026-01-04T01:00:00Z "
                           "2026-01-03T01:00:00Z 2026-01-02T01:00:00Z";
static const char now[] = "2026-01-08T00:00:00Z";

START_TEST(the_floor)
{
    const struct pgc_keep_policy one = { .count[PGC_KEEP_LAST] = 1, .min = 3 };
    expect(&one, week, now, "KKK---");
    const struct pgc_keep_policy none = { .count[PGC_KEEP_LAST] = 1 };
    expect(&none, week, now, "K-----");
    const struct pgc_keep_policy more = { .count[PGC_KEEP_LAST] = 1, .min = 30 };
    expect(&more, week, now, "KKKKKK");
    const struct pgc_keep_policy empty = { .min = 0 };
    expect(&empty, week, now, "KKKKKK");
    const struct pgc_keep_policy pins = { .pins_count = true };
    expect(&pins, week, now, "------");
}
END_TEST

START_TEST(spans_count_from_the_newest_that_is_not_in_the_future)
{
    const struct pgc_keep_policy policy = { .within[PGC_KEEP_LAST] = { .days = 2 } };
    expect(&policy, week, now, "KK----");
    expect(&policy, week, "2036-01-01T00:00:00Z", "KK----"); /* backups stopped: so does retention */
    expect(&policy, week, "2026-01-05T12:00:00Z", "KKKK--"); /* two lie in the future */
    expect(&policy, week, "2020-01-01T00:00:00Z", "KK----"); /* all do */
    const struct pgc_keep_policy month = { .within[PGC_KEEP_LAST] = { .months = 1 } };
    expect(&month, "2026-03-31T00:00:00Z 2026-03-03T00:00:01Z 2026-03-03T00:00:00Z 2026-03-01T00:00:00Z",
           "2026-04-01T00:00:00Z", "KK--"); /* 31 February is 3 March */
}
END_TEST

START_TEST(weeks_are_those_of_iso)
{
    const struct pgc_keep_policy policy = { .count[PGC_KEEP_WEEKLY] = 10 };
    /* 2027-01-03 is a Sunday of 2026-W53, 2027-01-04 begins 2027-W01 */
    expect(&policy,
           "2027-01-04T00:00:00Z 2027-01-03T23:59:59Z 2026-12-28T00:00:00Z 2026-12-27T00:00:00Z 2026-12-26T00:00:00Z",
           "2027-02-01T00:00:00Z", "KK-KK");
}
END_TEST

START_TEST(pins_are_kept_uncounted)
{
    struct pgc_error err;
    struct pgc_keep_item items[3] = { { .time_us = DAY },
                                      { .time_us = 2 * DAY, .pinned = "pinned" },
                                      { .time_us = 3 * DAY } };
    const struct pgc_keep_policy policy = { .count[PGC_KEEP_LAST] = 1 };
    ck_assert_int_eq(pgc_keep_apply(&policy, items, 3, 9 * DAY, &err), PGC_OK);
    ck_assert(items[0].keep && items[1].keep && !items[2].keep);
    ck_assert_str_eq(items[1].reasons.items[0], "pinned");
    ck_assert_int_eq(pgc_keep_apply(&policy, items, 3, 9 * DAY, &err), PGC_OK); /* again: reasons do not pile up */
    ck_assert_uint_eq(items[0].reasons.count, 1);
    pgc_keep_items_release(items, 3);
    ck_assert_int_eq(pgc_keep_apply(&policy, NULL, 0, 0, &err), PGC_OK);
}
END_TEST

START_TEST(spans_as_text)
{
    static const char *const bad[] = { "", "1", "d", "1x", "1d1d", "-1d", "1 d", "1d ", "1.5d", "99999999999d" };
    struct pgc_error err;
    struct pgc_keep_span span;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(pgc_keep_parse_span(bad[i], &span, &err) == PGC_E_USAGE, "%s", bad[i]);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_keep_parse_span("3h2w1d2m1y", &span, &err), PGC_OK);
    pgc_keep_format_span(&text, &span);
    ck_assert_str_eq(text.data, "1y2m15d3h");
}
END_TEST

Suite *retention_suite(void);
Suite *retention_suite(void) {
    Suite *suite = suite_create("retention");
    TCase *tcase = tcase_create("retention");
    tcase_add_test(tcase, the_floor);
    tcase_add_test(tcase, spans_count_from_the_newest_that_is_not_in_the_future);
    tcase_add_test(tcase, weeks_are_those_of_iso);
    tcase_add_test(tcase, pins_are_kept_uncounted);
    tcase_add_test(tcase, spans_as_text);
    suite_add_tcase(suite, tcase);
    return suite;
}
