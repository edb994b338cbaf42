#include "migrate/plan.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct pgc_folder folder;
static struct pgc_migration_set set;
static struct pgc_ledger ledger;
static struct pgc_plan plan;
static struct pgc_error err;
static const struct pgc_dialect_options no_options;

static void setup(void) {
    folder = (struct pgc_folder)PGC_FOLDER_INIT;
    set = (struct pgc_migration_set)PGC_MIGRATION_SET_INIT;
    ledger = (struct pgc_ledger)PGC_LEDGER_INIT;
    plan = (struct pgc_plan)PGC_PLAN_INIT;
}

static void teardown(void) {
    pgc_plan_release(&plan);
    pgc_ledger_release(&ledger);
    pgc_migration_set_release(&set);
    pgc_folder_release(&folder);
}

static void file(const char *name, const char *text) {
    ck_assert_int_eq(pgc_folder_add(&folder, "m", name, text, strlen(text), &err), PGC_OK);
}

static void parse(void) {
    ck_assert_int_eq(pgc_dialect_native.parse(&folder, &no_options, &set, &err), PGC_OK);
}

/* A row for the migration of that version or name, with its checksum; unknown ones get none. */
static struct pgc_ledger_row *row(const char *version, enum pgc_ledger_state state) {
    struct pgc_ledger_row *r = pgc_ledger_add(&ledger);
    const struct pgc_migration *m = pgc_migration_set_find(&set, version);
    r->version = m != NULL && m->version == NULL ? NULL : strdup(version);
    r->name = strdup(m != NULL ? m->name : "gone");
    r->checksum = m != NULL ? strdup(m->checksum) : NULL;
    r->state = state;
    return r;
}

static enum pgc_code make(enum pgc_plan_verb verb, const char *to, size_t count) {
    struct pgc_plan_request request = {
        .verb = verb, .to = to, .has_count = count > 0, .count = count, .missing = PGC_PLAN_WARN
    };
    pgc_plan_release(&plan);
    return pgc_plan_make(&plan, &set, &ledger, NULL, &request, &err);
}

/* "up 1, down 2" of the steps; a minus where there is no version. */
static const char *steps(void) {
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < plan.step_count; i++) {
        const struct pgc_migration *m = plan.steps[i].migration;
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %s", i > 0 ? ", " : "",
                 pgc_plan_action_name(plan.steps[i].action), m != NULL && m->version != NULL ? m->version : "-");
    }
    return text;
}

static const char *states(void) {
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < plan.entry_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
                 pgc_plan_state_name(plan.entries[i].state));
    return text;
}

static void four(void) {
    file("1_a.sql", "-- migrate:up\n-- migrate:down\n");
    file("2_b.sql", "-- migrate:up\n-- migrate:down\n");
    file("10_c.sql", "-- migrate:up\n-- migrate:down\n");
    file("R__r.sql", "select 1;");
    parse();
}

