#include "script/reader.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536 };

void pgc_reader_init(struct pgc_reader *reader, struct pgc_source *source) {
    *reader = (struct pgc_reader) { .source = source, .end = source == NULL, .data = "" };
}

void pgc_reader_init_text(struct pgc_reader *reader, const char *text, size_t len) {
    *reader = (struct pgc_reader) { .data = text, .len = len, .end = true };
}

void pgc_reader_release(struct pgc_reader *reader) {
    free(reader->buffer);
    *reader = (struct pgc_reader) { .data = "", .end = true };
}

/* Reads more behind what is there; what was consumed makes room first. */
static enum pgc_code more(struct pgc_reader *r, struct pgc_error *err) {
    size_t left = r->len - r->pos;
    if (r->pos > 0 && left > 0)
        memmove(r->buffer, r->buffer + r->pos, left);
    r->pos = 0;
    r->len = left;
    if (r->len == r->cap) {
        size_t cap = r->cap == 0 ? BLOCK : r->cap * 2;
        char *bigger = realloc(r->buffer, cap);
        if (bigger == NULL)
            return pgc_fail_nomem(err);
        r->buffer = bigger;
        r->cap = cap;
    }
    r->data = r->buffer;
    size_t n;
    enum pgc_code code = pgc_source_get(r->source, r->buffer + r->len, r->cap - r->len, &n, err);
    if (code != PGC_OK)
        return code;
    r->len += n;
    r->end = n == 0;
    return PGC_OK;
}

static void consume(struct pgc_reader *r, size_t n) {
    r->pos += n;
    r->offset += n;
}

enum pgc_code pgc_reader_line(struct pgc_reader *reader, const char **line, size_t *len, struct pgc_error *err) {
    size_t seen = 0;
    *line = NULL;
    *len = 0;
    for (;;) {
        const char *at = reader->data + reader->pos;
        size_t left = reader->len - reader->pos;
        const char *newline = left > seen ? memchr(at + seen, '\n', left - seen) : NULL;
        if (newline != NULL || (reader->end && left > 0)) {
            *line = at;
            *len = newline != NULL ? (size_t)(newline - at) : left;
            reader->lines += newline != NULL;
            consume(reader, *len + (newline != NULL));
            return PGC_OK;
        }
        if (reader->end)
            return PGC_OK;
        seen = left;
        enum pgc_code code = more(reader, err);
        if (code != PGC_OK)
            return code;
    }
}

void pgc_reader_begin_copy(struct pgc_reader *reader) {
    reader->line_begins = true;
}

/* Length of the line that ends COPY data when one stands at `at`: \. and newline, CR newline, or the end of the script. */
static size_t marker(const char *at, size_t left, bool end) {
    if (left < 2 || at[0] != '\\' || at[1] != '.')
        return 0;
    if (left == 2)
        return end ? 2 : 0;
    if (at[2] == '\n')
        return 3;
    if (at[2] != '\r')
        return 0;
    if (left == 3)
        return end ? 3 : 0;
    return at[3] == '\n' ? 4 : 0;
}

enum pgc_code pgc_reader_copy(struct pgc_reader *reader, const char **data, size_t *len, struct pgc_error *err) {
    while (!reader->end && (reader->len - reader->pos < 4)) {
        enum pgc_code code = more(reader, err);
        if (code != PGC_OK)
            return code;
    }
    const char *at = reader->data + reader->pos;
    size_t left = reader->len - reader->pos, n = 0;
    *data = at;
    while (n < left) {
        if (reader->line_begins && at[n] == '\\') {
            size_t m = marker(at + n, left - n, reader->end);
            if (m > 0 && n == 0) {
                reader->lines += at[m - 1] == '\n';
                consume(reader, m);
                *len = 0;
                return PGC_OK;
            }
            if (m > 0 || (left - n < 4 && !reader->end))
                break; /* the marker, or what may become one, is left for the next call */
        }
        const char *newline = memchr(at + n, '\n', left - n);
        reader->line_begins = newline != NULL;
        reader->lines += newline != NULL;
        n = newline != NULL ? (size_t)(newline - at) + 1 : left;
    }
    consume(reader, n);
    *len = n;
    return PGC_OK;
}
