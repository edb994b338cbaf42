#include "io/age_header.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define V   "age-encryption.org/v1\n"
#define MAC "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
#define ROW "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n"

static enum pgc_code parse(const char *text, struct pgc__age_header *out, struct pgc_error *err) {
    size_t end = 0, maced = 0;
    enum pgc_code code = pgc__age_header_end(text, strlen(text), &end, err);
    if (code == PGC_OK && end == 0)
        return PGC_E_TEMPORARY; /* more is needed */
    return code != PGC_OK ? code : pgc__age_header_parse(text, end, out, &maced, err);
}

START_TEST(what_is_written_is_read)
{
    for (size_t len = 0; len < 200; len++) {
        struct pgc_error err;
        PGC_CLEANUP(pgc__age_header_release) struct pgc__age_header header = PGC__AGE_HEADER_INIT;
        PGC_CLEANUP(pgc__age_header_release) struct pgc__age_header again = PGC__AGE_HEADER_INIT;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        for (int s = 0; s < 2; s++) {
            struct pgc__age_stanza *stanza = pgc__age_header_stanza(&header);
            ck_assert_int_eq(pgc_strings_add(&stanza->args, "type", &err), PGC_OK);
            ck_assert_int_eq(pgc_strings_add(&stanza->args, "argument", &err), PGC_OK);
            for (size_t i = 0; i < len; i++)
                pgc_buf_putc(&stanza->body, (char)i);
        }
        pgc__age_header_format(&text, &header);
        size_t maced = text.len;
        pgc_buf_puts(&text, " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\npayload\n--- x\n");
        size_t end = 0, got = 0;
        ck_assert_int_eq(pgc__age_header_end(text.data, text.len, &end, &err), PGC_OK);
        ck_assert_str_eq(text.data + end, "payload\n--- x\n");
        ck_assert_int_eq(pgc__age_header_parse(text.data, end, &again, &got, &err), PGC_OK);
        ck_assert_uint_eq(got, maced);
        ck_assert_uint_eq(again.count, 2);
        ck_assert_uint_eq(again.stanzas[1].body.len, len);
        ck_assert_str_eq(again.stanzas[1].args.items[1], "argument");
        for (size_t n = 0; n < end; n++) { /* every beginning of it wants more */
            size_t early = 0;
            ck_assert_int_eq(pgc__age_header_end(text.data, n, &early, &err), PGC_OK);
            ck_assert_uint_eq(early, 0);
        }
    }
}
END_TEST

START_TEST(headers_that_are_refused)
{
    static const char *const bad[] = {
        "x",
        "age-encryption.org/v2\n",
        "age-encryption.org/v1\r\n",
        V MAC,
        V "->\n\n" MAC,
        V "-> \n\n" MAC,
        V "-> X25519  a\n\n" MAC,
        V "-> X25519 a \n\n" MAC,
        V "-> a\tb\n\n" MAC,
        V "-> a\x7f\n\n" MAC,
        V "->a\n\n" MAC,
        V "x\n" MAC,
        V "-> a\n" MAC,
        V "-> a\n" ROW MAC,
        V "-> a\nQQ==\n" MAC,
        V "-> a\nQR\n" MAC,
        V "-> a\nQ\n" MAC,
        V "-> a\nQQ\nQQ\n" MAC,
        V "-> a\nQQ\r\n" MAC,
        V "-> a\n\n-> b\n" MAC,
        V "-> a\n\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        V "-> a\n\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
        V "-> a\n\n---\n",
        V "-> a\n\n---AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        V "-> a\n\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \n",
        V "-> a\n" ROW "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n\n" MAC,
        V "-> a\n\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_error err;
        PGC_CLEANUP(pgc__age_header_release) struct pgc__age_header header = PGC__AGE_HEADER_INIT;
        ck_assert_msg(parse(bad[i], &header, &err) == PGC_E_DATA, "%zu is accepted", i);
    }
}
END_TEST

START_TEST(a_header_without_end_is_given_up)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    size_t end = 0;
    pgc_buf_puts(&text, V "-> a\n");
    while (text.len <= PGC__AGE_HEADER_MAX)
        pgc_buf_puts(&text, ROW);
    ck_assert_int_eq(pgc__age_header_end(text.data, text.len, &end, &err), PGC_E_DATA);
}
END_TEST

Suite *age_header_suite(void);
Suite *age_header_suite(void) {
    Suite *suite = suite_create("age_header");
    TCase *tcase = tcase_create("age_header");
    tcase_add_test(tcase, what_is_written_is_read);
    tcase_add_test(tcase, headers_that_are_refused);
    tcase_add_test(tcase, a_header_without_end_is_given_up);
    suite_add_tcase(suite, tcase);
    return suite;
}
