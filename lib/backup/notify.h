#ifndef PGC_BACKUP_NOTIFY_H
#define PGC_BACKUP_NOTIFY_H
/* Telling somebody how a run went.
 *
 * A target is a URL, in front of which a word says the shape of what is sent:
 *     https://host/path             JSON {"event","job","host","time","message",...}; signed when there is a secret: header
 *                                   X-Pgc-Signature: sha256=<hex HMAC-SHA-256 of the body>
 *     slack+https://...             {"text": ...}
 *     discord+https://...           {"content": ...}
 *     teams+https://...             a MessageCard
 *     ntfy+https://host/topic       the message as text with Title, Priority and Tags
 *     ping+https://hc/uuid          healthchecks.io style: URL/start, URL (success), URL/fail with the error as body
 *     smtp://user@host/?from=a@b&to=c@d           a mail; smtps:// too, see mail.h
 * Pings hear of starts and ends; the others of failures, and of successes when asked. */
#include <pgc/runtime.h>

#include "base/array.h"
#include "base/buf.h"

enum pgc_notify_event { PGC_NOTIFY_START, PGC_NOTIFY_SUCCESS, PGC_NOTIFY_FAILURE };

struct pgc_notice {
    enum pgc_notify_event event;
    const char *job;
    const char *host;
    const char *detail; /* the error, or what was stored */
    int64_t time_us;
    int64_t duration_ms;
    uint64_t bytes;
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
PGC_MUST_USE enum pgc_code pgc_notify_make(const char *target, const struct pgc_notice *notice, bool successes,
                                           const char *secret, struct pgc_notify_message *out, struct pgc_error *err);
void pgc_notify_message_release(struct pgc_notify_message *message);
/* PGC_E_USAGE for a shape or scheme that is not known. */
PGC_MUST_USE enum pgc_code pgc_notify_check(const char *target, struct pgc_error *err);

/* Whom to tell, and of what. All borrowed. */
struct pgc_notify_to {
    const struct pgc_strings *targets;
    bool successes;            /* of successes too, not only of failures */
    const char *secret;        /* signs JSON; NULL: nothing is signed */
    const char *smtp_password; /* logs the user of mail targets in */
};
/* Tells all targets, each tried three times. Failing to tell is logged and never fails what is told of. The end of a run is told
 * although the runtime is cancelled (then each target is tried once, so that the process ends in time). */
void pgc_notify_all(const struct pgc_notify_to *to, const struct pgc_notice *notice, const struct pgc_runtime *rt);
/* Sends a body, tried three times (once in a cancelled runtime). undisturbed: goes through although the runtime is cancelled. */
PGC_MUST_USE enum pgc_code pgc_notify_post(const char *url, const struct pgc_strings *headers,
                                           const struct pgc_buf *body, bool undisturbed, const struct pgc_runtime *rt,
                                           struct pgc_error *err);
#endif
