#include "migrate/annotated.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum place { PLACE_START, PLACE_UP, PLACE_UP_BLOCK, PLACE_DOWN, PLACE_DOWN_BLOCK };

struct parser {
    const struct pgc_folder_file *file;
    const struct pgc_annotated_rules *rules;
    const struct pgc_dialect_options *options;
    struct pgc_annotated *out;
    enum place place;
    bool substitute;
    struct pgc_buf text; /* the statement under way */
    size_t first, last;  /* its lines */
    size_t line;
};

const struct pgc_annotated_rules pgc_annotated_goose = { "+goose", true };
const struct pgc_annotated_rules pgc_annotated_sqlmigrate = { "+migrate", false };

void pgc_annotated_release(struct pgc_annotated *annotated) {
    for (size_t i = 0; i < annotated->count; i++)
        free(annotated->items[i].text);
    free(annotated->items);
    *annotated = (struct pgc_annotated)PGC_ANNOTATED_INIT;
}

/* --- environment ------------------------------------------------------------------------------------ */

static const char *value_of(const struct pgc_dialect_options *options, const char *name) {
    return options->env != NULL ? options->env(options->env_arg, name) : NULL;
}

static size_t name_length(const char *p, size_t len) {
    size_t n = 0;
    while (n < len && (isalpha((unsigned char)p[n]) || p[n] == '_' || (n > 0 && isdigit((unsigned char)p[n]))))
        n++;
    return n;
}

/* What stands between ${ and }. */
static enum pgc_code put_braced(const char *p, size_t len, const struct pgc_dialect_options *options,
                                struct pgc_buf *out, struct pgc_error *err) {
    size_t n = name_length(p, len);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    pgc_buf_put(&name, p, n);
    const char *value = value_of(options, name.data);
    const char *rest = p + n;
    size_t left = len - n;
    bool colon = left > 0 && *rest == ':';
    bool set = value != NULL && !(colon && value[0] == '\0');
    rest += colon, left -= colon;
    if (n == 0 || (left > 0 && *rest != '-' && *rest != '?') || (left == 0 && colon))
        return pgc_fail(err, PGC_E_DATA, "'${%.*s}' is not a substitution that is known", (int)len, p);
    if (set || left == 0)
        pgc_buf_puts(out, value != NULL ? value : "");
    else if (*rest == '-')
        pgc_buf_put(out, rest + 1, left - 1);
    else
        return pgc_fail(err, PGC_E_DATA, "%s: %.*s", name.data, (int)(left - 1), left > 1 ? rest + 1 : "not set");
    return PGC_OK;
}

enum pgc_code pgc_annotated_substitute(const char *line, size_t len, const struct pgc_dialect_options *options,
                                       struct pgc_buf *out, struct pgc_error *err) {
    for (size_t i = 0; i < len;) {
        const char *p = line + i;
        size_t left = len - i;
        if (left > 1 && p[0] == '\\' && p[1] == '$') {
            pgc_buf_putc(out, '$');
            i += 2;
            continue;
        }
        const char *close = left > 1 && p[0] == '$' && p[1] == '{' ? memchr(p, '}', left) : NULL;
        size_t n = left > 1 && p[0] == '$' ? name_length(p + 1, left - 1) : 0;
        if (close != NULL) {
            enum pgc_code code = put_braced(p + 2, (size_t)(close - p) - 2, options, out, err);
            if (code != PGC_OK)
                return code;
            i += (size_t)(close - p) + 1;
        } else if (n > 0) {
            PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
            pgc_buf_put(&name, p + 1, n);
            const char *value = value_of(options, name.data);
            pgc_buf_puts(out, value != NULL ? value : "");
            i += n + 1;
        } else {
            pgc_buf_putc(out, *p);
            i++;
        }
    }
    return PGC_OK;
}

/* --- statements ------------------------------------------------------------------------------------- */

