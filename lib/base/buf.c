#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char pgc__buf_empty[1] = "";

void pgc_buf_release(struct pgc_buf *buf) {
    if (buf->cap > 0)
        free(buf->data);
    size_t max = buf->max;
    *buf = (struct pgc_buf)PGC_BUF_INIT;
    buf->max = max;
}

void pgc_buf_clear(struct pgc_buf *buf) {
    buf->len = 0;
    buf->failed = false;
    if (buf->cap > 0)
        buf->data[0] = '\0';
}

static bool grow(struct pgc_buf *buf, size_t more) {
    if (buf->failed)
        return false;
    size_t max = buf->max > 0 ? buf->max : PGC_BUF_MAX;
    if (more > max || buf->len > max - more) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap < 32 ? 64 : buf->cap + buf->cap / 2;
    if (cap < need)
        cap = need;
    char *data = realloc(buf->cap > 0 ? buf->data : NULL, cap);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
    return true;
}

char *pgc_buf_reserve(struct pgc_buf *buf, size_t len) {
    return grow(buf, len) ? buf->data + buf->len : NULL;
}

void pgc_buf_grown(struct pgc_buf *buf, size_t len) {
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void pgc_buf_put(struct pgc_buf *buf, const void *data, size_t len) {
    if (len == 0 || !grow(buf, len))
        return;
    memcpy(buf->data + buf->len, data, len);
    pgc_buf_grown(buf, len);
}

void pgc_buf_puts(struct pgc_buf *buf, const char *text) {
    pgc_buf_put(buf, text, strlen(text));
}

void pgc_buf_putc(struct pgc_buf *buf, char c) {
    pgc_buf_put(buf, &c, 1);
}

void pgc_buf_vputf(struct pgc_buf *buf, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0)
        buf->failed = true;
    else if (grow(buf, (size_t)n)) {
        vsnprintf(buf->data + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
}

void pgc_buf_putf(struct pgc_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(buf, format, args);
    va_end(args);
}

void pgc_buf_truncate(struct pgc_buf *buf, size_t len) {
    if (len >= buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

void pgc_buf_drop_front(struct pgc_buf *buf, size_t len) {
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

enum pgc_code pgc_buf_check(const struct pgc_buf *buf, struct pgc_error *err) {
    if (!buf->failed)
        return PGC_OK;
    return pgc_fail(err, PGC_E_NOMEM, "out of memory, or a text is longer than %zu bytes",
                    buf->max > 0 ? buf->max : PGC_BUF_MAX);
}

char *pgc_buf_detach(struct pgc_buf *buf) {
    if (!grow(buf, 0))
        return NULL;
    char *text = buf->data;
    buf->cap = 0;
    pgc_buf_release(buf);
    return text;
}

void pgc_buf_wipe(struct pgc_buf *buf) {
    if (buf->cap > 0)
        explicit_bzero(buf->data, buf->cap);
    pgc_buf_release(buf);
}
