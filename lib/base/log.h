#ifndef PGC_BASE_LOG_H
#define PGC_BASE_LOG_H
/* Log lines as text. Pure: who writes them is os/process.c.
 * JSON follows the Elastic Common Schema (@timestamp, log.level, message, ecs.version, service.name, event.action);
 * a line stays under 16 KiB because Docker's json-file driver splits longer ones. */
#include <pgc/runtime.h>

#include "base/buf.h"

struct pgc_log_line {
    const char *service;
    enum pgc_log_level level;
    const char *event;
    const char *message;
    const struct pgc_log_field *fields;
    size_t field_count;
    int64_t wall_us;
};

#define PGC_LOG_LINE_MAX ((size_t)16000)

const char *pgc_log_level_name(enum pgc_log_level level);
void pgc_log_format_json(struct pgc_buf *out, const struct pgc_log_line *line);
/* "2026-01-31T12:00:00.000Z info  message key=value" */
void pgc_log_format_text(struct pgc_buf *out, const struct pgc_log_line *line);
#endif
