#include "io/age_armor.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const char begin_line[] = "-----BEGIN AGE ENCRYPTED FILE-----";
static const char end_line[] = "-----END AGE ENCRYPTED FILE-----";
#define LINE_BYTES ((size_t)48)
#define COLUMNS    ((size_t)64)
#define SPACE_MAX  ((size_t)1024) /* white space allowed before and after the block */
#define BLOCK      ((size_t)65536)

struct armor_sink {
    struct pgc_sink sink;
    struct pgc_sink *next;
    struct pgc_buf text;
    unsigned char rest[LINE_BYTES]; /* bytes of the line that is not full yet */
    size_t rest_len;
    bool begun;
};

static void line_out(struct armor_sink *s, const void *data, size_t len) {
    pgc_text_base64(&s->text, data, len, true);
    pgc_buf_putc(&s->text, '\n');
}

static void begin(struct armor_sink *s) {
    if (!s->begun)
        pgc_buf_putf(&s->text, "%s\n", begin_line);
    s->begun = true;
}

static enum pgc_code flush(struct armor_sink *s, struct pgc_error *err) {
    enum pgc_code code = pgc_buf_check(&s->text, err);
    if (code == PGC_OK)
        code = pgc_sink_put(s->next, s->text.data, s->text.len, err);
    pgc_buf_clear(&s->text);
    return code;
}

static enum pgc_code armor_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct armor_sink *s = (struct armor_sink *)sink;
    const unsigned char *at = data;
    begin(s);
    while (len > 0) {
        if (s->rest_len == 0 && len >= LINE_BYTES) {
            line_out(s, at, LINE_BYTES);
            at += LINE_BYTES;
            len -= LINE_BYTES;
        } else {
            size_t n = LINE_BYTES - s->rest_len < len ? LINE_BYTES - s->rest_len : len;
            memcpy(s->rest + s->rest_len, at, n);
            s->rest_len += n;
            at += n;
            len -= n;
            if (s->rest_len == LINE_BYTES) {
                line_out(s, s->rest, LINE_BYTES);
                s->rest_len = 0;
            }
        }
        if (s->text.len >= BLOCK) {
            enum pgc_code code = flush(s, err);
            if (code != PGC_OK)
                return code;
        }
    }
    return flush(s, err);
}

static enum pgc_code armor_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct armor_sink *s = (struct armor_sink *)sink;
    begin(s);
    if (s->rest_len > 0)
        line_out(s, s->rest, s->rest_len);
    pgc_buf_putf(&s->text, "%s\n", end_line);
    enum pgc_code code = flush(s, err);
    return code != PGC_OK ? code : pgc_sink_commit(s->next, err);
}

static void armor_drop(struct pgc_sink *sink) {
    struct armor_sink *s = (struct armor_sink *)sink;
    pgc_sink_drop(s->next);
    pgc_buf_release(&s->text);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { armor_put, armor_commit, armor_drop };

enum pgc_code pgc__age_armor_push(struct pgc_sink **chain, struct pgc_error *err) {
    struct armor_sink *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->sink.ops = &sink_ops;
    s->text = (struct pgc_buf)PGC_BUF_INIT;
    s->next = *chain;
    *chain = &s->sink;
    return PGC_OK;
}

enum armor_state { UNKNOWN, PLAIN, LINES, LAST, ENDED };

struct armor_source {
    struct pgc_source source;
    struct pgc_source *inner;
    enum armor_state state;
    struct pgc_buf raw; /* bytes of the inner source from `at` on are not used yet */
    size_t at;
    bool inner_ended;
    size_t line;
    struct pgc_buf bytes; /* decoded; from `given` on not handed out yet */
    size_t given;
};

static enum pgc_code malformed(const struct armor_source *s, const char *why, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA, "age armor is malformed: line %zu: %s", s->line, why);
}

