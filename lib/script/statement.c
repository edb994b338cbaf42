/* Looks at the text of a whole query: quoting of values, and which COPY commands it holds. */
#include <string.h>
#include <strings.h>

#include "script/lexer.h"
#include "script/lexer_internal.h"

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

struct scan {
    const char *s;
    size_t i, len;
};

static void skip_quoted(struct scan *in, char quote, bool escapes) {
    for (in->i++; in->i < in->len; in->i++) {
        if (escapes && in->s[in->i] == '\\')
            in->i++;
        else if (in->s[in->i] == quote) {
            in->i++;
            if (in->i >= in->len || in->s[in->i] != quote)
                return;
        }
    }
}

static void skip_block_comment(struct scan *in) {
    int depth = 0;
    for (; in->i + 1 < in->len; in->i++) {
        if (in->s[in->i] == '/' && in->s[in->i + 1] == '*') {
            depth++;
            in->i++;
        } else if (in->s[in->i] == '*' && in->s[in->i + 1] == '/') {
            in->i++;
            if (--depth == 0) {
                in->i++;
                return;
            }
        }
    }
    in->i = in->len;
}

static void skip_dollar(struct scan *in) {
    size_t n = in->i + 1;
    while (n < in->len && lex_variable_char(in->s[n]) && !(n == in->i + 1 && lex_digit(in->s[n])))
        n++;
    if (n >= in->len || in->s[n] != '$') {
        in->i++;
        return;
    }
    size_t tag = n + 1 - in->i;
    const char *end = memmem(in->s + n + 1, in->len - n - 1, in->s + in->i, tag);
    in->i = end == NULL ? in->len : (size_t)(end - in->s) + tag;
}

/* Next word (its length in *len), or one character of punctuation (*len 0). NULL at the end. */
static const char *next_token(struct scan *in, size_t *len) {
    while (in->i < in->len) {
        const char *at = in->s + in->i;
        char second = in->i + 1 < in->len ? at[1] : '\0';
        *len = 0;
        if (lex_space(*at) || *at == '\v') {
            in->i++;
        } else if (*at == '-' && second == '-') {
            while (in->i < in->len && in->s[in->i] != '\n')
                in->i++;
        } else if (*at == '/' && second == '*') {
            skip_block_comment(in);
        } else if (*at == '\'' || *at == '"') {
            skip_quoted(in, *at, false);
            return at;
        } else if ((*at == 'e' || *at == 'E') && second == '\'') {
            in->i++;
            skip_quoted(in, '\'', true);
            return in->s;
        } else if (*at == '$') {
            skip_dollar(in);
            return at;
        } else if (lex_ident_start(*at)) {
            while (in->i < in->len && (lex_variable_char(in->s[in->i]) || in->s[in->i] == '$'))
                in->i++;
            *len = (size_t)(in->s + in->i - at);
            return at;
        } else {
            in->i++;
            return at;
        }
    }
    return NULL;
}

/* One statement that begins with another word: nothing further in it has to be looked at. */
static bool begins_without_copy(const char *sql, size_t len) {
    struct scan in = { sql, 0, len };
    size_t n = 0;
    const char *first = next_token(&in, &n);
    if (first == NULL || (n == 4 && strncasecmp(first, "copy", n) == 0))
        return first == NULL;
    const char *semicolon = memchr(sql, ';', len);
    return semicolon == NULL || semicolon == sql + len - 1;
}

size_t pgc_lex_copy_from_stdin(const char *sql, size_t len) {
    if (begins_without_copy(sql, len))
        return 0;
    struct scan in = { sql, 0, len };
    size_t count = 0, words = 0, n;
    int depth = 0;
    bool copy = false, from = false;
    const char *token;
    while ((token = next_token(&in, &n)) != NULL) {
        if (n == 0) {
            from = false;
            depth += *token == '(' ? 1 : *token == ')' && depth > 0 ? -1 : 0;
            if (*token == ';' && depth == 0)
                copy = from = false, words = 0;
            else
                words++;
            continue;
        }
        if (words++ == 0)
            copy = n == 4 && strncasecmp(token, "copy", n) == 0;
        else if (copy && from && n == 5 && strncasecmp(token, "stdin", n) == 0)
            count++, copy = false;
        from = copy && depth == 0 && n == 4 && strncasecmp(token, "from", n) == 0;
    }
    return count;
}
