#ifndef PGC_SCRIPT_RUNNER_H
#define PGC_SCRIPT_RUNNER_H
/* Runs scripts written for psql, as psql -X would, without psql.
 *
 *     struct pgc_script_options options = { .connect = { .conninfo = "dbname=app" }, .on_error_stop = true,
 *                                           .out = sink, .message = to_stderr };
 *     PGC_AUTO(pgc_script_free) struct pgc_script *script = NULL;
 *     code = pgc_script_open(&options, rt, &script, err);
 *     code = pgc_script_run_file(script, "init.sql", err);
 *     if (code != PGC_OK) ... pgc_script_fault(script)->line, ->sqlstate; pgc_script_exit_status(script) ...
 *
 * A script object is one psql process: variables, connection (\c changes it), output settings live as long as it does,
 * and several inputs may be run one after the other. One statement at a time is sent by the simple protocol.
 *
 * Failures. With on_error_stop the first error ends the input: the run returns PGC_E_SQL, PGC_E_DATA (a meta-command),
 * PGC_E_TEMPORARY (connection lost) ... with err->message "FILE:LINE: ERROR:  ...". Without it the run goes on as psql does
 * and returns PGC_OK; pgc_script_fault() tells the first error. The message hook got every message at its time
 * in psql's own words: "psql:init.sql:7: ERROR:  relation "x" does not exist\nLINE 1: ...\n        ^\n".
 *
 * No shell is ever run unless allow_shell: \!, backquotes, PROGRAM, |command are errors that say so. The form
 * `echo "$NAME"` (or '$NAME', $NAME) in backquotes is served from the environment without a shell. */
#include <pgc/runtime.h>

#include "pg/conn.h"

struct pgc_script;

enum pgc_script_echo { PGC_ECHO_NONE, PGC_ECHO_ERRORS, PGC_ECHO_QUERIES, PGC_ECHO_ALL };

struct pgc_script_options {
    struct pgc_conn_options connect; /* not used when conn is given */
    struct pgc_conn *conn;           /* an open connection, borrowed; after \c the script has one of its own */
    bool on_error_stop;
    bool single_transaction; /* see pgc_script_begin */
    bool quiet;              /* no "CREATE TABLE" and the like on out */
    bool allow_shell;
    bool pipeline;                /* queue statements, read answers later; see pgc_script_begin */
    const char *const *variables; /* names and values in turn, NULL-terminated; NULL: none */
    const char *program;          /* in front of messages; NULL: "psql" */
    /* Query results, command tags, \echo; NULL: dropped. Borrowed; never committed. */
    struct pgc_sink *out;
    /* What psql writes to stderr: whole lines with their newlines. NULL: dropped. */
    void (*message)(void *arg, const char *text);
    void *message_arg;
    /* Standard input of \copy ... from pstdin; NULL: empty. */
    struct pgc_source *in;
};

/* The first error of a run. */
struct pgc_script_fault {
    unsigned long line; /* in file; 0: nothing failed */
    char file[512];     /* "" for an input without a name */
    char sqlstate[6];   /* "" when the server had no part in it */
    char message[2048]; /* primary message, without position */
    int status;         /* 1 failed, 2 connection lost, 3 stopped by an error */
};

/* Connects (unless a connection is given) and sets the variables. */
PGC_MUST_USE enum pgc_code pgc_script_open(const struct pgc_script_options *options, const struct pgc_runtime *rt,
                                           struct pgc_script **out, struct pgc_error *err);
void pgc_script_free(struct pgc_script *script);
PGC_DEFINE_AUTO(pgc_script_free, struct pgc_script *)

/* psql -f PATH. */
PGC_MUST_USE enum pgc_code pgc_script_run_file(struct pgc_script *script, const char *path, struct pgc_error *err);
/* A stream (a decompressed file, standard input). `name` stands in messages; NULL: messages have no file and line,
 * as psql's on standard input; \ir is relative to the working directory then. Does not verify the source. */
PGC_MUST_USE enum pgc_code pgc_script_run_source(struct pgc_script *script, struct pgc_source *source, const char *name,
                                                 struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_script_run_text(struct pgc_script *script, const char *text, size_t len,
                                               const char *name, struct pgc_error *err);
/* psql -c TEXT: one meta-command, or SQL that is sent as a whole without looking for variables. */
PGC_MUST_USE enum pgc_code pgc_script_run_command(struct pgc_script *script, const char *text, struct pgc_error *err);

/* psql -1: BEGIN before and COMMIT after what is run between them; end(false) rolls back. No-op without single_transaction. */
PGC_MUST_USE enum pgc_code pgc_script_begin(struct pgc_script *script, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_script_end(struct pgc_script *script, bool success, struct pgc_error *err);

/* psql's exit status for what was run last: 0 done, 1 failed before it began (no such file), 2 connection lost,
 * 3 stopped by an error. After -c an SQL error is 1. */
int pgc_script_exit_status(const struct pgc_script *script);
const struct pgc_script_fault *pgc_script_fault(const struct pgc_script *script);
/* \pset NAME VALUE (value NULL toggles), \o FILE. */
PGC_MUST_USE enum pgc_code pgc_script_pset(struct pgc_script *script, const char *name, const char *value,
                                           struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_script_output(struct pgc_script *script, const char *path, struct pgc_error *err);
const char *pgc_script_variable(const struct pgc_script *script, const char *name);
PGC_MUST_USE enum pgc_code pgc_script_set(struct pgc_script *script, const char *name, const char *value,
                                          struct pgc_error *err);
#endif
