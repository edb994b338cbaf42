#ifndef PGC_BACKUP_NOTIFY_H
#define PGC_BACKUP_NOTIFY_H
/* Telling somebody how a run went.
 *
 * A target is a URL, in front of which a word says the shape of what is sent:
 *     https://host/path             JSON {"event","job","host","time",...} or the template, see template.h; signed when there is a
 *                                   secret: header X-Pgc-Signature: sha256=<hex HMAC-SHA-256 of the body>
 *     slack+https://...             {"text": ...}
 *     discord+https://...           {"content": ...}, in which nobody is mentioned
 *     teams+https://...             a message with an adaptive card, as workflows take it
 *     ntfy+https://host/topic       the message as text with Title, Priority and Tags
 *     ping+https://hc/uuid          healthchecks.io style: URL/start, URL (success), URL/fail with the error and the last lines of the
 *                                   log as body; ?rid= says which belong together
 *     smtp://user@host/?from=a@b&to=c@d           a mail; smtps:// too, see mail.h
 * Pings hear of starts and ends of backups, and of whatever is bad; the others of what is bad, and of successes when asked. */
#include <pgc/runtime.h>

#include "base/array.h"
#include "base/buf.h"

/* LATE: the last success is older than the schedule allows. */
enum pgc_notify_event { PGC_NOTIFY_START, PGC_NOTIFY_SUCCESS, PGC_NOTIFY_FAILURE, PGC_NOTIFY_LATE };

#define PGC_NOTIFY_ID_BYTES 37
/* A random UUID with its final NUL. */
PGC_MUST_USE enum pgc_code pgc_notify_id(char out[PGC_NOTIFY_ID_BYTES], struct pgc_error *err);

/* All texts are borrowed and not NULL. */
struct pgc_notice {
    enum pgc_notify_event event;
    bool verify; /* it was a verification, not a backup */
    const char *job;
    const char *host;
    const char *detail; /* the error, or since when nothing came */
    const char *log;    /* the last lines of it, "" when there are none */
    const char *run_id; /* the same for start and end of a run, "" without a run */
    int64_t time_us;
    int64_t duration_ms;
    uint64_t bytes;
};
bool pgc_notify_is_bad(const struct pgc_notice *notice); /* a failure, or late */
/* "backup.failure", "verify.success", "backup.late" */
void pgc_notify_event_name(struct pgc_buf *out, const struct pgc_notice *notice);
/* "pgc backup: job 'app' on db1 FAILED: no space left" */
void pgc_notify_sentence(struct pgc_buf *out, const struct pgc_notice *notice);

/* Whom to tell, and of what. All borrowed. */
struct pgc_notify_to {
    const struct pgc_strings *targets;
    bool successes;            /* of successes too, not only of failures */
    const char *secret;        /* signs JSON; NULL: nothing is signed */
    const char *body_template; /* NULL: our own JSON */
    const char *smtp_password; /* logs the user of mail targets in */
};

/* What is sent for one target over HTTP. Pure. *wanted false: this target is not told of this event. */
struct pgc_notify_message {
    bool wanted;
    struct pgc_buf url;
    struct pgc_buf body;
    const char *content_type;
    struct pgc_strings headers;
};
#define PGC_NOTIFY_MESSAGE_INIT                                                                                        \
    { false, PGC_BUF_INIT, PGC_BUF_INIT, "application/json", PGC_STRINGS_INIT }
PGC_MUST_USE enum pgc_code pgc_notify_make(const char *target, const struct pgc_notice *notice,
                                           const struct pgc_notify_to *to, struct pgc_notify_message *out,
                                           struct pgc_error *err);
void pgc_notify_message_release(struct pgc_notify_message *message);
/* PGC_E_USAGE for a shape or scheme that is not known. */
PGC_MUST_USE enum pgc_code pgc_notify_check(const char *target, struct pgc_error *err);

/* Tells all targets, each tried three times within a minute at most. Failing to tell is logged and never fails what is told of. The
 * end of a run is told although the runtime is cancelled; then, and for a start, which the run waits for, each target is tried once
 * and for a few seconds. */
void pgc_notify_all(const struct pgc_notify_to *to, const struct pgc_notice *notice, const struct pgc_runtime *rt);
/* Sends a body, tried three times (once and for a few seconds when `hurried`), to its end although the runtime is cancelled. */
PGC_MUST_USE enum pgc_code pgc_notify_post(const char *url, const struct pgc_strings *headers,
                                           const struct pgc_buf *body, bool hurried, const struct pgc_runtime *rt,
                                           struct pgc_error *err);
#endif
