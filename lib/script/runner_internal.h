#ifndef PGC_SCRIPT_RUNNER_INTERNAL_H
#define PGC_SCRIPT_RUNNER_INTERNAL_H
/* What the files of the runner share: runner.c (inputs, messages), runner_send.c (queries, results), runner_copy.c,
 * runner_commands.c and runner_display.c (meta-commands), runner_vars.c (special variables), runner_pipeline.c. */
#include <stdio.h>

#include "pg/raw.h"
#include "script/engine.h"
#include "script/print.h"
#include "script/runner.h"

struct pgc_slash_copy;

struct pgc__queued {
    unsigned long line;
    char *file;
};

struct pgc_script {
    struct pgc_script_options options;
    const struct pgc_runtime *rt;
    struct pgc_conn *conn; /* NULL: lost, or a \connect failed */
    bool owns_conn;
    struct pgc_engine_session session;
    struct pgc_engine *engine; /* innermost, NULL outside a run */
    struct pgc_print style;
    struct pgc_script_fault fault;
    int status;
    FILE *redirect; /* \o, or \g FILE for one query; NULL: options.out */
    bool redirect_is_pipe;
    struct pgc_buf pending;            /* output not yet given to options.out */
    const struct pgc_slash_copy *copy; /* \copy under way */
    bool fatal;                        /* nothing more can be done: output, memory, signal; see err */
    struct pgc_error err;
    struct pgc__queued *queue; /* pipeline: sent, answers not yet read */
    size_t queued, queue_cap;
    bool in_pipeline;
};

/* runner.c */
void pgc__script_put(struct pgc_script *script, const void *data, size_t len);
void pgc__script_puts(struct pgc_script *script, const char *text);
void pgc__script_flush(struct pgc_script *script);
void pgc__script_message(struct pgc_script *script, enum pgc_engine_level level, const char *text);
void pgc__script_error(struct pgc_script *script, const char *format, ...) PGC_PRINTF(2, 3);
/* Remembers the first error. sqlstate may be NULL. */
void pgc__script_blame(struct pgc_script *script, const char *sqlstate, const char *message);
/* A failed call: connection lost (tells so), or fatal. */
void pgc__script_broken(struct pgc_script *script, const struct pgc_error *err);
/* The connection is lost and libpq's message has been told. */
void pgc__script_lost(struct pgc_script *script);
/* Opens FILE or |COMMAND for output in place of what is there. False: told. */
bool pgc__script_redirect(struct pgc_script *script, const char *target);
void pgc__script_end_redirect(struct pgc_script *script);
struct pgc_script *pgc__script_of(const struct pgc_engine *engine);
bool pgc__script_echoes(const struct pgc_script *script, const char *what);
bool pgc__script_quiet(const struct pgc_script *script);
bool pgc__script_bool(const struct pgc_script *script, const char *variable);
int pgc__script_run_file(struct pgc_script *script, const char *path, bool nested);

/* runner_send.c */
bool pgc__script_send(struct pgc_engine *engine, const struct pgc_engine_request *request);
bool pgc__script_query(struct pgc_script *script, const char *sql, const struct pgc_engine_request *request);
bool pgc__script_plain(struct pgc_script *script, const char *sql); /* BEGIN, COMMIT: no output unless it fails */
void pgc__script_status(struct pgc_script *script, const struct pgc_raw_result *result);
bool pgc__script_failed(struct pgc_script *script, const struct pgc_raw_result *result);

/* runner_copy.c */
bool pgc__script_copy_in(struct pgc_script *script, bool binary);
bool pgc__script_copy_out(struct pgc_script *script);
bool pgc__script_slash_copy(struct pgc_script *script, const char *text);

/* runner_vars.c */
bool pgc__script_assign(struct pgc_engine *engine, const char *name, const char **value);
bool pgc__script_is_special(const char *name);
void pgc__script_defaults(struct pgc_script *script);
void pgc__script_sync(struct pgc_script *script); /* variables that tell of the connection */
void pgc__script_set_now(struct pgc_script *script, const char *name, const char *value);
void pgc__script_result_variables(struct pgc_script *script, const struct pgc_raw_result *result);

/* runner_commands.c, runner_display.c */
extern const struct pgc_engine_command pgc__script_commands[];
enum pgc_engine_status pgc__script_display(struct pgc_engine *engine, const char *name);
bool pgc__script_pset(struct pgc_script *script, const char *name, const char *value, bool silent);

/* runner_pipeline.c */
bool pgc__script_pipeline_takes(const struct pgc_script *script, const char *sql,
                                const struct pgc_engine_request *request);
bool pgc__script_pipeline_send(struct pgc_script *script, const char *sql);
bool pgc__script_pipeline_drain(struct pgc_script *script); /* reads every answer; false when one failed */
#endif
