#include "script/scan.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The statements of the text, each in brackets. */
static const char *statements(const char *text) {
    static char out[1000];
    PGC_CLEANUP(pgc_scan_release) struct pgc_scan scan = { 0 };
    struct pgc_error err;
    ck_assert_int_eq(pgc_scan_text(text, strlen(text), &scan, &err), PGC_OK);
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < scan.statement_count; i++)
        len +=
            (size_t)snprintf(out + len, sizeof out - len, "[%.*s]",
                             (int)(scan.statements[i].end - scan.statements[i].start), text + scan.statements[i].start);
    return out;
}

START_TEST(test_statements)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "" },
        { " ; ;-- x\n/* ; /* ; */ ; */;", "" },
        { "a;b", "[a][b]" },
        { "a ';' b; c", "[a ';' b][c]" },
        { "a ''';' b; c", "[a ''';' b][c]" },
        { "a E'\\';' b; c", "[a E'\\';' b][c]" },
        { "a '\\'; b", "[a '\\'][b]" },
        { "a \";\"\";\" b; c", "[a \";\"\";\" b][c]" },
        { "a $$;$$ b; c", "[a $$;$$ b][c]" },
        { "a $x$;$$;$x$ b; c", "[a $x$;$$;$x$ b][c]" },
        { "a$b;c$d", "[a$b][c$d]" },
        { "a $1;b", "[a $1][b]" },
        { "a (b; c); d", "[a (b; c)][d]" },
        { "create function f() begin atomic select 1; select case when a then b end; end; x",
          "[create function f() begin atomic select 1; select case when a then b end; end][x]" },
        { "begin; end; x", "[begin][end][x]" },
        { "a 'unfinished; b", "[a 'unfinished; b]" },
        { "a $$unfinished; b", "[a $$unfinished; b]" },
        { "a /* unfinished; b", "[a]" },
        { "a -- b; c\n d; e", "[a -- b; c\n d][e]" },
        { "a -- b\r c; d", "[a -- b\r c][d]" },
        { "\\x ; y\na; b", "[a][b]" },
        { "a \\gset\nb", "[a][b]" },
        { "a \\gset x_ \\\\ b; c", "[a][b][c]" },
        { "a\n\\set x ;\nb;", "[a\n\\set x ;\nb]" },
        { "a; \\q\nb;", "[a]" },
        { "set standard_conforming_strings = off;\na '\\';'; b;",
          "[set standard_conforming_strings = off][a '\\';'][b]" },
        { "a \\; b", "[a][b]" },
        { "copy t from stdin;\nx; y\n\\.\nz;", "[copy t from stdin][z]" },
        { "copy t from stdin with csv;\r\nx; y\r\n\\.\r\nz;", "[copy t from stdin with csv][z]" },
        { "copy t to stdout; z;", "[copy t to stdout][z]" },
        { "copy (select 1 from stdin) to 'x';\nz;", "[copy (select 1 from stdin) to 'x'][z]" },
        { "copy t from stdin;\nnever ended", "[copy t from stdin]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(statements(cases[i].text), cases[i].want);
}
END_TEST

START_TEST(test_tokens_do_not_overlap)
{
    static const char text[] = "select U&'x', u&\"y\", n'z', 1.5e3, .5, $1, a::int -- c\n from \"t\" /* d */;";
    PGC_CLEANUP(pgc_scan_release) struct pgc_scan scan = { 0 };
    struct pgc_error err;
    ck_assert_int_eq(pgc_scan_text(text, strlen(text), &scan, &err), PGC_OK);
    size_t end = 0;
    for (size_t i = 0; i < scan.token_count; i++) {
        ck_assert_uint_ge(scan.tokens[i].start, end);
        ck_assert_uint_gt(scan.tokens[i].len, 0);
        end = scan.tokens[i].start + scan.tokens[i].len;
    }
    ck_assert_uint_eq(end, strlen(text));
    ck_assert(pgc_token_is(text, &scan.tokens[0], "select"));
    ck_assert(scan.statements[0].terminated);
}
END_TEST

Suite *scan_suite(void);
Suite *scan_suite(void) {
    Suite *suite = suite_create("scan");
    TCase *tests = tcase_create("scan");
    tcase_add_test(tests, test_statements);
    tcase_add_test(tests, test_tokens_do_not_overlap);
    suite_add_tcase(suite, tests);
    return suite;
}
