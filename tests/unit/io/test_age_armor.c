#include "io/age_armor.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "io/memory.h"

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----\n"
#define END   "-----END AGE ENCRYPTED FILE-----\n"
#define FULL  "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n" /* 48 times A */

static enum pgc_code decode(const char *text, struct pgc_buf *out, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_memory_source(text, strlen(text), &source, err), PGC_OK);
    ck_assert_int_eq(pgc_memory_sink(out, &sink, err), PGC_OK);
    ck_assert_int_eq(pgc__age_armor_pull(&source, err), PGC_OK);
    return pgc_copy(source, sink, NULL, err);
}

START_TEST(armor_that_is_read)
{
    static const struct {
        const char *text;
        size_t len;
    } good[] = {
        { BEGIN END, 0 },
        { BEGIN "QQ==\n" END, 1 },
        { BEGIN FULL END, 48 },
        { BEGIN FULL "QQ==\n" END, 49 },
        { BEGIN FULL FULL END, 96 },
        { "\n \t\r\n" BEGIN FULL END "\n  \r\n\n", 48 },
        { "-----BEGIN AGE ENCRYPTED FILE-----\r\nQQ==\r\n-----END AGE ENCRYPTED FILE-----\r\n", 1 },
        { BEGIN "QQ==\n-----END AGE ENCRYPTED FILE-----", 1 },
        { "age-encryption.org/v1\nplain", 27 }, /* no armor: as it is */
        { "", 0 },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct pgc_error err;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        ck_assert_msg(decode(good[i].text, &out, &err) == PGC_OK, "%zu: %s", i, err.message);
        ck_assert_uint_eq(out.len, good[i].len);
    }
}
END_TEST

START_TEST(armor_that_is_refused)
{
    static const char *const bad[] = {
        BEGIN,
        BEGIN FULL,
        BEGIN "\n" END, /* an empty line */
        BEGIN FULL "\n" END,
        BEGIN "QQ==\nQQ==\n" END, /* a short line that is not the last */
        BEGIN "QQ==\n" FULL END,
        BEGIN "QUFB" FULL END, /* longer than 64 columns */
        BEGIN "QQ\n" END,      /* not padded */
        BEGIN "QR==\n" END,    /* not canonical */
        BEGIN "QQ= =\n" END,
        BEGIN " QQ==\n" END,
        BEGIN "QQ==\n" END "x",
        BEGIN "QQ==\n" END END,
        BEGIN "Comment: x\n\nQQ==\n" END, /* headers of PEM */
        "-----BEGIN AGE ENCRYPTED FILE-----x\nQQ==\n" END,
        BEGIN "QQ==\n-----END AGE ENCRYPTED FILE----\n",
        BEGIN "QQ==\n" END "\0334",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_error err;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        ck_assert_msg(decode(bad[i], &out, &err) == PGC_E_DATA, "%zu is accepted", i);
        ck_assert_ptr_nonnull(strstr(err.message, "age armor is malformed: line "));
        ck_assert_uint_eq(out.len, 0);
    }
}
END_TEST

/* White space is bounded; what is not armor by then is passed on. */
START_TEST(white_space_without_end)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT, out = PGC_BUF_INIT;
    for (int i = 0; i < 2000; i++)
        pgc_buf_putc(&text, '\n');
    pgc_buf_puts(&text, BEGIN "QQ==\n" END);
    ck_assert_int_eq(decode(text.data, &out, &err), PGC_OK);
    ck_assert_uint_eq(out.len, text.len);
    pgc_buf_clear(&text);
    pgc_buf_puts(&text, BEGIN "QQ==\n" END);
    for (int i = 0; i < 2000; i++)
        pgc_buf_putc(&text, ' ');
    ck_assert_int_eq(decode(text.data, &out, &err), PGC_E_DATA);
}
END_TEST

Suite *age_armor_suite(void);
Suite *age_armor_suite(void) {
    Suite *suite = suite_create("age_armor");
    TCase *tcase = tcase_create("age_armor");
    tcase_add_test(tcase, armor_that_is_read);
    tcase_add_test(tcase, armor_that_is_refused);
    tcase_add_test(tcase, white_space_without_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
