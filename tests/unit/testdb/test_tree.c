#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testdb/tree.h"

static char root[64];

static void setup(void) {
    snprintf(root, sizeof root, "/tmp/pgc-tree.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void) {
    ck_assert(pgc_tree_remove(root));
}

static char *in(const char *name) {
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, 256, "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text, mode_t mode) {
    int fd = open(in(name), O_WRONLY | O_CREAT | O_EXCL, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

START_TEST(copies_modes_links_and_bytes)
{
    struct pgc_error err;
    struct stat st;
    char text[16] = "";
    ck_assert_int_eq(mkdir(in("a"), 0750), 0);
    ck_assert_int_eq(mkdir(in("a/empty"), 0700), 0);
    put("a/file", "hello", 0640);
    put("a/nothing", "", 0600);
    ck_assert_int_eq(symlink("/nonexistent", in("a/link")), 0);
    ck_assert_int_eq(pgc_tree_copy(in("a"), in("b"), (uid_t)-1, (gid_t)-1, &err), PGC_OK);
    ck_assert_int_eq(stat(in("b"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0750);
    ck_assert_int_eq(stat(in("b/file"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0640);
    int fd = open(in("b/file"), O_RDONLY);
    ck_assert_int_eq(read(fd, text, sizeof text), 5);
    close(fd);
    ck_assert_str_eq(text, "hello");
    ck_assert_int_eq(stat(in("b/nothing"), &st), 0);
    ck_assert_int_eq(st.st_size, 0);
    ck_assert_int_eq(stat(in("b/empty"), &st), 0);
    memset(text, 0, sizeof text);
    ck_assert_int_eq(readlink(in("b/link"), text, sizeof text), 12);
}
END_TEST

START_TEST(refuses_what_exists)
{
    struct pgc_error err;
    ck_assert_int_eq(mkdir(in("a"), 0700), 0);
    ck_assert_int_eq(mkdir(in("b"), 0700), 0);
    ck_assert_int_ne(pgc_tree_copy(in("a"), in("b"), (uid_t)-1, (gid_t)-1, &err), PGC_OK);
    ck_assert_int_eq(pgc_tree_copy(in("none"), in("c"), (uid_t)-1, (gid_t)-1, &err), PGC_E_NOT_FOUND);
}
END_TEST

START_TEST(remove_does_not_follow_links)
{
    struct stat st;
    ck_assert_int_eq(mkdir(in("precious"), 0700), 0);
    put("precious/file", "keep", 0600);
    ck_assert_int_eq(mkdir(in("a"), 0700), 0);
    ck_assert_int_eq(symlink(in("precious"), in("a/link")), 0);
    ck_assert(pgc_tree_remove(in("a")));
    ck_assert_int_eq(stat(in("precious/file"), &st), 0);
    ck_assert_int_ne(stat(in("a"), &st), 0);
    ck_assert(pgc_tree_remove(in("a"))); /* nothing there is fine */
}
END_TEST

Suite *tree_suite(void);
Suite *tree_suite(void) {
    Suite *suite = suite_create("testdb/tree");
    TCase *tests = tcase_create("tree");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, copies_modes_links_and_bytes);
    tcase_add_test(tests, refuses_what_exists);
    tcase_add_test(tests, remove_does_not_follow_links);
    suite_add_tcase(suite, tests);
    return suite;
}
