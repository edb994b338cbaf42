#include "io/fd.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/memory.h"

struct drain {
    int fd;
    struct pgc_buf out;
};

static void *read_all(void *arg) {
    struct drain *d = arg;
    struct pgc_error err;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    usleep(20000); /* lets the pipe run full first */
    if (pgc_fd_source(d->fd, PGC_FD_OWNED, "pipe", &source, &err) != PGC_OK ||
        pgc_memory_sink(&d->out, &sink, &err) != PGC_OK || pgc_copy(source, sink, NULL, &err) != PGC_OK)
        return d;
    return NULL;
}

/* A pipe that is smaller than what goes through, with both ends non-blocking. */
START_TEST(non_blocking_pipes)
{
    int ends[2];
    pthread_t thread;
    void *failed = NULL;
    struct pgc_error err;
    static char block[300000];
    memset(block, 'x', sizeof block);
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    struct drain d = { ends[0], PGC_BUF_INIT };
    ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &d), 0);
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_fd_sink(ends[1], PGC_FD_OWNED, "pipe", &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, block, sizeof block, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(sink, &err), PGC_OK);
    ck_assert_int_eq(fcntl(ends[1], F_GETFD), -1);
    pthread_join(thread, &failed);
    ck_assert_ptr_null(failed);
    ck_assert_uint_eq(d.out.len, sizeof block);
    pgc_buf_release(&d.out);
}
END_TEST

START_TEST(borrowed_descriptors_stay_open)
{
    struct pgc_error err;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_fd_sink(fd, PGC_FD_BORROWED, "full", &sink, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(sink, "x", 1, &err), PGC_E_NOSPACE);
    ck_assert_str_eq(err.message, "cannot write 'full': No space left on device");
    pgc_sink_drop(sink);
    ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
    struct pgc_source *source = NULL;
    ck_assert_int_eq(pgc_fd_source(fd, PGC_FD_OWNED, "full", &source, &err), PGC_OK);
    char c;
    size_t len = 0;
    ck_assert_int_eq(pgc_source_get(source, &c, 1, &len, &err), PGC_E_IO); /* opened for writing only */
    pgc_source_drop(source);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

Suite *fd_suite(void);
Suite *fd_suite(void) {
    Suite *suite = suite_create("fd");
    TCase *tcase = tcase_create("fd");
    tcase_add_test(tcase, non_blocking_pipes);
    tcase_add_test(tcase, borrowed_descriptors_stay_open);
    suite_add_tcase(suite, tcase);
    return suite;
}
