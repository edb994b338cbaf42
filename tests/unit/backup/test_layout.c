#include "backup/layout.h"

#include <check.h>
#include <string.h>

START_TEST(names_go_there_and_back)
{
    char name[PGC_BACKUP_NAME_BYTES];
    pgc_backup_name(name, 1769860800000000 + 999999, 0x1f3a9c0b);
    ck_assert_str_eq(name, "20260131T120000Z-1f3a9c0b");
    int64_t us = 0;
    ck_assert(pgc_backup_parse_name(name, &us));
    ck_assert_int_eq(us, 1769860800000000);
    static const char *const bad[] = { "",
                                       "20260131T120000Z-1f3a9c0",
                                       "20260131T120000Z-1f3a9c0b0",
                                       "20260131T120000Z-1F3A9C0B",
                                       "20261331T120000Z-1f3a9c0b",
                                       "20260131T240000Z-1f3a9c0b",
                                       "20260131 120000Z-1f3a9c0b",
                                       "2026013/T120000Z-1f3a9c0b" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!pgc_backup_parse_name(bad[i], NULL), "%s", bad[i]);
}
END_TEST

/* Every ASCII character, and names that would reach elsewhere as a path. */
START_TEST(no_name_leaves_its_segment)
{
    char all[128];
    for (int c = 1; c < 128; c++)
        all[c - 1] = (char)c;
    all[127] = '\0';
    const char *names[] = { all,           ".", "..",  "../..", "/",       "a/b",     "app",
                            "app_staging", "%", "%2F", "",      ".hidden", "\xc3\xa4" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        PGC_CLEANUP(pgc_backup_place_release) struct pgc_backup_place place = PGC_BACKUP_PLACE_INIT;
        pgc_backup_key(&key, "main", names[i], "20260131T120000Z-1f3a9c0b", "manifest.json");
        ck_assert(strncmp(key.data, "main/", 5) == 0);
        int slashes = 0;
        for (const char *p = key.data; *p != '\0'; p++) {
            slashes += *p == '/';
            ck_assert(*p >= 0x20 && *p < 0x7f);
        }
        ck_assert_int_eq(slashes, 3);
        ck_assert(strstr(key.data, "/.") == NULL && strstr(key.data, "//") == NULL);
        ck_assert(pgc_backup_parse_key(key.data, &place));
        ck_assert_str_eq(place.database.data, names[i]);
        ck_assert_str_eq(place.cluster.data, "main");
        ck_assert_str_eq(place.name, "20260131T120000Z-1f3a9c0b");
        ck_assert_str_eq(place.artefact, "manifest.json");
    }
}
END_TEST

START_TEST(foreign_keys_are_no_backups)
{
    PGC_CLEANUP(pgc_backup_place_release) struct pgc_backup_place place = PGC_BACKUP_PLACE_INIT;
    static const char *const bad[] = {
        "manifest.json",
        "main/app/manifest.json",
        "main/app/20260131T120000Z-1f3a9c0b/",
        "main/app/20260131T120000Z-1f3a9c0b/x/manifest.json",
        "main/app/latest/manifest.json",
        "x/main/app/20260131T120000Z-1f3a9c0b/manifest.json",
        "main/a%2fb/20260131T120000Z-1f3a9c0b/manifest.json", /* not the spelling we write */
        "main/%61pp/20260131T120000Z-1f3a9c0b/manifest.json",
        "main/a%00/20260131T120000Z-1f3a9c0b/manifest.json",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!pgc_backup_parse_key(bad[i], &place), "%s", bad[i]);
}
END_TEST

START_TEST(prefixes_end_with_a_slash)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    pgc_backup_key(&key, "main", "app", NULL, NULL);
    ck_assert_str_eq(key.data, "main/app/");
    pgc_buf_clear(&key);
    pgc_backup_key(&key, "main", NULL, NULL, NULL);
    ck_assert_str_eq(key.data, "main/");
}
END_TEST

START_TEST(globs_match_whole_names)
{
    ck_assert(pgc_backup_glob("app*", "app_staging"));
    ck_assert(!pgc_backup_glob("app", "app_staging"));
    ck_assert(pgc_backup_glob("*", ".a/b"));
    ck_assert(pgc_backup_glob("t[0-9]?", "t1x"));
    ck_assert(pgc_backup_glob("a\\*", "a*"));
}
END_TEST

Suite *layout_suite(void);
Suite *layout_suite(void) {
    Suite *s = suite_create("layout");
    TCase *tc = tcase_create("layout");
    tcase_add_test(tc, names_go_there_and_back);
    tcase_add_test(tc, no_name_leaves_its_segment);
    tcase_add_test(tc, foreign_keys_are_no_backups);
    tcase_add_test(tc, prefixes_end_with_a_slash);
    tcase_add_test(tc, globs_match_whole_names);
    suite_add_tcase(s, tc);
    return s;
}
