#ifndef PGC_SCRIPT_SPLIT_H
#define PGC_SCRIPT_SPLIT_H
/* A script taken apart into statements, as psql would send them, without running anything. Needs no server.
 *
 *     static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) { ... }
 *     struct pgc_split_options options = { 0 };
 *     code = pgc_split_text(text, len, &options, each, &mine, NULL, err);
 *
 * By default the text is taken as it is: no variable is replaced, no \if is evaluated, and meta-commands and inline
 * COPY data are handed out as items of their own. With `variables` the script is followed as psql would: \set and \unset
 * work, :name is replaced, \if decides; backquotes stay empty, \gset sets nothing, \i reads nothing.
 * `set standard_conforming_strings` is followed either way. */
#include <stdint.h>

#include "io/stream.h"
#include "script/lexer.h"

enum pgc_split_kind {
    PGC_SPLIT_STATEMENT,
    PGC_SPLIT_META,     /* text: the command with its arguments, without the backslash */
    PGC_SPLIT_COPY_DATA /* behind a COPY ... FROM STDIN, without its end marker; text NULL, see offset and end */
};

struct pgc_split_item {
    enum pgc_split_kind kind;
    const char *text;     /* NUL-terminated, borrowed during the call; a statement keeps its semicolon */
    size_t len;           /* of text */
    uint64_t offset, end; /* bytes of the script it was made of: [offset, end) */
    unsigned long line;   /* of its first byte, from 1 */
    unsigned long end_line;
    bool terminated;          /* a statement ended by a semicolon (not by \g or the end of the script) */
    bool nonstandard_strings; /* statement: standard_conforming_strings was off while it was read */
    size_t copy_from_stdin;   /* statement: how many COPY ... FROM STDIN it holds */
};

/* Anything but PGC_OK ends the splitting and is returned. */
typedef enum pgc_code pgc_split_fn(void *arg, const struct pgc_split_item *item, struct pgc_error *err);

struct pgc_split_options {
    bool variables;
    const char *const *set;      /* with variables: names and values in turn, NULL-terminated; NULL: none */
    const char *client_encoding; /* NULL: UTF8 */
    bool nonstandard_strings;    /* begins with standard_conforming_strings = off */
};

/* What was open when the script ended. */
struct pgc_split_end {
    enum pgc_lex_state state; /* PGC_LEX_IN_SQL: no quote, no comment */
    unsigned long open_line;  /* where that quote or comment began; 0: none */
    int paren_depth;
    int begin_depth;
    unsigned long if_line; /* with variables: line of an \if without \endif, 0: none */
    unsigned long lines;
    bool bom;  /* began with a byte order mark */
    bool crlf; /* a line ended in CR LF */
    /* With variables: first complaint about a meta-command (\else without \if ...), "" when there is none. */
    unsigned long error_line;
    char error[256];
};

/* `end` may be NULL. The script itself cannot be wrong: whatever psql would send is handed out. */
PGC_MUST_USE enum pgc_code pgc_split_text(const char *text, size_t len, const struct pgc_split_options *options,
                                          pgc_split_fn *fn, void *arg, struct pgc_split_end *end,
                                          struct pgc_error *err);
/* The same, reading as it goes: memory is one block and one statement. */
PGC_MUST_USE enum pgc_code pgc_split_source(struct pgc_source *source, const struct pgc_split_options *options,
                                            pgc_split_fn *fn, void *arg, struct pgc_split_end *end,
                                            struct pgc_error *err);
/* "a quoted string", "a comment", ...; for messages about pgc_split_end.state. */
const char *pgc_lex_state_name(enum pgc_lex_state state);
#endif
