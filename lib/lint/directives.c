#include "lint/directives.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"

/* A comment without its marks and the white space around: what it says. */
struct remark {
    const char *text;
    size_t len;
    size_t token;
};

struct reader {
    const char *text;
    const struct pgc_scan *scan;
    struct lint_directives *out;
    size_t after; /* statements that end before the comment under way */
    bool in_down;
};

static struct remark remark_of(const char *text, const struct pgc_token *token, size_t index) {
    const char *from = text + token->start, *end = from + token->len;
    if (from[0] == '/') {
        from += 2;
        if (end - from >= 2 && end[-1] == '/' && end[-2] == '*')
            end -= 2;
    }
    while (from < end && (*from == '-' || *from == '*' || isspace((unsigned char)*from)))
        from++;
    while (from < end && isspace((unsigned char)end[-1]))
        end--;
    return (struct remark) { from, (size_t)(end - from), index };
}

/* Takes the word off the front when it stands there alone; the rest begins after white space. */
static bool take_word(struct remark *remark, const char *word) {
    size_t len = strlen(word);
    if (remark->len < len || strncasecmp(remark->text, word, len) != 0 ||
        (remark->len > len && !isspace((unsigned char)remark->text[len]) && remark->text[len] != ':'))
        return false;
    if (remark->len > len && remark->text[len] == ':')
        len++;
    while (len < remark->len && isspace((unsigned char)remark->text[len]))
        len++;
    remark->text += len;
    remark->len -= len;
    return true;
}

/* The next name, up to white space, a comma or a colon; false at the end. `comma` tells whether one follows. */
static bool take_name(struct remark *remark, const char **name, size_t *len, bool *comma) {
    size_t at = 0;
    while (at < remark->len && (isspace((unsigned char)remark->text[at]) || remark->text[at] == ','))
        at++;
    size_t start = at;
    while (at < remark->len && !isspace((unsigned char)remark->text[at]) && strchr(",:", remark->text[at]) == NULL)
        at++;
    *name = remark->text + start;
    *len = at - start;
    size_t next = at;
    while (next < remark->len && isspace((unsigned char)remark->text[next]))
        next++;
    *comma = next < remark->len && remark->text[next] == ',';
    at += at < remark->len && remark->text[at] == ':';
    remark->text += at;
    remark->len -= at;
    return *len > 0;
}

static enum pgc_code add_silence(struct reader *r, size_t statement, const char *name, size_t len, size_t comment,
                                 struct pgc_error *err) {
    struct lint_directives *out = r->out;
    if (!pgc_array_grow(&out->silences, &out->silence_cap, out->silence_count + 1, sizeof *out->silences))
        return pgc_fail_nomem(err);
    out->silences[out->silence_count++] =
        (struct lint_silence) { statement, len == 0 ? 0 : (size_t)(name - r->text), len, comment };
    return PGC_OK;
}

/* Which statement a comment belongs to: the one it is in, the one that ends on its line before it, or the next. */
static size_t statement_of(const struct reader *r, const struct pgc_token *comment) {
    const struct pgc_scan *scan = r->scan;
    if (r->after < scan->statement_count && scan->statements[r->after].start < comment->start)
        return r->after;
    if (r->after > 0) {
        size_t end = scan->statements[r->after - 1].end;
        if (memchr(r->text + end, '\n', comment->start - end) == NULL)
            return r->after - 1;
    }
    return r->after;
}

/* Atlas: a comment group at the head of the file, with an empty line behind it, is about the file. */
static bool heads_file(const struct reader *r, size_t token, size_t len) {
    const struct pgc_scan *scan = r->scan;
    if (scan->statement_count > 0 && scan->statements[0].first_token < token)
        return false;
    size_t end = scan->tokens[token].start + scan->tokens[token].len;
    while (token + 1 < scan->token_count && scan->tokens[token + 1].kind == PGC_TOKEN_COMMENT) {
        size_t next = scan->tokens[token + 1].start;
        if (memmem(r->text + end, next - end, "\n\n", 2) != NULL)
            return true;
        token++;
        end = next + scan->tokens[token].len;
    }
    size_t limit = token + 1 < scan->token_count ? scan->tokens[token + 1].start : len;
    unsigned newlines = 0;
    for (size_t at = end; at < limit; at++)
        newlines += r->text[at] == '\n';
    return newlines >= 2;
}

/* Names separated by commas; what follows without a comma is the reason. */
static enum pgc_code read_list(struct reader *r, struct remark rest, size_t statement, bool wants_reason,
                               struct pgc_error *err) {
    const struct pgc_token *token = &r->scan->tokens[rest.token];
    const char *name;
    size_t len;
    bool comma = true;
    if (rest.len == 0 && !wants_reason)
        return add_silence(r, statement, NULL, 0, token->start, err);
    while (comma && take_name(&rest, &name, &len, &comma)) {
        enum pgc_code code = add_silence(r, statement, name, len, token->start, err);
        if (code != PGC_OK)
            return code;
    }
    if (!wants_reason || take_name(&rest, &name, &len, &comma))
        return PGC_OK;
    struct lint_directives *out = r->out;
    if (!pgc_array_grow(&out->without_reason, &out->without_reason_cap, out->without_reason_count + 1,
                        sizeof *out->without_reason))
        return pgc_fail_nomem(err);
    out->without_reason[out->without_reason_count++] = token->start;
    return PGC_OK;
}

