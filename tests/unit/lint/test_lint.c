#include <pgc/lint.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* "rule:line:column ..." of what pgc_lint_text finds. */
static char *found_in(const struct pgc_lint_options *options, const char *sql) {
    static char text[2000];
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    struct pgc_error err;
    ck_assert_int_eq(pgc_lint_text(options, "f.sql", sql, strlen(sql), &found, &err), PGC_OK);
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < found.count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s:%zu:%zu", i > 0 ? " " : "",
                                found.items[i].rule->id, found.items[i].line, found.items[i].column);
    return text;
}

static const char *found_by(const char *rule, const char *sql) {
    const char *const only[] = { rule, NULL };
    struct pgc_lint_options options = { .only = only };
    return found_in(&options, sql);
}

START_TEST(test_columns_count_characters)
{
    ck_assert_str_eq(found_by("ban-drop-table", "select 'é'; drop table \"é\";\n  drop table b"),
                     "ban-drop-table:1:13 ban-drop-table:2:3");
}
END_TEST

START_TEST(test_actions_have_places)
{
    ck_assert_str_eq(found_by("ban-drop-column",
                              "alter table s.\"t,(\" * -- x, y\n drop a, alter b set default f(1, 2),\n"
                              "/* , */ drop column c"),
                     "ban-drop-column:2:2 ban-drop-column:3:9");
}
END_TEST

START_TEST(test_one_bad_statement_hides_nothing)
{
    ck_assert_str_eq(found_by("ban-drop-table", "drop table a; drop drop table b; drop table c;"),
                     "ban-drop-table:1:1 syntax-error:1:20 ban-drop-table:1:34");
}
END_TEST

START_TEST(test_rest_of_a_table_is_checked)
{
    ck_assert_str_eq(
        found_by("prefer-jsonb", "create table t (\n a json,\n b int generated always as (a) virtual,\n c json);"),
        "prefer-jsonb:2:2 prefer-jsonb:4:2");
    ck_assert_str_eq(found_by("syntax-error", "create table t (\n a json,\n b oops oops,\n c json);"),
                     "syntax-error:3:9");
    ck_assert_str_eq(found_by("prefer-jsonb", "create table t (a oops oops, b int, c json, d oops oops)"),
                     "prefer-jsonb:1:37");
    ck_assert_str_eq(found_by("ban-drop-column", "alter table t drop a, add constraint c oops, drop b"),
                     "ban-drop-column:1:15 ban-drop-column:1:46");
    ck_assert_str_eq(found_by("prefer-jsonb", "create table t (a json) oops"), "syntax-error:1:25");
}
END_TEST

START_TEST(test_newer_syntax_is_a_warning_for_newer_servers)
{
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    struct pgc_lint_options options = { .pg_version = 19 };
    struct pgc_error err;
    ck_assert_int_eq(pgc_lint_text(&options, "f", "repack t;", 9, &found, &err), PGC_OK);
    ck_assert_uint_eq(found.count, 1);
    ck_assert_int_eq(found.items[0].severity, PGC_LINT_WARNING);
    ck_assert_uint_eq(found.unparsable, 0);
    options.pg_version = 15;
    ck_assert_int_eq(pgc_lint_text(&options, "g", "repack t;", 9, &found, &err), PGC_OK);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_int_eq(found.items[1].severity, PGC_LINT_ERROR);
    ck_assert_str_eq(found.items[1].file, "g");
    ck_assert_uint_eq(found.unparsable, 1);
    ck_assert_uint_eq(found.files, 2);
}
END_TEST

