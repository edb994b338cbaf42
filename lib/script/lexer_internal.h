#ifndef PGC_SCRIPT_LEXER_INTERNAL_H
#define PGC_SCRIPT_LEXER_INTERNAL_H
/* Shared by lexer.c (SQL), slash.c (meta-commands) and encoding.c. */
#include "script/lexer.h"

/* Copies text with every byte but the first of a character replaced by 0xFF, which no rule of the lexer takes for ASCII. */
void pgc__lex_mask(enum pgc_lex_encoding encoding, const char *text, size_t len, char *out);

static inline bool lex_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
static inline bool lex_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline bool lex_ident_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}
static inline bool lex_variable_char(char c) {
    return lex_ident_start(c) || lex_digit(c);
}

/* A form `:name`, `:'name'`, `:"name"` or `:{?name}` at a colon. */
enum lex_colon { LEX_COLON_NONE, LEX_COLON_PLAIN, LEX_COLON_LITERAL, LEX_COLON_IDENT, LEX_COLON_TEST };
struct lex_colon_form {
    enum lex_colon form;
    size_t name_at; /* relative to the colon */
    size_t name_len;
    size_t len;
};
struct lex_colon_form pgc__lex_colon(const char *scan, size_t left);
/* Value of the variable named by bytes of the raw text; NULL: unset. */
const char *pgc__lex_value(struct pgc_lexer *lexer, const char *raw, const struct lex_colon_form *form);
/* Appends what LITERAL, IDENT and TEST stand for; the text itself when the variable is unset. */
void pgc__lex_put_quoted(struct pgc_lexer *lexer, const char *raw, const struct lex_colon_form *form,
                         struct pgc_buf *out);
/* The input to read from; NULL at the end of the line. Ends variables that are used up. */
struct pgc_lexer_input *pgc__lex_input(struct pgc_lexer *lexer);
void pgc__lex_warn(struct pgc_lexer *lexer, const char *format, ...) PGC_PRINTF(2, 3);
void pgc__lex_error(struct pgc_lexer *lexer, const char *format, ...) PGC_PRINTF(2, 3);
#endif
