#include "script/slash_copy.h"

#include <string.h>
#include <strings.h>

#include "script/lexer_internal.h"

void pgc_slash_copy_release(struct pgc_slash_copy *copy) {
    pgc_buf_release(&copy->sql);
    free(copy->file);
    copy->file = NULL;
}

struct tokens {
    const char *at;
    struct pgc_buf token;
    bool none;
};

static bool in_set(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

/* Next token: one character of `single`, a quoted text with its quotes, or a run up to white space or one of these. */
static bool next(struct tokens *t, const char *single, const char *quotes, bool escapes) {
    pgc_buf_clear(&t->token);
    t->at += strspn(t->at, " \t\n\r\f");
    const char *p = t->at;
    t->none = *p == '\0';
    if (t->none)
        return false;
    bool escape_string = escapes && (*p == 'E' || *p == 'e') && p[1] == '\'';
    if (in_set(*p, single)) {
        p++;
    } else if (escape_string || in_set(*p, quotes)) {
        p += escape_string;
        char quote = *p++;
        for (; *p != '\0'; p++) {
            if (escape_string && *p == '\\' && p[1] != '\0')
                p++;
            else if (*p == quote && p[1] == quote)
                p++;
            else if (*p == quote) {
                p++;
                break;
            }
        }
    } else
        while (*p != '\0' && !lex_space(*p) && !in_set(*p, single) && !in_set(*p, quotes))
            p++;
    pgc_buf_put(&t->token, t->at, (size_t)(p - t->at));
    t->at = p;
    return true;
}

static bool is(const struct tokens *t, const char *word) {
    return strcasecmp(t->token.data, word) == 0;
}

static void add(struct pgc_slash_copy *copy, const struct tokens *t, const char *before) {
    pgc_buf_puts(&copy->sql, before);
    pgc_buf_puts(&copy->sql, t->token.data);
}

static const char names[] = ".,()";

/* ( ... ) and the token behind it. */
static bool query(struct tokens *t, struct pgc_slash_copy *copy) {
    for (int depth = 1; depth > 0;) {
        add(copy, t, " ");
        if (!next(t, "()", "\"'", true))
            return false;
        depth += t->token.data[0] == '(' ? 1 : t->token.data[0] == ')' ? -1 : 0;
    }
    add(copy, t, " ");
    return next(t, names, "\"", false);
}

static bool table(struct tokens *t, struct pgc_slash_copy *copy) {
    add(copy, t, " ");
    if (!next(t, names, "\"", false))
        return false;
    if (t->token.data[0] == '.') {
        add(copy, t, "");
        if (!next(t, names, "\"", false))
            return false;
        add(copy, t, "");
        if (!next(t, names, "\"", false))
            return false;
    }
    if (t->token.data[0] != '(')
        return true;
    do {
        add(copy, t, " ");
        if (!next(t, "()", "\"", false))
            return false;
    } while (t->token.data[0] != ')');
    add(copy, t, " ");
    return next(t, names, "\"", false);
}

/* The token without its single quotes. */
static char *unquoted(const struct tokens *t) {
    const char *s = t->token.data;
    size_t len = t->token.len;
    if (s[0] != '\'')
        return strdup(s);
    struct pgc_buf out = PGC_BUF_INIT;
    for (size_t i = 1; i < len; i++) {
        if (s[i] == '\'' && i + 1 == len)
            break;
        if (s[i] == '\'' && s[i + 1] == '\'')
            i++;
        pgc_buf_putc(&out, s[i]);
    }
    char *text = strdup(out.data);
    pgc_buf_release(&out);
    return text;
}

static bool target(struct tokens *t, struct pgc_slash_copy *copy) {
    if (!next(t, ";", "'", false))
        return false;
    if (is(t, "program")) {
        if (!next(t, ";", "'", false))
            return false;
        if (t->token.len < 2 || t->token.data[0] != '\'' || t->token.data[t->token.len - 1] != '\'')
            return false;
        copy->program = true;
        copy->file = unquoted(t);
    } else if (is(t, "pstdin") || is(t, "pstdout")) {
        copy->outer = true;
    } else if (!is(t, "stdin") && !is(t, "stdout"))
        copy->file = unquoted(t);
    return true;
}

static bool parse(struct tokens *t, struct pgc_slash_copy *copy) {
    if (!next(t, names, "\"", false))
        return false;
    if (is(t, "binary")) {
        add(copy, t, "");
        if (!next(t, names, "\"", false))
            return false;
    }
    if (!(t->token.data[0] == '(' ? query(t, copy) : table(t, copy)))
        return false;
    copy->from = is(t, "from");
    if (!copy->from && !is(t, "to"))
        return false;
    pgc_buf_puts(&copy->sql, copy->from ? " FROM STDIN " : " TO STDOUT ");
    if (!target(t, copy))
        return false;
    t->at += strspn(t->at, " \t\n\r\f");
    size_t len = strlen(t->at);
    while (len > 0 && lex_space(t->at[len - 1]))
        len--;
    pgc_buf_put(&copy->sql, t->at, len);
    return true;
}

enum pgc_code pgc_slash_copy_parse(const char *text, struct pgc_slash_copy *out, struct pgc_error *err) {
    *out = (struct pgc_slash_copy) { .sql = PGC_BUF_INIT };
    if (text == NULL || text[strspn(text, " \t\r\n\f")] == '\0')
        return pgc_fail(err, PGC_E_USAGE, "\\copy: arguments required");
    struct tokens t = { .at = text, .token = PGC_BUF_INIT };
    pgc_buf_puts(&out->sql, "COPY ");
    bool ok = parse(&t, out);
    enum pgc_code code = PGC_OK;
    if (!ok && t.none)
        code = pgc_fail(err, PGC_E_USAGE, "\\copy: parse error at end of line");
    else if (!ok)
        code = pgc_fail(err, PGC_E_USAGE, "\\copy: parse error at \"%s\"", t.token.data);
    pgc_buf_release(&t.token);
    return code;
}
