#ifndef PGC_NET_SMTP_H
#define PGC_NET_SMTP_H
/* Sends one mail over SMTP (libcurl).
 *
 *     struct pgc_smtp_mail mail = { .host = "mail.example.org", .port = 587, .tls = PGC_SMTP_STARTTLS, .user = user,
 *                                   .password = password, .from = "db@example.org", .to = &recipients, .text = text };
 *     code = pgc_smtp_send(&mail, 10000, rt, err);
 *
 * Certificates are checked against PGC_CA_FILE, SSL_CERT_FILE or the system's. With PGC_SMTP_STARTTLS a server that does not
 * offer it gets neither password nor mail.
 *
 * Errors: PGC_E_UNAVAILABLE no such host, nobody listens; PGC_E_TIMEOUT; PGC_E_TLS not trusted or not offered; PGC_E_AUTH
 * credentials refused; PGC_E_FAILED refused for good (5xx); PGC_E_TEMPORARY refused for now (4xx), connection lost;
 * PGC_E_CANCELLED. Messages hold host and port, never the password. */
#include <pgc/runtime.h>

#include "base/array.h"

enum pgc_smtp_tls { PGC_SMTP_NONE, PGC_SMTP_STARTTLS, PGC_SMTP_WRAPPED };

struct pgc_smtp_mail {
    const char *host; /* IPv6 without brackets */
    int port;
    enum pgc_smtp_tls tls;
    const char *user, *password; /* NULL: no login */
    const char *from;            /* bare addresses */
    const struct pgc_strings *to;
    const char *text; /* headers, empty line, body; lines end with CR LF */
    bool undisturbed; /* goes through although the runtime is cancelled */
};

PGC_MUST_USE enum pgc_code pgc_smtp_send(const struct pgc_smtp_mail *mail, int64_t timeout_ms,
                                         const struct pgc_runtime *rt, struct pgc_error *err);
#endif
