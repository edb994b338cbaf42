#include "os/zone.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/zone_rule.h"

static const char *const names[] = {
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Antarctica/Troll",
    "Asia/Gaza",
    "America/Nuuk",
    "Pacific/Chatham",
};

/* The C library is the oracle: one zone per (forked) test, so that TZ can be set. */
START_TEST(agrees_with_the_c_library)
{
    struct pgc_error err;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
        return;
    ck_assert_int_eq(pgc_zone_open(names[_i], &zone, &err), PGC_OK);
    setenv("TZ", names[_i], 1);
    tzset();
    uint64_t state = 88172645463325252u + (uint64_t)_i;
    for (int n = 0; n < 20000; n++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        int64_t at = (int64_t)(state % 14000000000u) - 2000000000; /* 1906 to 2350 */
        if (n % 2 == 0) {                                          /* close to a change */
            struct pgc_zone_span near = pgc_zone_at(zone, at);
            if (near.to_s != INT64_MAX)
                at = near.to_s - 1 + n / 2 % 3;
        }
        time_t t = (time_t)at;
        struct tm tm;
        struct pgc_zone_span span = pgc_zone_at(zone, at);
        localtime_r(&t, &tm);
        ck_assert_msg(span.offset_s == tm.tm_gmtoff, "%s at %lld: %d, not %ld", names[_i], (long long)at,
                      (int)span.offset_s, tm.tm_gmtoff);
        ck_assert(span.from_s <= at && at < span.to_s);
        if (span.to_s != INT64_MAX)
            ck_assert_int_ne(pgc_zone_at(zone, span.to_s).offset_s, span.offset_s);
    }
}
END_TEST

START_TEST(names_that_are_refused)
{
    static const char *const bad[] = { "Europe/Nowhere",
                                       "../../etc/passwd",
                                       "/etc/localtime",
                                       "Europe",
                                       "tzdata.zi",
                                       "CET-1CEST,M3.5.0",
                                       "A B",
                                       "CET-1CEST,M13.5.0,M10.5.0" };
    struct pgc_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_zone *zone = NULL;
        ck_assert_msg(pgc_zone_open(bad[i], &zone, &err) == PGC_E_USAGE, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(err.message, "unknown time zone"));
    }
}
END_TEST

START_TEST(rules_without_a_file)
{
    struct pgc_error err;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_zone_open("CET-1CEST,M3.5.0,M10.5.0/3", &zone, &err), PGC_OK);
    pgc_zone_rfc3339(&text, zone, 1711846799); /* the second before the clock goes forward */
    pgc_buf_putc(&text, ' ');
    pgc_zone_rfc3339(&text, zone, 1711846800);
    ck_assert_str_eq(text.data, "2024-03-31T01:59:59+01:00 2024-03-31T03:00:00+02:00");
    struct pgc_zone *utc = NULL;
    ck_assert_int_eq(pgc_zone_open(NULL, &utc, &err), PGC_OK);
    pgc_buf_clear(&text);
    pgc_zone_rfc3339(&text, utc, 0);
    ck_assert_str_eq(text.data, "1970-01-01T00:00:00Z");
    pgc_zone_free(utc);
}
END_TEST

/* J counts days without 29 February, the bare number counts with it. */
START_TEST(days_of_the_year)
{
    static const struct {
        const char *rule;
        int64_t in_2024, in_2025;
    } rows[] = {
        { "XXX0YYY,J60/0,J300/0", 1709251200, 1740787200 },      /* 1 March in both */
        { "XXX0YYY,59/0,J300/0", 1709164800, 1740787200 },       /* 29 February, 1 March */
        { "XXX0YYY,J59/24,J300/0", 1709164800, 1740787200 },     /* the end of 28 February */
        { "XXX0YYY,M3.1.0/-24,J300/0", 1709337600, 1740787200 }, /* the day before the first Sunday of March */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pgc__zone_rule rule;
        ck_assert(pgc__zone_rule_parse(rows[i].rule, &rule));
        ck_assert_int_eq(pgc__zone_rule_at(&rule, 1704067200).to_s, rows[i].in_2024);
        ck_assert_int_eq(pgc__zone_rule_at(&rule, 1735689600).to_s, rows[i].in_2025);
        ck_assert_int_eq(pgc__zone_rule_at(&rule, rows[i].in_2025).offset_s, 3600);
    }
}
END_TEST

START_TEST(damaged_files)
{
    struct pgc_error err;
    struct pgc_zone *zone = NULL;
    static char file[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1" /* one type, one character */
                         "\0\0\x0e\x10\0\0\0"
                         "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
                         "\0\0\x0e\x10\0\0\0"
                         "\nXXX-1\n";
    ck_assert_int_eq(pgc_zone_parse(file, sizeof file - 1, "x", &zone, &err), PGC_OK);
    ck_assert_int_eq(pgc_zone_at(zone, 0).offset_s, 3600);
    pgc_zone_free(zone);
    file[sizeof file - 1 - 7 - 7] = 0x7f; /* an offset of years */
    ck_assert_int_eq(pgc_zone_parse(file, sizeof file - 1, "x", &zone, &err), PGC_E_CONFIG);
    file[sizeof file - 1 - 7 - 7] = 0;
    for (size_t len = 0; len < sizeof file - 1; len++) {
        char *cut = malloc(len + 1);
        memcpy(cut, file, len);
        ck_assert_int_eq(pgc_zone_parse(cut, len, "x", &zone, &err), PGC_E_CONFIG);
        free(cut);
    }
    for (size_t at = 0; at < sizeof file - 1; at++) { /* whatever is in it, nothing is read beyond it */
        char was = file[at];
        file[at] = (char)0x7f;
        if (pgc_zone_parse(file, sizeof file - 1, "x", &zone, &err) == PGC_OK)
            pgc_zone_free(zone);
        file[at] = was;
    }
}
END_TEST

Suite *zone_suite(void);
Suite *zone_suite(void) {
    Suite *suite = suite_create("zone");
    TCase *tcase = tcase_create("zone");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, agrees_with_the_c_library, 0, (int)(sizeof names / sizeof names[0]));
    tcase_add_test(tcase, names_that_are_refused);
    tcase_add_test(tcase, rules_without_a_file);
    tcase_add_test(tcase, days_of_the_year);
    tcase_add_test(tcase, damaged_files);
    suite_add_tcase(suite, tcase);
    return suite;
}
