/* Arguments of meta-commands, \copy, variables, and the reader of inline COPY data. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "io/stream.h"
#include "script/lexer.h"
#include "script/reader.h"
#include "script/slash_copy.h"
#include "script/vars.h"

static char complaint[128];

static const char *variable(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "v") == 0 ? "a b" : strcmp(name, "q") == 0 ? "it's" : NULL;
}
static bool backtick(void *arg, const char *command, struct pgc_buf *out) {
    (void)arg;
    pgc_buf_putf(out, "<%s>", command);
    return true;
}
static void error(void *arg, const char *message) {
    (void)arg;
    snprintf(complaint, sizeof complaint, "%s", message);
}

/* Command and arguments, joined by |. */
static const char *read_all(const char *line, enum pgc_lex_argument type, bool strip, bool eval) {
    static const struct pgc_lexer_hooks hooks = { variable, backtick, error, NULL, NULL };
    static char joined[1024];
    PGC_CLEANUP(pgc_lexer_release) struct pgc_lexer lexer;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_lexer_init(&lexer, &hooks);
    pgc_lexer_line(&lexer, line, strlen(line));
    pgc_lexer_command(&lexer, &text);
    snprintf(joined, sizeof joined, "%s", text.data);
    while (pgc_lexer_argument(&lexer, type, strip, eval, NULL, &text)) {
        strcat(joined, "|");
        strcat(joined, text.data);
    }
    return joined;
}

START_TEST(arguments_are_read_as_psql_reads_them)
{
    static const struct {
        const char *line;
        enum pgc_lex_argument type;
        bool strip;
        const char *want;
    } rows[] = {
        { "set a 'b c'd e", PGC_ARG_NORMAL, false, "set|a|b cd|e" },
        { "x 'a''b' '\\n\\t\\x41\\101\\q'", PGC_ARG_NORMAL, false, "x|a'b|\n\tAAq" },
        { "x :v :'q' :\"q\" :{?v} :{?n} :n ::v :'n'", PGC_ARG_NORMAL, false,
          "x|a b|'it''s'|\"it's\"|TRUE|FALSE|:n|:a b|:'n'" },
        { "x `echo :v` `echo :'q'`", PGC_ARG_NORMAL, false, "x|<echo a b>|<echo 'it'\"'\"'s'>" },
        { "x a;; 'b;' c';';", PGC_ARG_NORMAL, true, "x|a|b;|c;" },
        { "x a;", PGC_ARG_NORMAL, false, "x|a;" },
        { "x \"A b\" C\"D\"e \"f\"\"g\";", PGC_ARG_IDENT, true, "x|A b|cDe|f\"g" },
        { "x \"A b\" C", PGC_ARG_IDENT_KEEP, true, "x|A b|C" },
        { "g |a 'b' \\c", PGC_ARG_FILE, false, "g||a 'b' \\c" },
        { "g a|b c", PGC_ARG_FILE, false, "g|a|b|c" },
        { "!   a 'b' \\ c ; ", PGC_ARG_LINE, true, "!|a 'b' \\ c" },
        { "x a\\y", PGC_ARG_NORMAL, false, "x|a" },
        { "x ''", PGC_ARG_NORMAL, false, "x|" },
        { "x", PGC_ARG_NORMAL, false, "x" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = read_all(rows[i].line, rows[i].type, rows[i].strip, true);
        ck_assert_msg(strcmp(got, rows[i].want) == 0, "%s\ngives  %s\nwanted %s", rows[i].line, got, rows[i].want);
    }
}
END_TEST

START_TEST(open_quotes_are_told)
{
    static const char *const lines[] = { "x 'a", "x \"a", "x `a" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        complaint[0] = '\0';
        ck_assert_str_eq(read_all(lines[i], PGC_ARG_NORMAL, false, true), "x");
        ck_assert_str_eq(complaint, "unterminated quoted string");
    }
}
END_TEST

START_TEST(backquotes_wait_for_eval)
{ ck_assert_str_eq(read_all("x `rm`", PGC_ARG_NORMAL, false, false), "x|rm"); }
END_TEST

START_TEST(slash_copy)
{
    static const struct {
        const char *text, *sql, *file;
        bool from, program, outer;
    } rows[] = {
        { "t from stdin", "COPY  t FROM STDIN ", NULL, true, false, false },
        { "s.\"T x\" (a, \"b c\") to 'a''b.txt' with (format csv)",
          "COPY  s.\"T x\" ( a, \"b c\" ) TO STDOUT with (format csv)", "a'b.txt", false, false, false },
        { "(select ')', E'\\')' from t) to program 'cat > x' csv header",
          "COPY  ( select ')' , E'\\')' from t ) TO STDOUT csv header", "cat > x", false, true, false },
        { "t FROM pstdin", "COPY  t FROM STDIN ", NULL, true, false, true },
        { "binary t to f.bin", "COPY binary t TO STDOUT ", "f.bin", false, false, false },
    };
    struct pgc_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_slash_copy_release) struct pgc_slash_copy copy;
        ck_assert_msg(pgc_slash_copy_parse(rows[i].text, &copy, &err) == PGC_OK, "%s", rows[i].text);
        ck_assert_str_eq(copy.sql.data, rows[i].sql);
        ck_assert_str_eq(copy.file != NULL ? copy.file : "", rows[i].file != NULL ? rows[i].file : "");
        ck_assert(copy.from == rows[i].from && copy.program == rows[i].program && copy.outer == rows[i].outer);
    }
    static const char *const bad[] = { "", "t", "t from", "t foo 'x'", "t from program cat", "(select 1", "t (a" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PGC_CLEANUP(pgc_slash_copy_release) struct pgc_slash_copy copy;
        ck_assert_msg(pgc_slash_copy_parse(bad[i], &copy, &err) == PGC_E_USAGE, "%s", bad[i]);
    }
}
END_TEST

