#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/process.h"

#define TAIL_BYTES   ((size_t)4096)
#define GRACE_MS     10000
#define POLL_STEP_MS 20

struct pgc_child {
    const struct pgc_runtime *rt;
    char *name;
    const char *stderr_log;
    enum pgc_log_level stderr_level;
    int64_t limit_ms, end_ms; /* 0: no limit */
    pid_t pid;
    int in, out, err;
    int ended;   /* event: the child is gone, the drain takes what is there and ends */
    bool drains; /* the stderr thread runs */
    pthread_t drain;
    struct pgc_buf tail;
    bool waited;
    bool cancelled;
    bool overdue;
    int status; /* as from waitpid, valid when waited */
};

/* Pids with an owner, so that pgc_reap_orphans leaves them alone. Fixed size: a program has a handful of children. */
#define OWNED_MAX 256
static _Atomic pid_t owned[OWNED_MAX];

static void own(pid_t from, pid_t to) {
    for (size_t i = 0; i < OWNED_MAX; i++) {
        pid_t expected = from;
        if (atomic_compare_exchange_strong(&owned[i], &expected, to))
            return;
    }
}

static bool is_owned(pid_t pid) {
    for (size_t i = 0; i < OWNED_MAX; i++)
        if (atomic_load(&owned[i]) == pid)
            return true;
    return false;
}

void pgc_reap_orphans(void) {
    siginfo_t info = { 0 };
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 && !is_owned(info.si_pid)) {
        waitpid(info.si_pid, NULL, WNOHANG);
        info.si_pid = 0;
    }
}

static void keep_tail(struct pgc_child *child, const char *data, size_t len) {
    pgc_buf_put(&child->tail, data, len);
    if (child->tail.len > 2 * TAIL_BYTES)
        pgc_buf_drop_front(&child->tail, child->tail.len - TAIL_BYTES);
}

static void log_lines(struct pgc_child *child, struct pgc_buf *pending, const char *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n' && pending->len < TAIL_BYTES) {
            pgc_buf_putc(pending, data[i]);
            continue;
        }
        if (pending->len > 0)
            pgc_log(child->rt, child->stderr_level, child->stderr_log, pending->data,
                    PGC_LOG_TEXT("process.name", child->name));
        pgc_buf_clear(pending);
    }
}

