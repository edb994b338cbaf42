/* The fingerprint as a value: written, read, compared. What the server says is tested in tests/it/backup-verify.sh. */
#include "backup/facts.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct pgc_error err;

static void parse(const char *tables, const char *kind, struct pgc_prints *out) {
    char text[1024];
    int n = snprintf(text, sizeof text, "{\"schema\": \"pgc-contents/1\", \"fingerprint\": \"%s\", \"tables\": [%s]}",
                     kind, tables);
    ck_assert_msg(pgc_prints_parse(text, (size_t)n, out, &err) == PGC_OK, "%s", err.message);
}

START_TEST(comes_back)
{
    PGC_CLEANUP(pgc_prints_release) struct pgc_prints a = PGC_PRINTS_INIT, b = PGC_PRINTS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT, again = PGC_BUF_INIT;
    parse("{\"table\": \"public.\\\"o'dd\\\\\\\"\", \"rows\": 3, \"hash\": \"-77\"}, {\"table\": \"s.t\", \"rows\": 0}",
          "contents", &a);
    pgc_prints_write(&a, &text);
    ck_assert_int_eq(pgc_prints_parse(text.data, text.len, &b, &err), PGC_OK);
    pgc_prints_write(&b, &again);
    ck_assert_str_eq(text.data, again.data);
    ck_assert_int_eq(pgc_prints_rows(&b), 3);
    ck_assert_uint_eq(pgc_prints_compare(&a, &b, &again), 0);
    ck_assert_int_eq(pgc_prints_parse("{}", 2, &b, &err), PGC_E_DATA);
}
END_TEST

START_TEST(differences_are_named)
{
    static const struct {
        const char *backup, *restored, *said;
        size_t count;
    } rows[] = {
        { "{\"table\": \"a\", \"rows\": 1}", "{\"table\": \"a\", \"rows\": 2}", "a: 2 rows, the backup has 1\n", 1 },
        { "{\"table\": \"a\", \"rows\": 1, \"hash\": \"5\"}", "{\"table\": \"a\", \"rows\": 1, \"hash\": \"6\"}",
          "a: the content differs\n", 1 },
        { "{\"table\": \"a\", \"rows\": 1}, {\"table\": \"b\", \"rows\": 1}", "{\"table\": \"b\", \"rows\": 1}",
          "a: is not there\n", 1 },
        { "{\"table\": \"b\", \"rows\": 1}", "{\"table\": \"a\", \"rows\": 1}, {\"table\": \"b\", \"rows\": 1}",
          "a: is not in the backup\n", 1 },
        { "{\"table\": \"a\"}", "{\"table\": \"a\", \"rows\": 5}", "", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_prints_release) struct pgc_prints a = PGC_PRINTS_INIT, b = PGC_PRINTS_INIT;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        parse(rows[i].backup, "counts", &a);
        parse(rows[i].restored, "counts", &b);
        ck_assert_uint_eq(pgc_prints_compare(&a, &b, &text), rows[i].count);
        ck_assert_str_eq(text.data, rows[i].said);
    }
}
END_TEST

Suite *facts_suite(void);
Suite *facts_suite(void) {
    Suite *s = suite_create("facts");
    TCase *tc = tcase_create("facts");
    tcase_add_test(tc, comes_back);
    tcase_add_test(tc, differences_are_named);
    suite_add_tcase(s, tc);
    return s;
}
