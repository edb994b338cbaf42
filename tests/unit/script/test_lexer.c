/* Where statements end, state by state. The corpora (test_split_corpus.c) hold the long tail. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "script/lexer.h"
#include "script/split.h"

static struct pgc_strings items = PGC_STRINGS_INIT;
static struct pgc_split_end end;

static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    static const char marks[] = { '=', '\\', '#' };
    char place[64];
    snprintf(place, sizeof place, "%lu%c", item->line, marks[item->kind]);
    (void)arg;
    return pgc_strings_addf(&items, err, "%s%s", place, item->text != NULL ? item->text : "");
}

/* The items as "line=statement" joined by |; \ stands for = at meta-commands, # at COPY data. */
static const char *split_with(const char *text, size_t len, const struct pgc_split_options *options) {
    static char joined[4096];
    struct pgc_error err;
    pgc_strings_release(&items);
    ck_assert_msg(pgc_split_text(text, len, options, each, NULL, &end, &err) == PGC_OK, "%s", err.message);
    joined[0] = '\0';
    for (size_t i = 0; i < items.count; i++) {
        if (i > 0)
            strcat(joined, "|");
        strcat(joined, items.items[i]);
    }
    return joined;
}

static const char *split(const char *text) {
    static const char *const set[] = { "v", "1", "q", "it's", "two", "select 1; select 2", "loop", ":loop", NULL };
    return split_with(text, strlen(text), &(struct pgc_split_options) { .variables = true, .set = set });
}

static const struct {
    const char *text, *items;
} cases[] = {
    { "", "" },
    { ";;", "1=;|1=;" },
    { "select 1", "1=select 1" },
    { "select 1;select 2;", "1=select 1;|1=select 2;" },
    { "  -- c\n/* d */ select 1; -- e", "2=/* d */ select 1;" },
    { "select\n\n1 -- c\n+2;", "1=select\n1 -- c\n+2;" },
    { "select 'a;''b;'; x", "1=select 'a;''b;';|1=x" },
    { "select E'\\';'; x", "1=select E'\\';';|1=x" },
    { "select e'a\n;'; x", "1=select e'a\n;';|2=x" },
    { "select 'a\\'; x", "1=select 'a\\';|1=x" },
    { "select U&'\\';U&\";\"; x", "1=select U&'\\';|1=U&\";\";|1=x" },
    { "select B';'X';'N';'; x", "1=select B';'X';'N';';|1=x" },
    { "select \"a;\"\"b\"; x", "1=select \"a;\"\"b\";|1=x" },
    { "select $$;$$,$a$;$$;$b$;$a$; x", "1=select $$;$$,$a$;$$;$b$;$a$;|1=x" },
    { "select a$$b; x", "1=select a$$b;|1=x" },
    { "select $1$$;$$; x", "1=select $1$$;$$;|1=x" },
    { "select 1e'x\\'; y", "1=select 1e'x\\';|1=y" },
    { "/* /* ; */ ; */ select 1; x", "1=/* /* ; */ ; */ select 1;|1=x" },
    { "select (1;2); x", "1=select (1;2);|1=x" },
    { "select 1 \\; select 2; x", "1=select 1 ; select 2;|1=x" },
    { "create function f() begin atomic select 1; select case when a then b end; end; x",
      "1=create function f() begin atomic select 1; select case when a then b end; end;|1=x" },
    { "create or replace procedure f() begin atomic end; begin; end;",
      "1=create or replace procedure f() begin atomic end;|1=begin;|1=end;" },
    { "select :v, :'q', :\"q\", :{?v}, :{?w}, :w, ':v', a::v, b[1:2];",
      "1=select 1, 'it''s', \"it's\", TRUE, FALSE, :w, ':v', a::v, b[1:2];" },
    { ":two; x", "1=select 1;|1=select 2;|1=x" },
    { "select :loop;", "1=select :loop;" },
    { "\\set z 'a' b :v\nselect :z;", "1\\set z 'a' b :v|2=select ab1;" },
    { "\\if 0\nselect 1;\n\\elif 1\nselect 2;\n\\else\nselect 3;\n\\endif\nselect 4;",
      "1\\if 0|3\\elif 1|4=select 2;|5\\else|7\\endif|8=select 4;" },
    { "select 1 \\gx\nselect 2 \\g (a=b) | cat ; x\nselect 3",
      "1\\gx|1=select 1 |2\\g (a=b) | cat ; x|2=select 2 |3=select 3" },
    { "copy t from stdin; select 1;\n1;\n\\.\nselect 2;", "1=copy t from stdin;|2#|3=select 1;|4=select 2;" },
    { "copy t from stdin;\n1", "1=copy t from stdin;|2#" },
    { "copy t to stdout;\nselect 1;", "1=copy t to stdout;|2=select 1;" },
    { "\\copy t from stdin\n;\n\\.\nx", "1=COPY  t FROM STDIN |1\\copy t from stdin|2#|4=x" },
    { "\\! rm; select 1;\nx", "1\\! rm; select 1;|2=x" },
    { "\\echo a \\\\ select 1;", "1\\echo a|1=select 1;" },
    { "\xef\xbb\xbfselect 1;\r\nselect\r\n2;", "1=select 1;|2=select\r\n2;" },
    { "set standard_conforming_strings = off;\nselect 'a\\';b';\nreset standard_conforming_strings;\nselect 'a\\';",
      "1=set standard_conforming_strings = off;|2=select 'a\\';b';|3=reset standard_conforming_strings;|4=select "
      "'a\\';" },
};

