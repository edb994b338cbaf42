#include "backup/sweep.h"

#include <check.h>
#include <string.h>

#include "support/runtime.h"

#define DAY_US ((int64_t)86400 * 1000000)
#define NOW_US (20600 * DAY_US)
#define A      "main/app/20260131T120000Z-00000001/"
#define B      "main/app/20260201T120000Z-00000002/"

static struct {
    const char *key;
    int64_t age_us; /* < 0: the store does not tell */
} objects[8];
static char erased[1024];

static enum pgc_code fake_each(struct pgc_store *store, const char *prefix, pgc_store_each_fn *fn, void *arg,
                               struct pgc_error *err) {
    (void)store;
    for (size_t i = 0; i < 8 && objects[i].key != NULL; i++) {
        struct pgc_store_entry entry = { objects[i].key, 1, objects[i].age_us < 0 ? 0 : NOW_US - objects[i].age_us };
        if (strncmp(prefix, entry.key, strlen(prefix)) != 0)
            continue;
        enum pgc_code code = fn(arg, &entry, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code fake_erase(struct pgc_store *store, const char *key, struct pgc_error *err) {
    (void)store, (void)err;
    strcat(strcat(erased, key), " ");
    return PGC_OK;
}

static void sweep(const char *cluster, const char *database, const char *wanted) {
    static const struct pgc_store_driver driver = { .scheme = "fake", .each = fake_each, .erase = fake_erase };
    struct pgc_store store = { &driver };
    struct test_runtime runtime;
    struct pgc_error err;
    size_t count;
    test_runtime_init(&runtime);
    runtime.now_us = NOW_US;
    erased[0] = '\0';
    ck_assert_int_eq(pgc_backup_sweep(&store, cluster, database, 86400000, &runtime.rt, &count, &err), PGC_OK);
    ck_assert_str_eq(erased, wanted);
}

static void set(size_t i, const char *key, int64_t age_us) {
    objects[i].key = key;
    objects[i].age_us = age_us;
}

static void forget(void) {
    memset(objects, 0, sizeof objects);
}

START_TEST(artefacts_without_a_manifest_go)
{
    set(0, A "dump.zst.age", 2 * DAY_US);
    set(1, B "dump.zst", 2 * DAY_US);
    set(2, A "globals.sql.zst.age", 2 * DAY_US); /* in any order */
    set(3, B "manifest.json", 2 * DAY_US);
    sweep("main", "app", A "dump.zst.age " A "globals.sql.zst.age ");
    sweep(NULL, NULL, A "dump.zst.age " A "globals.sql.zst.age ");
    sweep("main", "ap", "");
    sweep(NULL, "ap", "");
}
END_TEST

START_TEST(a_young_object_keeps_its_folder)
{
    set(0, A "globals.sql.zst", 2 * DAY_US);
    set(1, A "dump.zst", DAY_US - 1);
    set(2, B "globals.sql.zst", 2 * DAY_US);
    set(3, B "dump.zst", -1); /* unknown */
    sweep("main", "app", "");
}
END_TEST

START_TEST(other_peoples_objects_stay)
{
    set(0, A "dump.zst", 2 * DAY_US);
    set(1, A "notes.txt", 2 * DAY_US);
    set(2, "main/app/dump.zst", 2 * DAY_US);
    set(3, "main/app/yesterday/dump.zst", 2 * DAY_US);
    set(4, B "dump.zst", 2 * DAY_US);
    set(5, B "pinned", 2 * DAY_US);
    sweep("main", "app", A "dump.zst ");
}
END_TEST

Suite *sweep_suite(void);
Suite *sweep_suite(void) {
    Suite *suite = suite_create("sweep");
    TCase *cases = tcase_create("sweep");
    tcase_add_checked_fixture(cases, NULL, forget);
    tcase_add_test(cases, artefacts_without_a_manifest_go);
    tcase_add_test(cases, a_young_object_keeps_its_folder);
    tcase_add_test(cases, other_peoples_objects_stay);
    suite_add_tcase(suite, cases);
    return suite;
}
