/* Meta-commands: the part of the line after a backslash. */
#include <string.h>

#include "script/lexer_internal.h"

void pgc_lexer_command(struct pgc_lexer *lexer, struct pgc_buf *name) {
    struct pgc_lexer_input *in;
    pgc_buf_clear(name);
    while ((in = pgc__lex_input(lexer)) != NULL) {
        char c = in->scan[in->pos];
        if (lex_space(c) || c == '\\')
            return;
        pgc_buf_putc(name, in->raw[in->pos++]);
    }
}

void pgc_lexer_command_end(struct pgc_lexer *lexer) {
    struct pgc_lexer_input *in = pgc__lex_input(lexer);
    if (in != NULL && in->pos + 1 < in->len && in->scan[in->pos] == '\\' && in->scan[in->pos + 1] == '\\')
        in->pos += 2;
}

enum part { PART_START, PART_BARE, PART_QUOTE, PART_DQUOTE, PART_BACKTICK, PART_LINE };

struct argument {
    struct pgc_lexer *lexer;
    struct pgc_buf *out;
    enum pgc_lex_argument type;
    enum part part;
    bool eval;
    char quote;
    size_t bare;     /* characters at the end that were not quoted */
    size_t backtick; /* where in out the command begins */
};

static int octal(char c) {
    return c >= '0' && c <= '7' ? c - '0' : -1;
}
static int hex(char c) {
    if (lex_digit(c))
        return c - '0';
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* A backslash inside single quotes; gives the bytes used up. */
static size_t escape(struct argument *a, const struct pgc_lexer_input *in) {
    const char *s = in->scan + in->pos;
    size_t left = in->len - in->pos, n = 1;
    static const char letters[] = "ntbrf", values[] = "\n\t\b\r\f";
    if (left < 2) {
        pgc_buf_putc(a->out, '\\');
        return 1;
    }
    const char *letter = s[1] != '\0' ? strchr(letters, s[1]) : NULL;
    if (letter != NULL) {
        pgc_buf_putc(a->out, values[letter - letters]);
        return 2;
    }
    int value = 0;
    if (octal(s[1]) >= 0) {
        for (; n < 4 && n < left && octal(s[n]) >= 0; n++)
            value = value * 8 + octal(s[n]);
    } else if ((s[1] | 0x20) == 'x' && left > 2 && hex(s[2]) >= 0) {
        for (n = 2; n < 4 && n < left && hex(s[n]) >= 0; n++)
            value = value * 16 + hex(s[n]);
    } else {
        pgc_buf_putc(a->out, in->raw[in->pos + 1]);
        return 2;
    }
    pgc_buf_putc(a->out, (char)value);
    return n;
}

/* A colon outside single and double quotes; gives the bytes used up. */
static size_t variable(struct argument *a, const struct pgc_lexer_input *in) {
    const char *raw = in->raw + in->pos;
    struct lex_colon_form form = pgc__lex_colon(in->scan + in->pos, in->len - in->pos);
    bool shell = a->part == PART_BACKTICK;
    if (form.form == LEX_COLON_NONE || (shell && form.form != LEX_COLON_PLAIN && form.form != LEX_COLON_LITERAL)) {
        a->bare++;
        pgc_buf_putc(a->out, ':');
        return 1;
    }
    if (form.form == LEX_COLON_PLAIN || shell) {
        const char *value = pgc__lex_value(a->lexer, raw, &form);
        if (value == NULL)
            pgc_buf_put(a->out, raw, form.len);
        else if (form.form == LEX_COLON_PLAIN)
            pgc_buf_puts(a->out, value);
        else if (!pgc_lex_quote_shell(a->out, value))
            pgc__lex_error(a->lexer, "shell command argument contains a newline or carriage return: \"%s\"", value);
    } else
        pgc__lex_put_quoted(a->lexer, raw, &form, a->out);
    if (!shell) {
        a->quote = ':';
        a->bare = 0;
    }
    return form.len;
}

static void evaluate(struct argument *a) {
    struct pgc_lexer *lx = a->lexer;
    if (!a->eval || lx->hooks.backtick == NULL)
        return; /* the command stays as text in an argument nobody uses */
    char *command = strdup(a->out->data + a->backtick);
    pgc_buf_truncate(a->out, a->backtick);
    if (command == NULL)
        lx->nomem = true;
    else
        (void)lx->hooks.backtick(lx->hooks.arg, command, a->out);
    free(command);
}

/* Unquoted text. False: the argument ends in front of this character. */
static bool bare_step(struct argument *a, struct pgc_lexer_input *in) {
    char c = in->scan[in->pos];
    if (lex_space(c) || c == '\\')
        return false;
    if (c == '\'' || c == '`' || c == '"') {
        a->quote = c;
        a->bare = 0;
        a->part = c == '\'' ? PART_QUOTE : c == '`' ? PART_BACKTICK : PART_DQUOTE;
        if (c == '"')
            pgc_buf_putc(a->out, c);
        a->backtick = a->out->len;
        in->pos++;
    } else if (c == ':') {
        in->pos += variable(a, in);
    } else {
        a->bare++;
        pgc_buf_putc(a->out, in->raw[in->pos++]);
    }
    return true;
}

static void quoted_step(struct argument *a, struct pgc_lexer_input *in) {
    char c = in->scan[in->pos];
    switch (a->part) {
    case PART_QUOTE:
        if (c == '\'' && in->pos + 1 < in->len && in->scan[in->pos + 1] == '\'') {
            pgc_buf_putc(a->out, '\'');
            in->pos += 2;
        } else if (c == '\'') {
            a->part = PART_BARE;
            in->pos++;
        } else if (c == '\\') {
            in->pos += escape(a, in);
        } else
            pgc_buf_putc(a->out, in->raw[in->pos++]);
        break;
    case PART_DQUOTE:
        if (c == '"')
            a->part = PART_BARE;
        pgc_buf_putc(a->out, in->raw[in->pos++]);
        break;
    default:
        if (c == '`') {
            evaluate(a);
            a->part = PART_BARE;
            in->pos++;
        } else if (c == ':') {
            in->pos += variable(a, in);
        } else
            pgc_buf_putc(a->out, in->raw[in->pos++]);
    }
}

static void start_step(struct argument *a, struct pgc_lexer_input *in) {
    char c = in->scan[in->pos];
    if (lex_space(c)) {
        in->pos++;
    } else if (c == '|' && a->type == PGC_ARG_FILE) {
        pgc_buf_putc(a->out, c);
        in->pos++;
        a->part = PART_LINE;
    } else
        a->part = PART_BARE;
}

/* Removes double quotes (a doubled one inside is one) and folds what was not in them. */
static void identifier(struct pgc_buf *text, bool fold) {
    bool inside = false;
    size_t to = 0;
    for (size_t i = 0; i < text->len; i++) {
        char c = text->data[i];
        if (c == '"') {
            if (inside && i + 1 < text->len && text->data[i + 1] == '"')
                i++;
            else {
                inside = !inside;
                continue;
            }
        } else if (fold && !inside && c >= 'A' && c <= 'Z')
            c = (char)(c + 'a' - 'A');
        text->data[to++] = c;
    }
    pgc_buf_truncate(text, to);
}

static void finish(struct argument *a, bool strip) {
    struct pgc_buf *out = a->out;
    if (a->part == PART_LINE) {
        while (strip && out->len > 0 && (out->data[out->len - 1] == ';' || lex_space(out->data[out->len - 1])))
            pgc_buf_truncate(out, out->len - 1);
        return;
    }
    for (; strip && a->bare > 0 && out->len > 0 && out->data[out->len - 1] == ';'; a->bare--)
        pgc_buf_truncate(out, out->len - 1);
    if (a->type == PGC_ARG_IDENT || a->type == PGC_ARG_IDENT_KEEP)
        identifier(out, a->type == PGC_ARG_IDENT);
}

bool pgc_lexer_argument(struct pgc_lexer *lexer, enum pgc_lex_argument type, bool strip, bool eval, char *quote,
                        struct pgc_buf *out) {
    struct argument a = { .lexer = lexer, .out = out, .type = type, .eval = eval };
    a.part = type == PGC_ARG_LINE ? PART_LINE : PART_START;
    pgc_buf_clear(out);
    struct pgc_lexer_input *in;
    bool going = true;
    while (going && (in = pgc__lex_input(lexer)) != NULL)
        switch (a.part) {
        case PART_START:
            start_step(&a, in);
            break;
        case PART_LINE:
            if (out->len > 0 || !lex_space(in->scan[in->pos]))
                pgc_buf_putc(out, in->raw[in->pos]);
            in->pos++;
            break;
        case PART_BARE:
            going = bare_step(&a, in);
            break;
        default:
            quoted_step(&a, in);
        }
    if (quote != NULL)
        *quote = a.quote;
    if (a.part == PART_QUOTE || a.part == PART_DQUOTE || a.part == PART_BACKTICK) {
        pgc__lex_error(lexer, "unterminated quoted string");
        return false;
    }
    finish(&a, strip);
    return out->len > 0 || a.quote != '\0';
}
