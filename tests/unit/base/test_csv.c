#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/csv.h"

/* The names joined by '|', or "!" and the message. */
static const char *header(const char *text, bool whole, char delimiter) {
    static char out[512];
    struct pgc_error err;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    if (pgc_csv_header(text, strlen(text), whole, delimiter, &names, &err) != PGC_OK) {
        snprintf(out, sizeof out, "!%.500s", err.message);
        return out;
    }
    out[0] = '\0';
    for (size_t i = 0; i < names.count; i++) {
        strcat(out, i > 0 ? "|" : "");
        strcat(out, names.items[i]);
    }
    return out;
}

START_TEST(reads_names)
{
    ck_assert_str_eq(header("id,name\n1,2\n", true, ','), "id|name");
    ck_assert_str_eq(header("id,name\r\n1,2\r\n", true, ','), "id|name");
    ck_assert_str_eq(header("id,name", true, ','), "id|name");
    ck_assert_str_eq(header("\xef\xbb\xbfid,b\n", true, ','), "id|b");
    ck_assert_str_eq(header("\"full, name\",\"a \"\"b\"\"\"\n", true, ','), "full, name|a \"b\"");
    ck_assert_str_eq(header("\"two\nlines\",x\n", true, ','), "two\nlines|x");
    ck_assert_str_eq(header("a,b\tc\n", true, '\t'), "a,b|c");
    ck_assert_str_eq(header("one\n", false, ','), "one");
}
END_TEST

START_TEST(refuses_bad_headers)
{
    ck_assert_str_eq(header("", true, ','), "!no header: the first line must name the columns");
    ck_assert_str_eq(header("\n1\n", true, ','), "!no header: the first line must name the columns");
    ck_assert_str_eq(header("a,,b\n", true, ','), "!column 2 of the header has no name");
    ck_assert_str_eq(header("a,b,\n", true, ','), "!column 3 of the header has no name");
    ck_assert_str_eq(header("a,b,a\n", true, ','), "!the header names column 'a' twice");
    ck_assert_str_eq(header("a,\"b\n", true, ','), "!the header has a quote that is not closed");
    ck_assert_str_eq(header("a,b", false, ','), "!the header does not end within 3 bytes");
}
END_TEST

Suite *csv_suite(void);
Suite *csv_suite(void) {
    Suite *suite = suite_create("seed/csv");
    TCase *tests = tcase_create("header");
    tcase_add_test(tests, reads_names);
    tcase_add_test(tests, refuses_bad_headers);
    suite_add_tcase(suite, tests);
    return suite;
}
