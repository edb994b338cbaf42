#ifndef PGC_BACKUP_MAIL_H
#define PGC_BACKUP_MAIL_H
/* Mail as a way to tell: targets and texts. Pure.
 *
 *     smtp://user@host:587/?from=a@b&to=c@d,e@f        STARTTLS is required, unless the host is loopback or &tls=none
 *     smtps://user@host/?from=a@b&to=c@d               TLS from the start, port 465
 *
 * Percent-encoding holds in user, from and to. The password is a setting of its own and refused here. */
#include <pgc/error.h>

#include "base/array.h"
#include "base/buf.h"
#include "net/smtp.h"

struct pgc_mail_target {
    char *host, *user, *from;
    struct pgc_strings to;
    int port;
    enum pgc_smtp_tls tls;
};
#define PGC_MAIL_TARGET_INIT                                                                                           \
    { NULL, NULL, NULL, PGC_STRINGS_INIT, 0, PGC_SMTP_STARTTLS }
void pgc_mail_target_release(struct pgc_mail_target *target);
bool pgc_mail_is_target(const char *target);
/* PGC_E_USAGE says what is wrong. */
PGC_MUST_USE enum pgc_code pgc_mail_parse(const char *target, struct pgc_mail_target *out, struct pgc_error *err);

/* A whole mail. Nothing in subject and text can become a header: the subject is one line, the text is base64. */
void pgc_mail_write(struct pgc_buf *out, const struct pgc_mail_target *target, const char *subject, const char *text,
                    const char *host, int64_t time_us);
#endif
