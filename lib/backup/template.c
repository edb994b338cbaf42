#include "backup/template.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static void put_inside(struct pgc_buf *out, const char *text) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf quoted = PGC_BUF_INIT;
    pgc_text_json(&quoted, text);
    if (quoted.len >= 2)
        pgc_buf_put(out, quoted.data + 1, quoted.len - 2);
}

static void put_time(struct pgc_buf *out, const struct pgc_notice *n) {
    pgc_text_rfc3339(out, n->time_us, false);
}

static void put_event(struct pgc_buf *out, const struct pgc_notice *n) {
    pgc_notify_event_name(out, n);
}

static void put_job(struct pgc_buf *out, const struct pgc_notice *n) {
    put_inside(out, n->job);
}

static void put_host(struct pgc_buf *out, const struct pgc_notice *n) {
    put_inside(out, n->host);
}

static void put_run(struct pgc_buf *out, const struct pgc_notice *n) {
    put_inside(out, n->run_id);
}

static void put_error(struct pgc_buf *out, const struct pgc_notice *n) {
    put_inside(out, pgc_notify_is_bad(n) ? n->detail : "");
}

static void put_message(struct pgc_buf *out, const struct pgc_notice *n) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sentence = PGC_BUF_INIT;
    pgc_notify_sentence(&sentence, n);
    put_inside(out, sentence.data);
}

static void put_log(struct pgc_buf *out, const struct pgc_notice *n) {
    put_inside(out, n->log);
}

static void put_ok(struct pgc_buf *out, const struct pgc_notice *n) {
    pgc_buf_puts(out, pgc_notify_is_bad(n) ? "false" : "true");
}

static void put_duration(struct pgc_buf *out, const struct pgc_notice *n) {
    pgc_buf_putf(out, "%" PRId64, n->duration_ms);
}

static void put_bytes(struct pgc_buf *out, const struct pgc_notice *n) {
    pgc_buf_putf(out, "%" PRIu64, n->bytes);
}

static const struct {
    const char *name;
    void (*put)(struct pgc_buf *out, const struct pgc_notice *n);
} fields[] = {
    { "event", put_event }, { "job", put_job },
    { "host", put_host },   { "time", put_time },
    { "run", put_run },     { "error", put_error },
    { "log", put_log },     { "message", put_message },
    { "ok", put_ok },       { "duration_ms", put_duration },
    { "bytes", put_bytes },
};

static enum pgc_code put_field(const char *name, size_t len, const struct pgc_notice *notice, struct pgc_buf *out,
                               struct pgc_error *err) {
    while (len > 0 && name[0] == ' ')
        name++, len--;
    while (len > 0 && name[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0) {
            fields[i].put(out, notice);
            return PGC_OK;
        }
    return pgc_fail(err, PGC_E_USAGE, "notification template: {{%.*s}} is not known", (int)(len < 40 ? len : 40), name);
}

enum pgc_code pgc_template_render(const char *text, const struct pgc_notice *notice, struct pgc_buf *out,
                                  struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (const char *at = text; code == PGC_OK && *at != '\0';) {
        const char *open = strstr(at, "{{"), *close = open != NULL ? strstr(open, "}}") : NULL;
        if (open == NULL) {
            pgc_buf_puts(out, at);
            break;
        }
        if (close == NULL)
            return pgc_fail(err, PGC_E_USAGE, "notification template: a '{{' has no '}}'");
        pgc_buf_put(out, at, (size_t)(open - at));
        code = put_field(open + 2, (size_t)(close - open - 2), notice, out, err);
        at = close + 2;
    }
    return code == PGC_OK ? pgc_buf_check(out, err) : code;
}

enum pgc_code pgc_template_check(const char *text, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    struct pgc_notice sample = {
        .event = PGC_NOTIFY_FAILURE, .job = "\"job\"", .host = "h", .detail = "\\\n", .log = "log", .run_id = "run"
    };
    enum pgc_code code = pgc_template_render(text, &sample, &out, err);
    if (code == PGC_OK && pgc_json_parse(out.data, out.len, &doc, err) != PGC_OK) {
        pgc_wrap(err, "notification template: no JSON when filled in");
        return err->code = PGC_E_USAGE;
    }
    return code;
}
