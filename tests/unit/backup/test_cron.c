#include "backup/cron.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int64_t seconds(const char *text) {
    int64_t us = 0;
    ck_assert_msg(pgc_text_parse_rfc3339(text, &us), "%s", text);
    return us / 1000000;
}

/* All activations after `from`, as text with the zone's offset, separated by blanks. */
static void expect(const char *expr, const char *tz, const char *from, int count, const char *want) {
    struct pgc_cron cron;
    struct pgc_error err;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf got = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_zone_open(tz, &zone, &err), PGC_OK);
    ck_assert_msg(pgc_cron_parse(expr, &cron, &err) == PGC_OK, "%s", err.message);
    int64_t at = seconds(from);
    for (int i = 0; i < count && pgc_cron_next(&cron, zone, at, &at); i++) {
        pgc_buf_puts(&got, i == 0 ? "" : " ");
        pgc_zone_rfc3339(&got, zone, at);
    }
    ck_assert_msg(strcmp(got.data, want) == 0, "%s: %s, not %s", expr, got.data, want);
}

START_TEST(last_nearest_and_nth)
{
    static const char from[] = "2026-01-01T00:00:00Z"; /* a Thursday */
    expect("0 0 L * *", "UTC", from, 3, "2026-01-31T00:00:00Z 2026-02-28T00:00:00Z 2026-03-31T00:00:00Z");
    expect("0 0 L 2 *", "UTC", from, 3, "2026-02-28T00:00:00Z 2027-02-28T00:00:00Z 2028-02-29T00:00:00Z");
    expect("0 0 L-2 * *", "UTC", from, 2, "2026-01-29T00:00:00Z 2026-02-26T00:00:00Z");
    expect("0 0 L-30 * *", "UTC", "2026-01-02T00:00:00Z", 2, "2026-03-01T00:00:00Z 2026-05-01T00:00:00Z");
    expect("0 0 LW * *", "UTC", from, 3, "2026-01-30T00:00:00Z 2026-02-27T00:00:00Z 2026-03-31T00:00:00Z");
    expect("0 0 15W * *", "UTC", from, 4, /* Thu; Sun -> Mon 16; Sun -> Mon 16; Wed */
           "2026-01-15T00:00:00Z 2026-02-16T00:00:00Z 2026-03-16T00:00:00Z 2026-04-15T00:00:00Z");
    expect("0 0 1W * *", "UTC", from, 2, "2026-02-02T00:00:00Z 2026-03-02T00:00:00Z"); /* Sun 1st -> Mon 2nd */
    expect("0 0 1W 8 *", "UTC", from, 1, "2026-08-03T00:00:00Z");                      /* Sat 1st: not into July */
    expect("0 0 31W 5 *", "UTC", from, 1, "2026-05-29T00:00:00Z");                     /* Sun 31st: not into June */
    expect("0 0 30W 2 *", "UTC", from, 1, "");
    expect("0 0 * * 5L", "UTC", from, 3, "2026-01-30T00:00:00Z 2026-02-27T00:00:00Z 2026-03-27T00:00:00Z");
    expect("0 0 * * friL", "UTC", from, 1, "2026-01-30T00:00:00Z");
    expect("0 0 * * 7L", "UTC", from, 1, "2026-01-25T00:00:00Z");
    expect("0 0 * * 5#2", "UTC", from, 2, "2026-01-09T00:00:00Z 2026-02-13T00:00:00Z");
    expect("0 0 * * thu#1,sun#5", "UTC", from, 3, "2026-02-05T00:00:00Z 2026-03-05T00:00:00Z 2026-03-29T00:00:00Z");
    expect("0 0 ? * mon", "UTC", from, 1, "2026-01-05T00:00:00Z");
    expect("0 0 13 * 5#2", "UTC", from, 2, "2026-01-09T00:00:00Z 2026-01-13T00:00:00Z"); /* either */
    expect("0 0 29 2 ?", "UTC", "2096-03-01T00:00:00Z", 1, "2104-02-29T00:00:00Z");
    expect("0 0 * * fri-sun", "UTC", from, 3, "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z 2026-01-04T00:00:00Z");
    expect("@every 1h30m", "UTC", from, 2, "2026-01-01T01:30:00Z 2026-01-01T03:00:00Z");
}
END_TEST

START_TEST(expressions_that_are_refused)
{
    static const char *const bad[] = {
        "0 0 W * *",    "0 0 L-31 * *", "0 0 LX * *", "0 0 32W * *", "0 0 * * L",    "0 0 * * 5#6",
        "0 0 * * 5#0",  "0 0 * * 8L",   "0 0 * * #2", "L * * * *",   "0 ? * * *",    "0 0 * * 1-5L",
        "0 0 1-5W * *", "@every 500ms", "@every 0",   "@every x",    "@reboot",      "TZ= 0 * * * *",
        "CRON_TZ=UTC",  "*/0 * * * *",  "*5 * * * *", "5/ * * * *",  "0 0 0W * *",   "99999999999999999999 * * * *",
        "0 24 * * *",   "0 0 * 13 *",   "0 0 * * 8",  ",1 * * * *",  "1,,2 * * * *",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_cron cron;
        struct pgc_error err;
        ck_assert_msg(pgc_cron_parse(bad[i], &cron, &err) == PGC_E_USAGE, "'%s' is accepted", bad[i]);
        ck_assert(pgc_text_starts(err.message, "cron expression"));
    }
}
END_TEST

