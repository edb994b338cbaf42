#include <stdio.h>
#include <string.h>

#include "pg/probe.h"

/* With PQERRORS_VERBOSE an error of the server reads "FATAL:  28P01: password authentication failed ...". The
 * severity may be translated, the five characters and their colons may not. The last one counts: earlier ones are of
 * attempts that libpq gave up (TLS, then plain). */
static const char *last_sqlstate(const char *text) {
    const char *found = NULL;
    for (const char *p = text; (p = strstr(p, ":  ")) != NULL; p += 3)
        if (strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && strncmp(p + 8, ": ", 2) == 0)
            found = p + 3;
    return found;
}

/* One line without libpq's 'connection to server at "h" (addr), port n failed: '. */
static void set_message(struct pgc_probe_result *result, const char *text) {
    const char *start = text, *end = text + strcspn(text, "\n");
    const char *failed = strstr(text, " failed: ");
    if (strncmp(text, "connection to server", 20) == 0 && failed != NULL && failed < end)
        start = failed + 9;
    if (strncmp(start, "FATAL:  ", 8) == 0)
        start += 8;
    snprintf(result->message, sizeof result->message, "%.*s", (int)(end - start), start);
}

static bool holds(const char *text, const char *const *words) {
    for (; *words != NULL; words++)
        if (strstr(text, *words) != NULL)
            return true;
    return false;
}

void pgc_probe_classify(const char *verbose, bool auth_was_asked, struct pgc_probe_result *result) {
    static const char *const role[] = { "session is read-only", "session is not read-only",
                                        "server is in hot standby mode", "server is not in hot standby mode", NULL };
    static const char *const unknown_name[] = { "could not translate host name", NULL };
    /* What breaks while the peer goes away is no answer, not a TLS fault. */
    static const char *const gone[] = {
        "SSL SYSCALL error", "server closed the connection",        "could not receive data",
        "could not send",    "invalid response to SSL negotiation", NULL
    };
    static const char *const tls[] = { "SSL", "certificate", "private key file", "TLS", NULL };
    static const char *const auth[] = {
        "no password supplied", "authentication method", "SASL",   "SCRAM", "channel binding",
        "server requested",     "authentication",        "GSSAPI", NULL
    };
    const char *sqlstate = last_sqlstate(verbose);
    result->sqlstate[0] = '\0';
    if (sqlstate != NULL) {
        snprintf(result->sqlstate, sizeof result->sqlstate, "%.5s", sqlstate);
        snprintf(result->message, sizeof result->message, "%.*s", (int)strcspn(sqlstate + 7, "\n"), sqlstate + 7);
        result->outcome = PGC_PROBE_REJECTED;
        return;
    }
    set_message(result, verbose);
    if (holds(verbose, role))
        result->outcome = PGC_PROBE_WRONG_ROLE;
    else if (holds(verbose, unknown_name))
        result->outcome = PGC_PROBE_NAME_UNKNOWN;
    else if (auth_was_asked)
        result->outcome = PGC_PROBE_AUTH_FAILED;
    else if (holds(verbose, gone))
        result->outcome = PGC_PROBE_NO_RESPONSE;
    else if (holds(verbose, tls))
        result->outcome = PGC_PROBE_TLS_FAILED;
    else if (holds(verbose, auth))
        result->outcome = PGC_PROBE_AUTH_FAILED;
    else
        result->outcome = PGC_PROBE_NO_RESPONSE;
}

int pgc_probe_ping_status(const struct pgc_probe_result *result) {
    switch (result->outcome) {
    case PGC_PROBE_CONNECTED:
    case PGC_PROBE_AUTH_ASKED:
    case PGC_PROBE_AUTH_FAILED:
    case PGC_PROBE_WRONG_ROLE:
        return 0;
    case PGC_PROBE_REJECTED:
        return strcmp(result->sqlstate, "57P03") == 0 ? 1 : 0;
    case PGC_PROBE_NO_ATTEMPT:
        return 3;
    default:
        return 2;
    }
}