static bool in_down(const struct parser *p) {
    return p->place == PLACE_DOWN || p->place == PLACE_DOWN_BLOCK;
}

static enum pgc_code finish_statement(struct parser *p, bool block, struct pgc_error *err) {
    char *from = p->text.data;
    while (*from != '\0' && isspace((unsigned char)*from)) {
        p->first += *from == '\n';
        from++;
    }
    size_t len = strlen(from);
    while (len > 0 && isspace((unsigned char)from[len - 1]))
        len--;
    char *text = strndup(from, len);
    if (text == NULL || !pgc_array_grow(&p->out->items, &p->out->cap, p->out->count + 1, sizeof *p->out->items)) {
        free(text);
        return pgc_fail_nomem(err);
    }
    p->out->items[p->out->count++] = (struct pgc_annotated_statement) { text, p->first, p->last, in_down(p), block };
    pgc_buf_clear(&p->text);
    return PGC_OK;
}

/* Does the last word before a comment end with a semicolon? */
static bool ends_statement(const char *line, size_t len) {
    char last = '\0';
    for (size_t i = 0; i < len;) {
        while (i < len && isspace((unsigned char)line[i]))
            i++;
        if (i >= len || (len - i >= 2 && line[i] == '-' && line[i + 1] == '-'))
            break;
        while (i < len && !isspace((unsigned char)line[i]))
            last = line[i++];
    }
    return last == ';';
}

static enum pgc_code unfinished(const struct parser *p, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA,
                    "%s:%zu: the statement that begins here does not end with a semicolon; a longer one wants '-- %s "
                    "StatementBegin'",
                    p->file->path, p->first, p->rules->tag);
}

static bool pending(const struct parser *p) {
    return p->text.data[strspn(p->text.data, " \t\r\n")] != '\0';
}

/* --- annotations ------------------------------------------------------------------------------------ */

static enum pgc_code misplaced(const struct parser *p, const char *what, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA, "%s:%zu: '-- %s %s' is out of place", p->file->path, p->line, p->rules->tag, what);
}

static enum pgc_code take_up(struct parser *p, bool no_tx, struct pgc_error *err) {
    if (p->place != PLACE_START)
        return misplaced(p, "Up", err);
    p->place = PLACE_UP;
    p->out->up_no_tx |= no_tx;
    return PGC_OK;
}

static enum pgc_code take_down(struct parser *p, bool no_tx, struct pgc_error *err) {
    if (p->place != PLACE_UP)
        return misplaced(p, "Down", err);
    if (pending(p))
        return unfinished(p, err);
    pgc_buf_clear(&p->text);
    p->place = PLACE_DOWN;
    p->out->down_no_tx |= no_tx;
    return PGC_OK;
}

static enum pgc_code take_begin(struct parser *p, struct pgc_error *err) {
    if (p->place != PLACE_UP && p->place != PLACE_DOWN)
        return misplaced(p, "StatementBegin", err);
    p->place = p->place == PLACE_UP ? PLACE_UP_BLOCK : PLACE_DOWN_BLOCK;
    return PGC_OK;
}

static enum pgc_code take_end(struct parser *p, struct pgc_error *err) {
    if (p->place != PLACE_UP_BLOCK && p->place != PLACE_DOWN_BLOCK)
        return misplaced(p, "StatementEnd", err);
    p->last = p->line;
    enum pgc_code code = pending(p) ? finish_statement(p, true, err) : PGC_OK;
    p->place = p->place == PLACE_UP_BLOCK ? PLACE_UP : PLACE_DOWN;
    return code;
}

static bool word(const char **p, const char *end, const char *text) {
    size_t len = strlen(text);
    const char *at = *p;
    while (at < end && isspace((unsigned char)*at))
        at++;
    if ((size_t)(end - at) < len || strncasecmp(at, text, len) != 0 ||
        (at + len < end && !isspace((unsigned char)at[len])))
        return false;
    *p = at + len;
    return true;
}

