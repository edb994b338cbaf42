#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* Signal handlers can reach nothing but statics: the one place where the library keeps process state. */
static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t reload_asked;
static int wake_pipe[2] = { -1, -1 };

static void on_signal(int number) {
    int saved = errno;
    if (number == SIGHUP)
        reload_asked = 1;
    else if (stop_signal == 0)
        stop_signal = number;
    if (number != SIGHUP && wake_pipe[1] >= 0) {
        ssize_t n = write(wake_pipe[1], "x", 1);
        (void)n;
    }
    errno = saved;
}

static int64_t mono_ms(void *arg) {
    (void)arg;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t wall_us(void *arg) {
    (void)arg;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void sleep_ms(void *arg, int64_t ms) {
    (void)arg;
    struct pollfd wake = { .fd = wake_pipe[0], .events = POLLIN };
    int64_t end = mono_ms(NULL) + ms;
    while (stop_signal == 0 && reload_asked == 0) {
        int64_t left = end - mono_ms(NULL);
        if (left <= 0)
            return;
        poll(&wake, 1, left > 60000 ? 60000 : (int)left);
    }
}

static int cancelled(void *arg) {
    (void)arg;
    return stop_signal;
}

static int cancel_fd(void *arg) {
    (void)arg;
    return wake_pipe[0];
}

static void log_line(void *arg, enum pgc_log_level level, const char *event, const char *message,
                     const struct pgc_log_field *fields, size_t field_count) {
    const struct pgc_process *process = arg;
    if (level < process->level)
        return;
    struct pgc_log_line line = {
        .service = process->service,
        .level = level,
        .event = event,
        .message = message,
        .fields = fields,
        .field_count = field_count,
        .wall_us = wall_us(NULL),
    };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (process->format == PGC_LOG_FORMAT_JSON)
        pgc_log_format_json(&text, &line);
    else
        pgc_log_format_text(&text, &line);
    ssize_t n = write(STDERR_FILENO, text.data, text.len);
    (void)n;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = { .sa_handler = handler };
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static enum pgc_log_format resolve(enum pgc_log_format format) {
    if (format != PGC_LOG_FORMAT_AUTO)
        return format;
    const char *wanted = getenv("PGC_LOG_FORMAT");
    return wanted != NULL && strcmp(wanted, "json") == 0 ? PGC_LOG_FORMAT_JSON : PGC_LOG_FORMAT_TEXT;
}

void pgc_process_init(struct pgc_process *process, const char *service, enum pgc_log_level level,
                      enum pgc_log_format format) {
    *process = (struct pgc_process) {
        .runtime = { mono_ms, wall_us, sleep_ms, cancelled, cancel_fd, log_line, process },
        .service = service,
        .level = level,
        .format = resolve(format),
    };
    if (wake_pipe[0] < 0 && pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        wake_pipe[0] = wake_pipe[1] = -1;
    handle(SIGTERM, on_signal);
    handle(SIGINT, on_signal);
    handle(SIGHUP, on_signal);
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write(), not our end */
}

const struct pgc_runtime *pgc_process_runtime(const struct pgc_process *process) {
    return &process->runtime;
}

bool pgc_process_reload_asked(void) {
    if (!reload_asked)
        return false;
    reload_asked = 0;
    return true;
}

void pgc_process_reset_signals(void) {
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ, SIGCHLD };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        handle(numbers[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
