#include "migrate/fresh.h"

#include <check.h>
#include <string.h>

/* 2026-01-02 03:04:05 UTC */
#define NOW INT64_C(1767323045)

/* The files that a folder with one file would get: their names, each behind a blank. */
static void expect(const struct pgc_dialect *dialect, const char *there, const char *want) {
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder folder = PGC_FOLDER_INIT;
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder out = PGC_FOLDER_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf version = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf names = PGC_BUF_INIT;
    struct pgc_error err;
    struct pgc_fresh_request request = { &folder, "m", "a b-c", NOW };
    if (there != NULL)
        ck_assert_int_eq(pgc_folder_add(&folder, "m", there, "select 1;", 9, &err), PGC_OK);
    ck_assert_int_eq(pgc_migration_fresh(dialect, &request, &version, &out, &err), PGC_OK);
    for (size_t i = 0; i < out.count; i++)
        pgc_buf_putf(&names, "%s%s", i > 0 ? " " : "", out.files[i].name);
    ck_assert_msg(strcmp(names.data, want) == 0, "%s, %s: %s, wanted %s", dialect->name, there, names.data, want);
}

START_TEST(styles)
{
    static const struct {
        const struct pgc_dialect *dialect;
        const char *there, *want;
    } rows[] = {
        { &pgc_dialect_native, NULL, "20260102030405_a_b-c.sql" },
        { &pgc_dialect_native, "20250101000000_x.sql", "20260102030405_a_b-c.sql" },
        /* The clock is behind, or two in one second. */
        { &pgc_dialect_native, "20260102030405_x.sql", "20260102030406_a_b-c.sql" },
        { &pgc_dialect_native, "20301231235959_x.sql", "20301231235960_a_b-c.sql" },
        { &pgc_dialect_native, "202501010000_x.sql", "202601020304_a_b-c.sql" },
        { &pgc_dialect_native, "0007_x.sql", "0008_a_b-c.sql" },
        { &pgc_dialect_native, "R__x.sql", "20260102030405_a_b-c.sql" },
        { &pgc_dialect_native, "deep/0007_x.sql", "20260102030405_a_b-c.sql" },
        { &pgc_dialect_dbmate, "99_x.sql", "100_a_b-c.sql" },
        { &pgc_dialect_golang, "1085649617_x.up.sql", "1767323045_a_b-c.down.sql 1767323045_a_b-c.up.sql" },
        { &pgc_dialect_golang, "000009_x.down.sql", "000010_a_b-c.down.sql 000010_a_b-c.up.sql" },
        { &pgc_dialect_goose, "00002_x.sql", "00003_a_b-c.sql" },
        { &pgc_dialect_flyway, NULL, "V1__a_b-c.sql" },
        { &pgc_dialect_flyway, "V1_9__x.sql", "V1_10__a_b-c.sql" },
        { &pgc_dialect_flyway, "sub/V2.0__2fast.sql", "V2.1__a_b-c.sql" },
        { &pgc_dialect_flyway, "U3__x.sql", "U4__a_b-c.sql V4__a_b-c.sql" },
        { &pgc_dialect_sqlx, "3_x.sql", "4_a_b-c.sql" },
        { &pgc_dialect_sqlx, "3_x.up.sql", "4_a_b-c.down.sql 4_a_b-c.up.sql" },
        { &pgc_dialect_diesel, NULL, "2026-01-02-030405_a_b-c/down.sql 2026-01-02-030405_a_b-c/up.sql" },
        { &pgc_dialect_diesel, "20250101000000_x/up.sql", "20260102030405_a_b-c/down.sql 20260102030405_a_b-c/up.sql" },
        { &pgc_dialect_diesel, "00000000000000_diesel_initial_setup/up.sql",
          "2026-01-02-030405_a_b-c/down.sql 2026-01-02-030405_a_b-c/up.sql" },
        { &pgc_dialect_refinery, "sub/U41__x.sql", "V42__a_b_c.sql" },
        { &pgc_dialect_tern, NULL, "001_a_b-c.sql" },
        { &pgc_dialect_tern, "shared/007_x.sql", "001_a_b-c.sql" },
        { &pgc_dialect_tern, "999_x.sql", "1000_a_b-c.sql" },
        { &pgc_dialect_atlas, NULL, "20260102030405_a_b-c.sql atlas.sum" },
        { &pgc_dialect_sqlmigrate, "10-x.sql", "11-a_b-c.sql" },
        { &pgc_dialect_supabase, NULL, "20260102030405_a_b-c.sql" },
        { &pgc_dialect_graphile, "current.sql", "committed/000001-a_b-c.sql current.sql" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(rows[i].dialect, rows[i].there, rows[i].want);
}
END_TEST

Suite *fresh_suite(void);
Suite *fresh_suite(void) {
    Suite *suite = suite_create("migrate fresh");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, styles);
    suite_add_tcase(suite, tc);
    return suite;
}
