#include "support/runtime.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t mono_ms(void *arg) {
    return ((struct test_runtime *)arg)->now_us / 1000;
}

static int64_t wall_us(void *arg) {
    return ((struct test_runtime *)arg)->now_us;
}

static void sleep_ms(void *arg, int64_t ms) {
    ((struct test_runtime *)arg)->now_us += ms * 1000;
}

static int cancelled(void *arg) {
    return ((struct test_runtime *)arg)->cancelled;
}

static int no_fd(void *arg) {
    (void)arg;
    return -1;
}

static void count_log(void *arg, enum pgc_log_level level, const char *event, const char *message,
                      const struct pgc_log_field *fields, size_t field_count) {
    struct test_runtime *runtime = arg;
    (void)level, (void)event, (void)fields, (void)field_count;
    runtime->log_count++;
    snprintf(runtime->last_log, sizeof runtime->last_log, "%s", message);
}

void test_runtime_init(struct test_runtime *runtime) {
    *runtime = (struct test_runtime) { .now_us = 1700000000000000 };
    runtime->rt = (struct pgc_runtime) { mono_ms, wall_us, sleep_ms, cancelled, no_fd, count_log, runtime };
}

static int64_t real_us(void *arg) {
    (void)arg;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t real_ms(void *arg) {
    return real_us(arg) / 1000;
}

static void real_sleep(void *arg, int64_t ms) {
    (void)arg;
    usleep((useconds_t)(ms * 1000));
}

static int never(void *arg) {
    (void)arg;
    return 0;
}

static void no_log(void *arg, enum pgc_log_level level, const char *event, const char *message,
                   const struct pgc_log_field *fields, size_t field_count) {
    (void)arg, (void)level, (void)event, (void)message, (void)fields, (void)field_count;
}

const struct pgc_runtime *test_runtime_real(void) {
    static const struct pgc_runtime rt = { real_ms, real_us, real_sleep, never, no_fd, no_log, NULL };
    return &rt;
}