static enum pgc_code read_atlas(struct reader *r, struct remark rest, size_t statement, struct pgc_error *err) {
    const char *name;
    size_t len;
    bool comma;
    if (rest.len == 0)
        return add_silence(r, statement, NULL, 0, r->scan->tokens[rest.token].start, err);
    enum pgc_code code = PGC_OK;
    while (code == PGC_OK && take_name(&rest, &name, &len, &comma))
        code = add_silence(r, statement, name, len, r->scan->tokens[rest.token].start, err);
    return code;
}

static bool mentions(const struct remark *remark, const char *word) {
    size_t len = strlen(word);
    for (size_t at = 0; at + len <= remark->len; at++)
        if (strncasecmp(remark->text + at, word, len) == 0)
            return true;
    return false;
}

static void set_marker(struct reader *r, bool transaction) {
    if (r->out->marker != LINT_MARKER_NO_TRANSACTION)
        r->out->marker = transaction ? LINT_MARKER_TRANSACTION : LINT_MARKER_NO_TRANSACTION;
}

/* Markers of the migration tools, on a line comment of their own. */
static void read_marker(struct reader *r, struct remark remark) {
    bool at_start = r->scan->tokens[remark.token].start == 0; /* sqlx looks nowhere else */
    if (take_word(&remark, "migrate:up")) {
        r->in_down = false;
        set_marker(r, !mentions(&remark, "transaction:false"));
    } else if (take_word(&remark, "migrate:down")) {
        r->in_down = true;
    } else if (take_word(&remark, "+goose") || take_word(&remark, "+migrate")) {
        if (mentions(&remark, "no transaction") || mentions(&remark, "notransaction"))
            set_marker(r, false);
        if (remark.len >= 2 && strncasecmp(remark.text, "up", 2) == 0)
            set_marker(r, true), r->in_down = false;
        else if (remark.len >= 4 && strncasecmp(remark.text, "down", 4) == 0)
            r->in_down = true;
    } else if (take_word(&remark, "atlas:txmode")) {
        set_marker(r, !mentions(&remark, "none"));
    } else if (take_word(&remark, "create above / drop below")) { /* tern */
        set_marker(r, true);
        r->in_down = true;
    } else if (take_word(&remark, "tern: disable-tx") || take_word(&remark, "! no-transaction") ||
               (at_start && take_word(&remark, "no-transaction")) || take_word(&remark, "pgc:no-transaction") ||
               take_word(&remark, "squawk-disable-assume-in-transaction")) {
        set_marker(r, false);
    }
}

static enum pgc_code read_comment(struct reader *r, size_t token, size_t text_len, struct pgc_error *err) {
    const struct pgc_token *comment = &r->scan->tokens[token];
    struct remark remark = remark_of(r->text, comment, token);
    if (take_word(&remark, "pgc:nolint-file"))
        return read_list(r, remark, LINT_WHOLE_FILE, true, err);
    if (take_word(&remark, "pgc:nolint"))
        return read_list(r, remark, statement_of(r, comment), true, err);
    if (take_word(&remark, "squawk-ignore-file"))
        return read_list(r, remark, LINT_WHOLE_FILE, false, err);
    if (take_word(&remark, "squawk-ignore"))
        return read_list(r, remark, statement_of(r, comment), false, err);
    if (take_word(&remark, "atlas:nolint"))
        return read_atlas(r, remark, heads_file(r, token, text_len) ? LINT_WHOLE_FILE : statement_of(r, comment), err);
    read_marker(r, remark);
    return PGC_OK;
}

enum pgc_code pgc__lint_directives(const char *text, const struct pgc_scan *scan, struct lint_directives *out,
                                   struct pgc_error *err) {
    struct reader r = { .text = text, .scan = scan, .out = out };
    size_t len = scan->token_count == 0
                     ? 0
                     : scan->tokens[scan->token_count - 1].start + scan->tokens[scan->token_count - 1].len;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0, opened = 0; code == PGC_OK && i < scan->token_count; i++) {
        while (r.after < scan->statement_count && scan->statements[r.after].end <= scan->tokens[i].start)
            r.after++;
        if (scan->tokens[i].kind == PGC_TOKEN_COMMENT)
            code = read_comment(&r, i, len, err);
        for (; opened < scan->statement_count && scan->statements[opened].first_token <= i; opened++) {
            if (r.in_down && out->down == NULL)
                out->down = calloc(scan->statement_count, sizeof *out->down);
            if (r.in_down && out->down == NULL)
                return pgc_fail_nomem(err);
            if (r.in_down)
                out->down[opened] = true;
        }
    }
    return code;
}

enum pgc_code pgc__lint_directives_join(struct lint_directives *out, const struct lint_directives *inner,
                                        struct pgc_error *err) {
    if (!pgc_array_grow(&out->silences, &out->silence_cap, out->silence_count + inner->silence_count,
                        sizeof *out->silences) ||
        !pgc_array_grow(&out->without_reason, &out->without_reason_cap,
                        out->without_reason_count + inner->without_reason_count, sizeof *out->without_reason))
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < inner->silence_count; i++)
        out->silences[out->silence_count++] = inner->silences[i];
    for (size_t i = 0; i < inner->without_reason_count; i++)
        out->without_reason[out->without_reason_count++] = inner->without_reason[i];
    return PGC_OK;
}

void pgc__lint_directives_release(struct lint_directives *directives) {
    free(directives->silences);
    free(directives->down);
    free(directives->without_reason);
    *directives = (struct lint_directives) { 0 };
}