START_TEST(test_silence)
{
    static const char *const quiet[] = {
        "-- pgc:nolint ban-drop-table unused since May\ndrop table a;",
        "drop table a; -- pgc:nolint ban-drop-table unused\n",
        "drop /* pgc:nolint DS102 unused */ table a;",
        "-- pgc:nolint-file ban-drop-table all are unused\nselect 1;\ndrop table a;\ndrop table b;",
        "-- squawk-ignore ban-drop-column, ban-drop-table\ndrop table a;",
        "-- squawk-ignore-file\ndrop table a;",
        "-- squawk-ignore\ndrop table a;",
        "--squawk-ignore   ban-drop-column ,ban-drop-table,\ndrop table a;",
        "/* squawk-ignore ban-drop-table */\ndrop table a;",
        "/* squawk-ignore-file ban-drop-table */ select 1;\ndrop table a;",
        "-- pgc:nolint all unused\ndrop table a;",
        "-- squawk-ignore-file ban-drop-table\nselect 1; drop table a;",
        "-- atlas:nolint\ndrop table a;",
        "-- atlas:nolint destructive\ndrop table a;",
        "-- atlas:nolint DS102\n\nselect 1; drop table a;",
        "--pgc:nolint ban-drop-table: unused\ndrop table a;",
    };
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++)
        ck_assert_msg(*found_by("ban-drop-table", quiet[i]) == '\0', "not silent: %s", quiet[i]);
    static const char *const loud[] = {
        "-- pgc:nolint ban-drop-column other\ndrop table a;",
        "-- pgc:nolint ban-drop-table first only\nselect 1; drop table a;",
        "select '-- pgc:nolint ban-drop-table no comment'; drop table a;",
        "-- see pgc:nolint ban-drop-table\ndrop table a;",
        "-- atlas:nolint DS102\nselect 1; drop table a;",
        "drop table a;\n-- pgc:nolint ban-drop-table too late\n",
        "-- pgc:nolint\ndrop table a;",
        "-- pgc:nolint-file\ndrop table a;",
    };
    for (size_t i = 0; i < sizeof loud / sizeof loud[0]; i++)
        ck_assert_msg(*found_by("ban-drop-table", loud[i]) != '\0', "silent: %s", loud[i]);
}
END_TEST

START_TEST(test_markers_tell_the_transaction)
{
    static const struct {
        const char *sql;
        enum pgc_lint_transaction given;
        bool inside;
    } cases[] = {
        { "select 1; vacuum;", PGC_LINT_TX_AUTO, false },
        { "select 1; vacuum;", PGC_LINT_TX_YES, true },
        { "-- migrate:up\nselect 1; vacuum;", PGC_LINT_TX_AUTO, true },
        { "-- migrate:up\nselect 1; vacuum;", PGC_LINT_TX_NO, false },
        { "-- migrate:up transaction:false\nselect 1; vacuum;", PGC_LINT_TX_AUTO, false },
        { "-- migrate:up transaction:false\nselect 1; vacuum;", PGC_LINT_TX_YES, false },
        { "-- +goose Up\nselect 1; vacuum;", PGC_LINT_TX_AUTO, true },
        { "-- +goose NO TRANSACTION\n-- +goose Up\nselect 1; vacuum;", PGC_LINT_TX_AUTO, false },
        { "-- +migrate Up notransaction\nselect 1; vacuum;", PGC_LINT_TX_AUTO, false },
        { "-- no-transaction\nselect 1; vacuum;", PGC_LINT_TX_YES, false },
        { "\n-- no-transaction\nselect 1; vacuum;", PGC_LINT_TX_YES, true },
        { "select 1; vacuum;\n---- create above / drop below ----\ndrop table a;", PGC_LINT_TX_AUTO, true },
        { "---- tern: disable-tx ----\nselect 1; vacuum;", PGC_LINT_TX_YES, false },
        { "select 1; vacuum;", PGC_LINT_TX_IMPLICIT, true },
        { "begin; commit; select 1; vacuum;", PGC_LINT_TX_IMPLICIT, false },
        { "--! no-transaction\nselect 1; vacuum;", PGC_LINT_TX_YES, false },
        { "-- atlas:txmode none\n\nselect 1; vacuum;", PGC_LINT_TX_YES, false },
        { "-- squawk-disable-assume-in-transaction\nselect 1; vacuum;", PGC_LINT_TX_YES, false },
        { "-- migrate the users\nselect 1; vacuum;", PGC_LINT_TX_AUTO, false },
        { "select 1; vacuum;", PGC_LINT_TX_LIKELY, false },
        { "-- +goose Up\nselect 1; vacuum;", PGC_LINT_TX_LIKELY, true },
    };
    const char *const only[] = { "ban-in-transaction", NULL };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pgc_lint_options options = { .transaction = cases[i].given, .only = only };
        ck_assert_msg((*found_in(&options, cases[i].sql) != '\0') == cases[i].inside, "case %zu", i);
    }
}
END_TEST

