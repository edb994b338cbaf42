#include "backup/hook.h"

#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "support/runtime.h"

static enum pgc_code parse(const char *json, size_t *count) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    struct pgc_error err;
    enum pgc_code code = pgc_hook_parse(json, &argv, &err);
    *count = argv.count;
    return code;
}

START_TEST(only_a_json_array_of_texts_is_a_vector)
{
    size_t count;
    ck_assert_int_eq(parse("[\"a b\", \"\", \"c\"]", &count), PGC_OK);
    ck_assert_uint_eq(count, 3);
    static const char *const bad[] = { "", "a", "\"a\"", "[]", "[\"\"]", "[1]", "[\"a\", null]", "[\"a\"] x", "{}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(parse(bad[i], &count) == PGC_E_USAGE, "%s", bad[i]);
}
END_TEST

START_TEST(environment_is_made_anew)
{
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings vars = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings pass = PGC_STRINGS_INIT;
    struct pgc_error err;
    struct pgc_hook_call call = { .vars = &vars, .pass = &pass, .limit_ms = 60000 };
    const char *host = getenv("PGHOST"); /* other suites may share the process and need it */
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf kept = PGC_BUF_INIT;
    pgc_buf_puts(&kept, host == NULL ? "" : host);
    setenv("TEST_HOOK_SECRET", "x", 1);
    setenv("PGHOST", "db", 1);
    ck_assert_int_eq(
        pgc_hook_parse("[\"/bin/sh\", \"-c\", \"test -z \\\"$TEST_HOOK_SECRET\\\" -a \\\"$PGHOST\\\" = db -a "
                       "\\\"$PGC_JOB\\\" = nightly\"]",
                       &argv, &err),
        PGC_OK);
    ck_assert_int_eq(pgc_strings_add(&vars, "PGC_JOB=nightly", &err), PGC_OK);
    ck_assert_int_eq(pgc_hook_run(&argv, &call, test_runtime_real(), &err), PGC_OK);
    ck_assert_int_eq(pgc_strings_add(&pass, "TEST_HOOK_SECRET", &err), PGC_OK);
    ck_assert_int_eq(pgc_hook_run(&argv, &call, test_runtime_real(), &err), PGC_E_CHILD);
    setenv("PGHOST", kept.data, 1);
    unsetenv("TEST_HOOK_SECRET");
}
END_TEST

Suite *hook_suite(void);
Suite *hook_suite(void) {
    Suite *suite = suite_create("hook");
    TCase *cases = tcase_create("hook");
    tcase_add_test(cases, only_a_json_array_of_texts_is_a_vector);
    tcase_add_test(cases, environment_is_made_anew);
    suite_add_tcase(suite, cases);
    return suite;
}