START_TEST(truth_as_psql_reads_it)
{
    static const char *const yes[] = { "t", "TRUE", "y", "yes", "on", "1" }, *const no[] = { "f", "No", "of", "off",
                                                                                             "0" };
    static const char *const neither[] = { "o", "truex", "2", "x" };
    bool value;
    for (size_t i = 0; i < 6; i++)
        ck_assert(pgc_vars_parse_bool(yes[i], &value) && value);
    for (size_t i = 0; i < 5; i++)
        ck_assert(pgc_vars_parse_bool(no[i], &value) && !value);
    for (size_t i = 0; i < 4; i++)
        ck_assert(!pgc_vars_parse_bool(neither[i], &value));
}
END_TEST

struct pieces {
    struct pgc_source base;
    const char *text;
    size_t step;
};
static enum pgc_code get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct pieces *p = (struct pieces *)source;
    (void)err;
    *len = strnlen(p->text, p->step < cap ? p->step : cap);
    memcpy(buf, p->text, *len);
    p->text += *len;
    return PGC_OK;
}

/* COPY data ends at a line that is \. alone, in whatever pieces it arrives; what follows is script again. */
START_TEST(copy_data_ends_at_its_marker)
{
    static const struct pgc_source_ops ops = { get, NULL, NULL };
    static const struct {
        const char *text, *data, *after;
    } rows[] = { { "1\n2\n\\.\nx", "1\n2\n", "x" },
                 { "\\.\r\nx\n", "", "x" },
                 { "\\.x\n \\.\n\\\\.\n\\.\nx", "\\.x\n \\.\n\\\\.\n", "x" },
                 { "1\n\\.", "1\n", NULL },
                 { "1\n2", "1\n2", NULL },
                 { "\\", "\\", NULL },
                 { "a\\.\n\\.\n\\.\n", "a\\.\n", "\\." } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t step = 1; step < 12; step++) {
            struct pieces source = { { &ops }, rows[i].text, step };
            PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
            char data[128] = "";
            const char *block;
            size_t len;
            struct pgc_error err;
            pgc_reader_init(&reader, &source.base);
            pgc_reader_begin_copy(&reader);
            while (pgc_reader_copy(&reader, &block, &len, &err) == PGC_OK && len > 0)
                strncat(data, block, len);
            ck_assert_str_eq(data, rows[i].data);
            ck_assert_int_eq(pgc_reader_line(&reader, &block, &len, &err), PGC_OK);
            ck_assert_msg((block == NULL) == (rows[i].after == NULL), "case %zu", i);
            if (block != NULL)
                ck_assert_msg(len == strlen(rows[i].after) && memcmp(block, rows[i].after, len) == 0, "case %zu", i);
        }
}
END_TEST

Suite *slash_suite(void);
Suite *slash_suite(void) {
    Suite *s = suite_create("slash");
    TCase *t = tcase_create("meta-commands");
    tcase_add_test(t, arguments_are_read_as_psql_reads_them);
    tcase_add_test(t, open_quotes_are_told);
    tcase_add_test(t, backquotes_wait_for_eval);
    tcase_add_test(t, slash_copy);
    tcase_add_test(t, truth_as_psql_reads_it);
    tcase_add_test(t, copy_data_ends_at_its_marker);
    suite_add_tcase(s, t);
    return s;
}