START_TEST(test_likely_wrapped)
{
    const char *const only[] = { "prefer-robust-stmts", NULL };
    struct pgc_lint_options options = { .transaction = PGC_LINT_TX_LIKELY, .only = only };
    ck_assert_str_eq(found_in(&options, "create table a (x int); drop table b;"), "");
    ck_assert_str_eq(found_in(&options, "-- no-transaction\nselect 1; drop table b;"), "prefer-robust-stmts:2:11");
    ck_assert_str_eq(found_in(&options, "create index concurrently on a (x); drop table b;"),
                     "prefer-robust-stmts:1:37");
    ck_assert_str_eq(found_in(&options, "begin; select 1; commit; drop table b;"), "prefer-robust-stmts:1:26");
}
END_TEST

START_TEST(test_down_parts)
{
    static const char sql[] = "-- migrate:up\ncreate table a (x int);\n-- migrate:down\ndrop table b;\n";
    const char *const only[] = { "ban-drop-table", NULL };
    struct pgc_lint_options options = { .only = only };
    ck_assert_str_eq(found_in(&options, sql), "");
    options.include_down = true;
    ck_assert_str_eq(found_in(&options, sql), "ban-drop-table:4:1");
    ck_assert_str_eq(found_by("ban-drop-table", "-- +goose Down\ndrop table a;\n-- +goose Up\ndrop table b;"),
                     "ban-drop-table:4:1");
}
END_TEST

START_TEST(test_psql_files)
{
    ck_assert_str_eq(
        found_by("ban-drop-table",
                 "\\restrict x\n\\unrestrict x\n\\set v 'drop table z;'\ncopy t from stdin;\ndrop table x;\n\\.\n"
                 "select :'v', :\"v\" from :t where a = :n \\gset\ndrop table y;"),
        "ban-drop-table:8:1");
}
END_TEST

START_TEST(test_placeholders)
{
    ck_assert_str_eq(found_by("ban-drop-table", "drop table ${flyway:defaultSchema}.a; drop table {{ .prefix }}_b;\n"
                                                "select '${x}', ${n}; drop table ${x;"),
                     "ban-drop-table:1:1 ban-drop-table:1:39 syntax-error:2:33");
    const char *const none[] = { "ban-drop-table", "template-placeholder", NULL };
    struct pgc_lint_options options = { .only = none };
    ck_assert_str_eq(found_in(&options, "{{ template \"x.sql\" . }}\ndrop table a;"),
                     "ban-drop-table:1:1 template-placeholder:1:1");
    ck_assert_str_eq(found_in(&options, "select '{{1,2}}' oops oops"), "syntax-error:1:23");
    ck_assert_str_eq(found_in(&options, "select {{ if x }} oops oops {{ end }}"), "template-placeholder:1:1");
    ck_assert_str_eq(found_in(&options, "{{ template \"x.sql\" . }};\ndrop table a;"),
                     "template-placeholder:1:1 ban-drop-table:2:1");
}
END_TEST

START_TEST(test_odd_bytes)
{
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    struct pgc_lint_options options = { 0 };
    struct pgc_error err;
    static const char sql[] = "\xef\xbb\xbf"
                              "drop table a\0b; select '\xff\xfe'; drop table c";
    ck_assert_int_eq(pgc_lint_text(&options, "f", sql, sizeof sql - 1, &found, &err), PGC_OK);
    ck_assert_uint_eq(found.statements, 3);
    ck_assert_int_eq(pgc_lint_text(&options, "f", "", 0, &found, &err), PGC_OK);
    ck_assert_uint_eq(found.files, 2);
}
END_TEST

