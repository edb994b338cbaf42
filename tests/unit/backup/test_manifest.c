#include "backup/manifest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pgc_error err;
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void fill(struct pgc_manifest *m) {
    m->id = strdup("20260131T120000Z-1f3a9c0b");
    m->cluster = strdup("main");
    m->database = strdup("a \"b\"\n\xc3\xa4");
    m->started_us = 1769860800123000;
    m->finished_us = 1769860801000000;
    m->server_version = strdup("15.18");
    m->server_version_num = 150018;
    m->system_identifier = strdup("18446744073709551615");
    m->database_bytes = 12345678901234;
    m->compression_level = 3;
    m->encrypted = true;
    m->row_count = 7;
    ck_assert_int_eq(pgc_strings_add(&m->recipients, "age1x", &err), PGC_OK);
    ck_assert_int_eq(pgc_strings_add(&m->warnings, "one", &err), PGC_OK);
    ck_assert_int_eq(pgc_strings_add(&m->extensions, "hstore", &err), PGC_OK);
    ck_assert_int_eq(pgc_strings_add(&m->extension_versions, "1.8", &err), PGC_OK);
    struct pgc_manifest_artefact *artefact = NULL;
    ck_assert_int_eq(pgc_manifest_add(m, "dump.zst.age", "dump", &artefact, &err), PGC_OK);
    artefact->stage_count = 2;
    artefact->stages[0] = (struct pgc_manifest_stage) { "raw", 100, HASH };
    artefact->stages[1] = (struct pgc_manifest_stage) { "age", 50, HASH };
    ck_assert_int_eq(pgc_manifest_add(m, "globals.sql.zst.age", "globals", &artefact, &err), PGC_OK);
    artefact->stage_count = 1;
    artefact->stages[0] = (struct pgc_manifest_stage) { "age", 5, HASH };
}

START_TEST(comes_back_as_written)
{
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest m = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest back = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT, again = PGC_BUF_INIT;
    fill(&m);
    pgc_manifest_write(&m, &text);
    ck_assert_msg(pgc_manifest_parse(text.data, text.len, &back, &err) == PGC_OK, "%s\n%s", err.message, text.data);
    pgc_manifest_write(&back, &again);
    ck_assert_str_eq(again.data, text.data);
    ck_assert_str_eq(back.database, m.database);
    ck_assert_uint_eq(pgc_manifest_stored_bytes(&back), 55);
    ck_assert_str_eq(pgc_manifest_find(&back, "globals")->name, "globals.sql.zst.age");
    ck_assert_ptr_null(pgc_manifest_find(&back, "contents"));
}
END_TEST

/* Every cut of the text is refused, and so is every change of a member that readers rely on. */
START_TEST(damage_is_refused)
{
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest m = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest back = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    fill(&m);
    pgc_manifest_write(&m, &text);
    for (size_t n = 0; n + 1 < text.len; n++)
        ck_assert_int_eq(pgc_manifest_parse(text.data, n, &back, &err), PGC_E_DATA);
    static const char *const changes[][2] = {
        { "pgc-backup/1", "pgc-backup/9" },     { "dump.zst.age", "../zst.ages" },
        { "dump.zst.age", "a/b/c/d/e/ff" },     { "\"id\"", "\"ix\"" },
        { "20260131T", "20260x31T" },           { HASH, "Z" },
        { "\"bytes\": 100", "\"bytes\": -10" }, { "\"started\": \"2", "\"started\": \"x" },
        { "\"artefacts\"", "\"artifacts\"" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        PGC_AUTO_FREE char *copy = strdup(text.data);
        char *at = strstr(copy, changes[i][0]);
        ck_assert_ptr_nonnull(at);
        memcpy(at, changes[i][1], strlen(changes[i][1]));
        ck_assert_msg(pgc_manifest_parse(copy, text.len, &back, &err) == PGC_E_DATA, "%s", changes[i][1]);
    }
}
END_TEST

/* One bit anywhere: refused, or (in the name of the member "checksum") without a meaning. */
START_TEST(a_flipped_bit_is_refused)
{
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest m = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest back = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT, again = PGC_BUF_INIT;
    fill(&m);
    pgc_manifest_write(&m, &text);
    size_t accepted = 0;
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        text.data[bit / 8] ^= (char)(1 << bit % 8);
        if (pgc_manifest_parse(text.data, text.len, &back, &err) == PGC_OK) {
            accepted++;
            text.data[bit / 8] ^= (char)(1 << bit % 8);
            pgc_buf_clear(&again);
            pgc_manifest_write(&back, &again);
            ck_assert_str_eq(again.data, text.data);
        } else {
            ck_assert_int_eq(err.code, PGC_E_DATA);
            text.data[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
    ck_assert_uint_le(accepted, strlen("checksum") * 8);
}
END_TEST

START_TEST(an_edited_one_goes_without_its_checksum)
{
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest m = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest back = PGC_MANIFEST_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    fill(&m);
    pgc_manifest_write(&m, &text);
    memcpy(strstr(text.data, "\"main\""), "\"mine\"", 6);
    ck_assert_int_eq(pgc_manifest_parse(text.data, text.len, &back, &err), PGC_E_DATA);
    ck_assert_str_eq(err.message, "the manifest is damaged: its checksum is that of another text");
    char *line = strstr(text.data, "  \"checksum\""), *end = strchr(line, '\n') + 1;
    memmove(line, end, strlen(end) + 1);
    ck_assert_int_eq(pgc_manifest_parse(text.data, strlen(text.data), &back, &err), PGC_OK);
    ck_assert_str_eq(back.cluster, "mine");
}
END_TEST

START_TEST(recovery_quotes_for_the_shell)
{
    static const char *const rows[][2] = {
        { "app", "age -d -i key.txt d.age | zstd -d | pg_restore -d app" },
        { "my db", "age -d -i key.txt d.age | zstd -d | pg_restore -d \"dbname='my db'\"" },
        { "a=b", "age -d -i key.txt d.age | zstd -d | pg_restore -d \"dbname='a=b'\"" },
        { "q'", "age -d -i key.txt d.age | zstd -d | pg_restore -d \"dbname='q\\\\''\"" },
        { "$x\\", "age -d -i key.txt d.age | zstd -d | pg_restore -d \"dbname='\\$x\\\\\\\\'\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_AUTO_FREE char *line = pgc_manifest_recovery("d.age", true, rows[i][0]);
        ck_assert_str_eq(line, rows[i][1]);
    }
    PGC_AUTO_FREE char *plain = pgc_manifest_recovery("dump.zst", false, "app");
    ck_assert_str_eq(plain, "zstd -d < dump.zst | pg_restore -d app");
}
END_TEST

Suite *manifest_suite(void);
Suite *manifest_suite(void) {
    Suite *s = suite_create("manifest");
    TCase *tc = tcase_create("manifest");
    tcase_add_test(tc, comes_back_as_written);
    tcase_add_test(tc, damage_is_refused);
    tcase_add_test(tc, a_flipped_bit_is_refused);
    tcase_add_test(tc, an_edited_one_goes_without_its_checksum);
    tcase_add_test(tc, recovery_quotes_for_the_shell);
    suite_add_tcase(s, tc);
    return s;
}
