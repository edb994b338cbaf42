#include "script/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "script/split.h"

/* Meta-commands are told before the statement that they stand in: they wait here. */
struct meta {
    size_t start, end;
};

struct scanner {
    const char *text;
    size_t len;
    size_t at; /* what is before it has become tokens */
    struct pgc_scan *out;
    struct meta *metas;
    size_t meta_count, meta_cap, meta_next;
    bool standard;
    bool quit; /* \q: the rest is never read */
};

enum pgc_code pgc_scan_add_token(struct pgc_scan *scan, struct pgc_token token, struct pgc_error *err) {
    if (!pgc_array_grow(&scan->tokens, &scan->token_cap, scan->token_count + 1, sizeof *scan->tokens))
        return pgc_fail_nomem(err);
    scan->tokens[scan->token_count++] = token;
    return PGC_OK;
}

static bool is_substance(const struct pgc_token *token) {
    return token->kind != PGC_TOKEN_COMMENT && token->kind != PGC_TOKEN_META && token->kind != PGC_TOKEN_SEMICOLON;
}

enum pgc_code pgc_scan_add_statement(struct pgc_scan *scan, size_t first, size_t end, struct pgc_error *err) {
    while (first < end && !is_substance(&scan->tokens[first]))
        first++;
    bool terminated =
        end > first && !is_substance(&scan->tokens[end - 1]) && scan->tokens[end - 1].kind != PGC_TOKEN_COMMENT;
    while (end > first && !is_substance(&scan->tokens[end - 1]))
        end--;
    if (first == end)
        return PGC_OK;
    if (!pgc_array_grow(&scan->statements, &scan->statement_cap, scan->statement_count + 1, sizeof *scan->statements))
        return pgc_fail_nomem(err);
    const struct pgc_token *last = &scan->tokens[end - 1];
    scan->statements[scan->statement_count++] =
        (struct pgc_scan_statement) { scan->tokens[first].start, last->start + last->len, first, end, terminated };
    return PGC_OK;
}

/* The end of the meta-command that begins at this byte. One that sends its statement is told behind it, but ends it, too. */
static size_t meta_end(struct scanner *s, size_t at, size_t limit) {
    while (s->meta_next < s->meta_count && s->metas[s->meta_next].start < at)
        s->meta_next++;
    if (s->meta_next == s->meta_count || s->metas[s->meta_next].start != at)
        return limit;
    return s->metas[s->meta_next].end > s->at ? s->metas[s->meta_next].end : s->at;
}

/* What stands in front of a statement are comments (and meta-commands); in it, tokens. */
static enum pgc_code take_tokens(struct scanner *s, size_t end, bool terminated, struct pgc_error *err) {
    size_t first = s->out->token_count;
    struct pgc_token token;
    enum pgc_code code = PGC_OK;
    while (code == PGC_OK && pgc_token_next(s->text, end, &s->at, s->standard, &token)) {
        bool backslash = pgc_token_is_punct(s->text, &token, '\\');
        bool parts = backslash && s->at < end && s->text[s->at] == ';';
        if (parts)
            s->at++;
        else if (backslash)
            s->at = meta_end(s, token.start, end);
        if (backslash)
            token.kind = parts ? PGC_TOKEN_SEMICOLON : PGC_TOKEN_META;
        token.len = s->at - token.start;
        code = pgc_scan_add_token(s->out, token, err);
        if (code == PGC_OK && parts) {
            code = pgc_scan_add_statement(s->out, first, s->out->token_count, err);
            first = s->out->token_count;
        }
    }
    s->at = s->at > end ? s->at : end;
    if (code == PGC_OK && terminated && s->out->token_count > first) {
        struct pgc_token *last = &s->out->tokens[s->out->token_count - 1];
        if (pgc_token_is_punct(s->text, last, ';'))
            last->kind = PGC_TOKEN_SEMICOLON;
    }
    return code == PGC_OK ? pgc_scan_add_statement(s->out, first, s->out->token_count, err) : code;
}

/* Behind the line "\." that ends inline data, when it stands at this byte. */
static size_t data_end(const struct scanner *s, size_t at) {
    if (at + 2 > s->len || memcmp(s->text + at, "\\.", 2) != 0)
        return at;
    const char *newline = memchr(s->text + at, '\n', s->len - at);
    return newline == NULL ? s->len : (size_t)(newline - s->text) + 1;
}

static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct scanner *s = arg;
    s->standard = !item->nonstandard_strings;
    if (item->kind == PGC_SPLIT_META) {
        s->quit |= strcmp(item->text, "q") == 0 || strcmp(item->text, "quit") == 0;
        if (!pgc_array_grow(&s->metas, &s->meta_cap, s->meta_count + 1, sizeof *s->metas))
            return pgc_fail_nomem(err);
        s->metas[s->meta_count++] = (struct meta) { item->offset, item->end };
        return PGC_OK;
    }
    if (item->kind == PGC_SPLIT_STATEMENT)
        return take_tokens(s, item->end, item->terminated, err);
    enum pgc_code code = take_tokens(s, item->offset, false, err); /* what stands behind the statement on its line */
    size_t end = data_end(s, item->end);
    if (code != PGC_OK || end <= s->at)
        return code;
    struct pgc_token data = { s->at, end - s->at, PGC_TOKEN_DATA };
    s->at = end;
    return pgc_scan_add_token(s->out, data, err);
}

enum pgc_code pgc_scan_text(const char *text, size_t len, struct pgc_scan *out, struct pgc_error *err) {
    static const struct pgc_split_options options;
    struct scanner s = { .text = text, .len = len, .out = out, .standard = true };
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        s.at = 3;
    enum pgc_code code = pgc_split_text(text, len, &options, each, &s, NULL, err);
    if (code == PGC_OK && !s.quit)
        code = take_tokens(&s, len, false, err);
    free(s.metas);
    return code;
}

void pgc_scan_release(struct pgc_scan *scan) {
    free(scan->tokens);
    free(scan->statements);
    *scan = (struct pgc_scan) { 0 };
}
