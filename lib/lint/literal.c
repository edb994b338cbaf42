#include "lint/literal.h"

#include "base/array.h"

/* One character of a constant at `at`: how many bytes it takes there, and what it is. 0: an escape that is not decoded. */
static size_t step(const char *text, size_t at, bool escapes, char *out) {
    static const char letters[] = "bfnrt\\'", values[] = "\b\f\n\r\t\\'";
    *out = text[at];
    if (text[at] == '\'')
        return 2;
    if (text[at] != '\\' || !escapes)
        return 1;
    const char *letter = text[at + 1] == '\0' ? NULL : strchr(letters, text[at + 1]);
    if (letter == NULL)
        return 0;
    *out = values[letter - letters];
    return 2;
}

static enum pgc_code decode(struct lint_file *file, struct lint_decoded decoded, size_t end, bool *known,
                            struct pgc_error *err) {
    if (file->text != file->own.data) {
        pgc_buf_put(&file->own, file->text, file->len);
        file->text = file->own.data;
    }
    decoded.start = file->own.len;
    for (size_t at = decoded.origin, taken; at < end; at += taken) {
        char c;
        taken = step(file->own.data, at, decoded.escapes, &c);
        if (taken == 0 || at + taken > end) {
            pgc_buf_truncate(&file->own, decoded.start);
            return pgc_buf_check(&file->own, err);
        }
        pgc_buf_putc(&file->own, c);
        if (file->own.failed)
            break;
    }
    file->text = file->own.data;
    decoded.len = file->own.len - decoded.start;
    pgc_buf_putc(&file->own, '\n'); /* keeps a position behind its end apart from the next one's */
    file->text = file->own.data;
    enum pgc_code code = pgc_buf_check(&file->own, err);
    if (code == PGC_OK &&
        !pgc_array_grow(&file->decoded, &file->decoded_cap, file->decoded_count + 1, sizeof *file->decoded))
        code = pgc_fail_nomem(err);
    if (code != PGC_OK)
        return code;
    file->decoded[file->decoded_count++] = decoded;
    *known = true;
    return PGC_OK;
}

enum pgc_code pgc__lint_literal(struct lint_file *file, const struct pgc_token *token, bool *known, size_t *from,
                                size_t *to, struct pgc_error *err) {
    const char *text = file->text + token->start;
    size_t open = 0, close = 1;
    *known = false;
    if (*text == '$') {
        const char *end = memchr(text + 1, '$', token->len - 1);
        open = close = end == NULL ? token->len : (size_t)(end - text) + 1;
    } else {
        open = *text == '\'' ? 1 : 2;
    }
    bool escapes = (*text | 0x20) == 'e' && text[1] == '\'';
    bool plain = *text == '\'' || *text == '$';
    if ((!plain && !escapes) || token->len < open + close ||
        memcmp(text + token->len - close, text + open - close, close) != 0)
        return PGC_OK;
    *from = token->start + open;
    *to = token->start + token->len - close;
    bool as_it_is = *text == '$' || (memchr(text + open, '\'', *to - *from) == NULL &&
                                     !(escapes && memchr(text + open, '\\', *to - *from) != NULL));
    *known = as_it_is;
    if (as_it_is)
        return PGC_OK;
    enum pgc_code code = decode(file, (struct lint_decoded) { .origin = *from, .escapes = escapes }, *to, known, err);
    if (code == PGC_OK && *known) {
        *from = file->decoded[file->decoded_count - 1].start;
        *to = *from + file->decoded[file->decoded_count - 1].len;
    }
    return code;
}

size_t pgc__lint_origin(const struct lint_file *file, size_t offset) {
    for (size_t i = file->decoded_count; i-- > 0 && offset > file->len;) {
        const struct lint_decoded *decoded = &file->decoded[i];
        if (offset < decoded->start || offset > decoded->start + decoded->len)
            continue;
        size_t at = decoded->origin;
        for (size_t left = offset - decoded->start; left > 0; left--) {
            char c;
            at += step(file->text, at, decoded->escapes, &c);
        }
        offset = at; /* in the file, or in a constant that was decoded before */
    }
    return offset;
}
