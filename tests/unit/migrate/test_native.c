#include <check.h>
#include <string.h>

#include "migrate/dialect.h"

static struct pgc_folder folder;
static struct pgc_migration_set set;
static struct pgc_error err;

static void reset(void) {
    pgc_folder_release(&folder);
    pgc_migration_set_release(&set);
}

static void file(const char *name, const char *text) {
    ck_assert_int_eq(pgc_folder_add(&folder, "m", name, text, strlen(text), &err), PGC_OK);
}

static enum pgc_code parse(void) {
    static const struct pgc_dialect_options options;
    return pgc_dialect_native.parse(&folder, &options, &set, &err);
}

START_TEST(order_is_numeric_and_repeatable_last)
{
    reset();
    file("10_ten.sql", "select 10;");
    file("R__view.sql", "select 'r';");
    file("9_nine.sql", "select 9;");
    file("002-two.sql", "select 2;");
    file("notes.sql", "select 0;");
    file("grants.sql", "-- migrate:repeatable\nselect 'g';");
    ck_assert_int_eq(parse(), PGC_OK);
    static const char *const names[] = { "two", "nine", "ten", "grants", "view" };
    ck_assert_uint_eq(set.count, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(set.items[i].name, names[i]);
    ck_assert_str_eq(set.items[0].version, "002");
    ck_assert_ptr_null(set.items[4].version);
    ck_assert_uint_eq(set.ignored.count, 1);
    ck_assert_ptr_eq(pgc_migration_set_find(&set, "2"), &set.items[0]);
    ck_assert_ptr_eq(pgc_migration_set_find(&set, "R__view.sql"), &set.items[4]);
}
END_TEST

START_TEST(sections_keep_lines)
{
    reset();
    file("1_a.sql", "-- head\n-- migrate:up transaction:false\ncreate a;\n-- migrate:down\r\ndrop a;\n"
                    "-- migrate:up\n  boo;\n");
    ck_assert_int_eq(parse(), PGC_OK);
    const struct pgc_migration *m = &set.items[0];
    size_t line, column;
    ck_assert_int_eq(m->up.tx, PGC_MIGRATION_TX_OFF);
    ck_assert_int_eq(m->down.tx, PGC_MIGRATION_TX_AUTO);
    ck_assert_ptr_nonnull(strstr(m->up.text, "create a"));
    ck_assert_ptr_null(strstr(m->up.text, "drop a"));
    pgc_migration_position(&m->up, (size_t)(strstr(m->up.text, "boo") - m->up.text), &line, &column);
    ck_assert_uint_eq(line, 7);
    ck_assert_uint_eq(column, 3);
    pgc_migration_position(&m->down, (size_t)(strstr(m->down.text, "drop a") - m->down.text), &line, &column);
    ck_assert_uint_eq(line, 5);
}
END_TEST

START_TEST(malformed_files)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "select 1;\n-- migrate:up\n", "m/1_a.sql:1: only comments" },
        { "-- migrate:down\n-- migrate:up\n", "m/1_a.sql:1: '-- migrate:down' stands before" },
        { "-- migrate:up\n-- migrate:down\n-- migrate:down\n", "m/1_a.sql:3: a second" },
        { "-- migrate:up transaction:no\n", "m/1_a.sql:1: unknown option 'transaction:no'" },
        { "-- pgc:requires 7\n", "m/1_a.sql:1: requires '7', which is not in the folder" },
        { "-- pgc:requires 1\n", "m/1_a.sql:1: requires itself" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reset();
        file("1_a.sql", cases[i].text);
        ck_assert_int_eq(parse(), PGC_E_DATA);
        ck_assert_msg(strncmp(err.message, cases[i].message, strlen(cases[i].message)) == 0, "%s", err.message);
    }
}
END_TEST

START_TEST(duplicates_name_both_files)
{
    reset();
    file("7_b.sql", "");
    file("007_a.sql", "");
    ck_assert_int_eq(parse(), PGC_E_DATA);
    ck_assert_str_eq(err.message, "version 7 is used twice: 'm/007_a.sql' and 'm/7_b.sql'; rename one of them");
}
END_TEST

START_TEST(requires_move_a_migration)
{
    reset();
    file("1_a.sql", "-- pgc:requires 3\n");
    file("2_b.sql", "");
    file("3_c.sql", "");
    file("4_d.sql", "-- pgc:requires b, 3_c.sql\n");
    ck_assert_int_eq(parse(), PGC_OK);
    static const char *const names[] = { "b", "c", "a", "d" };
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(set.items[i].name, names[i]);
    ck_assert_uint_eq(set.items[3].needs[1].index, 1);
}
END_TEST

START_TEST(requires_in_a_circle)
{
    reset();
    file("1_a.sql", "-- pgc:requires 2\n");
    file("2_b.sql", "\n-- pgc:requires 3\n");
    file("3_c.sql", "-- pgc:requires 2\n");
    ck_assert_int_eq(parse(), PGC_E_DATA);
    ck_assert_str_eq(err.message, "migrations require each other in a circle: "
                                  "m/2_b.sql:2 requires 3, m/3_c.sql:1 requires 2");
}
END_TEST

START_TEST(line_ends_and_bom_do_not_change_the_checksum)
{
    reset();
    file("1_a.sql", "select 1;\nselect 2;\n");
    file("2_b.sql", "\xEF\xBB\xBFselect 1;\r\nselect 2;\r\n");
    file("3_c.sql", "select 1;\nselect 3;\n");
    ck_assert_int_eq(parse(), PGC_OK);
    ck_assert_str_eq(set.items[0].checksum, set.items[1].checksum);
    ck_assert_str_ne(set.items[0].checksum, set.items[2].checksum);
    ck_assert_int_eq(set.items[1].up.text[0], 's');
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
    reset();
    ck_assert_int_eq(pgc_folder_add(&folder, "m", "1_a.sql", "s\0e\0\n\0", 6, &err), PGC_OK);
    ck_assert_int_eq(parse(), PGC_E_DATA);
    ck_assert_str_eq(err.message, "m/1_a.sql:1: holds a NUL byte: this is no UTF-8 text (UTF-16?)");
}
END_TEST

START_TEST(literals)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_sql_literal(&sql, "it's");
    pgc_sql_literal(&sql, "a\\'b");
    pgc_sql_literal(&sql, NULL);
    pgc_sql_ident(&sql, "a\"b");
    ck_assert_str_eq(sql.data, "'it''s' E'a\\\\''b'null\"a\"\"b\"");
}
END_TEST

Suite *native_suite(void);
Suite *native_suite(void) {
    Suite *suite = suite_create("migrate native");
    TCase *tc = tcase_create("native");
    tcase_add_test(tc, order_is_numeric_and_repeatable_last);
    tcase_add_test(tc, sections_keep_lines);
    tcase_add_test(tc, malformed_files);
    tcase_add_test(tc, duplicates_name_both_files);
    tcase_add_test(tc, requires_move_a_migration);
    tcase_add_test(tc, requires_in_a_circle);
    tcase_add_test(tc, line_ends_and_bom_do_not_change_the_checksum);
    tcase_add_test(tc, a_nul_byte_is_refused);
    tcase_add_test(tc, literals);
    suite_add_tcase(suite, tc);
    return suite;
}
