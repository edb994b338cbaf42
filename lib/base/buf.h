#ifndef PGC_BASE_BUF_H
#define PGC_BASE_BUF_H
/* A growing byte buffer with a mandatory maximum and a sticky failure.
 *
 *     PGC_CLEANUP(pgc_buf_release) struct pgc_buf b = PGC_BUF_INIT;
 *     pgc_buf_puts(&b, "select ");
 *     pgc_buf_putf(&b, "%d", n);
 *     code = pgc_buf_check(&b, err);       // once, at the end
 *
 * data is NUL-terminated at all times (never NULL: an empty buffer points at ""), so text can be used
 * as it is; len does not count that NUL. A write that fails (no memory, or more than max bytes) sets
 * `failed`, and all later writes do nothing: code that builds text needs one check, not one per write. */
#include <pgc/error.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

struct pgc_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* bytes it may hold; 0 means PGC_BUF_MAX */
    bool failed;
};

#define PGC_BUF_MAX ((size_t)1 << 31)
extern char pgc__buf_empty[1];
#define PGC_BUF_INIT                                                                                                   \
    { pgc__buf_empty, 0, 0, 0, false }

void pgc_buf_release(struct pgc_buf *buf);
void pgc_buf_clear(struct pgc_buf *buf); /* len 0, failure forgotten, memory kept */
void pgc_buf_put(struct pgc_buf *buf, const void *data, size_t len);
void pgc_buf_puts(struct pgc_buf *buf, const char *text);
void pgc_buf_putc(struct pgc_buf *buf, char c);
void pgc_buf_putf(struct pgc_buf *buf, const char *format, ...) PGC_PRINTF(2, 3);
void pgc_buf_vputf(struct pgc_buf *buf, const char *format, va_list args) PGC_PRINTF(2, 0);
void pgc_buf_truncate(struct pgc_buf *buf, size_t len); /* len must not exceed buf->len */
void pgc_buf_drop_front(struct pgc_buf *buf, size_t len);
/* Makes room for `len` more bytes and returns where they go, NULL when it cannot; then set with pgc_buf_grown. */
char *pgc_buf_reserve(struct pgc_buf *buf, size_t len);
void pgc_buf_grown(struct pgc_buf *buf, size_t len);
/* PGC_OK, or PGC_E_NOMEM when any write since init/clear has failed. */
PGC_MUST_USE enum pgc_code pgc_buf_check(const struct pgc_buf *buf, struct pgc_error *err);
/* The text as a malloc'ed string that the caller frees; the buffer is empty afterwards. NULL when failed. */
char *pgc_buf_detach(struct pgc_buf *buf);
/* Overwrites the content before releasing: for secrets. */
void pgc_buf_wipe(struct pgc_buf *buf);
#endif