static enum pgc_code refill(struct armor_source *s, struct pgc_error *err) {
    pgc_buf_drop_front(&s->raw, s->at);
    s->at = 0;
    char *room = pgc_buf_reserve(&s->raw, BLOCK);
    size_t len = 0;
    if (room == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_source_get(s->inner, room, BLOCK, &len, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_grown(&s->raw, len);
    s->inner_ended = len == 0;
    return PGC_OK;
}

/* The next line without its end; *len is valid while *line is not NULL, which it is at the end of the input. */
static enum pgc_code take_line(struct armor_source *s, const char **line, size_t *len, struct pgc_error *err) {
    *line = NULL;
    for (;;) {
        const char *from = s->raw.data + s->at;
        size_t there = s->raw.len - s->at;
        const char *eol = there == 0 ? NULL : memchr(from, '\n', there);
        if (eol == NULL && there > SPACE_MAX + COLUMNS)
            return malformed(s, "it is too long", err);
        if (eol == NULL && !s->inner_ended) {
            enum pgc_code code = refill(s, err);
            if (code != PGC_OK)
                return code;
            continue;
        }
        if (eol == NULL && there == 0)
            return PGC_OK;
        s->line++;
        *len = eol == NULL ? there : (size_t)(eol - from);
        s->at += *len + (eol != NULL);
        if (eol != NULL && *len > 0 && from[*len - 1] == '\r')
            --*len;
        *line = from;
        return PGC_OK;
    }
}

static bool is(const char *line, size_t len, const char *want) {
    return line != NULL && len == strlen(want) && memcmp(line, want, len) == 0;
}

static size_t leading_space(const char *text, size_t len) {
    size_t n = 0;
    while (n < len && strchr(" \t\r\n\v\f", text[n]) != NULL && text[n] != '\0')
        n++;
    return n;
}

/* Armor begins with its line, after white space at most; whatever else it is, it is not armor. */
static enum pgc_code recognise(struct armor_source *s, struct pgc_error *err) {
    size_t want = SPACE_MAX + sizeof begin_line;
    while (s->raw.len < want && !s->inner_ended) {
        enum pgc_code code = refill(s, err);
        if (code != PGC_OK)
            return code;
    }
    size_t space = leading_space(s->raw.data, s->raw.len);
    const char *from = s->raw.data + space;
    bool at_line_start = space == 0 || from[-1] == '\n';
    s->state = PLAIN;
    if (space > SPACE_MAX || !at_line_start || !pgc_text_starts(from, begin_line))
        return PGC_OK;
    s->state = LINES;
    s->at = space;
    size_t len = 0;
    const char *line = NULL;
    enum pgc_code code = take_line(s, &line, &len, err);
    if (code == PGC_OK && !is(line, len, begin_line))
        return malformed(s, "something follows the BEGIN marker", err);
    return code;
}

/* Only white space may follow the END marker. */
static enum pgc_code drain(struct armor_source *s, struct pgc_error *err) {
    s->state = ENDED;
    size_t space = 0;
    for (;;) {
        size_t there = s->raw.len - s->at;
        if (leading_space(s->raw.data + s->at, there) < there || (space += there) > SPACE_MAX)
            return malformed(s, "something follows the END marker", err);
        s->at = s->raw.len;
        if (s->inner_ended)
            return PGC_OK;
        enum pgc_code code = refill(s, err);
        if (code != PGC_OK)
            return code;
    }
}

static enum pgc_code decode_line(struct armor_source *s, struct pgc_error *err) {
    const char *line = NULL;
    size_t len = 0;
    enum pgc_code code = take_line(s, &line, &len, err);
    if (code != PGC_OK)
        return code;
    if (line == NULL)
        return malformed(s, "it is cut: the END marker is missing", err);
    if (is(line, len, end_line))
        return drain(s, err);
    if (s->state == LAST)
        return malformed(s, "a short line is not the last one", err);
    size_t before = s->bytes.len;
    if (len == 0 || len > COLUMNS || !pgc_text_unbase64(&s->bytes, line, len, true))
        return malformed(s, "it is not canonical base64 of 64 columns", err);
    if (s->bytes.len - before < LINE_BYTES)
        s->state = LAST;
    return PGC_OK;
}

static enum pgc_code armor_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct armor_source *s = (struct armor_source *)source;
    enum pgc_code code = s->state == UNKNOWN ? recognise(s, err) : PGC_OK;
    if (code != PGC_OK)
        return code;
    if (s->state == PLAIN && s->at == s->raw.len) {
        if (s->inner_ended)
            return PGC_OK;
        code = pgc_source_get(s->inner, buf, cap, len, err);
        s->inner_ended = code == PGC_OK && *len == 0;
        return code;
    }
    struct pgc_buf *from = s->state == PLAIN ? &s->raw : &s->bytes;
    size_t *at = s->state == PLAIN ? &s->at : &s->given;
    if (s->state != PLAIN && s->given == s->bytes.len) {
        pgc_buf_clear(&s->bytes);
        s->given = 0;
        while (s->state != ENDED && s->bytes.len < cap && s->bytes.len < BLOCK) {
            code = decode_line(s, err);
            if (code != PGC_OK)
                return code;
        }
    }
    *len = from->len - *at < cap ? from->len - *at : cap;
    memcpy(buf, from->data + *at, *len);
    *at += *len;
    return PGC_OK;
}

static enum pgc_code armor_verify(struct pgc_source *source, struct pgc_error *err) {
    return pgc_source_verify(((struct armor_source *)source)->inner, err);
}

static void armor_source_drop(struct pgc_source *source) {
    struct armor_source *s = (struct armor_source *)source;
    pgc_source_drop(s->inner);
    pgc_buf_release(&s->raw);
    pgc_buf_release(&s->bytes);
    free(s);
}

static const struct pgc_source_ops source_ops = { armor_get, armor_verify, armor_source_drop };

enum pgc_code pgc__age_armor_pull(struct pgc_source **source, struct pgc_error *err) {
    struct armor_source *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->source.ops = &source_ops;
    s->raw = s->bytes = (struct pgc_buf)PGC_BUF_INIT;
    s->inner = *source;
    *source = &s->source;
    return PGC_OK;
}
