#ifndef PGC_OS_PROCESS_H
#define PGC_OS_PROCESS_H
/* The process as a program sees it: signals, clock, log, PID 1 duties.
 *
 *     struct pgc_process process;
 *     pgc_process_init(&process, "pgc-ready", PGC_LOG_INFO, PGC_LOG_FORMAT_AUTO);
 *     const struct pgc_runtime *rt = pgc_process_runtime(&process);
 *
 * init installs handlers for SIGTERM, SIGINT (cancel: flag + self-pipe), SIGHUP (a separate flag, reload) and
 * ignores SIGPIPE and SIGXFSZ. Handlers are installed without SA_RESTART, and explicitly because the kernel ignores signals
 * with default action for PID 1. One process per program: a second init is an error of the caller. */
#include <pgc/runtime.h>
#include <stdbool.h>

enum pgc_log_format { PGC_LOG_FORMAT_AUTO, PGC_LOG_FORMAT_TEXT, PGC_LOG_FORMAT_JSON };

struct pgc_process {
    struct pgc_runtime runtime;
    const char *service; /* service.name in JSON lines */
    enum pgc_log_level level;
    enum pgc_log_format format; /* AUTO is resolved by init: text on a terminal, else PGC_LOG_FORMAT, else text */
};

void pgc_process_init(struct pgc_process *process, const char *service, enum pgc_log_level level,
                      enum pgc_log_format format);
const struct pgc_runtime *pgc_process_runtime(const struct pgc_process *process);
/* True once per SIGHUP. */
bool pgc_process_reload_asked(void);
/* Restores default signal dispositions and the mask; for use between fork and exec, and before exec of a command. */
void pgc_process_reset_signals(void);
#endif
