#include "os/stop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct pgc_stop *of(void *arg) {
    return arg;
}

static int64_t mono_ms(void *arg) {
    return pgc_mono_ms(of(arg)->outer);
}

static int64_t wall_us(void *arg) {
    return pgc_wall_us(of(arg)->outer);
}

static void sleep_ms(void *arg, int64_t ms) {
    pgc_sleep_ms(of(arg)->outer, ms);
}

static int cancelled(void *arg) {
    struct pgc_stop *stop = arg;
    return atomic_load(&stop->asked) ? SIGTERM : pgc_cancelled(stop->outer);
}

static int cancel_fd(void *arg) {
    return of(arg)->either;
}

static void log_line(void *arg, enum pgc_log_level level, const char *event, const char *message,
                     const struct pgc_log_field *fields, size_t field_count) {
    const struct pgc_runtime *outer = of(arg)->outer;
    outer->log(outer->arg, level, event, message, fields, field_count);
}

static bool watch(const struct pgc_stop *stop, int fd) {
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    return fd < 0 || epoll_ctl(stop->either, EPOLL_CTL_ADD, fd, &event) == 0;
}

enum pgc_code pgc_stop_init(struct pgc_stop *stop, const struct pgc_runtime *outer, struct pgc_error *err) {
    stop->rt = (struct pgc_runtime) { mono_ms, wall_us, sleep_ms, cancelled, cancel_fd, log_line, stop };
    stop->outer = outer;
    atomic_init(&stop->asked, false);
    stop->asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    stop->either = epoll_create1(EPOLL_CLOEXEC);
    if (stop->asked_fd >= 0 && stop->either >= 0 && watch(stop, stop->asked_fd) && watch(stop, pgc_cancel_fd(outer)))
        return PGC_OK;
    enum pgc_code code = pgc_fail_errno(err, PGC_E_FAILED, "cannot make an event descriptor");
    pgc_stop_release(stop);
    return code;
}

void pgc_stop_ask(struct pgc_stop *stop) {
    atomic_store(&stop->asked, true);
    (void)eventfd_write(stop->asked_fd, 1);
}

void pgc_stop_release(struct pgc_stop *stop) {
    if (stop->outer == NULL)
        return;
    if (stop->asked_fd >= 0)
        close(stop->asked_fd);
    if (stop->either >= 0)
        close(stop->either);
    stop->outer = NULL;
}
