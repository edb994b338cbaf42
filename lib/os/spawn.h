#ifndef PGC_OS_SPAWN_H
#define PGC_OS_SPAWN_H
/* Child processes: an argument vector, never a shell; secrets by environment or private file, never argv.
 *
 *     struct pgc_spawn spec = { .argv = argv, .env = env, .stdout_to = PGC_SPAWN_PIPE };
 *     PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
 *     code = pgc_child_start(&spec, rt, &child, err);
 *     ... read pgc_child_stdout(child) ...
 *     code = pgc_child_wait(child, err);   // PGC_OK only for exit status 0; else PGC_E_CHILD with the stderr tail
 *
 * stderr of the child is always drained by a thread and its last 4 KiB are kept for the error; with
 * stderr_log set each line also goes to the log. What the child left running in the background may keep stderr open: the
 * drain ends with the child all the same. The child gets PR_SET_PDEATHSIG(SIGTERM), its own process group, default signals.
 * pgc_child_free on a running child: SIGTERM to the group, a grace time, SIGKILL, wait. */
#include <pgc/runtime.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "io/stream.h"

struct pgc_buf;
enum pgc_spawn_fd { PGC_SPAWN_INHERIT, PGC_SPAWN_NULL, PGC_SPAWN_PIPE, PGC_SPAWN_STDERR /* where stderr goes */ };

struct pgc_spawn {
    char *const *argv;     /* argv[0] is looked up in PATH unless it holds a slash */
    char *const *env;      /* whole environment; NULL inherits */
    const char *directory; /* working directory, NULL inherits */
    enum pgc_spawn_fd stdin_from;
    const char *stdin_text; /* what it finds on stdin, of any length; NULL: stdin_from says */
    enum pgc_spawn_fd stdout_to;
    bool stderr_inherit;    /* true: stderr is ours, no tail is kept */
    const char *stderr_log; /* event name under which each stderr line is logged; NULL: only the tail */
    bool stderr_is_info;    /* these lines are no warnings */
    int64_t limit_ms;       /* pgc_child_wait ends a child that runs for longer: PGC_E_TIMEOUT; 0: no limit */
    uid_t uid;              /* 0: unchanged; else setgroups/setgid/setuid before exec */
    gid_t gid;
    /* Out, for pgc_spawn_capture; each may be NULL: the status as pgc_child_status has it, and the stderr tail. */
    int *status;
    struct pgc_buf *tail;
};

struct pgc_child;
PGC_MUST_USE enum pgc_code pgc_child_start(const struct pgc_spawn *spec, const struct pgc_runtime *rt,
                                           struct pgc_child **out, struct pgc_error *err);
pid_t pgc_child_pid(const struct pgc_child *child);
int pgc_child_stdin(const struct pgc_child *child);  /* -1 when not a pipe */
int pgc_child_stdout(const struct pgc_child *child); /* -1 when not a pipe */
void pgc_child_close_stdin(struct pgc_child *child);
void pgc_child_close_stdout(struct pgc_child *child);
void pgc_child_signal(struct pgc_child *child, int number); /* to its process group */
/* Waits for the end. Non-zero exit: PGC_E_CHILD "'pg_dump' exited with status 1: <last lines of stderr>".
 * A cancelled runtime sends SIGTERM (SIGKILL after 10 s) and gives PGC_E_CANCELLED. May be called again: same answer. */
PGC_MUST_USE enum pgc_code pgc_child_wait(struct pgc_child *child, struct pgc_error *err);
/* After wait: 0-255 exit status, 128+n signal. */
int pgc_child_status(const struct pgc_child *child);
/* What stderr said last, up to 4 KiB; valid until free; complete only after wait. */
const char *pgc_child_stderr_tail(struct pgc_child *child);
void pgc_child_free(struct pgc_child *child);
PGC_DEFINE_AUTO(pgc_child_free, struct pgc_child *)

/* The child's stdout as a source whose verify() is pgc_child_wait: truth is the exit status. Takes the child. */
PGC_MUST_USE enum pgc_code pgc_child_source(struct pgc_child **child, struct pgc_source **out, struct pgc_error *err);
/* The child's stdin as a sink whose commit() closes it and waits for status 0; drop kills. Takes the child. */
PGC_MUST_USE enum pgc_code pgc_child_sink(struct pgc_child **child, struct pgc_sink **out, struct pgc_error *err);
/* Duty of PID 1: reaps ended children that nobody here waits for (orphans that landed on us). Call it from a loop;
 * it never takes the status of a child started by pgc_child_start. */
void pgc_reap_orphans(void);

/* Runs to the end; stdout (up to max bytes) into out. */
PGC_MUST_USE enum pgc_code pgc_spawn_capture(const struct pgc_spawn *spec, const struct pgc_runtime *rt,
                                             struct pgc_buf *out, struct pgc_error *err);
#endif
