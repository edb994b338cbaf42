/* The plan as a value: by database, over good backups, never the last one. Deleting is tested in tests/it/backup-verify.sh. */
#include "backup/prune.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US ((int64_t)86400 * 1000000)
#define NOW_US (20600 * DAY_US)

static struct pgc_error err;
static struct pgc_catalog catalog;

static struct pgc_catalog_entry *add(const char *cluster, const char *database, int days_ago) {
    ck_assert(pgc_array_grow(&catalog.items, &catalog.cap, catalog.count + 1, sizeof *catalog.items));
    struct pgc_catalog_entry *entry = &catalog.items[catalog.count++];
    *entry = (struct pgc_catalog_entry) { .manifest = PGC_MANIFEST_INIT };
    char id[32];
    snprintf(id, sizeof id, "%03d", 999 - days_ago);
    entry->manifest.id = strdup(id);
    entry->manifest.cluster = strdup(cluster);
    entry->manifest.database = strdup(database);
    entry->manifest.started_us = NOW_US - days_ago * DAY_US;
    return entry;
}

static void tear_down(void) {
    pgc_catalog_release(&catalog);
}

/* "a/app: 999+ 998- ..." */
static void check_plan(const struct pgc_keep_policy *policy, const char *wanted) {
    PGC_CLEANUP(pgc_prune_plan_release) struct pgc_prune_plan plan = PGC_PRUNE_PLAN_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_prune_plan_make(&catalog, policy, NOW_US, &plan, &err), PGC_OK);
    ck_assert_uint_eq(plan.count, catalog.count);
    const char *last = "";
    for (size_t i = 0; i < plan.count; i++) {
        const struct pgc_manifest *m = &plan.items[i].entry->manifest;
        if (strcmp(last, m->database) != 0)
            pgc_buf_putf(&text, "%s%s/%s:", text.len == 0 ? "" : "; ", m->cluster, m->database);
        last = m->database;
        pgc_buf_putf(&text, " %s%c", m->id, plan.items[i].keep ? '+' : '-');
    }
    ck_assert_str_eq(text.data, wanted);
}

START_TEST(each_database_by_itself)
{
    for (int i = 0; i < 3; i++) {
        add("a", "app", i);
        add("a", "app_staging", i);
    }
    struct pgc_keep_policy policy = { .count[PGC_KEEP_LAST] = 1 };
    check_plan(&policy, "a/app: 999+ 998- 997-; a/app_staging: 999+ 998- 997-");
    policy.min = 2;
    check_plan(&policy, "a/app: 999+ 998+ 997-; a/app_staging: 999+ 998+ 997-");
}
END_TEST

START_TEST(damaged_ones_neither_count_nor_go)
{
    add("a", "app", 0)->problem = strdup("artefact missing");
    add("a", "app", 1);
    add("a", "app", 2);
    struct pgc_keep_policy policy = { .count[PGC_KEEP_LAST] = 1 };
    check_plan(&policy, "a/app: 998+ 997- 999+");
}
END_TEST

START_TEST(pinned_ones_stay)
{
    add("a", "app", 0);
    add("a", "app", 1);
    add("a", "app", 2)->pinned = true;
    struct pgc_keep_policy policy = { .count[PGC_KEEP_LAST] = 1 };
    check_plan(&policy, "a/app: 999+ 998- 997+");
}
END_TEST

/* Backups stopped a year ago: a span of days must not empty the store. */
START_TEST(the_newest_always_stays)
{
    add("a", "app", 400);
    add("a", "app", 500);
    struct pgc_keep_policy policy = { .within[PGC_KEEP_LAST] = { .days = 7 } };
    check_plan(&policy, "a/app: 599+ 499-");
}
END_TEST

START_TEST(an_empty_policy_is_refused)
{
    PGC_CLEANUP(pgc_prune_plan_release) struct pgc_prune_plan plan = PGC_PRUNE_PLAN_INIT;
    struct pgc_keep_policy policy = { .min = 3 };
    add("a", "app", 0);
    ck_assert_int_eq(pgc_prune_plan_make(&catalog, &policy, NOW_US, &plan, &err), PGC_E_USAGE);
}
END_TEST

Suite *prune_suite(void);
Suite *prune_suite(void) {
    Suite *s = suite_create("prune");
    TCase *tc = tcase_create("prune");
    tcase_add_checked_fixture(tc, NULL, tear_down);
    tcase_add_test(tc, each_database_by_itself);
    tcase_add_test(tc, damaged_ones_neither_count_nor_go);
    tcase_add_test(tc, pinned_ones_stay);
    tcase_add_test(tc, the_newest_always_stays);
    tcase_add_test(tc, an_empty_policy_is_refused);
    suite_add_tcase(s, tc);
    return s;
}
