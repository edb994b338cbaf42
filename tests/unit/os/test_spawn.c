#include "os/spawn.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "support/runtime.h"

static char *argv_of(char **argv, const char *script) {
    static char sh[] = "/bin/sh", c[] = "-c";
    argv[0] = sh, argv[1] = c, argv[2] = (char *)(size_t)script, argv[3] = NULL;
    return argv[0];
}

START_TEST(status_and_last_words)
{
    char *argv[4];
    argv_of(argv, "echo out; echo 'what went wrong' >&2; exit 3");
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    struct pgc_spawn spec = { .argv = argv };
    ck_assert_int_eq(pgc_spawn_capture(&spec, test_runtime_real(), &out, &err), PGC_E_CHILD);
    ck_assert_str_eq(out.data, "out\n");
    ck_assert_str_eq(err.message, "'/bin/sh' exited with status 3: what went wrong");
}
END_TEST

START_TEST(source_is_true_only_with_status_zero)
{
    char *argv[4];
    argv_of(argv, "echo data; kill -9 $$");
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    struct pgc_spawn spec = { .argv = argv };
    ck_assert_int_eq(pgc_spawn_capture(&spec, test_runtime_real(), &out, &err), PGC_E_CHILD);
    ck_assert_str_eq(err.message, "'/bin/sh' was ended by signal 9");
}
END_TEST

START_TEST(missing_program_is_told_before_anything_runs)
{
    char name[] = "/nonexistent/program";
    char *argv[] = { name, NULL };
    struct pgc_error err;
    struct pgc_child *child = NULL;
    struct pgc_spawn spec = { .argv = argv };
    ck_assert_int_eq(pgc_child_start(&spec, test_runtime_real(), &child, &err), PGC_E_NOT_FOUND);
    ck_assert_str_eq(err.message, "cannot run '/nonexistent/program': No such file or directory");
}
END_TEST

START_TEST(sink_feeds_and_waits)
{
    char *argv[4];
    argv_of(argv, "n=$(wc -c); [ \"$n\" -eq 300000 ]");
    struct pgc_error err;
    struct pgc_spawn spec = { .argv = argv, .stdin_from = PGC_SPAWN_PIPE };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_child_start(&spec, test_runtime_real(), &child, &err), PGC_OK);
    ck_assert_int_eq(pgc_child_sink(&child, &sink, &err), PGC_OK);
    static char block[300000];
    ck_assert_int_eq(pgc_sink_put(sink, block, sizeof block, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(sink, &err), PGC_OK);
}
END_TEST

START_TEST(sink_tells_why_the_reader_left)
{
    char *argv[4];
    argv_of(argv, "echo 'no room' >&2; exit 1");
    struct pgc_error err;
    struct pgc_spawn spec = { .argv = argv, .stdin_from = PGC_SPAWN_PIPE };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pgc_child_start(&spec, test_runtime_real(), &child, &err), PGC_OK);
    ck_assert_int_eq(pgc_child_sink(&child, &sink, &err), PGC_OK);
    static char block[300000];
    enum pgc_code code = PGC_OK;
    for (int i = 0; i < 10 && code == PGC_OK; i++)
        code = pgc_sink_put(sink, block, sizeof block, &err);
    ck_assert_int_eq(code, PGC_E_CHILD);
    ck_assert_ptr_nonnull(strstr(err.message, "no room"));
}
END_TEST

START_TEST(dropped_child_is_gone)
{
    char *argv[4];
    argv_of(argv, "sleep 60");
    struct pgc_error err;
    struct pgc_spawn spec = { .argv = argv };
    struct pgc_child *child = NULL;
    ck_assert_int_eq(pgc_child_start(&spec, test_runtime_real(), &child, &err), PGC_OK);
    pid_t pid = pgc_child_pid(child);
    pgc_child_free(child);
    ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

START_TEST(text_on_stdin_and_one_way_out)
{
    char *argv[4];
    argv_of(argv, "n=$(wc -c); echo out; echo err >&2; [ \"$n\" -eq 200000 ] && exit 4");
    struct pgc_error err;
    PGC_AUTO_FREE char *text = calloc(1, 200001);
    memset(text, 'x', 200000);
    struct pgc_spawn spec = { .argv = argv, .stdin_text = text, .stdout_to = PGC_SPAWN_STDERR };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    ck_assert_int_eq(pgc_child_start(&spec, test_runtime_real(), &child, &err), PGC_OK);
    ck_assert_int_eq(pgc_child_wait(child, &err), PGC_E_CHILD);
    ck_assert_str_eq(err.message, "'/bin/sh' exited with status 4: out\nerr");
}
END_TEST

START_TEST(a_limit_ends_the_child)
{
    char *argv[4];
    argv_of(argv, "exec sleep 60");
    struct pgc_error err;
    struct pgc_spawn spec = { .argv = argv, .limit_ms = 50 };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    ck_assert_int_eq(pgc_child_start(&spec, test_runtime_real(), &child, &err), PGC_OK);
    ck_assert_int_eq(pgc_child_wait(child, &err), PGC_E_TIMEOUT);
    ck_assert_str_eq(err.message, "'/bin/sh' did not end within 50 ms: it was ended");
}
END_TEST

START_TEST(what_goes_on_in_the_background_holds_nobody_up)
{
    char *argv[4];
    argv_of(argv, "sleep 30 & echo said >&2; exit 5");
    struct pgc_error err;
    struct pgc_spawn spec = { .argv = argv };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    const struct pgc_runtime *rt = test_runtime_real();
    int64_t begin = pgc_mono_ms(rt);
    ck_assert_int_eq(pgc_child_start(&spec, rt, &child, &err), PGC_OK);
    pid_t group = pgc_child_pid(child);
    ck_assert_int_eq(pgc_child_wait(child, &err), PGC_E_CHILD);
    ck_assert_str_eq(err.message, "'/bin/sh' exited with status 5: said");
    ck_assert_int_lt(pgc_mono_ms(rt) - begin, 25000);
    kill(-group, SIGKILL);
}
END_TEST

Suite *spawn_suite(void);
Suite *spawn_suite(void) {
    Suite *suite = suite_create("spawn");
    TCase *cases = tcase_create("spawn");
    tcase_add_test(cases, status_and_last_words);
    tcase_add_test(cases, source_is_true_only_with_status_zero);
    tcase_add_test(cases, missing_program_is_told_before_anything_runs);
    tcase_add_test(cases, sink_feeds_and_waits);
    tcase_add_test(cases, sink_tells_why_the_reader_left);
    tcase_add_test(cases, dropped_child_is_gone);
    tcase_add_test(cases, text_on_stdin_and_one_way_out);
    tcase_add_test(cases, a_limit_ends_the_child);
    tcase_add_test(cases, what_goes_on_in_the_background_holds_nobody_up);
    suite_add_tcase(suite, cases);
    return suite;
}
