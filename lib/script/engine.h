#ifndef PGC_SCRIPT_ENGINE_H
#define PGC_SCRIPT_ENGINE_H
/* The main loop of psql, without what it does to a server: lines go through the lexer, statements to ops->send,
 * meta-commands to a table. Used by split.c (sends into a list) and runner.c (sends to a server). Internal to lib/script.
 *
 * One engine per input (\i makes a new one); what lives longer is in `struct pgc_engine_session`. */
#include "script/lexer.h"
#include "script/reader.h"
#include "script/vars.h"

struct pgc_engine;

enum pgc_engine_status {
    PGC_ENGINE_SKIP,      /* done */
    PGC_ENGINE_SEND,      /* send the query buffer */
    PGC_ENGINE_ERROR,     /* failed; already told */
    PGC_ENGINE_TERMINATE, /* \q */
    PGC_ENGINE_UNKNOWN,   /* no such command */
};

enum pgc_engine_level { PGC_ENGINE_PLAIN, PGC_ENGINE_WARNING, PGC_ENGINE_FAILURE };

/* How a query was asked for. */
enum pgc_engine_send { PGC_SEND_PLAIN, PGC_SEND_SET, PGC_SEND_EXEC, PGC_SEND_DESCRIBE };
struct pgc_engine_request {
    enum pgc_engine_send kind;
    bool terminated; /* by a semicolon */
    bool expanded;   /* \gx */
    char *target;    /* \g FILE or |COMMAND; \gset PREFIX; NULL: none */
    char *settings;  /* \g (name=value ...): lines name=value; NULL: none */
};

/* What a skipped command would have taken from its line. */
enum pgc_engine_ignore { PGC_IGNORE_ARGS, PGC_IGNORE_LINE, PGC_IGNORE_FILE };

struct pgc_engine_command {
    const char *name;
    enum pgc_engine_ignore ignore;
    enum pgc_engine_status (*run)(struct pgc_engine *engine, const char *name);
};

struct pgc_engine_ops {
    /* Runs a query. False: it failed (already told). */
    bool (*send)(struct pgc_engine *engine, const struct pgc_engine_request *request);
    void (*message)(struct pgc_engine *engine, enum pgc_engine_level level, const char *text);
    /* Output of a backquoted command; NULL or false: none. */
    bool (*backtick)(struct pgc_engine *engine, const char *command, struct pgc_buf *out);
    /* A variable is about to change (value NULL: unset). False: refused (already told). May replace *value by a static text. */
    bool (*assign)(struct pgc_engine *engine, const char *name, const char **value);
    /* \set without arguments; may be NULL. */
    void (*list)(struct pgc_engine *engine);
    /* Called for each line before it is lexed: encoding, standard_strings. May be NULL. */
    void (*line)(struct pgc_engine *engine, const char *text, size_t len);
    /* After each meta-command; may be NULL. */
    void (*meta)(struct pgc_engine *engine, const char *name, size_t begin);
    /* False: the connection is gone, nothing more can be run. NULL: there is none to lose. */
    bool (*alive)(struct pgc_engine *engine);
    const struct pgc_engine_command *commands; /* looked at before the engine's own; ends with a NULL name */
    bool ignore_unknown;                       /* unknown commands are passed over */
};

struct pgc_engine_session {
    const struct pgc_engine_ops *ops;
    void *arg;
    struct pgc_vars vars;
    char *restrict_key; /* of \restrict, NULL: not restricted */
    bool no_variables;  /* :name stays as it is */
    bool no_conditions; /* \if and its kin are passed over */
};
void pgc_engine_session_release(struct pgc_engine_session *session);

struct pgc_engine_condition {
    enum pgc_engine_branch {
        PGC_BRANCH_TRUE,
        PGC_BRANCH_FALSE,
        PGC_BRANCH_IGNORED,
        PGC_BRANCH_ELSE_TRUE,
        PGC_BRANCH_ELSE_FALSE,
    } state;
    size_t query_len;
    int paren_depth;
    unsigned long line;
};

struct pgc_engine {
    struct pgc_engine_session *session;
    struct pgc_lexer lexer;
    struct pgc_reader *reader;
    const char *file; /* name for messages, NULL: none (standard input, -c) */
    struct pgc_buf query;
    struct pgc_buf previous;
    struct pgc_buf name, argument; /* of the meta-command being run */
    struct pgc_engine_condition *conditions;
    size_t condition_count, condition_cap;
    struct pgc_engine_request request;
    unsigned long line;   /* being read, from 1 */
    uint64_t line_offset; /* of its first byte */
    uint64_t read_offset; /* behind the last line that was not empty */
    unsigned long read_line;
    bool at_end;            /* the input is used up; the last statement is being sent */
    unsigned long sql_line; /* where the statement in `query` begins */
    uint64_t sql_offset;
    unsigned long open_line; /* where the quote or comment began that is still open */
    bool backtick_failed;    /* during the meta-command being run: it must not go on with an empty value */
    enum pgc_code failure;   /* reading or memory failed: ends the run */
    struct pgc_error err;
};

/* How it ended, as exit statuses of psql. */
enum { PGC_SCRIPT_DONE = 0, PGC_SCRIPT_FAILED = 1, PGC_SCRIPT_BAD_CONNECTION = 2, PGC_SCRIPT_STOPPED = 3 };

void pgc_engine_init(struct pgc_engine *engine, struct pgc_engine_session *session, struct pgc_reader *reader,
                     const char *file);
void pgc_engine_release(struct pgc_engine *engine);
/* Runs the whole input. Gives the status; engine->failure tells of what is nobody's SQL (I/O, memory). */
int pgc_engine_run(struct pgc_engine *engine);
/* Runs one meta-command, `text` being what follows its backslash (psql -c '\...'). */
enum pgc_engine_status pgc_engine_run_meta(struct pgc_engine *engine, const char *text);

/* For commands. */
bool pgc_engine_active(const struct pgc_engine *engine);
bool pgc_engine_stops_on_error(const struct pgc_engine *engine);
/* Next argument, NULL when there is none. Borrowed until the next. */
const char *pgc_engine_argument(struct pgc_engine *engine, enum pgc_lex_argument type, bool strip, char *quote);
char *pgc_engine_argument_copy(struct pgc_engine *engine, enum pgc_lex_argument type, bool strip);
bool pgc_engine_set(struct pgc_engine *engine, const char *name, const char *value);
void pgc_engine_error(struct pgc_engine *engine, const char *format, ...) PGC_PRINTF(2, 3);
void pgc_engine_warn(struct pgc_engine *engine, const char *format, ...) PGC_PRINTF(2, 3);
/* After PGC_SEND_PLAIN: passes over the data of `count` COPY ... FROM STDIN. */
void pgc_engine_skip_copy(struct pgc_engine *engine, size_t count);

/* COPY data has been read: the line for messages is the last one of it. */
void pgc_engine_line_passed(struct pgc_engine *engine);

/* commands.c: the commands that need no server. */
const struct pgc_engine_command *pgc__engine_core_command(const char *name);
void pgc__engine_request_clear(struct pgc_engine_request *request);
#endif
