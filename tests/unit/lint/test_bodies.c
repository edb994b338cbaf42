#include "lint/bodies.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* "line:column rule[ rule...]" of what these rules find, separated by "; ". */
static const char *found(const char *sql) {
    static char text[2000];
    static const char *const only[] = { "ban-drop-table",
                                        "syntax-error",
                                        "require-concurrent-index-creation",
                                        "require-lock-timeout",
                                        "constraint-missing-not-valid",
                                        "ban-concurrent-index-creation-in-transaction",
                                        "nolint-comment",
                                        NULL };
    struct pgc_lint_options options = { .only = only };
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings all = { 0 };
    struct pgc_error err;
    ck_assert_int_eq(pgc_lint_text(&options, "f.sql", sql, strlen(sql), &all, &err), PGC_OK);
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < all.count; i++)
        if (strcmp(all.items[i].rule->id, "require-lock-timeout") != 0)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%zu:%zu %s", len > 0 ? "; " : "",
                                    all.items[i].line, all.items[i].column, all.items[i].rule->id);
    return text;
}

START_TEST(test_do_blocks_run)
{
    ck_assert_str_eq(found("do $$\nbegin\n  drop table a; drop table b;\nend $$; drop table c;"),
                     "3:3 ban-drop-table; 3:17 ban-drop-table; 4:9 ban-drop-table");
    ck_assert_str_eq(found("do language plpgsql $x$begin drop table a; end$x$"), "1:30 ban-drop-table");
    ck_assert_str_eq(found("do $x$begin drop table a; end$x$ language 'plpgsql'"), "1:13 ban-drop-table");
    ck_assert_str_eq(found("do $$ drop table a; $$ language plperl"), "");
}
END_TEST

START_TEST(test_syntax_of_plpgsql)
{
    static const char sql[] = "do $$\n#variable_conflict use_column\n"
                              "<<outer>>\n"
                              "declare x int := 1; c cursor for select 1; r record;\n"
                              "begin\n"
                              "  if exists (select case when a then b end from t) then drop table a1;\n"
                              "  elsif x = 2 then drop table a2;\n"
                              "  else drop table a3; end if;\n"
                              "  for r in select * from t loop drop table a4; end loop;\n"
                              "  while x > 1 loop drop table a5; exit; end loop;\n"
                              "  case x when 1 then drop table a6; else drop table a7; end case;\n"
                              "  declare y int; begin drop table a8; end;\n"
                              "  -- drop table no;\n"
                              "  raise notice 'drop table no;';\n"
                              "  drop := 1; create = 2; perform 'drop table no';\n"
                              "  select x into drop from t;\n"
                              "exception when others then drop table a9;\n"
                              "end $$;";
    ck_assert_str_eq(found(sql), "6:57 ban-drop-table; 7:20 ban-drop-table; 8:8 ban-drop-table; 9:33 ban-drop-table; "
                                 "10:20 ban-drop-table; 11:22 ban-drop-table; 11:42 ban-drop-table; 12:24 "
                                 "ban-drop-table; 17:28 ban-drop-table");
}
END_TEST

START_TEST(test_execute)
{
    ck_assert_str_eq(found("do $$ begin execute 'drop table a; drop table b'; end $$"),
                     "1:22 ban-drop-table; 1:36 ban-drop-table");
    ck_assert_str_eq(found("do $$ begin execute 'drop ' || 'table a'; execute format('drop table %I', 'a'); end $$"),
                     "");
    ck_assert_str_eq(found("do $$ begin execute 'drop tabel a'; end $$"), "1:27 syntax-error");
    ck_assert_str_eq(found("do $$ begin execute $x$drop table a$x$ using 1; end $$"), "1:24 ban-drop-table");
}
END_TEST

START_TEST(test_doubled_quotes_keep_places)
{
    ck_assert_str_eq(found("do 'begin\n raise ''x''; drop table a;\n execute ''select ''''y''''; drop table b'';\n"
                           " drop table c; end'"),
                     "2:15 ban-drop-table; 3:30 ban-drop-table; 4:2 ban-drop-table");
    ck_assert_str_eq(found("do E'begin\\n raise \\'x\\'; drop table a; end'"), "1:27 ban-drop-table");
    ck_assert_str_eq(found("do E'begin\\x20 drop table a; end'"), "");
}
END_TEST

