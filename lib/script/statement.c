/* Looks at the text of a whole query: quoting of values, and which COPY commands it holds. */
#include <string.h>
#include <strings.h>

#include "script/lexer.h"
#include "script/lexer_internal.h"
#include "script/token.h"

void pgc_lex_quote_literal(struct pgc_buf *out, const char *value) {
    bool escaped = strchr(value, '\\') != NULL;
    pgc_buf_puts(out, escaped ? " E'" : "'");
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            pgc_buf_putc(out, *value);
        pgc_buf_putc(out, *value);
    }
    pgc_buf_putc(out, '\'');
}

void pgc_lex_quote_ident(struct pgc_buf *out, const char *value) {
    pgc_buf_putc(out, '"');
    for (; *value != '\0'; value++) {
        if (*value == '"')
            pgc_buf_putc(out, '"');
        pgc_buf_putc(out, *value);
    }
    pgc_buf_putc(out, '"');
}

bool pgc_lex_quote_shell(struct pgc_buf *out, const char *value) {
    if (strpbrk(value, "\r\n") != NULL)
        return false;
    pgc_buf_putc(out, '\'');
    for (; *value != '\0'; value++)
        if (*value == '\'')
            pgc_buf_puts(out, "'\"'\"'");
        else
            pgc_buf_putc(out, *value);
    pgc_buf_putc(out, '\'');
    return true;
}

bool pgc_lex_variable_name(const char *name) {
    size_t n = 0;
    while (lex_variable_char(name[n]))
        n++;
    return n > 0 && name[n] == '\0';
}

/* --- COPY ... FROM STDIN ---------------------------------------------------------------------------------- */

/* Most queries do not even hold the word, and some are large. */
static bool mentions_stdin(const char *sql, size_t len) {
    for (size_t i = 0; i + 5 <= len; i++)
        if ((sql[i] | 0x20) == 's' && strncasecmp(sql + i, "stdin", 5) == 0)
            return true;
    return false;
}

size_t pgc_lex_copy_from_stdin(const char *sql, size_t len) {
    size_t count = 0, words = 0, at = 0;
    int depth = 0;
    bool copy = false, from = false;
    struct pgc_token token;
    if (!mentions_stdin(sql, len))
        return 0;
    while (pgc_token_next(sql, len, &at, true, &token)) {
        if (token.kind == PGC_TOKEN_COMMENT)
            continue;
        char c = token.kind == PGC_TOKEN_PUNCT ? sql[token.start] : '\0';
        depth += c == '(' ? 1 : c == ')' && depth > 0 ? -1 : 0;
        if (c == ';' && depth == 0) {
            copy = from = false;
            words = 0;
            continue;
        }
        if (words++ == 0)
            copy = pgc_token_is(sql, &token, "copy");
        else if (copy && from && pgc_token_is(sql, &token, "stdin"))
            count++, copy = false;
        from = copy && depth == 0 && pgc_token_is(sql, &token, "from");
    }
    return count;
}
