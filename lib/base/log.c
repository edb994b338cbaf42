#include "base/log.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

const char *pgc_log_level_name(enum pgc_log_level level) {
    static const char *const names[] = { "debug", "info", "warn", "error" };
    return names[level];
}

/* One value may not push the line over the limit: each text is cut so that the rest still fits. */
static void put_json_text(struct pgc_buf *out, const char *text) {
    size_t len = strlen(text);
    size_t room = out->len < PGC_LOG_LINE_MAX / 2 ? (PGC_LOG_LINE_MAX / 2 - out->len) / 2 : 64;
    pgc_text_json_n(out, text, len < room ? len : room);
}

void pgc_log_format_json(struct pgc_buf *out, const struct pgc_log_line *line) {
    pgc_buf_puts(out, "{\"@timestamp\":\"");
    pgc_text_rfc3339(out, line->wall_us, true);
    pgc_buf_putf(out, "\",\"log.level\":\"%s\",\"message\":", pgc_log_level_name(line->level));
    put_json_text(out, line->message);
    pgc_buf_puts(out, ",\"ecs.version\":\"8.11\",\"service.name\":");
    put_json_text(out, line->service);
    if (line->event != NULL) {
        pgc_buf_puts(out, ",\"event.action\":");
        put_json_text(out, line->event);
    }
    for (size_t i = 0; i < line->field_count; i++) {
        const struct pgc_log_field *field = &line->fields[i];
        if (!field->is_number && field->text == NULL)
            continue;
        pgc_buf_putc(out, ',');
        put_json_text(out, field->key);
        pgc_buf_putc(out, ':');
        if (field->is_number)
            pgc_buf_putf(out, "%" PRId64, field->number);
        else
            put_json_text(out, field->text);
    }
    pgc_buf_puts(out, "}\n");
}

void pgc_log_format_text(struct pgc_buf *out, const struct pgc_log_line *line) {
    pgc_text_rfc3339(out, line->wall_us, true);
    pgc_buf_putf(out, " %-5s %s", pgc_log_level_name(line->level), line->message);
    for (size_t i = 0; i < line->field_count; i++) {
        const struct pgc_log_field *field = &line->fields[i];
        if (field->is_number)
            pgc_buf_putf(out, " %s=%" PRId64, field->key, field->number);
        else if (field->text != NULL && field->text[strcspn(field->text, " \"=\n\t")] == '\0' && field->text[0] != '\0')
            pgc_buf_putf(out, " %s=%s", field->key, field->text);
        else if (field->text != NULL) {
            pgc_buf_putf(out, " %s=", field->key);
            pgc_text_json(out, field->text);
        }
    }
    pgc_buf_putc(out, '\n');
}
