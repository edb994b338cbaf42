#include "io/file.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

static char dir[] = "/tmp/pgc-file-XXXXXX";
static char path[64];

static void setup(void) {
    strcpy(dir + sizeof dir - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/target", dir);
}

static int entries(void) {
    DIR *d = opendir(dir);
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void teardown(void) {
    chmod(dir, 0700);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing is left over */
}

static void expect_content(const char *want) {
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_file_read(path, 1000, &text, &err), PGC_OK);
    ck_assert_str_eq(text.data, want);
}

static void write_file(const char *text) {
    struct pgc_error err;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_file_sink(path, 0640, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, text, strlen(text), &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(sink, &err), PGC_OK);
}

START_TEST(appears_whole_at_commit)
{
    struct pgc_error err;
    mode_t before = umask(077);
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_file_sink(path, 0644, &sink, &err), PGC_OK);
    umask(before);
    ck_assert_int_eq(pgc_sink_put(sink, "whole", 5, &err), PGC_OK);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(pgc_sink_commit(sink, &err), PGC_OK);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0644);
    ck_assert_int_eq(entries(), 1);
    expect_content("whole");
}
END_TEST

START_TEST(drop_leaves_what_was_there)
{
    struct pgc_error err;
    write_file("old");
    struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_file_sink(path, 0600, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, "new", 3, &err), PGC_OK);
    ck_assert_int_eq(entries(), 2);
    expect_content("old");
    pgc_sink_drop(sink);
    ck_assert_int_eq(entries(), 1);
    expect_content("old");
    write_file("newer");
    expect_content("newer");
}
END_TEST

START_TEST(a_new_file_replaces_nothing)
{
    struct pgc_error err;
    struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_file_sink_new(path, 0600, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, "mine", 4, &err), PGC_OK);
    write_file("theirs"); /* somebody was faster */
    ck_assert_int_eq(pgc_sink_commit(sink, &err), PGC_E_EXISTS);
    pgc_sink_drop(sink);
    expect_content("theirs");
    ck_assert_int_eq(pgc_file_sink_new(path, 0600, &sink, &err), PGC_E_EXISTS);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    struct pgc_error err;
    struct pgc_sink *sink = NULL;
    struct pgc_source *source = NULL;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/", dir);
    ck_assert_int_eq(pgc_file_sink(folder, 0600, &sink, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_file_sink(dir, 0600, &sink, &err), PGC_E_IO);
    ck_assert_int_eq(pgc_file_sink("/dev/null", 0600, &sink, &err), PGC_E_IO);
    ck_assert_int_eq(pgc_file_sink("/absent/x", 0600, &sink, &err), PGC_E_NOT_FOUND);
    ck_assert_int_eq(pgc_file_source(path, &source, &err), PGC_E_NOT_FOUND);
    ck_assert_int_eq(pgc_file_source(dir, &source, &err), PGC_E_IO);
}
END_TEST

START_TEST(a_limit_for_small_files)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    write_file("12345");
    ck_assert_int_eq(pgc_file_read(path, 5, &text, &err), PGC_OK);
    ck_assert_str_eq(text.data, "12345");
    pgc_buf_clear(&text);
    ck_assert_int_eq(pgc_file_read(path, 4, &text, &err), PGC_E_DATA);
}
END_TEST

START_TEST(a_failing_write_leaves_nothing)
{
    struct pgc_error err;
    struct rlimit old, small;
    static char block[65536];
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit) { 100000, old.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_file_sink(path, 0600, &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, block, sizeof block, &err), PGC_OK);
    enum pgc_code code = pgc_sink_put(sink, block, sizeof block, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(code, PGC_E_IO);
    ck_assert(pgc_text_starts(err.message, "cannot write '/tmp/pgc-file-"));
    pgc_sink_drop(sink);
    ck_assert_int_eq(entries(), 0);
}
END_TEST

Suite *file_suite(void);
Suite *file_suite(void) {
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, appears_whole_at_commit);
    tcase_add_test(tcase, drop_leaves_what_was_there);
    tcase_add_test(tcase, a_new_file_replaces_nothing);
    tcase_add_test(tcase, refuses_what_is_no_file);
    tcase_add_test(tcase, a_limit_for_small_files);
    tcase_add_test(tcase, a_failing_write_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