static bool at_end(const char *p, const char *end) {
    while (p < end && isspace((unsigned char)*p))
        p++;
    return p == end;
}

static enum pgc_code annotation(struct parser *p, const char *rest, const char *end, struct pgc_error *err) {
    const char *at = rest;
    bool no_tx = false;
    if (word(&at, end, "Up") || word(&at, end, "Down")) {
        bool up = tolower((unsigned char)at[-1]) == 'p';
        if (!p->rules->goose)
            no_tx = word(&at, end, "notransaction");
        p->out->tx_line = no_tx ? p->line : p->out->tx_line;
        if (at_end(at, end))
            return up ? take_up(p, no_tx, err) : take_down(p, no_tx, err);
    } else if (word(&at, end, "StatementBegin") && at_end(at, end)) {
        return take_begin(p, err);
    } else if (word(&at, end, "StatementEnd") && at_end(at, end)) {
        return take_end(p, err);
    } else if (p->rules->goose && word(&at, end, "NO") && word(&at, end, "TRANSACTION") && at_end(at, end)) {
        p->out->up_no_tx = p->out->down_no_tx = true;
        p->out->tx_line = p->line;
        return PGC_OK;
    } else if (p->rules->goose && word(&at, end, "ENVSUB")) {
        bool on = word(&at, end, "ON");
        if ((on || word(&at, end, "OFF")) && at_end(at, end)) {
            p->substitute = on;
            return PGC_OK;
        }
    }
    return pgc_fail(err, PGC_E_DATA, "%s:%zu: unknown annotation '%.*s'", p->file->path, p->line, (int)(end - rest),
                    rest);
}

/* "-- +goose X": where what follows the tag begins; NULL when the line is no annotation. */
static const char *annotation_of(const struct parser *p, const char *line, const char *end, bool *indented) {
    const char *at = line;
    while (at < end && isspace((unsigned char)*at))
        at++;
    *indented = at > line;
    if (end - at < 2 || at[0] != '-' || at[1] != '-')
        return NULL;
    at += 2;
    while (at < end && isspace((unsigned char)*at))
        at++;
    size_t tag = strlen(p->rules->tag);
    return (size_t)(end - at) >= tag && strncasecmp(at, p->rules->tag, tag) == 0 ? at + tag : NULL;
}

static bool is_comment_or_empty(const char *line, const char *end) {
    const char *at = line;
    while (at < end && isspace((unsigned char)*at))
        at++;
    return line == end || (end - at >= 2 && at[0] == '-' && at[1] == '-');
}

static enum pgc_code sql_line(struct parser *p, const char *line, const char *end, struct pgc_error *err) {
    bool blank = at_end(line, end);
    if (p->place == PLACE_START && blank)
        return PGC_OK;
    if (p->text.len == 0 && (is_comment_or_empty(line, end) || blank))
        return PGC_OK;
    if (p->place == PLACE_START)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: there is SQL before '-- %s Up'", p->file->path, p->line,
                        p->rules->tag);
    if (p->text.len == 0)
        p->first = p->line;
    p->last = p->line;
    enum pgc_code code = PGC_OK;
    size_t before = p->text.len;
    if (p->substitute)
        code = pgc_annotated_substitute(line, (size_t)(end - line), p->options, &p->text, err);
    else
        pgc_buf_put(&p->text, line, (size_t)(end - line));
    if (code != PGC_OK)
        return pgc_wrap(err, "%s:%zu", p->file->path, p->line);
    bool done = ends_statement(p->text.data + before, p->text.len - before);
    pgc_buf_putc(&p->text, '\n');
    bool plain = p->place == PLACE_UP || p->place == PLACE_DOWN;
    return plain && done ? finish_statement(p, false, err) : PGC_OK;
}