START_TEST(statements_end_where_psql_ends_them)
{
    const char *got = split(cases[_i].text);
    ck_assert_msg(strcmp(got, cases[_i].items) == 0, "%s\ngives  %s\nwanted %s", cases[_i].text, got, cases[_i].items);
}
END_TEST

START_TEST(raw_text_keeps_variables_and_conditions)
{
    static const char text[] = "\\if x\nselect :v;\n\\else\nselect 2;\n\\endif";
    ck_assert_str_eq(split_with(text, sizeof text - 1, &(struct pgc_split_options) { 0 }),
                     "1\\if x|2=select :v;|3\\else|4=select 2;|5\\endif");
}
END_TEST

START_TEST(what_is_open_is_told)
{
    split("select 1;\nselect 'a\n\nb");
    ck_assert_int_eq(end.state, PGC_LEX_IN_QUOTE);
    ck_assert_uint_eq(end.open_line, 2);
    split("select (\n/* x");
    ck_assert_int_eq(end.state, PGC_LEX_IN_COMMENT);
    ck_assert_int_eq(end.paren_depth, 1);
    split("\n\\if 1\nselect 1;\n");
    ck_assert_uint_eq(end.if_line, 2);
    split("select 1;\n\\else\n");
    ck_assert_uint_eq(end.error_line, 2);
    ck_assert_str_eq(end.error, "\\else: no matching \\if");
}
END_TEST

/* The second byte of these characters is a backslash or a quote when taken as ASCII. */
START_TEST(trailing_bytes_are_no_quotes)
{
    static const struct {
        const char *encoding, *text;
    } rows[] = { { "SJIS", "\x95\x5c" },
                 { "BIG5", "\xa5\x5c" },
                 { "GBK", "\x95\x5c" },
                 { "UHC", "\x8f\x5c" },
                 { "GB18030", "\x81\x5c" },
                 { "JOHAB", "\x88\x5c" },
                 { "GB18030", "\x81\x30\x81\x30" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64], want[96];
        snprintf(text, sizeof text, "select %s; select E'%s'; x", rows[i].text, rows[i].text);
        snprintf(want, sizeof want, "1=select %s;|1=select E'%s';|1=x", rows[i].text, rows[i].text);
        struct pgc_split_options options = { .client_encoding = rows[i].encoding };
        ck_assert_msg(strcmp(split_with(text, strlen(text), &options), want) == 0, "%s", rows[i].encoding);
    }
    ck_assert_int_eq(pgc_lex_encoding_of("UTF8"), PGC_LEX_ASCII_SAFE);
    ck_assert_int_eq(pgc_lex_encoding_of("shift_jis_2004"), PGC_LEX_SJIS);
    ck_assert_int_eq(pgc_lex_encoding_of(NULL), PGC_LEX_ASCII_SAFE);
}
END_TEST

START_TEST(nul_bytes_and_archives_are_refused)
{
    struct pgc_error err;
    struct pgc_split_options options = { 0 };
    ck_assert_int_eq(pgc_split_text("select 1;\nse\0lect", 16, &options, each, NULL, NULL, &err), PGC_E_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "line 2"));
    ck_assert_int_eq(pgc_split_text("PGDMP....", 9, &options, each, NULL, NULL, &err), PGC_E_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "pg_restore"));
}
END_TEST

START_TEST(copies_are_counted)
{
    static const struct {
        const char *sql;
        size_t count;
    } rows[] = { { "copy t from stdin", 1 },
                 { "COPY s.\"from stdin\" (a, b) /* c */ FROM -- d\n STDIN WITH (format csv)", 1 },
                 { "copy t from 'stdin'", 0 },
                 { "copy (select 1 from stdin) to stdout", 0 },
                 { "select 1 from stdin", 0 },
                 { "copy a from stdin; copy b from stdin; select 1", 2 },
                 { "copy t from program 'x'", 0 },
                 { "/* copy t from stdin */ select $$copy t from stdin$$", 0 },
                 { "", 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(pgc_lex_copy_from_stdin(rows[i].sql, strlen(rows[i].sql)) == rows[i].count, "%s", rows[i].sql);
}
END_TEST

Suite *lexer_suite(void);
Suite *lexer_suite(void) {
    Suite *s = suite_create("lexer");
    TCase *t = tcase_create("split");
    tcase_add_loop_test(t, statements_end_where_psql_ends_them, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(t, raw_text_keeps_variables_and_conditions);
    tcase_add_test(t, what_is_open_is_told);
    tcase_add_test(t, trailing_bytes_are_no_quotes);
    tcase_add_test(t, nul_bytes_and_archives_are_refused);
    tcase_add_test(t, copies_are_counted);
    suite_add_tcase(s, t);
    return s;
}
