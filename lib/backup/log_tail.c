#include "backup/log_tail.h"

#include <string.h>

#include "base/log.h"

#define TAIL_BYTES ((size_t)4096)

static int64_t mono(void *arg) {
    return pgc_mono_ms(((struct pgc_log_tail *)arg)->inner);
}

static int64_t wall(void *arg) {
    return pgc_wall_us(((struct pgc_log_tail *)arg)->inner);
}

static void rest(void *arg, int64_t ms) {
    pgc_sleep_ms(((struct pgc_log_tail *)arg)->inner, ms);
}

static int cancelled(void *arg) {
    return pgc_cancelled(((struct pgc_log_tail *)arg)->inner);
}

static int cancel_fd(void *arg) {
    return pgc_cancel_fd(((struct pgc_log_tail *)arg)->inner);
}

/* The whole lines among the last bytes. */
static const char *tail_of(const struct pgc_buf *text) {
    if (text->len <= TAIL_BYTES)
        return text->data;
    const char *line = memchr(text->data + text->len - TAIL_BYTES, '\n', TAIL_BYTES);
    return line != NULL ? line + 1 : text->data + text->len;
}

static void keep_tail(struct pgc_buf *text) {
    const char *from = tail_of(text);
    size_t len = (size_t)(text->data + text->len - from);
    memmove(text->data, from, len);
    pgc_buf_truncate(text, len);
}

static void note(void *arg, enum pgc_log_level level, const char *event, const char *message,
                 const struct pgc_log_field *fields, size_t count) {
    struct pgc_log_tail *tail = arg;
    const struct pgc_runtime *inner = tail->inner;
    struct pgc_log_line line = { "pgc-backup", level, event, message, fields, count, pgc_wall_us(inner) };
    inner->log(inner->arg, level, event, message, fields, count);
    if (level == PGC_LOG_DEBUG || tail->closed)
        return;
    pthread_mutex_lock(&tail->lock);
    pgc_log_format_text(&tail->text, &line);
    if (tail->text.len > 2 * TAIL_BYTES) /* not for every line */
        keep_tail(&tail->text);
    pthread_mutex_unlock(&tail->lock);
}

void pgc_log_tail_init(struct pgc_log_tail *tail, const struct pgc_runtime *inner) {
    *tail = (struct pgc_log_tail) { .rt = { mono, wall, rest, cancelled, cancel_fd, note, tail },
                                    .inner = inner,
                                    .lock = PTHREAD_MUTEX_INITIALIZER,
                                    .text = PGC_BUF_INIT };
}

void pgc_log_tail_release(struct pgc_log_tail *tail) {
    tail->closed = true;
    pgc_buf_release(&tail->text);
}

void pgc_log_tail_copy(struct pgc_log_tail *tail, struct pgc_buf *out) {
    pthread_mutex_lock(&tail->lock);
    const char *from = tail_of(&tail->text);
    pgc_buf_put(out, from, (size_t)(tail->text.data + tail->text.len - from));
    pthread_mutex_unlock(&tail->lock);
}