static enum pgc_code one_line(struct parser *p, const char *line, const char *end, struct pgc_error *err) {
    bool indented;
    const char *rest = annotation_of(p, line, end, &indented);
    if (rest == NULL)
        return sql_line(p, line, end, err);
    if (indented)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: an annotation begins in the first column", p->file->path, p->line);
    return annotation(p, rest, end, err);
}

static enum pgc_code parse_lines(struct parser *p, struct pgc_error *err) {
    const char *line = p->file->text, *stop = line + p->file->len;
    if (p->file->len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0)
        line += 3;
    while (line < stop) {
        const char *nl = memchr(line, '\n', (size_t)(stop - line));
        const char *next = nl != NULL ? nl + 1 : stop, *end = nl != NULL ? nl : stop;
        end -= end > line && end[-1] == '\r';
        p->line++;
        enum pgc_code code = one_line(p, line, end, err);
        if (code != PGC_OK)
            return code;
        line = next;
    }
    if (p->place == PLACE_START)
        return pgc_fail(err, PGC_E_DATA, "%s: there is no '-- %s Up'", p->file->path, p->rules->tag);
    if (p->place == PLACE_UP_BLOCK || p->place == PLACE_DOWN_BLOCK)
        return pgc_fail(err, PGC_E_DATA, "%s: there is a '-- %s StatementBegin' without StatementEnd", p->file->path,
                        p->rules->tag);
    return pending(p) ? unfinished(p, err) : PGC_OK;
}

enum pgc_code pgc_annotated_parse(const struct pgc_folder_file *file, const struct pgc_annotated_rules *rules,
                                  const struct pgc_dialect_options *options, struct pgc_annotated *out,
                                  struct pgc_error *err) {
    struct parser p = { .file = file, .rules = rules, .options = options, .out = out, .text = PGC_BUF_INIT };
    enum pgc_code code = parse_lines(&p, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&p.text, err);
    pgc_buf_release(&p.text);
    return code;
}

enum pgc_code pgc_annotated_script(const struct pgc_annotated *annotated, const struct pgc_folder_file *file, bool down,
                                   struct pgc_migration_script *script, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    size_t line = 1;
    for (size_t i = 0; i < annotated->count; i++) {
        const struct pgc_annotated_statement *s = &annotated->items[i];
        if (s->down != down)
            continue;
        for (; line < s->line; line++)
            pgc_buf_putc(&text, '\n');
        pgc_buf_puts(&text, s->text);
        /* A block ends where its annotation says, with or without a semicolon; its line is free for one. */
        size_t len = strlen(s->text);
        pgc_buf_puts(&text, s->block && (len == 0 || s->text[len - 1] != ';') ? "\n;\n" : "\n");
        line = 1;
        for (const char *p = text.data; *p != '\0'; p++)
            line += *p == '\n';
    }
    enum pgc_code code = pgc_buf_check(&text, err);
    if (code != PGC_OK)
        return code;
    script->len = text.len;
    script->text = pgc_buf_detach(&text);
    script->path = strdup(file->path);
    script->line = 1;
    bool no_tx = down ? annotated->down_no_tx : annotated->up_no_tx;
    script->tx = no_tx ? PGC_MIGRATION_TX_OFF : PGC_MIGRATION_TX_ON;
    script->tx_line = no_tx ? annotated->tx_line : 0;
    return script->text != NULL && script->path != NULL ? PGC_OK : pgc_fail_nomem(err);
}

enum pgc_code pgc_annotated_fill(struct pgc_migration *m, const struct pgc_folder_file *file,
                                 const struct pgc_annotated_rules *rules, const struct pgc_dialect_options *options,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_annotated_release) struct pgc_annotated annotated = PGC_ANNOTATED_INIT;
    enum pgc_code code = pgc_annotated_parse(file, rules, options, &annotated, err);
    if (code == PGC_OK)
        code = pgc_annotated_script(&annotated, file, false, &m->up, err);
    return code == PGC_OK ? pgc_annotated_script(&annotated, file, true, &m->down, err) : code;
}