START_TEST(prefix_names_the_zone)
{
    struct pgc_cron cron;
    struct pgc_error err;
    ck_assert_int_eq(pgc_cron_parse("  CRON_TZ=Europe/Berlin \t@daily ", &cron, &err), PGC_OK);
    ck_assert_str_eq(cron.zone, "Europe/Berlin");
    ck_assert(cron.fixed_time);
    ck_assert_int_eq(pgc_cron_parse("@hourly", &cron, &err), PGC_OK);
    ck_assert(!cron.fixed_time);
}
END_TEST

/* A naive daemon that looks at every minute there is, written for this rule alone: no calendar arithmetic shared. */
static bool plain_match(const struct pgc_cron *c, int64_t wall) {
    int64_t days = wall / 86400, year;
    int minute = (int)(wall / 60 % 60), hour = (int)(wall / 3600 % 24), month, day;
    pgc_civil_from_days(days, &year, &month, &day);
    bool by_day = c->days >> day & 1, by_weekday = c->weekdays >> (days + 4) % 7 & 1;
    return c->minutes >> minute & 1 && c->hours >> hour & 1 && c->months >> month & 1 &&
           (c->days_open || c->weekdays_open ? by_day && by_weekday : by_day || by_weekday);
}

/* Was this minute on the wall before? */
static bool seen(const struct pgc_zone *zone, int64_t at, int64_t wall) {
    for (int64_t back = at - 10800; back < at; back += 60)
        if (back + pgc_zone_at(zone, back).offset_s == wall)
            return true;
    return false;
}

static int64_t naive_next(const struct pgc_cron *c, const struct pgc_zone *zone, int64_t after, int64_t until) {
    int64_t before = after / 60 * 60 + pgc_zone_at(zone, after / 60 * 60).offset_s;
    for (int64_t at = after / 60 * 60 + 60; at < until; at += 60) {
        int64_t wall = at + pgc_zone_at(zone, at).offset_s;
        if (plain_match(c, wall) && !(c->fixed_time && seen(zone, at, wall)))
            return at;
        for (int64_t missed = before + 60; c->fixed_time && missed < wall; missed += 60)
            if (plain_match(c, missed))
                return at;
        before = wall;
    }
    return -1;
}

START_TEST(agrees_with_a_naive_daemon)
{
    static const char *const zones[] = { "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0",
                                         "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-03>3<-02>,M11.1.0/0,M2.3.0/0" };
    static const char *const minutes[] = { "*", "*/7", "0", "30", "1-59/13", "0,15,45" };
    static const char *const hours[] = { "*", "*/3", "0", "1-3", "2", "23", "0,2,23" };
    static const char *const rest[] = { "* * *", "*/3 * *", "* * sun", "1-15 * 6", "* 3,4,10,11,2 *" };
    struct pgc_error err;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
    ck_assert_int_eq(pgc_zone_open(zones[_i], &zone, &err), PGC_OK);
    int64_t change = pgc_zone_at(zone, 1700000000).to_s;
    for (int half = 0; half < 2; half++, change = pgc_zone_at(zone, change).to_s)
        for (size_t k = 0; k < 6 * 7 * 5; k++) {
            struct pgc_cron cron;
            char expr[64];
            snprintf(expr, sizeof expr, "%s %s %s", minutes[k % 6], hours[k / 6 % 7], rest[k / 42]);
            ck_assert_int_eq(pgc_cron_parse(expr, &cron, &err), PGC_OK);
            int64_t at = change - 7200 - 77 * (int64_t)k, until = at + 3 * 86400;
            for (int n = 0; n < 12; n++) {
                int64_t got = 0, want = naive_next(&cron, zone, at, until);
                bool found = pgc_cron_next(&cron, zone, at, &got);
                if (want < 0) {
                    ck_assert_msg(!found || got >= until, "%s in %s after %lld", expr, zones[_i], (long long)at);
                    break;
                }
                ck_assert_msg(found && got == want, "%s in %s after %lld: %lld, not %lld", expr, zones[_i],
                              (long long)at, (long long)got, (long long)want);
                at = got;
            }
        }
}
END_TEST

START_TEST(jitter_is_fixed_and_spread)
{
    ck_assert_int_eq(pgc_cron_jitter_s("a", "b", 0), 0);
    ck_assert_int_eq(pgc_cron_jitter_s("a", "b", 1), 0);
    ck_assert_int_eq(pgc_cron_jitter_s("host1", "nightly", 600), pgc_cron_jitter_s("host1", "nightly", 600));
    ck_assert_int_ne(pgc_cron_jitter_s("ab", "c", 1 << 30), pgc_cron_jitter_s("a", "bc", 1 << 30));
    int buckets[10] = { 0 };
    for (int i = 0; i < 1000; i++) {
        char host[16];
        snprintf(host, sizeof host, "db%d", i);
        int64_t s = pgc_cron_jitter_s(host, "nightly", 600);
        ck_assert(s >= 0 && s < 600);
        buckets[s / 60]++;
    }
    for (int i = 0; i < 10; i++)
        ck_assert(buckets[i] > 60 && buckets[i] < 140);
}
END_TEST

Suite *cron_suite(void);
Suite *cron_suite(void) {
    Suite *suite = suite_create("cron");
    TCase *tcase = tcase_create("cron");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, last_nearest_and_nth);
    tcase_add_test(tcase, expressions_that_are_refused);
    tcase_add_test(tcase, prefix_names_the_zone);
    tcase_add_loop_test(tcase, agrees_with_a_naive_daemon, 0, 4);
    tcase_add_test(tcase, jitter_is_fixed_and_spread);
    suite_add_tcase(suite, tcase);
    return suite;
}