#define T(text) text, sizeof text - 1
START_TEST(test_encodings)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *found;
        size_t unparsable;
    } cases[] = {
        { T("\xef\xbb\xbf"
            "drop table a;\r\n  drop table b;\r\n"),
          "ban-drop-table:1:1 ban-drop-table:2:3", 0 },
        { "\xff\xfe"
          "d\0r\0o\0p\0",
          10, "file-encoding:1:1", 1 },
        { T("PGDMP\1\16\0"), "file-encoding:1:1", 1 },
        { T("drop table a;\ndrop \0table b; drop table c;"),
          "ban-drop-table:1:1 file-encoding:2:6 syntax-error:2:6 ban-drop-table:2:16", 2 },
        { T("drop table caf\xe9;"), "ban-drop-table:1:1 file-encoding:1:15", 0 },
        { T("set client_encoding = 'LATIN1'; drop table caf\xe9;"), "ban-drop-table:1:33", 0 },
    };
    const char *const only[] = { "ban-drop-table", "file-encoding", NULL };
    struct pgc_lint_options options = { .only = only };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
        struct pgc_error err;
        char text[400] = "";
        ck_assert_int_eq(pgc_lint_text(&options, "f", cases[i].bytes, cases[i].len, &found, &err), PGC_OK);
        for (size_t f = 0; f < found.count; f++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:%zu:%zu", f > 0 ? " " : "",
                     found.items[f].rule->id, found.items[f].line, found.items[f].column);
        ck_assert_str_eq(text, cases[i].found);
        ck_assert_uint_eq(found.unparsable, cases[i].unparsable);
    }
}
END_TEST

