#include "backup/toc.h"

#include <check.h>
#include <string.h>

static struct pgc_error err;

static const char listing[] = "; Archive created at 2026-01-01 00:00:00 UTC\n"
                              ";     TOC Entries: 22\n;\n"
                              "80; 2615 1 SCHEMA - s o\n81; 1247 9 TYPE s mood o\n;\tdepends on: 80\n"
                              "90; 1262 5 DATABASE - my \"db o\n"
                              "91; 0 0 COMMENT - DATABASE \"my \"\"db\" o\n;\tdepends on: 90\n"
                              "92; 0 0 ACL - DATABASE \"my \"\"db\" o\n;\tdepends on: 90\n"
                              "93; 0 0 DATABASE PROPERTIES - my \"db o\n;\tdepends on: 90\n"
                              "10; 1259 1 TABLE public t o\n"
                              "11; 1259 2 TABLE public u o\n;\tdepends on: 10\n"
                              "12; 1259 3 TABLE s t o\n;\tdepends on: 81 80\n"
                              "13; 1259 4 TABLE public p o\n"
                              "14; 1259 5 TABLE public p1 o\n;\tdepends on: 13\n"
                              "15; 1259 6 SEQUENCE public t_a_seq o\n;\tdepends on: 10\n"
                              "16; 0 0 SEQUENCE OWNED BY public t_a_seq o\n;\tdepends on: 15\n"
                              "17; 0 0 TABLE ATTACH public p1 o\n;\tdepends on: 14 13\n"
                              "18; 2604 7 DEFAULT public t a o\n;\tdepends on: 10 15 10\n"
                              "19; 0 1 TABLE DATA public t o\n;\tdepends on: 10\n"
                              "20; 0 3 TABLE DATA s t o\n;\tdepends on: 12\n"
                              "21; 2606 8 CONSTRAINT public t t_pkey o\n;\tdepends on: 10\n"
                              "22; 1259 9 INDEX public i o\n;\tdepends on: 10\n"
                              "23; 0 0 COMMENT public INDEX i o\n;\tdepends on: 22\n"
                              "24; 2606 10 FK CONSTRAINT public t t_u_fkey o\n;\tdepends on: 10 11 21\n"
                              "25; 3256 11 POLICY public u pol o\n;\tdepends on: 11 10\n"
                              "26; 2613 12 BLOB - 77 o\n"
                              "27; 1259 13 TABLE public a b o\n";

static void chosen(const char *a, const char *b, bool alone, struct pgc_strings *left_out, struct pgc_buf *out) {
    PGC_CLEANUP(pgc_toc_release) struct pgc_toc toc = PGC_TOC_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    ck_assert_int_eq(pgc_toc_parse(&toc, listing, &err), PGC_OK);
    ck_assert_int_eq(pgc_strings_add(&names, a, &err), PGC_OK);
    if (b != NULL)
        ck_assert_int_eq(pgc_strings_add(&names, b, &err), PGC_OK);
    enum pgc_code code = pgc_toc_choose_tables(&toc, &names, alone, left_out, &err);
    for (size_t i = 0; code == PGC_OK && i < toc.count; i++)
        if (toc.items[i].chosen)
            pgc_buf_putf(out, "%ld ", toc.items[i].id);
}

START_TEST(tables_come_with_what_is_theirs)
{
    static const struct {
        const char *a, *b;
        bool alone;
        const char *ids;
        size_t left_out;
    } rows[] = {
        { "public.t", NULL, true, "10 15 16 18 19 21 22 23 ", 1 },
        { "public.t", NULL, false, "10 15 16 18 19 21 22 23 24 ", 0 },
        { "public.t", "u", false, "10 11 15 16 18 19 21 22 23 24 25 ", 0 },
        { "s.t", "u", false, "11 12 20 25 ", 0 }, /* not a table u of schema s, and not public.t */
        { "t", NULL, false, "10 12 15 16 18 19 20 21 22 23 24 ", 0 },
        { "s.t", NULL, true, "80 81 12 20 ", 0 },
        { "p", NULL, false, "13 14 17 ", 0 },
        { "p1", NULL, false, "14 ", 0 },
        { "public.a b", NULL, false, "27 ", 0 },
        { "a\nb", NULL, false, "27 ", 0 },
        { "s.u", NULL, false, "", 0 },
        { "o", NULL, false, "", 0 }, /* the owner's name is none of a table */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_strings_release) struct pgc_strings left_out = PGC_STRINGS_INIT;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        chosen(rows[i].a, rows[i].b, rows[i].alone, &left_out, &out);
        ck_assert_msg(strcmp(out.data, rows[i].ids) == 0, "%s: '%s'", rows[i].a, out.data);
        ck_assert_uint_eq(left_out.count, rows[i].left_out);
        if (rows[i].ids[0] == '\0')
            ck_assert_int_eq(err.code, PGC_E_NOT_FOUND);
    }
}
END_TEST

START_TEST(parts_are_written_as_a_list)
{
    PGC_CLEANUP(pgc_toc_release) struct pgc_toc toc = PGC_TOC_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_toc_parse(&toc, listing, &err), PGC_OK);
    pgc_toc_write(&toc, &out, PGC_TOC_DATABASE);
    ck_assert_str_eq(out.data, "90; DATABASE - my \"db o\n91; COMMENT - DATABASE \"my \"\"db\" o\n"
                               "92; ACL - DATABASE \"my \"\"db\" o\n93; DATABASE PROPERTIES - my \"db o\n");
    pgc_buf_clear(&out);
    ck_assert(pgc_toc_has_kind(&toc, "POLICY") && !pgc_toc_has_kind(&toc, "POL"));
    pgc_toc_choose_all(&toc);
    pgc_toc_drop_kind(&toc, "POLICY");
    pgc_toc_write(&toc, &out, PGC_TOC_CHOSEN);
    ck_assert_ptr_null(strstr(out.data, "POLICY"));
    ck_assert_ptr_nonnull(strstr(out.data, "27; TABLE public a b o\n"));
    /* six tables, a large object, and nine others that have an object of their own */
    ck_assert_int_eq(pgc_toc_locks(&toc), 6 * 7 + 2 * 9 + 1);
}
END_TEST

START_TEST(other_text_is_passed_over)
{
    static const char *const texts[] = {
        "", "\n\n", "x; 1 2 TABLE", "1", "1;", "1; 2", ";\tdepends on: 1 2", "1; 2 3"
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        PGC_CLEANUP(pgc_toc_release) struct pgc_toc toc = PGC_TOC_INIT;
        ck_assert_int_eq(pgc_toc_parse(&toc, texts[i], &err), PGC_OK);
        ck_assert_uint_eq(toc.count, 0);
    }
}
END_TEST

Suite *toc_suite(void);
Suite *toc_suite(void) {
    Suite *s = suite_create("toc");
    TCase *tc = tcase_create("toc");
    tcase_add_test(tc, tables_come_with_what_is_theirs);
    tcase_add_test(tc, parts_are_written_as_a_list);
    tcase_add_test(tc, other_text_is_passed_over);
    suite_add_tcase(s, tc);
    return s;
}
