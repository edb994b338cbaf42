#ifndef PGC_SCRIPT_LEXER_H
#define PGC_SCRIPT_LEXER_H
/* The SQL and meta-command lexer of psql 15, pure: text in, text and verdicts out; no server, no file, no shell.
 *
 * A script is read line by line, as psql does: the states of the lexer (open quote, comment, parenthesis depth,
 * body of a BEGIN ATOMIC function) live across lines, its look-ahead does not. Who only wants statements takes
 * script/split.h; who wants scripts executed takes script/runner.h.
 *
 *     PGC_CLEANUP(pgc_lexer_release) struct pgc_lexer lexer;
 *     pgc_lexer_init(&lexer, &hooks);
 *     for each line without its newline:
 *         if (query.len > 0)
 *             pgc_buf_putc(&query, '\n');
 *         pgc_lexer_line(&lexer, line, len);
 *         do switch (verdict = pgc_lexer_next(&lexer, &query)) {
 *             case PGC_LEX_SEMICOLON: ... query holds a statement with its semicolon: use it, clear it ...
 *             case PGC_LEX_BACKSLASH: ... pgc_lexer_command(), pgc_lexer_argument(), pgc_lexer_command_end() ...
 *             default: ... the line is used up ...
 *         } while (verdict == PGC_LEX_SEMICOLON || verdict == PGC_LEX_BACKSLASH);
 *
 * Text in front of a statement (white space, -- comments) is dropped, everything else is passed on as it is. */
#include "base/buf.h"

/* How to find character boundaries: encodings in which the later bytes of a character may look like ASCII. */
enum pgc_lex_encoding {
    PGC_LEX_ASCII_SAFE, /* UTF8, LATINn, EUC_xx, WINnnnn, SQL_ASCII, ... */
    PGC_LEX_SJIS,
    PGC_LEX_DOUBLE, /* BIG5, GBK, UHC: a byte with the high bit set begins a pair */
    PGC_LEX_GB18030,
    PGC_LEX_JOHAB,
};
/* From the name of a client encoding as the server reports it ("SJIS", "shift_jis_2004", "GB18030", ...). */
enum pgc_lex_encoding pgc_lex_encoding_of(const char *name);

enum pgc_lex {
    PGC_LEX_SEMICOLON,  /* a statement ends here */
    PGC_LEX_BACKSLASH,  /* a meta-command begins here */
    PGC_LEX_EOL,        /* end of line, a statement is under way that could be sent as it is */
    PGC_LEX_INCOMPLETE, /* end of line inside a quote, comment, parentheses or body, or nothing collected yet */
};

enum pgc_lex_state {
    PGC_LEX_IN_SQL,
    PGC_LEX_IN_BIT,          /* B'..' */
    PGC_LEX_IN_COMMENT,      /* slash star */
    PGC_LEX_IN_IDENT,        /* ".." */
    PGC_LEX_IN_HEX,          /* X'..' */
    PGC_LEX_IN_QUOTE,        /* '..' with standard_conforming_strings */
    PGC_LEX_IN_ESCAPE,       /* E'..', and '..' without standard_conforming_strings */
    PGC_LEX_IN_DOLLAR,       /* $tag$..$tag$ */
    PGC_LEX_IN_UNICODE_ID,   /* U&".." */
    PGC_LEX_IN_UNICODE_TEXT, /* U&'..' */
};

/* What the lexer asks its owner. Every member may be NULL: no variables, no backticks, silence. */
struct pgc_lexer_hooks {
    /* Value of a variable, NULL when unset; borrowed until the next call of any hook. */
    const char *(*variable)(void *arg, const char *name);
    /* Appends the output of a backquoted command without its last newline. False: failed, nothing appended. */
    bool (*backtick)(void *arg, const char *command, struct pgc_buf *out);
    void (*error)(void *arg, const char *message);
    void (*warning)(void *arg, const char *message);
    void *arg;
};

struct pgc_lexer_input {
    const char *raw;  /* what is passed on */
    const char *scan; /* what is looked at: raw, or a copy whose trailing bytes of characters are masked */
    size_t len;
    size_t pos;
    char *owned; /* storage of raw when it is the value of a variable */
    char *mask;  /* storage of scan when it is a copy */
    char *name;  /* variable whose value this is; NULL: the line */
};

