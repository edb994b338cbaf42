/* A runtime for programs that embed the library and have none of their own. */
#include <pgc/runtime.h>
#include <time.h>

static int64_t mono_ms(void *arg) {
    struct timespec now;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_us(void *arg) {
    struct timespec now;
    (void)arg;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_ms(void *arg, int64_t ms) {
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
    (void)arg;
    nanosleep(&left, NULL);
}

static int cancelled(void *arg) {
    (void)arg;
    return 0;
}

static int cancel_fd(void *arg) {
    (void)arg;
    return -1;
}

static void say_nothing(void *arg, enum pgc_log_level level, const char *event, const char *message,
                        const struct pgc_log_field *fields, size_t field_count) {
    (void)arg, (void)level, (void)event, (void)message, (void)fields, (void)field_count;
}

static const struct pgc_runtime quiet = { mono_ms, wall_us, sleep_ms, cancelled, cancel_fd, say_nothing, NULL };

const struct pgc_runtime *pgc_runtime_quiet(void) {
    return &quiet;
}
