#include "migrate/sections.h"

#include <string.h>

struct line {
    size_t at, end; /* end: behind the line's content, without \r\n */
    size_t next;    /* where the next line begins */
    size_t number;
};

/* The line that begins at `at`. False at the end of the file. */
static bool line_at(const struct pgc_folder_file *file, size_t at, size_t number, struct line *out) {
    if (at >= file->len)
        return false;
    const char *nl = memchr(file->text + at, '\n', file->len - at);
    out->at = at;
    out->number = number;
    out->next = nl == NULL ? file->len : (size_t)(nl - file->text) + 1;
    out->end = nl == NULL ? file->len : (size_t)(nl - file->text);
    if (out->end > at && file->text[out->end - 1] == '\r')
        out->end--;
    if (at == 0 && out->end >= 3 && memcmp(file->text, "\xEF\xBB\xBF", 3) == 0)
        out->at = 3;
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Is the line `-- word ...`? Then where the rest begins. */
static bool directive(const char *text, const struct line *line, const char *word, size_t *rest) {
    size_t p = line->at, len = strlen(word);
    if (line->end - p < len + 2 || text[p] != '-' || text[p + 1] != '-')
        return false;
    p += 2;
    while (p < line->end && is_blank(text[p]))
        p++;
    if (line->end - p < len || memcmp(text + p, word, len) != 0)
        return false;
    p += len;
    if (p < line->end && !is_blank(text[p]))
        return false;
    while (p < line->end && is_blank(text[p]))
        p++;
    *rest = p;
    return true;
}

bool pgc_sections_next(const struct pgc_folder_file *file, const char *word, size_t *at, size_t *number,
                       const char **rest, size_t *rest_len) {
    struct line line;
    while (line_at(file, *at, *number + 1, &line)) {
        size_t from;
        *at = line.next;
        *number = line.number;
        if (directive(file->text, &line, word, &from)) {
            size_t end = line.end;
            while (end > from && is_blank(file->text[end - 1]))
                end--;
            *rest = file->text + from;
            *rest_len = end - from;
            return true;
        }
    }
    return false;
}

/* Blank, or a comment as a whole: what may stand before the first marker. */
static bool says_nothing(const char *text, const struct line *line) {
    size_t p = line->at;
    while (p < line->end && is_blank(text[p]))
        p++;
    return p == line->end || (line->end - p >= 2 && text[p] == '-' && text[p + 1] == '-');
}

static enum pgc_code read_options(const struct pgc_folder_file *file, const struct line *line, size_t from,
                                  bool checked, struct pgc_migration_script *script, struct pgc_error *err) {
    static const char off[] = "transaction:false", on[] = "transaction:true";
    for (size_t p = from; p < line->end;) {
        size_t end = p;
        while (end < line->end && !is_blank(file->text[end]))
            end++;
        size_t len = end - p;
        if (len == sizeof off - 1 && memcmp(file->text + p, off, len) == 0)
            script->tx = PGC_MIGRATION_TX_OFF;
        else if (len == sizeof on - 1 && memcmp(file->text + p, on, len) == 0)
            script->tx = PGC_MIGRATION_TX_ON;
        else if (checked)
            return pgc_fail(err, PGC_E_DATA,
                            "%s:%zu: unknown option '%.*s'; known: transaction:false, transaction:true", file->path,
                            line->number, (int)len, file->text + p);
        if (script->tx != PGC_MIGRATION_TX_AUTO)
            script->tx_line = line->number;
        for (p = end; p < line->end && is_blank(file->text[p]);)
            p++;
    }
    return PGC_OK;
}

struct parser {
    const struct pgc_folder_file *file;
    const struct pgc_sections_rules *rules;
    struct pgc_migration *migration;
    struct pgc_migration_script *open; /* section we are in, NULL before the first */
    size_t open_at;
    size_t text_line; /* first line before any marker that says something, 0: none */
    bool open_is_down;
};

static enum pgc_code close_section(struct parser *p, size_t to, struct pgc_error *err) {
    return p->open == NULL ? PGC_OK : pgc_migration_cut_more(p->open, p->file, p->open_at, to, err);
}

static enum pgc_code open_section(struct parser *p, const struct line *line, bool down, size_t rest,
                                  struct pgc_error *err) {
    if (p->text_line > 0)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: only comments may stand before the first '-- migrate:up'",
                        p->file->path, p->text_line);
    if (down && p->open == NULL)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: '-- migrate:down' stands before '-- migrate:up'", p->file->path,
                        line->number);
    if (down && p->open_is_down)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: a second '-- migrate:down' without a '-- migrate:up' between them",
                        p->file->path, line->number);
    enum pgc_code code = close_section(p, line->at, err);
    p->open = down ? &p->migration->down : &p->migration->up;
    p->open_at = line->at;
    p->open_is_down = down;
    return code != PGC_OK ? code : read_options(p->file, line, rest, p->rules->options_checked, p->open, err);
}

enum pgc_code pgc_sections_parse(const struct pgc_folder_file *file, const struct pgc_sections_rules *rules,
                                 struct pgc_migration *migration, struct pgc_error *err) {
    struct parser p = { .file = file, .rules = rules, .migration = migration };
    struct line line;
    if (file->len == 0 || memmem(file->text, file->len, "migrate:", 8) == NULL) {
        if (rules->plain)
            return pgc_migration_cut(&migration->up, file, 0, file->len, err);
        return pgc_fail(err, PGC_E_DATA, "%s: there is no '-- migrate:up' line", file->path);
    }
    enum pgc_code code = PGC_OK;
    for (size_t at = 0, n = 1; code == PGC_OK && line_at(file, at, n, &line); at = line.next, n++) {
        size_t rest;
        if (directive(file->text, &line, "migrate:up", &rest))
            code = open_section(&p, &line, false, rest, err);
        else if (directive(file->text, &line, "migrate:down", &rest))
            code = open_section(&p, &line, true, rest, err);
        else if (p.open == NULL && p.text_line == 0 && !says_nothing(file->text, &line))
            p.text_line = line.number;
    }
    if (code == PGC_OK)
        code = close_section(&p, file->len, err);
    if (code != PGC_OK)
        return code;
    if (p.open == NULL && !rules->plain)
        return pgc_fail(err, PGC_E_DATA, "%s: there is no '-- migrate:up' line", file->path);
    if (p.open == NULL)
        return pgc_migration_cut(&migration->up, file, 0, file->len, err);
    return PGC_OK;
}
