#include "base/text.h"

#include <check.h>
#include <string.h>

START_TEST(base64_is_canonical)
{
    static const struct {
        const char *plain, *padded, *bare;
    } rows[] = { { "", "", "" },
                 { "f", "Zg==", "Zg" },
                 { "fo", "Zm8=", "Zm8" },
                 { "foo", "Zm9v", "Zm9v" },
                 { "foobar", "Zm9vYmFy", "Zm9vYmFy" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT, back = PGC_BUF_INIT;
        pgc_text_base64(&b, rows[i].plain, strlen(rows[i].plain), true);
        ck_assert_str_eq(b.data, rows[i].padded);
        ck_assert(pgc_text_unbase64(&back, b.data, b.len, true));
        ck_assert_str_eq(back.data, rows[i].plain);
        pgc_buf_clear(&b);
        pgc_text_base64(&b, rows[i].plain, strlen(rows[i].plain), false);
        ck_assert_str_eq(b.data, rows[i].bare);
        pgc_buf_release(&b);
        pgc_buf_release(&back);
    }
    static const char *const bad[] = { "Zh", "Z", "Zm9=", "Zg=", "Zm8==", "Zm 8" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf back = PGC_BUF_INIT;
        ck_assert(!pgc_text_unbase64(&back, bad[i], strlen(bad[i]), i >= 2));
    }
}
END_TEST

/* Every length up to two lines of armor, every byte value; and no character but the 64 is taken, at any place of a group. */
START_TEST(base64_of_everything)
{
    unsigned char bytes[300];
    for (size_t len = 0; len < sizeof bytes; len++) {
        for (int padded = 0; padded < 2; padded++) {
            PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT, back = PGC_BUF_INIT;
            for (size_t i = 0; i < len; i++)
                bytes[i] = (unsigned char)(i * 7 + len);
            pgc_buf_puts(&back, "x");
            pgc_text_base64(&b, bytes, len, padded);
            ck_assert_uint_eq(b.len, padded ? (len + 2) / 3 * 4 : (len * 8 + 5) / 6);
            ck_assert(pgc_text_unbase64(&back, b.data, b.len, padded));
            ck_assert_uint_eq(back.len, len + 1);
            ck_assert_mem_eq(back.data + 1, bytes, len);
        }
    }
    for (int c = 0; c < 256; c++)
        for (int at = 0; at < 7; at++) {
            char text[] = "AAAAAAA";
            PGC_CLEANUP(pgc_buf_release) struct pgc_buf back = PGC_BUF_INIT;
            text[at] = (char)c;
            bool known =
                c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c) != NULL;
            bool fits = at < 6 || strchr("AEIMQUYcgkosw048", c) != NULL; /* the last character has 2 unused bits */
            ck_assert_msg(pgc_text_unbase64(&back, text, 7, false) == (known && fits), "%d at %d", c, at);
        }
}
END_TEST

START_TEST(times_go_both_ways)
{
    static const char *const same[] = { "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-21T22:18:00Z",
                                        "1969-12-31T23:59:59Z" };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT;
        int64_t us;
        ck_assert(pgc_text_parse_rfc3339(same[i], &us));
        pgc_text_rfc3339(&b, us, false);
        ck_assert_str_eq(b.data, same[i]);
    }
    int64_t a, b;
    ck_assert(pgc_text_parse_rfc3339("2026-03-29T03:30:00.25+02:00", &a));
    ck_assert(pgc_text_parse_rfc3339("2026-03-29T01:30:00.250Z", &b));
    ck_assert_int_eq(a, b);
    ck_assert(!pgc_text_parse_rfc3339("2026-02-29T00:00:00Z", &a));
    ck_assert(!pgc_text_parse_rfc3339("2026-02-28T24:00:00Z", &a));
    ck_assert(!pgc_text_parse_rfc3339("2026-02-28T00:00:00", &a));
    ck_assert(!pgc_text_parse_rfc3339("2026-02-28T00:00:00Zx", &a));
}
END_TEST

START_TEST(json_replaces_what_is_not_utf8)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT;
    pgc_text_json(&b, "a\"\\\n\x01\xc3\xa9\xff\xed\xa0\x80");
    ck_assert_str_eq(b.data, "\"a\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}
END_TEST

START_TEST(percent_goes_both_ways)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT, back = PGC_BUF_INIT;
    pgc_text_percent(&b, "a/b c%..\xff", 9, "");
    ck_assert_str_eq(b.data, "a%2Fb%20c%25..%FF");
    ck_assert(pgc_text_unpercent(&back, b.data, b.len));
    ck_assert_mem_eq(back.data, "a/b c%..\xff", 9);
    ck_assert(!pgc_text_unpercent(&back, "%2", 2));
    ck_assert(!pgc_text_unpercent(&back, "%zz", 3));
}
END_TEST

Suite *text_suite(void);
Suite *text_suite(void) {
    Suite *suite = suite_create("text");
    TCase *cases = tcase_create("text");
    tcase_add_test(cases, base64_is_canonical);
    tcase_add_test(cases, base64_of_everything);
    tcase_add_test(cases, times_go_both_ways);
    tcase_add_test(cases, json_replaces_what_is_not_utf8);
    tcase_add_test(cases, percent_goes_both_ways);
    suite_add_tcase(suite, cases);
    return suite;
}