START_TEST(test_options)
{
    const char *const bad[] = { "no-such-rule", NULL }, *const level[] = { "PG101=error", "all=off", NULL };
    const char *const no_level[] = { "PG101=loud", NULL }, *const naming[] = { "tables=x", NULL };
    const char *const regex[] = { "table=(", NULL };
    struct pgc_error err;
    ck_assert_int_eq(pgc_lint_options_check(&(struct pgc_lint_options) { .only = bad }, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_lint_options_check(&(struct pgc_lint_options) { .exclude = bad }, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_lint_options_check(&(struct pgc_lint_options) { .severity = level }, &err), PGC_OK);
    ck_assert_int_eq(pgc_lint_options_check(&(struct pgc_lint_options) { .severity = no_level }, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_lint_options_check(&(struct pgc_lint_options) { .naming = naming }, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_lint_options_check(&(struct pgc_lint_options) { .naming = regex }, &err), PGC_E_USAGE);
    const char *const down[] = { "all=info", "ban-drop-table=off", NULL };
    struct pgc_lint_options options = { .severity = down };
    ck_assert_str_eq(found_in(&options, "drop table s.t"), "require-lock-timeout:1:1 require-statement-timeout:1:1");
    options.least = PGC_LINT_WARNING;
    ck_assert_str_eq(found_in(&options, "drop table s.t"), "");
    const char *const exclude[] = { "require-timeout-settings", "destructive", NULL };
    ck_assert_str_eq(found_in(&(struct pgc_lint_options) { .exclude = exclude }, "drop table s.t"), "");
    options = (struct pgc_lint_options) { .lock_timeout_set = true, .statement_timeout_set = true };
    ck_assert_str_eq(found_in(&options, "drop table s.t"), "ban-drop-table:1:1");
}
END_TEST

/* A server with a small table "small", a large one "large", and nothing else. */
static struct pgc_lint_table fake_table(void *arg, const char *schema, const char *name) {
    (void)arg;
    (void)schema;
    bool small = strcmp(name, "small") == 0, large = strcmp(name, "large") == 0;
    return (struct pgc_lint_table) { small || large, small ? 10 : 1000000, small ? 8192 : (int64_t)1 << 30 };
}

static const char *fake_type(void *arg, const char *schema, const char *table, const char *column) {
    (void)schema;
    (void)table;
    (void)column;
    return *(const char **)arg;
}

START_TEST(test_server_knowledge)
{
    struct pgc_lint_catalog catalog = { .table = fake_table };
    const char *const only[] = { "require-concurrent-index-creation", NULL };
    struct pgc_lint_options options = { .only = only, .catalog = &catalog };
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    struct pgc_error err;
    static const char sql[] = "create index on small (a); create index on large (a); create index on absent (a);";
    ck_assert_int_eq(pgc_lint_text(&options, "f", sql, strlen(sql), &found, &err), PGC_OK);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_int_eq(found.items[0].severity, PGC_LINT_INFO);
    ck_assert_str_eq(found.items[0].table, "small");
    ck_assert_int_eq(found.items[1].severity, PGC_LINT_ERROR);
    ck_assert_int_eq(found.items[1].on_server.rows, 1000000);
    ck_assert_int_eq(pgc_lint_worst(&found), PGC_LINT_ERROR);
}
END_TEST

START_TEST(test_harmless_type_changes)
{
    static const struct {
        const char *now;
        const char *to;
        bool harmless;
    } cases[] = {
        { "character varying(10)", "varchar(20)", true },
        { "character varying(10)", "varchar(5)", false },
        { "character varying(10)", "varchar", true },
        { "character varying", "varchar(5)", false },
        { "character varying(10)", "text", true },
        { "text", "varchar", true },
        { "text", "varchar(10)", false },
        { "citext", "text", false },
        { "numeric(10,2)", "numeric(12,2)", true },
        { "numeric(10,2)", "numeric(12,3)", false },
        { "numeric(10,2)", "numeric(8,2)", false },
        { "numeric(10,2)", "numeric", true },
        { "numeric", "numeric(10,2)", false },
        { "cidr", "inet", true },
        { "inet", "cidr", false },
        { "timestamp without time zone", "timestamptz", false },
        { "timestamp(3) without time zone", "timestamp(6)", true },
        { "bit varying(8)", "varbit(9)", true },
        { "integer", "bigint", false },
        { "text", "text[]", false },
        { "text", "text using upper(a)", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *now = cases[i].now;
        struct pgc_lint_catalog catalog = { .arg = &now, .column_type = fake_type };
        const char *const only[] = { "changing-column-type", NULL };
        struct pgc_lint_options options = { .only = only, .catalog = &catalog };
        char sql[200];
        snprintf(sql, sizeof sql, "alter table t alter a type %s", cases[i].to);
        ck_assert_msg((*found_in(&options, sql) == '\0') == cases[i].harmless, "%s to %s", cases[i].now, cases[i].to);
    }
}
END_TEST

START_TEST(test_zone_of_the_session)
{
    const char *now = "timestamp without time zone", *const only[] = { "changing-column-type", NULL };
    struct pgc_lint_catalog catalog = { .arg = &now, .column_type = fake_type };
    struct pgc_lint_options options = { .only = only, .catalog = &catalog };
    ck_assert_str_eq(found_in(&options, "set timezone = 'UTC'; alter table t alter a type timestamptz"), "");
    ck_assert_str_ne(found_in(&options, "set timezone = 'CET'; alter table t alter a type timestamptz"), "");
    ck_assert_str_ne(found_in(&options, "set timezone = 'UTC'; alter table t alter a type date"), "");
    options.pg_version = 11;
    ck_assert_str_ne(found_in(&options, "set timezone = 'UTC'; alter table t alter a type timestamptz"), "");
}
END_TEST

START_TEST(test_rules_are_complete)
{
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        ck_assert_ptr_nonnull(rule);
        ck_assert(rule->name != NULL && rule->summary != NULL && rule->why != NULL && rule->safe != NULL &&
                  rule->aliases != NULL && rule->severity != PGC_LINT_OFF);
        ck_assert_ptr_eq(pgc_lint_rule_find(rule->id, strlen(rule->id)), rule);
    }
    ck_assert_ptr_null(pgc_lint_rule_at(pgc_lint_rule_count()));
    ck_assert_ptr_null(pgc_lint_rule_find("all", 3));
    ck_assert_str_eq(pgc_lint_rule_find("ds103", 5)->id, "ban-drop-column");
}
END_TEST

Suite *lint_suite(void);
Suite *lint_suite(void) {
    Suite *suite = suite_create("lint");
    TCase *tests = tcase_create("lint");
    tcase_add_test(tests, test_columns_count_characters);
    tcase_add_test(tests, test_actions_have_places);
    tcase_add_test(tests, test_one_bad_statement_hides_nothing);
    tcase_add_test(tests, test_rest_of_a_table_is_checked);
    tcase_add_test(tests, test_newer_syntax_is_a_warning_for_newer_servers);
    tcase_add_test(tests, test_silence);
    tcase_add_test(tests, test_markers_tell_the_transaction);
    tcase_add_test(tests, test_likely_wrapped);
    tcase_add_test(tests, test_down_parts);
    tcase_add_test(tests, test_psql_files);
    tcase_add_test(tests, test_placeholders);
    tcase_add_test(tests, test_odd_bytes);
    tcase_add_test(tests, test_encodings);
    tcase_add_test(tests, test_options);
    tcase_add_test(tests, test_server_knowledge);
    tcase_add_test(tests, test_harmless_type_changes);
    tcase_add_test(tests, test_zone_of_the_session);
    tcase_add_test(tests, test_rules_are_complete);
    suite_add_tcase(suite, tests);
    return suite;
}
