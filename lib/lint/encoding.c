#include "lint/encoding.h"

#include <strings.h>

#include "base/text.h"

static bool begins(const struct lint_file *file, const char *bytes, size_t len) {
    return file->len >= len && memcmp(file->text, bytes, len) == 0;
}

/* Does the file say itself in which encoding it is? */
static bool names_encoding(const struct lint_file *file) {
    static const char *const words[] = { "client_encoding", "\\encoding", "set names" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);
        for (size_t at = 0; at + len <= file->len; at++)
            if (strncasecmp(file->text + at, words[i], len) == 0)
                return true;
    }
    return false;
}

/* The first byte that belongs to no UTF-8 character; the length of the file when there is none. */
static size_t first_foreign(const struct lint_file *file) {
    size_t at = 0, size;
    while (at < file->len && (size = pgc_text_utf8(file->text + at, file->len - at)) > 0)
        at += size;
    return at;
}

static enum pgc_code replace_nuls(struct lint_file *file, struct pgc_error *err) {
    pgc_buf_put(&file->own, file->text, file->len);
    enum pgc_code code = pgc_buf_check(&file->own, err);
    if (code != PGC_OK)
        return code;
    for (size_t at = 0; at < file->len; at++)
        if (file->own.data[at] == '\0')
            file->own.data[at] = '?';
    file->text = file->own.data;
    return PGC_OK;
}

enum pgc_code pgc__lint_encoding(struct lint_file *file, struct pgc_error *err) {
    struct lint_encoding *found = &file->encoding;
    if (begins(file, "\xff\xfe", 2) || begins(file, "\xfe\xff", 2))
        found->problem = "the file is UTF-16: no server takes that; nothing in it was checked";
    else if (begins(file, "PGDMP", 5))
        found->problem = "the file is a dump in pg_dump's custom format, not SQL; nothing in it was checked";
    found->fatal = found->problem != NULL;
    if (found->fatal) {
        file->len = 0;
        return PGC_OK;
    }
    const char *nul = file->len == 0 ? NULL : memchr(file->text, '\0', file->len);
    if (nul != NULL) {
        found->problem = "a NUL byte: no server takes it";
        found->at = (size_t)(nul - file->text);
        found->fatal = true;
        return replace_nuls(file, err);
    }
    found->at = first_foreign(file);
    if (found->at < file->len && !names_encoding(file))
        found->problem = "a byte that is no UTF-8, and nothing in the file names another client_encoding";
    return PGC_OK;
}
