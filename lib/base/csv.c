#include "base/csv.h"

#include <string.h>

#include "base/buf.h"

/* One name from *at on; afterwards *at stands on the delimiter, the line end or the end. */
static enum pgc_code take_name(const char *text, size_t len, size_t *at, char delimiter, struct pgc_buf *name,
                               struct pgc_error *err) {
    bool quoted = false;
    size_t i = *at;
    for (; i < len; i++) {
        char c = text[i];
        if (quoted && c == '"' && i + 1 < len && text[i + 1] == '"')
            pgc_buf_putc(name, text[i++]);
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == delimiter || c == '\n' || c == '\r'))
            break;
        else
            pgc_buf_putc(name, c);
    }
    *at = i;
    if (quoted)
        return pgc_fail(err, PGC_E_DATA, "the header has a quote that is not closed");
    return pgc_buf_check(name, err);
}

static enum pgc_code add_name(struct pgc_strings *out, const struct pgc_buf *name, struct pgc_error *err) {
    if (name->len == 0)
        return pgc_fail(err, PGC_E_DATA, "column %zu of the header has no name", out->count + 1);
    if (strlen(name->data) != name->len)
        return pgc_fail(err, PGC_E_DATA, "the header holds a zero byte");
    if (pgc_strings_contain(out, name->data))
        return pgc_fail(err, PGC_E_DATA, "the header names column '%s' twice", name->data);
    return pgc_strings_add(out, name->data, err);
}

enum pgc_code pgc_csv_header(const char *text, size_t len, bool whole, char delimiter, struct pgc_strings *out,
                             struct pgc_error *err) {
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (at == len || text[at] == '\n' || text[at] == '\r')
        return pgc_fail(err, PGC_E_DATA, "no header: the first line must name the columns");
    for (;;) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
        enum pgc_code code = take_name(text, len, &at, delimiter, &name, err);
        if (code == PGC_OK)
            code = add_name(out, &name, err);
        if (code != PGC_OK)
            return code;
        if (at == len && !whole)
            return pgc_fail(err, PGC_E_DATA, "the header does not end within %zu bytes", len);
        if (at == len || text[at] != delimiter)
            return PGC_OK;
        at++;
    }
}
