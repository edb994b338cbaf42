#ifndef PGC_BACKUP_TEMPLATE_H
#define PGC_BACKUP_TEMPLATE_H
/* A body for webhooks in the words of whoever receives it: JSON with {{fields}}. Pure.
 *
 *     {"title": "{{job}} on {{host}}", "ok": {{ok}}, "took": {{duration_ms}}, "text": "{{message}}"}
 *
 * Fields: event ("backup.failure"), job, host, time (RFC 3339), run (an identifier), error, message (one sentence), log (the last
 * lines of it): texts, escaped for the inside of a JSON string. ok (true, false), duration_ms, bytes: as they are, for outside. */
#include "backup/notify.h"

/* PGC_E_USAGE: a field that is not known, braces that do not end, or no JSON once the fields are filled in. */
PGC_MUST_USE enum pgc_code pgc_template_check(const char *text, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_template_render(const char *text, const struct pgc_notice *notice, struct pgc_buf *out,
                                               struct pgc_error *err);
#endif
