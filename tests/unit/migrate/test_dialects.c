#include <check.h>
#include <string.h>

#include "migrate/annotated.h"

/* --- what a folder of one or two files is taken for ------------------------------------------------------------------ */

static struct pgc_folder folder;
static struct pgc_migration_set set;
static struct pgc_error err;

static void setup(void) {
    folder = (struct pgc_folder)PGC_FOLDER_INIT;
    set = (struct pgc_migration_set)PGC_MIGRATION_SET_INIT;
}

static void teardown(void) {
    pgc_migration_set_release(&set);
    pgc_folder_release(&folder);
}

static void add(const char *name, const char *text) {
    ck_assert_int_eq(pgc_folder_add(&folder, "m", name, text, strlen(text), &err), PGC_OK);
}

static enum pgc_code parse(const struct pgc_dialect *dialect) {
    static const struct pgc_dialect_options none = { 0 };
    return dialect->parse(&folder, &none, &set, &err);
}

START_TEST(refusals)
{
    static const struct {
        const struct pgc_dialect *dialect;
        const char *files[4], *message; /* name, text, name, text */
    } rows[] = {
        { &pgc_dialect_dbmate,
          { "1_a.sql", "-- migrate:down\n-- migrate:up\n" },
          "m/1_a.sql:1: '-- migrate:down' stands before" },
        { &pgc_dialect_dbmate,
          { "1_a.sql", "-- migrate:up\n-- migrate:down\n-- migrate:down\n" },
          "m/1_a.sql:3: a second '-- migrate:down'" },
        { &pgc_dialect_dbmate,
          { "1_a.sql", "select 1;\n-- migrate:up\n-- migrate:down\n" },
          "m/1_a.sql:1: only comments" },
        { &pgc_dialect_golang, { "1_a.up.sql", "x", "01_b.up.sql", "x" }, "version 1 is used twice" },
        { &pgc_dialect_goose, { "0_a.sql", "-- +goose Up\n" }, "m/0_a.sql: version 0 is goose's own" },
        { &pgc_dialect_goose, { "1_a.sql", "-- +goose Down\n" }, "m/1_a.sql:1: '-- +goose Down' is out of place" },
        { &pgc_dialect_goose,
          { "1_a.sql", " -- +goose Up\n" },
          "m/1_a.sql:1: an annotation begins in the first column" },
        { &pgc_dialect_goose,
          { "1_a.sql", "-- +goose Up\nselect 1\n" },
          "m/1_a.sql:2: the statement that begins here" },
        { &pgc_dialect_flyway,
          { "V1__a.sql", "select '${x}';" },
          "m/V1__a.sql:1: there is no value for the placeholder ${x}" },
        { &pgc_dialect_flyway,
          { "V1__a.sql", "select '${flyway:workingDirectory}';" },
          "no value for the placeholder ${flyway:workingDirectory}" },
        { &pgc_dialect_flyway,
          { "V1__a.sql", "select 1;", "V1__a.sql.conf", "encoding = ISO-8859-1\n" },
          "m/V1__a.sql.conf: 'encoding=ISO-8859-1' is not supported" },
        { &pgc_dialect_flyway,
          { "V1__a.sql", "select 1;", "V1__a.sql.conf", "shouldExecute=false" },
          "'shouldExecute=false' is not supported" },
        { &pgc_dialect_flyway, { "V1__a.sql", "x", "V1.0__b.sql", "x" }, "version 1 is used twice" },
        { &pgc_dialect_diesel, { "1_a/up.sql", " \n" }, "m/1_a/up.sql: is empty" },
        { &pgc_dialect_diesel, { "1_a/down.sql", "x" }, "m/1_a/down.sql: there is no up.sql beside it" },
        { &pgc_dialect_tern, { "001_a.sql", "x", "1_b.sql", "x" }, "Duplicate migration 1" },
        { &pgc_dialect_atlas,
          { "1_a.sql", "-- atlas:txmode maybe\n\nselect 1;" },
          "m/1_a.sql:1: unknown txmode 'maybe'" },
        { &pgc_dialect_atlas,
          { "1_a.sql", "-- atlas:txtar\n\n-- checks.sql --\n" },
          "'-- atlas:txtar' is not supported" },
        { &pgc_dialect_atlas,
          { "1_a.sql", "select 1;", "atlas.sum", "h1:x\n1_a.sql h1:x\n" },
          "checksum mismatch at '1_a.sql'" },
        { &pgc_dialect_graphile,
          { "committed/000001.sql", "--! Previous: sha1:0\n--! Hash: sha1:0\n\nselect 1;\n" },
          "follows 'sha1:0', but the migration before it is '-'" },
        { &pgc_dialect_graphile,
          { "committed/000001.sql", "select 1;\n" },
          "'--! Previous:' and '--! Hash:' are missing" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setup();
        for (size_t f = 0; f < 4 && rows[i].files[f] != NULL; f += 2)
            add(rows[i].files[f], rows[i].files[f + 1]);
        ck_assert_msg(parse(rows[i].dialect) == PGC_E_DATA, "%s: not refused", rows[i].message);
        ck_assert_msg(strstr(err.message, rows[i].message) != NULL, "%s, wanted %s", err.message, rows[i].message);
        teardown();
    }
    setup();
}
END_TEST

/* A migration in a language of its own is known, and only the old tool can run it. */
START_TEST(other_languages)
{
    add("00001_a.sql", "-- +goose Up\nselect 1;\n");
    add("00002_b.go", "package main");
    add("00002_b_test.go", "package main");
    add("helper.go", "package main");
    ck_assert_int_eq(parse(&pgc_dialect_goose), PGC_OK);
    ck_assert_uint_eq(set.count, 2);
    ck_assert_ptr_null(set.items[0].unrunnable);
    ck_assert_str_eq(set.items[1].unrunnable, "it is written in Go");
    ck_assert_str_eq(set.items[1].name, "b");
    teardown();
    setup();
    add("V1__a.rs", "fn main() {}");
    add("mod.rs", "");
    ck_assert_int_eq(parse(&pgc_dialect_refinery), PGC_OK);
    ck_assert_uint_eq(set.count, 1);
    ck_assert_str_eq(set.items[0].unrunnable, "it is written in Rust");
}
END_TEST

START_TEST(golang_names)
{
    add("1_a.up.b.up.pg.sql", "select 1;");
    add("1_a.up.b.down.pg.sql", "select 2;");
    add("2_only.down.sql", "select 3;");
    ck_assert_int_eq(parse(&pgc_dialect_golang), PGC_OK);
    ck_assert_uint_eq(set.count, 2);
    ck_assert_str_eq(set.items[0].name, "a.up.b");
    ck_assert_str_eq(set.items[0].up.text, "select 1;");
    ck_assert_str_eq(set.items[0].down.text, "select 2;");
    ck_assert(set.items[1].ignored);
}
END_TEST

/* What only a server knows stays until there is one. */
START_TEST(server_values)
{
    static const struct pgc_dialect_options known = {
        .database = "db", .owner = "o", .user = "me", .schema = "s", .time = "t"
    };
    add("V1__a.sql",
        "select '${flyway:database} ${FLYWAY:USER} ${flyway:defaultSchema} ${flyway:timestamp} ${flyway:filename}';");
    ck_assert_int_eq(parse(&pgc_dialect_flyway), PGC_OK);
    ck_assert(set.wants_server);
    ck_assert_ptr_nonnull(strstr(set.items[0].up.text, "'${flyway:database} ${FLYWAY:USER}"));
    pgc_migration_set_release(&set);
    ck_assert_int_eq(pgc_dialect_flyway.parse(&folder, &known, &set, &err), PGC_OK);
    ck_assert(!set.wants_server);
    ck_assert_str_eq(set.items[0].up.text, "select 'db me s t V1__a.sql';");
}
END_TEST

START_TEST(flyway_conf)
{
    add("V1__a.sql", "select '${x}';");
    add("V1__a.sql.conf", "# comment\nexecuteInTransaction = false \nplaceholderReplacement:false\nencoding=utf-8");
    ck_assert_int_eq(parse(&pgc_dialect_flyway), PGC_OK);
    ck_assert_int_eq(set.items[0].up.tx, PGC_MIGRATION_TX_OFF);
    ck_assert_str_eq(set.items[0].up.text, "select '${x}';");
}
END_TEST

/* --- goose's substitution -------------------------------------------------------------------------------------------- */

static const char *env(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "SET") == 0 ? "value" : strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

START_TEST(environment)
{
    static const struct pgc_dialect_options options = { .env = env };
    static const struct {
        const char *text, *want; /* NULL: refused */
    } rows[] = {
        { "$SET ${SET}", "value value" },       { "a${EMPTY}b$UNSET.", "ab." }, { "${UNSET-d} ${UNSET:-d}", "d d" },
        { "[${EMPTY-d}] ${EMPTY:-d}", "[] d" }, { "${SET?wanted}", "value" },   { "${UNSET?wanted}", NULL },
        { "\\$SET $$ $1", "$SET $$ $1" },       { "${SET:+x}", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        enum pgc_code code = pgc_annotated_substitute(rows[i].text, strlen(rows[i].text), &options, &out, &err);
        ck_assert_msg((code == PGC_OK) == (rows[i].want != NULL), "%s", rows[i].text);
        if (rows[i].want != NULL)
            ck_assert_str_eq(out.data, rows[i].want);
    }
}
END_TEST

Suite *dialects_suite(void);
Suite *dialects_suite(void) {
    Suite *suite = suite_create("migrate dialects");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, other_languages);
    tcase_add_test(tc, golang_names);
    tcase_add_test(tc, server_values);
    tcase_add_test(tc, flyway_conf);
    tcase_add_test(tc, environment);
    suite_add_tcase(suite, tc);
    return suite;
}
