#include "io/age_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char version_line[] = "age-encryption.org/v1\n";
#define VERSION_LEN (sizeof version_line - 1)
#define COLUMNS     ((size_t)64)
#define FOOTER_LEN  (sizeof "--- " - 1 + 43)

void pgc__age_header_release(struct pgc__age_header *header) {
    for (size_t i = 0; i < header->count; i++) {
        pgc_strings_release(&header->stanzas[i].args);
        pgc_buf_release(&header->stanzas[i].body);
    }
    free(header->stanzas);
    *header = (struct pgc__age_header)PGC__AGE_HEADER_INIT;
}

struct pgc__age_stanza *pgc__age_header_stanza(struct pgc__age_header *header) {
    if (!pgc_array_grow(&header->stanzas, &header->cap, header->count + 1, sizeof *header->stanzas))
        return NULL;
    struct pgc__age_stanza *stanza = &header->stanzas[header->count++];
    *stanza = (struct pgc__age_stanza) { PGC_STRINGS_INIT, PGC_BUF_INIT };
    return stanza;
}

enum pgc_code pgc__age_header_end(const char *data, size_t len, size_t *end, struct pgc_error *err) {
    *end = 0;
    size_t n = len < VERSION_LEN ? len : VERSION_LEN;
    if (n > 0 && memcmp(data, version_line, n) != 0) {
        if (n == VERSION_LEN && memcmp(data, version_line, VERSION_LEN - 2) == 0)
            return pgc_fail(err, PGC_E_DATA, "age file of a version that is not supported");
        return pgc_fail(err, PGC_E_DATA, "not an age file");
    }
    const char *footer = len < VERSION_LEN ? NULL : memmem(data + VERSION_LEN - 1, len - VERSION_LEN + 1, "\n---", 4);
    const char *eol = footer == NULL ? NULL : memchr(footer + 1, '\n', len - (size_t)(footer + 1 - data));
    if (eol != NULL)
        *end = (size_t)(eol + 1 - data);
    else if (len > PGC__AGE_HEADER_MAX || (footer != NULL && len - (size_t)(footer + 1 - data) > FOOTER_LEN))
        return pgc_fail(err, PGC_E_DATA, "age header is malformed: it does not end");
    return PGC_OK;
}

struct cursor {
    const char *at, *end;
    size_t line;
};

/* Takes the next line without its line feed. */
static bool next_line(struct cursor *c, const char **line, size_t *len) {
    const char *eol = c->at == c->end ? NULL : memchr(c->at, '\n', (size_t)(c->end - c->at));
    if (eol == NULL)
        return false;
    *line = c->at;
    *len = (size_t)(eol - c->at);
    c->at = eol + 1;
    c->line++;
    return true;
}

static enum pgc_code malformed(const struct cursor *c, const char *why, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA, "age header is malformed: line %zu: %s", c->line, why);
}

static enum pgc_code parse_args(const struct cursor *c, const char *text, size_t len, struct pgc_strings *args,
                                struct pgc_error *err) {
    for (size_t from = 0, to = 0; from <= len; from = to + 1) {
        for (to = from; to < len && text[to] != ' '; to++)
            if (text[to] < 0x21 || text[to] > 0x7e)
                return malformed(c, "an argument holds a forbidden character", err);
        if (to == from)
            return malformed(c, "an argument is empty", err);
        enum pgc_code code = pgc_strings_take(args, strndup(text + from, to - from), err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code parse_stanza(struct cursor *c, const char *line, size_t len, struct pgc__age_header *out,
                                  struct pgc_error *err) {
    struct pgc__age_stanza *stanza = pgc__age_header_stanza(out);
    if (stanza == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = parse_args(c, line + 3, len - 3, &stanza->args, err);
    if (code != PGC_OK)
        return code;
    do {
        if (!next_line(c, &line, &len))
            return malformed(c, "a stanza is cut", err);
        if (len > COLUMNS || !pgc_text_unbase64(&stanza->body, line, len, false))
            return malformed(c, "the body of a stanza is not canonical base64 of 64 columns", err);
    } while (len == COLUMNS);
    return PGC_OK;
}

static enum pgc_code parse_footer(const struct cursor *c, const char *line, size_t len, unsigned char mac[32],
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf bytes = PGC_BUF_INIT;
    if (len != FOOTER_LEN || line[3] != ' ' || !pgc_text_unbase64(&bytes, line + 4, len - 4, false) || bytes.len != 32)
        return malformed(c, "the message authentication code is not 32 bytes of canonical base64", err);
    memcpy(mac, bytes.data, 32);
    return PGC_OK;
}

enum pgc_code pgc__age_header_parse(const char *data, size_t len, struct pgc__age_header *out, size_t *maced_len,
                                    struct pgc_error *err) {
    struct cursor c = { data, data + len, 0 };
    const char *line = data;
    size_t n = 0;
    if (!next_line(&c, &line, &n) || n != VERSION_LEN - 1 || memcmp(line, version_line, n) != 0)
        return pgc_fail(err, PGC_E_DATA, "not an age file");
    while (next_line(&c, &line, &n)) {
        enum pgc_code code = PGC_OK;
        if (n >= 3 && memcmp(line, "---", 3) == 0) {
            if (out->count == 0)
                return malformed(&c, "there is no stanza", err);
            *maced_len = (size_t)(line + 3 - data);
            return parse_footer(&c, line, n, out->mac, err);
        }
        if (n < 3 || memcmp(line, "-> ", 3) != 0)
            return malformed(&c, "expected a stanza", err);
        code = parse_stanza(&c, line, n, out, err);
        if (code != PGC_OK)
            return code;
    }
    return malformed(&c, "it is cut", err);
}

void pgc__age_header_format(struct pgc_buf *out, const struct pgc__age_header *header) {
    pgc_buf_put(out, version_line, VERSION_LEN);
    for (size_t i = 0; i < header->count; i++) {
        const struct pgc__age_stanza *stanza = &header->stanzas[i];
        pgc_buf_puts(out, "->");
        for (size_t k = 0; k < stanza->args.count; k++)
            pgc_buf_putf(out, " %s", stanza->args.items[k]);
        pgc_buf_putc(out, '\n');
        size_t at = 0, full = COLUMNS / 4 * 3;
        for (; stanza->body.len - at >= full; at += full) {
            pgc_text_base64(out, stanza->body.data + at, full, false);
            pgc_buf_putc(out, '\n');
        }
        pgc_text_base64(out, stanza->body.data + at, stanza->body.len - at, false);
        pgc_buf_putc(out, '\n');
    }
    pgc_buf_puts(out, "---");
}