/* Statements of a body belong to the file: what one creates the next may lock, one transaction holds them all. */
START_TEST(test_bodies_belong_to_the_file)
{
    ck_assert_str_eq(found("do $$ begin create table n (a int); end $$; create index on n (a); create index on o (a);"),
                     "1:68 require-concurrent-index-creation");
    ck_assert_str_eq(found("do $$ begin alter table t add constraint c check (a > 0) not valid;\n"
                           "alter table t validate constraint c; end $$"),
                     "2:15 constraint-missing-not-valid");
    ck_assert_str_eq(found("do $$ begin create index concurrently i on t (a); end $$"),
                     "1:13 ban-concurrent-index-creation-in-transaction");
    ck_assert_str_eq(
        found("do $$ begin insert into t values (1) returning a, b into strict x, y.z; drop table a; end $$"),
        "1:73 ban-drop-table");
}
END_TEST

START_TEST(test_silence_in_bodies)
{
    ck_assert_str_eq(found("-- pgc:nolint ban-drop-table unused\ndo $$ begin drop table a; drop table b; end $$"), "");
    ck_assert_str_eq(found("do $$ begin\n-- pgc:nolint ban-drop-table unused\ndrop table a;\ndrop table b; end $$"),
                     "4:1 ban-drop-table");
    ck_assert_str_eq(
        found("do $$ begin drop table a; -- squawk-ignore ban-drop-table\ndrop table b; end $$; drop table c"),
        "2:1 ban-drop-table; 2:23 ban-drop-table");
    ck_assert_str_eq(found("do $$ begin\n-- pgc:nolint ban-drop-tabel unused\nnull; end $$"), "2:1 nolint-comment");
}
END_TEST

START_TEST(test_functions_do_not_run)
{
    ck_assert_str_eq(found("create function f() returns int language plpgsql as $$ begin drop table a; end $$"), "");
    ck_assert_str_eq(found("create function f() returns int language sql as 'drop table a'"), "");
    ck_assert_str_eq(found("create procedure f() begin atomic select 1; end; drop table a"), "1:50 ban-drop-table");
}
END_TEST

START_TEST(test_faults_in_bodies)
{
    ck_assert_str_eq(found("create function f() returns int language plpgsql as $$\nbegin\n  drop tabel a;\nend $$"),
                     "3:8 syntax-error");
    ck_assert_str_eq(
        found("create function f() returns int as $$\nbegin\n  if a the null; end if;\nend $$ language plpgsql"),
        "2:1 syntax-error");
    ck_assert_str_eq(found("create function f() returns int language sql as 'select 1; selec ''a'''"),
                     "1:60 syntax-error");
    ck_assert_str_eq(found("create function f() returns int language sql begin atomic selec 1; end"),
                     "1:59 syntax-error");
    ck_assert_str_eq(found("do $$ declare x int;\nbegin x := 1 +; end $$"), "2:1 syntax-error");
    ck_assert_str_eq(found("create function f(c refcursor) returns setof t language plpgsql as "
                           "$$ declare r record; begin for r in c loop return next; end loop; return; end $$"),
                     "");
}
END_TEST

Suite *bodies_suite(void);
Suite *bodies_suite(void) {
    Suite *suite = suite_create("lint-bodies");
    TCase *tests = tcase_create("lint-bodies");
    tcase_add_test(tests, test_do_blocks_run);
    tcase_add_test(tests, test_syntax_of_plpgsql);
    tcase_add_test(tests, test_execute);
    tcase_add_test(tests, test_doubled_quotes_keep_places);
    tcase_add_test(tests, test_bodies_belong_to_the_file);
    tcase_add_test(tests, test_silence_in_bodies);
    tcase_add_test(tests, test_functions_do_not_run);
    tcase_add_test(tests, test_faults_in_bodies);
    suite_add_tcase(suite, tests);
    return suite;
}