static void *drain_stderr(void *arg) {
    struct pgc_child *child = arg;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf pending = PGC_BUF_INIT;
    char block[4096];
    for (;;) {
        struct pollfd fds[] = { { .fd = child->err, .events = POLLIN }, { .fd = child->ended, .events = POLLIN } };
        if (poll(fds, 2, -1) < 0 && errno == EINTR)
            continue;
        if (fds[0].revents == 0)
            break;
        ssize_t n = read(child->err, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        keep_tail(child, block, (size_t)n);
        if (child->stderr_log != NULL)
            log_lines(child, &pending, block, (size_t)n);
    }
    if (child->stderr_log != NULL && pending.len > 0)
        log_lines(child, &pending, "\n", 1);
    return NULL;
}

/* --- start ------------------------------------------------------------------------------------------ */

struct plumbing {
    int child_in, child_out, child_err; /* ends for the child, -1: inherit */
    int in, out, err;                   /* our ends */
    int report[2];                      /* errno of a failed exec */
};

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void plumbing_close(struct plumbing *p) {
    int *all[] = { &p->child_in, &p->child_out, &p->child_err, &p->in, &p->out, &p->err, &p->report[0], &p->report[1] };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        close_fd(all[i]);
}

static bool lay_pipe(enum pgc_spawn_fd kind, bool child_reads, int *child_end, int *our_end) {
    if (kind == PGC_SPAWN_NULL)
        return (*child_end = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0;
    if (kind == PGC_SPAWN_INHERIT)
        return true;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *child_end = ends[child_reads ? 0 : 1];
    *our_end = ends[child_reads ? 1 : 0];
    return true;
}

/* A file in memory: nobody has to feed a child that may never read. */
static bool lay_text(const char *text, int *child_end) {
    size_t len = strlen(text);
    *child_end = memfd_create("stdin", MFD_CLOEXEC);
    return *child_end >= 0 && write(*child_end, text, len) == (ssize_t)len && lseek(*child_end, 0, SEEK_SET) == 0;
}

static bool plumbing_lay(struct plumbing *p, const struct pgc_spawn *spec) {
    *p = (struct plumbing) { -1, -1, -1, -1, -1, -1, { -1, -1 } };
    if (pipe2(p->report, O_CLOEXEC) != 0 ||
        !lay_pipe(spec->stderr_inherit ? PGC_SPAWN_INHERIT : PGC_SPAWN_PIPE, false, &p->child_err, &p->err))
        return false;
    if (!(spec->stdin_text != NULL ? lay_text(spec->stdin_text, &p->child_in)
                                   : lay_pipe(spec->stdin_from, true, &p->child_in, &p->in)))
        return false;
    if (spec->stdout_to != PGC_SPAWN_STDERR)
        return lay_pipe(spec->stdout_to, false, &p->child_out, &p->out);
    p->child_out = fcntl(p->child_err < 0 ? 2 : p->child_err, F_DUPFD_CLOEXEC, 3);
    return p->child_out >= 0;
}

static bool become(const struct pgc_spawn *spec) {
    if (spec->uid == 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(spec->gid) == 0 && setuid(spec->uid) == 0;
}

static _Noreturn void run_child(const struct pgc_spawn *spec, const struct plumbing *p, pid_t parent) {
    pgc_process_reset_signals();
    setpgid(0, 0);
    bool laid = (p->child_in < 0 || dup2(p->child_in, 0) >= 0) && (p->child_out < 0 || dup2(p->child_out, 1) >= 0) &&
                (p->child_err < 0 || dup2(p->child_err, 2) >= 0) && become(spec) &&
                (spec->directory == NULL || chdir(spec->directory) == 0);
    /* After setuid, which clears it. A parent that ended before this line can no longer signal us. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    if (laid)
        execvpe(spec->argv[0], spec->argv, spec->env != NULL ? spec->env : environ);
    int number = errno;
    ssize_t n = write(p->report[1], &number, sizeof number);
    (void)n;
    _exit(127);
}

static enum pgc_code start_failed(struct pgc_child *child, const char *name, int number, struct pgc_error *err) {
    pgc_child_free(child);
    errno = number;
    return pgc_fail_errno(err, number == ENOENT ? PGC_E_NOT_FOUND : PGC_E_CHILD, "cannot run '%s'", name);
}

enum pgc_code pgc_child_start(const struct pgc_spawn *spec, const struct pgc_runtime *rt, struct pgc_child **out,
                              struct pgc_error *err) {
    struct pgc_child *child = calloc(1, sizeof *child);
    if (child == NULL || (child->name = strdup(spec->argv[0])) == NULL) {
        free(child);
        return pgc_fail_nomem(err);
    }
    *child = (struct pgc_child) { .rt = rt,
                                  .name = child->name,
                                  .stderr_log = spec->stderr_log,
                                  .stderr_level = spec->stderr_is_info ? PGC_LOG_INFO : PGC_LOG_WARN,
                                  .limit_ms = spec->limit_ms,
                                  .end_ms = spec->limit_ms > 0 ? pgc_mono_ms(rt) + spec->limit_ms : 0,
                                  .ended = -1,
                                  .in = -1,
                                  .out = -1,
                                  .err = -1,
                                  .tail = PGC_BUF_INIT,
                                  .waited = true };
    struct plumbing p;
    pid_t parent = getpid();
    pid_t pid = plumbing_lay(&p, spec) ? fork() : -1;
    if (pid == 0)
        run_child(spec, &p, parent);
    int number = errno;
    close_fd(&p.child_in), close_fd(&p.child_out), close_fd(&p.child_err), close_fd(&p.report[1]);
    if (pid < 0) {
        plumbing_close(&p);
        return start_failed(child, spec->argv[0], number, err);
    }
    own(0, pid);
    setpgid(pid, pid);
    child->pid = pid;
    child->waited = false;
    child->in = p.in, child->out = p.out, child->err = p.err;
    ssize_t n = read(p.report[0], &number, sizeof number);
    close_fd(&p.report[0]);
    if (n == (ssize_t)sizeof number)
        return start_failed(child, spec->argv[0], number, err);
    if (child->err >= 0) {
        child->ended = eventfd(0, EFD_CLOEXEC);
        child->drains = child->ended >= 0 && pthread_create(&child->drain, NULL, drain_stderr, child) == 0;
        if (!child->drains)
            return start_failed(child, spec->argv[0], EAGAIN, err);
    }
    *out = child;
    return PGC_OK;
}

/* --- while it runs ---------------------------------------------------------------------------------- */

pid_t pgc_child_pid(const struct pgc_child *child) {
    return child->pid;
}

int pgc_child_stdin(const struct pgc_child *child) {
    return child->in;
}

int pgc_child_stdout(const struct pgc_child *child) {
    return child->out;
}

void pgc_child_close_stdin(struct pgc_child *child) {
    close_fd(&child->in);
}

void pgc_child_close_stdout(struct pgc_child *child) {
    close_fd(&child->out);
}

void pgc_child_signal(struct pgc_child *child, int number) {
    if (!child->waited)
        kill(-child->pid, number);
}

static void finish(struct pgc_child *child) {
    child->waited = true;
    own(child->pid, 0);
    if (child->drains) {
        (void)!eventfd_write(child->ended, 1);
        pthread_join(child->drain, NULL);
    }
    child->drains = false;
    close_fd(&child->err);
    close_fd(&child->ended);
    while (child->tail.len > 0 && strchr("\n\r ", child->tail.data[child->tail.len - 1]) != NULL)
        pgc_buf_truncate(&child->tail, child->tail.len - 1);
    if (child->tail.len > TAIL_BYTES)
        pgc_buf_drop_front(&child->tail, child->tail.len - TAIL_BYTES);
}

/* True when the child has ended. */
static bool try_wait(struct pgc_child *child, int options) {
    pid_t pid;
    do
        pid = waitpid(child->pid, &child->status, options);
    while (pid < 0 && errno == EINTR && options == 0);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    if (pid < 0)
        child->status = 127 << 8; /* somebody else took the status: never success */
    finish(child);
    return true;
}

static void nap(void) {
    struct timespec step = { 0, POLL_STEP_MS * 1000000L };
    nanosleep(&step, NULL);
}

static void wait_or_kill(struct pgc_child *child) {
    pgc_child_signal(child, SIGTERM);
    pgc_child_signal(child, SIGCONT); /* a stopped one would not hear it */
    int64_t end = pgc_mono_ms(child->rt) + GRACE_MS;
    while (!try_wait(child, WNOHANG)) {
        if (pgc_mono_ms(child->rt) >= end) {
            pgc_child_signal(child, SIGKILL);
            try_wait(child, 0);
            return;
        }
        nap();
    }
}

int pgc_child_status(const struct pgc_child *child) {
    return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status) : WEXITSTATUS(child->status);
}

const char *pgc_child_stderr_tail(struct pgc_child *child) {
    return child->tail.data;
}

static enum pgc_code verdict(struct pgc_child *child, struct pgc_error *err) {
    if (child->cancelled)
        return pgc_check_cancelled(child->rt, err);
    if (child->overdue)
        return pgc_fail(err, PGC_E_TIMEOUT, "'%s' did not end within %lld ms: it was ended", child->name,
                        (long long)child->limit_ms);
    if (child->status == 0)
        return PGC_OK;
    const char *sep = child->tail.len > 0 ? ": " : "";
    if (WIFSIGNALED(child->status))
        return pgc_fail(err, PGC_E_CHILD, "'%s' was ended by signal %d%s%s", child->name, WTERMSIG(child->status), sep,
                        child->tail.data);
    return pgc_fail(err, PGC_E_CHILD, "'%s' exited with status %d%s%s", child->name, WEXITSTATUS(child->status), sep,
                    child->tail.data);
}

enum pgc_code pgc_child_wait(struct pgc_child *child, struct pgc_error *err) {
    int64_t pause_ms = 1;
    while (!child->waited && !try_wait(child, WNOHANG)) {
        child->cancelled = pgc_cancelled(child->rt) != 0;
        child->overdue = !child->cancelled && child->end_ms > 0 && pgc_mono_ms(child->rt) >= child->end_ms;
        if (child->cancelled || child->overdue) {
            wait_or_kill(child);
            break;
        }
        struct timespec step = { 0, pause_ms * 1000000L };
        nanosleep(&step, NULL);
        pause_ms = pause_ms < POLL_STEP_MS ? pause_ms * 2 : POLL_STEP_MS;
    }
    return verdict(child, err);
}

void pgc_child_free(struct pgc_child *child) {
    if (child == NULL)
        return;
    close_fd(&child->in);
    close_fd(&child->out);
    if (!child->waited)
        wait_or_kill(child);
    close_fd(&child->err);
    close_fd(&child->ended);
    pgc_buf_release(&child->tail);
    free(child->name);
    free(child);
}

/* --- as source and sink ----------------------------------------------------------------------------- */

struct child_source {
    struct pgc_source base;
    struct pgc_child *child;
};

struct child_sink {
    struct pgc_sink base;
    struct pgc_child *child;
};

/* Waits until fd is ready; PGC_E_CANCELLED when asked to stop meanwhile. */
static enum pgc_code wait_fd(struct pgc_child *child, int fd, short events, struct pgc_error *err) {
    for (;;) {
        enum pgc_code code = pgc_check_cancelled(child->rt, err);
        if (code != PGC_OK)
            return code;
        struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = pgc_cancel_fd(child->rt), .events = POLLIN } };
        /* A runtime without a descriptor is asked again now and then. */
        if (poll(fds, 2, fds[1].fd < 0 ? 10 * POLL_STEP_MS : -1) > 0 && fds[0].revents != 0)
            return PGC_OK;
    }
}

static enum pgc_code source_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct pgc_child *child = ((struct child_source *)source)->child;
    for (;;) {
        enum pgc_code code = wait_fd(child, child->out, POLLIN, err);
        if (code != PGC_OK)
            return code;
        ssize_t n = read(child->out, buf, cap);
        if (n >= 0) {
            *len = (size_t)n;
            return PGC_OK;
        }
        if (errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot read the output of '%s'", child->name);
    }
}

static enum pgc_code source_verify(struct pgc_source *source, struct pgc_error *err) {
    struct pgc_child *child = ((struct child_source *)source)->child;
    close_fd(&child->out);
    return pgc_child_wait(child, err);
}

static void source_drop(struct pgc_source *source) {
    pgc_child_free(((struct child_source *)source)->child);
    free(source);
}

enum pgc_code pgc_child_source(struct pgc_child **child, struct pgc_source **out, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { source_get, source_verify, source_drop };
    struct child_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return pgc_fail_nomem(err);
    *source = (struct child_source) { { &ops }, *child };
    *child = NULL;
    *out = &source->base;
    return PGC_OK;
}

static enum pgc_code sink_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct pgc_child *child = ((struct child_sink *)sink)->child;
    const char *p = data;
    while (len > 0) {
        enum pgc_code code = wait_fd(child, child->in, POLLOUT, err);
        if (code != PGC_OK)
            return code;
        ssize_t n = write(child->in, p, len < 65536 ? len : 65536);
        if (n < 0 && errno == EPIPE) { /* the child ended early: its status and words say why */
            close_fd(&child->in);
            code = pgc_child_wait(child, err);
            return code != PGC_OK
                       ? code
                       : pgc_fail(err, PGC_E_CHILD, "'%s' ended before it had read all of its input", child->name);
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return pgc_fail_errno(err, PGC_E_IO, "cannot write to '%s'", child->name);
        if (n > 0)
            p += n, len -= (size_t)n;
    }
    return PGC_OK;
}

static enum pgc_code sink_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct pgc_child *child = ((struct child_sink *)sink)->child;
    close_fd(&child->in);
    return pgc_child_wait(child, err);
}