/* Fields up to `dollar` may be read; only `hooks`, `encoding` and `standard_strings` may be set, between lines. */
struct pgc_lexer {
    struct pgc_lexer_hooks hooks;
    enum pgc_lex_encoding encoding;
    bool standard_strings;
    enum pgc_lex_state state;
    int paren_depth;
    int begin_depth;
    int comment_depth;
    size_t start; /* where in the line the statement under way begins; meaningful when it began in this line */
    struct pgc_buf dollar;
    char words[4]; /* first letters of the leading CREATE OR REPLACE FUNCTION|PROCEDURE words */
    size_t word_count;
    struct pgc_lexer_input *inputs; /* line, then the variables being expanded */
    size_t depth;
    size_t cap;
    bool nomem;
};

void pgc_lexer_init(struct pgc_lexer *lexer, const struct pgc_lexer_hooks *hooks); /* hooks may be NULL */
void pgc_lexer_release(struct pgc_lexer *lexer);
/* Forgets quotes, parentheses and the like: a new statement begins. */
void pgc_lexer_reset(struct pgc_lexer *lexer);
/* Takes up a line (no newline at its end). The text is borrowed until the next line. */
void pgc_lexer_line(struct pgc_lexer *lexer, const char *line, size_t len);
/* Copies what is left of the line, whose text is about to go away. */
void pgc_lexer_keep_line(struct pgc_lexer *lexer);
/* Goes on to the next verdict, appending to `query`. */
enum pgc_lex pgc_lexer_next(struct pgc_lexer *lexer, struct pgc_buf *query);
/* Byte position in the line: what is before it has been consumed. */
size_t pgc_lexer_position(const struct pgc_lexer *lexer);
/* True inside a quote or comment, where an empty line counts. */
bool pgc_lexer_in_quote(const struct pgc_lexer *lexer);
/* PGC_OK, or PGC_E_NOMEM once anything did not fit. */
PGC_MUST_USE enum pgc_code pgc_lexer_check(const struct pgc_lexer *lexer, struct pgc_error *err);

/* --- meta-commands, after PGC_LEX_BACKSLASH ------------------------------------------------------------- */

enum pgc_lex_argument {
    PGC_ARG_NORMAL,     /* quotes, variables and backticks are resolved */
    PGC_ARG_IDENT,      /* an SQL identifier: folded to lower case unless in double quotes, which are removed */
    PGC_ARG_IDENT_KEEP, /* the same without folding */
    PGC_ARG_FILE,       /* file name, or the rest of the line when it begins with | */
    PGC_ARG_LINE,       /* the rest of the line as it is */
};

/* Name of the command into `name`. */
void pgc_lexer_command(struct pgc_lexer *lexer, struct pgc_buf *name);
/* Next argument into `out` (cleared first). False: there is none, or its quotes are not closed (told by the error hook).
 * *quote becomes the last kind of quoting used (' " ` or : for a variable), 0 for none; may be NULL.
 * `strip` drops semicolons at the end that were not quoted. `eval` false: backticks are not evaluated. */
bool pgc_lexer_argument(struct pgc_lexer *lexer, enum pgc_lex_argument type, bool strip, bool eval, char *quote,
                        struct pgc_buf *out);
/* Swallows the \\ that separates a meta-command from what follows on its line. */
void pgc_lexer_command_end(struct pgc_lexer *lexer);

/* --- pieces ---------------------------------------------------------------------------------------------- */

/* Appends value as an SQL literal, as PQescapeLiteral writes it: 'it''s', or " E'..'" when it holds a backslash. */
void pgc_lex_quote_literal(struct pgc_buf *out, const char *value);
void pgc_lex_quote_ident(struct pgc_buf *out, const char *value);
/* Appends value quoted for a POSIX shell. False when it holds a newline or carriage return, which psql refuses. */
bool pgc_lex_quote_shell(struct pgc_buf *out, const char *value);
/* Letters, digits, underscore and bytes above 127, at least one. */
bool pgc_lex_variable_name(const char *name);
/* How many COPY ... FROM STDIN commands the text of a query holds (more than one needs \; between them). */
size_t pgc_lex_copy_from_stdin(const char *sql, size_t len);
#endif