START_TEST(up_with_limits)
{
    four();
    static const struct {
        const char *to;
        size_t count;
        const char *steps;
    } cases[] = {
        { NULL, 0, "up 1, up 2, up 10, up -" },
        { "2", 0, "up 1, up 2" },
        { "10", 0, "up 1, up 2, up 10, up -" },
        { "b", 0, "up 1, up 2" },
        { NULL, 1, "up 1" },
        { NULL, 3, "up 1, up 2, up 10" },
        { NULL, 4, "up 1, up 2, up 10, up -" },
        { "2", 1, "up 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(make(PGC_PLAN_UP, cases[i].to, cases[i].count), PGC_OK);
        ck_assert_str_eq(steps(), cases[i].steps);
    }
    ck_assert_int_eq(make(PGC_PLAN_UP, "7", 0), PGC_E_USAGE);
    ck_assert_uint_eq(plan.step_count, 0);
}
END_TEST

START_TEST(down_goto_redo)
{
    four();
    row("1", PGC_LEDGER_APPLIED);
    row("2", PGC_LEDGER_APPLIED);
    row("10", PGC_LEDGER_APPLIED);
    row("r", PGC_LEDGER_APPLIED);
    static const struct {
        enum pgc_plan_verb verb;
        const char *to;
        size_t count;
        const char *steps;
    } cases[] = {
        { PGC_PLAN_UP, NULL, 0, "" },
        { PGC_PLAN_DOWN, NULL, 0, "down 10" },
        { PGC_PLAN_DOWN, NULL, 2, "down 10, down 2" },
        { PGC_PLAN_DOWN, NULL, 9, "down 10, down 2, down 1" },
        { PGC_PLAN_DOWN, "1", 0, "down 10, down 2" },
        { PGC_PLAN_DOWN, "0", 0, "down 10, down 2, down 1" },
        { PGC_PLAN_GOTO, "2", 0, "down 10" },
        { PGC_PLAN_GOTO, "10", 0, "" },
        { PGC_PLAN_REDO, NULL, 0, "down 10, up 10" },
        { PGC_PLAN_REDO, NULL, 2, "down 10, down 2, up 2, up 10" },
        { PGC_PLAN_MARK_PENDING, "2", 0, "forget 2" },
        { PGC_PLAN_MARK_APPLIED, "2", 0, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(make(cases[i].verb, cases[i].to, cases[i].count), PGC_OK);
        ck_assert_msg(!plan.fatal, "%zu", i);
        ck_assert_str_eq(steps(), cases[i].steps);
    }
    ck_assert_int_eq(make(PGC_PLAN_DOWN, NULL, 2), PGC_OK);
    ck_assert_str_eq(plan.steps[0].previous, "2");
    ck_assert_str_eq(plan.steps[1].previous, "1");
}
END_TEST

START_TEST(out_of_order_is_by_place)
{
    four();
    row("10", PGC_LEDGER_APPLIED);
    row("1", PGC_LEDGER_APPLIED);
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert_str_eq(states(), "applied out-of-order applied pending");
    ck_assert(plan.fatal);
    ck_assert_int_eq(pgc_plan_check(&plan, &err), PGC_E_DATA);
    ck_assert_str_eq(plan.current, "10");
    struct pgc_plan_request request = { .verb = PGC_PLAN_UP, .out_of_order = PGC_PLAN_WARN };
    pgc_plan_release(&plan);
    ck_assert_int_eq(pgc_plan_make(&plan, &set, &ledger, NULL, &request, &err), PGC_OK);
    ck_assert(!plan.fatal);
    ck_assert_uint_eq(plan.problem_count, 1);
    ck_assert_str_eq(steps(), "up 2, up -");
}
END_TEST

/* What requires a newer one stands behind it and is not late. */
START_TEST(required_order_is_not_late)
{
    file("1_a.sql", "-- pgc:requires 2\n");
    file("2_b.sql", "");
    parse();
    row("2", PGC_LEDGER_APPLIED);
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert(!plan.fatal);
    ck_assert_str_eq(steps(), "up 1");
}
END_TEST

START_TEST(drift_missing_repeatable)
{
    four();
    struct pgc_ledger_row *a = row("1", PGC_LEDGER_APPLIED);
    a->checksum[0] = a->checksum[0] == 'f' ? 'e' : 'f';
    row("5", PGC_LEDGER_APPLIED);
    struct pgc_ledger_row *r = row("r", PGC_LEDGER_APPLIED);
    r->checksum[0] = r->checksum[0] == 'f' ? 'e' : 'f';
    ck_assert_int_eq(make(PGC_PLAN_REPAIR, NULL, 0), PGC_OK);
    ck_assert_str_eq(states(), "changed pending missing pending outdated");
    ck_assert_str_eq(steps(), "accept 1");
    struct pgc_plan_request request = { .drift = PGC_PLAN_APPLY,
                                        .missing = PGC_PLAN_APPLY,
                                        .out_of_order = PGC_PLAN_APPLY };
    pgc_plan_release(&plan);
    ck_assert_int_eq(pgc_plan_make(&plan, &set, &ledger, NULL, &request, &err), PGC_OK);
    ck_assert_uint_eq(plan.problem_count, 0);
    ck_assert_str_eq(steps(), "up 2, up 10, rerun -");
}
END_TEST

START_TEST(versions_are_one_number_however_written)
{
    file("007_a.sql", "");
    parse();
    struct pgc_ledger_row *r = row("7", PGC_LEDGER_APPLIED);
    ck_assert_str_eq(r->version, "7");
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert_str_eq(states(), "applied");
}
END_TEST

START_TEST(baselines)
{
    file("1_a.sql", "");
    file("2_b.sql", "");
    file("2_baseline.sql", "-- migrate:baseline\n-- migrate:up\n");
    file("3_c.sql", "");
    parse();
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert_str_eq(steps(), "up 2, up 3");
    ck_assert_int_eq(plan.steps[0].migration->kind, PGC_MIGRATION_BASELINE);
    ck_assert_int_eq(make(PGC_PLAN_UP, "1", 0), PGC_OK);
    ck_assert_str_eq(steps(), "up 1");
    row("1", PGC_LEDGER_APPLIED);
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert_str_eq(steps(), "up 2, up 3");
    ck_assert_int_eq(plan.steps[0].migration->kind, PGC_MIGRATION_VERSIONED);
    pgc_ledger_release(&ledger);
    row("2", PGC_LEDGER_BASELINE);
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert_str_eq(steps(), "up 3");
}
END_TEST

START_TEST(half_finished_goes_on)
{
    four();
    row("1", PGC_LEDGER_APPLIED);
    row("2", PGC_LEDGER_APPLYING);
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    ck_assert_str_eq(steps(), "resume 2, up 10, up -");
    ledger.rows[1].state = PGC_LEDGER_REVERTING;
    ck_assert_int_eq(make(PGC_PLAN_DOWN, NULL, 0), PGC_OK);
    ck_assert_str_eq(steps(), "resume-down 2");
}
END_TEST

START_TEST(keys)
{
    static const char *const cases[][2] = {
        { "007", "7" },     { "1.0", "1" }, { "0", "0" },
        { "1_10", "1.10" }, { "0.0", "0" }, { "20240101000000", "20240101000000" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        pgc_ledger_version_key(&key, cases[i][0]);
        ck_assert_str_eq(key.data, cases[i][1]);
    }
}
END_TEST

START_TEST(ten_thousand_are_quick)
{
    char name[32];
    for (int i = 1; i <= 10000; i++) {
        struct pgc_folder_file f = { .path = name, .name = name, .text = (char[]) { "" }, .len = 0 };
        struct pgc_migration *m;
        snprintf(name, sizeof name, "%d_m.sql", i);
        ck_assert_int_eq(pgc_migration_set_new(&set, PGC_MIGRATION_VERSIONED, &f, &m, &err), PGC_OK);
        m->version = strndup(name, strcspn(name, "_"));
        m->name = strdup("m");
    }
    ck_assert_int_eq(pgc_migration_set_finish(&set, NULL, &err), PGC_OK);
    for (size_t i = 0; i < 9999; i++) {
        struct pgc_ledger_row *r = pgc_ledger_add(&ledger);
        r->version = strdup(set.items[i].version);
        r->checksum = strdup(set.items[i].checksum);
    }
    clock_t start = clock();
    ck_assert_int_eq(make(PGC_PLAN_UP, NULL, 0), PGC_OK);
    double ms = (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
    ck_assert_str_eq(steps(), "up 10000");
    /* The promise is 50 ms; a sanitizer or valgrind may take ten times as long. */
    ck_assert_msg(ms < 500, "%f ms", ms);
}
END_TEST

Suite *plan_suite(void);
Suite *plan_suite(void) {
    Suite *suite = suite_create("migrate plan");
    TCase *tc = tcase_create("plan");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, up_with_limits);
    tcase_add_test(tc, down_goto_redo);
    tcase_add_test(tc, out_of_order_is_by_place);
    tcase_add_test(tc, required_order_is_not_late);
    tcase_add_test(tc, drift_missing_repeatable);
    tcase_add_test(tc, versions_are_one_number_however_written);
    tcase_add_test(tc, baselines);
    tcase_add_test(tc, half_finished_goes_on);
    tcase_add_test(tc, keys);
    tcase_add_test(tc, ten_thousand_are_quick);
    suite_add_tcase(suite, tc);
    return suite;
}