/* A child that reads a stream must not take its early end for the real one: it is killed, not left to see EOF. */
static void sink_drop(struct pgc_sink *sink) {
    struct pgc_child *child = ((struct child_sink *)sink)->child;
    pgc_child_signal(child, SIGTERM);
    pgc_child_free(child);
    free(sink);
}

enum pgc_code pgc_child_sink(struct pgc_child **child, struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { sink_put, sink_commit, sink_drop };
    struct child_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return pgc_fail_nomem(err);
    fcntl((*child)->in, F_SETFL, fcntl((*child)->in, F_GETFL) | O_NONBLOCK);
    *sink = (struct child_sink) { { &ops }, *child };
    *child = NULL;
    *out = &sink->base;
    return PGC_OK;
}

enum pgc_code pgc_spawn_capture(const struct pgc_spawn *spec, const struct pgc_runtime *rt, struct pgc_buf *out,
                                struct pgc_error *err) {
    struct pgc_spawn piped = *spec;
    piped.stdout_to = PGC_SPAWN_PIPE;
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_child_start(&piped, rt, &child, err);
    struct pgc_child *seen = child;
    if (code == PGC_OK)
        code = pgc_child_source(&child, &source, err);
    while (code == PGC_OK) {
        char block[4096];
        size_t n = 0;
        code = pgc_source_get(source, block, sizeof block, &n, err);
        if (code != PGC_OK || n == 0)
            break;
        pgc_buf_put(out, block, n);
    }
    if (code == PGC_OK)
        code = pgc_source_verify(source, err);
    if (seen != NULL && seen->waited && spec->status != NULL)
        *spec->status = pgc_child_status(seen);
    if (seen != NULL && seen->waited && spec->tail != NULL)
        pgc_buf_puts(spec->tail, pgc_child_stderr_tail(seen));
    return code != PGC_OK ? code : pgc_buf_check(out, err);
}
