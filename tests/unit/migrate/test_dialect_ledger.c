#include "migrate/dialect_ledger.h"

#include <check.h>
#include <string.h>

static char version[] = "7", name[] = "it's {version}", file[] = "committed/7_a.sql", checksum[] = "11",
            header[] = "22";

static const struct pgc_ledger_place place = {
    .schema = "o\"dd", .table = "led\"ger", .qualified = "\"o\"\"dd\".\"led\"\"ger\"", .database = "test", .columns = ""
};

static char script[] = "create table a (t text default ';');\n\ncreate table b (i int); ;";

static struct pgc_migration sample(void) {
    return (struct pgc_migration) { .version = version,
                                    .name = name,
                                    .file = file,
                                    .own_checksum = checksum,
                                    .header = header,
                                    .up = { .text = script, .len = strlen(script), .line = 1 } };
}

/* Every word of every template is known: what is left in braces is the name of the sample alone. */
static void check_words(const char *dialect, const char *sql) {
    for (const char *p = strchr(sql, '{'); p != NULL; p = strchr(p + 1, '{'))
        ck_assert_msg(strncmp(p, "{version}", 9) == 0 && p > sql && p[-1] == ' ', "%s: %s", dialect, sql);
}

START_TEST(test_templates)
{
    struct pgc_migration m = sample();
    struct pgc_migration_set set = { .items = &m, .count = 1 };
    size_t seen = 0;
    for (const struct pgc_dialect *const *d = pgc_dialects(); *d != NULL; d++) {
        if ((*d)->ledger == NULL)
            continue;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
        struct pgc_ledger_entry entry = { (*d)->ledger, &place, &m, "6", "pgc 1" };
        pgc_ledger_foreign_create(&sql, (*d)->ledger, &place, &set);
        ck_assert_msg(strncmp(sql.data, "create schema if not exists \"o\"\"dd\";", 36) == 0, "%s", sql.data);
        pgc_ledger_foreign_read(&sql, (*d)->ledger, &place);
        pgc_ledger_foreign_up(&sql, &entry);
        size_t before = sql.len;
        pgc_ledger_foreign_down(&sql, &entry);
        ck_assert_uint_gt(sql.len, before);
        pgc_ledger_foreign_accept(&sql, &entry);
        check_words((*d)->name, sql.data);
        ck_assert_ptr_nonnull(strstr(sql.data, place.qualified));
        seen++;
    }
    ck_assert_uint_eq(seen, 12);
}
END_TEST

static const struct pgc_dialect_ledger words = {
    .up = "{name}|{file}|{version}|{checksum}|{header}|{kind}|{previous}|{tool}|{count}|{statements}|{table_pk}",
};

START_TEST(test_values)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_migration m = sample();
    struct pgc_ledger_entry entry = { &words, &place, &m, NULL, "pgc 1" };
    pgc_ledger_foreign_up(&sql, &entry);
    ck_assert_str_eq(sql.data, "'it''s {version}'|'7_a.sql'|'7'|'11'|'22'|'versioned'|null|'pgc 1'|2|array['create "
                               "table a (t text default '';'')','create table b (i int)']::text[]|\"led\"\"ger_pk\"");
}
END_TEST

START_TEST(test_schema_that_is_there)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_ledger_place there = place;
    struct pgc_migration_set set = PGC_MIGRATION_SET_INIT;
    there.schema_exists = true;
    pgc_ledger_foreign_create(&sql, pgc_dialect_dbmate.ledger, &there, &set);
    ck_assert_ptr_null(strstr(sql.data, "create schema"));
}
END_TEST

/* refinery keeps 32 bits as long as the versions fit. */
START_TEST(test_width)
{
    static const struct { const char *version, *type; } rows[] = { { "2147483647", "int4" }, { "2147483648", "int8" } };
    for (size_t i = 0; i < 2; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
        char text[16];
        struct pgc_migration m = { .version = strcpy(text, rows[i].version) };
        struct pgc_migration_set set = { .items = &m, .count = 1 };
        pgc_ledger_foreign_create(&sql, pgc_dialect_refinery.ledger, &place, &set);
        ck_assert_msg(strstr(sql.data, rows[i].type) != NULL, "%s", sql.data);
    }
}
END_TEST

/* The keys as the tools compute them: vectors of the tools themselves. */
START_TEST(test_keys)
{
    static const struct {
        const struct pgc_dialect *dialect;
        const char *table;
        size_t count;
        int64_t keys[2];
    } rows[] = {
        { &pgc_dialect_golang, "schema_migrations", 2, { 912609358, 2151868736 } },
        { &pgc_dialect_sqlx, "_sqlx_migrations", 1, { INT64_C(3729328775749822312), 0 } },
        { &pgc_dialect_flyway, "flyway_schema_history", 1, { INT64_C(77433833903597), 0 } },
        { &pgc_dialect_goose, "goose_db_version", 1, { INT64_C(4097083626), 0 } },
        { &pgc_dialect_tern, "schema_version", 1, { INT64_C(9628173550095224), 0 } },
        { &pgc_dialect_atlas, "atlas_schema_revisions", 1, { INT64_C(2686470616), 0 } },
        { &pgc_dialect_graphile, "migrations", 1, { INT64_C(4727445306447283), 0 } },
        { &pgc_dialect_dbmate, "schema_migrations", 0, { 0, 0 } },
        { &pgc_dialect_diesel, "__diesel_schema_migrations", 0, { 0, 0 } },
        { &pgc_dialect_refinery, "refinery_schema_history", 0, { 0, 0 } },
        { &pgc_dialect_sqlmigrate, "gorp_migrations", 0, { 0, 0 } },
        { &pgc_dialect_supabase, "schema_migrations", 0, { 0, 0 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf qualified = PGC_BUF_INIT;
        int64_t keys[PGC_LEDGER_KEYS_MAX] = { 0 };
        pgc_buf_putf(&qualified, "\"public\".\"%s\"", rows[i].table);
        struct pgc_ledger_place at = {
            .schema = "public", .table = rows[i].table, .qualified = qualified.data, .database = "test", .columns = ""
        };
        ck_assert_uint_eq(pgc_ledger_foreign_keys(rows[i].dialect->ledger, &at, keys), rows[i].count);
        for (size_t k = 0; k < rows[i].count; k++)
            ck_assert_msg(keys[k] == rows[i].keys[k], "%s: %lld", rows[i].dialect->name, (long long)keys[k]);
    }
}
END_TEST

Suite *dialect_ledger_suite(void);
Suite *dialect_ledger_suite(void) {
    Suite *s = suite_create("dialect_ledger");
    TCase *t = tcase_create("all");
    tcase_add_test(t, test_templates);
    tcase_add_test(t, test_values);
    tcase_add_test(t, test_schema_that_is_there);
    tcase_add_test(t, test_width);
    tcase_add_test(t, test_keys);
    suite_add_tcase(s, t);
    return s;
}
