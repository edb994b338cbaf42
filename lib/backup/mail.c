#include "backup/mail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

void pgc_mail_target_release(struct pgc_mail_target *target) {
    free(target->host);
    free(target->user);
    free(target->from);
    pgc_strings_release(&target->to);
}

bool pgc_mail_is_target(const char *target) {
    return pgc_text_starts(target, "smtp://") || pgc_text_starts(target, "smtps://");
}

/* --- targets ---------------------------------------------------------------------------------------- */

static char *decode(const char *text, size_t len) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (!pgc_text_unpercent(&out, text, len) || memchr(out.data, '\0', out.len) != NULL)
        return NULL;
    return strdup(out.data);
}

/* What may stand between < and > of a command: one @ at least, nothing that ends it. */
static bool is_address(const char *text) {
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == '<' || *c == '>' || *c == ',' || *c == 0x7f)
            return false;
    const char *at = strchr(text, '@');
    return at != NULL && at > text && at[1] != '\0';
}

static enum pgc_code take_address(const char *text, size_t len, char **out, struct pgc_error *err) {
    char *address = decode(text, len);
    if (address == NULL || !is_address(address)) {
        free(address);
        return pgc_fail(err, PGC_E_USAGE, "mail target: '%.*s' is no address", (int)len, text);
    }
    free(*out);
    *out = address;
    return PGC_OK;
}

static enum pgc_code take_query(const char *key, const char *value, size_t len, struct pgc_mail_target *out,
                                struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (pgc_text_starts(key, "from="))
        return take_address(value, len, &out->from, err);
    if (pgc_text_starts(key, "tls=") && len == 4 && memcmp(value, "none", 4) == 0) {
        out->tls = PGC_SMTP_NONE;
        return PGC_OK;
    }
    if (pgc_text_starts(key, "tls=") && len == 8 && memcmp(value, "starttls", 8) == 0) {
        out->tls = PGC_SMTP_STARTTLS;
        return PGC_OK;
    }
    if (!pgc_text_starts(key, "to="))
        return pgc_fail(err, PGC_E_USAGE, "mail target: '%.*s' is none of from=, to=, tls=none, tls=starttls",
                        (int)strcspn(key, "&"), key);
    while (code == PGC_OK && len > 0) {
        const char *comma = memchr(value, ',', len);
        size_t part = comma != NULL ? (size_t)(comma - value) : len;
        char *address = NULL;
        code = take_address(value, part, &address, err);
        if (code == PGC_OK)
            code = pgc_strings_take(&out->to, address, err);
        value += part + (comma != NULL);
        len -= part + (comma != NULL);
    }
    return code;
}

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || pgc_text_starts(host, "127.");
}

static enum pgc_code take_host(const char *text, size_t len, bool wrapped, struct pgc_mail_target *out,
                               struct pgc_error *err) {
    bool v6 = len > 0 && text[0] == '[';
    const char *bracket = v6 ? memchr(text, ']', len) : NULL;
    const char *after = v6 ? (bracket != NULL ? bracket + 1 : NULL) : memchr(text, ':', len);
    size_t host_len = after != NULL ? (size_t)(after - text) : len;
    const char *port = after != NULL && after < text + len ? after : NULL;
    char *end = NULL;
    out->port = wrapped ? 465 : 587;
    if (port != NULL) {
        long number = strtol(port + 1, &end, 10);
        if (*port != ':' || end != text + len || end == port + 1 || number < 1 || number > 65535)
            return pgc_fail(err, PGC_E_USAGE, "mail target: '%.*s' has no valid port", (int)len, text);
        out->port = (int)number;
    }
    if (v6 && bracket == NULL)
        return pgc_fail(err, PGC_E_USAGE, "mail target: '%.*s' has no ']'", (int)len, text);
    out->host = v6 ? strndup(text + 1, host_len - 2) : strndup(text, host_len);
    if (out->host == NULL)
        return pgc_fail_nomem(err);
    if (out->host[0] == '\0' || strpbrk(out->host, " \r\n%<>") != NULL)
        return pgc_fail(err, PGC_E_USAGE, "mail target: no host");
    out->tls = wrapped ? PGC_SMTP_WRAPPED : is_loopback(out->host) ? PGC_SMTP_NONE : PGC_SMTP_STARTTLS;
    return PGC_OK;
}

static enum pgc_code take_user(const char *text, size_t len, struct pgc_mail_target *out, struct pgc_error *err) {
    if (memchr(text, ':', len) != NULL)
        return pgc_fail(err, PGC_E_USAGE,
                        "mail target: a password does not belong here: use PGC_BACKUP_SMTP_PASSWORD or "
                        "PGC_BACKUP_SMTP_PASSWORD_FILE");
    out->user = decode(text, len);
    return out->user != NULL ? PGC_OK : pgc_fail(err, PGC_E_USAGE, "mail target: the user is not percent-encoded");
}

enum pgc_code pgc_mail_parse(const char *target, struct pgc_mail_target *out, struct pgc_error *err) {
    bool wrapped = pgc_text_starts(target, "smtps://");
    const char *rest = strstr(target, "://");
    if (!pgc_mail_is_target(target) || rest == NULL)
        return pgc_fail(err, PGC_E_USAGE, "a mail target is smtp://user@host/?from=a@b&to=c@d");
    rest += 3;
    size_t len = strcspn(rest, "/?");
    const char *at = memrchr(rest, '@', len), *host = at != NULL ? at + 1 : rest;
    enum pgc_code code = at != NULL ? take_user(rest, (size_t)(at - rest), out, err) : PGC_OK;
    if (code == PGC_OK)
        code = take_host(host, len - (size_t)(host - rest), wrapped, out, err);
    const char *query = strchr(rest + len, '?');
    for (const char *key = query != NULL ? query + 1 : ""; code == PGC_OK && *key != '\0';) {
        size_t end = strcspn(key, "&"), name = strcspn(key, "=&");
        size_t value = name < end ? name + 1 : end;
        code = take_query(key, key + value, end - value, out, err);
        key += end + (key[end] == '&');
    }
    if (wrapped)
        out->tls = PGC_SMTP_WRAPPED;
    if (code == PGC_OK && (out->from == NULL || out->to.count == 0))
        return pgc_fail(err, PGC_E_USAGE, "mail target: it wants ?from=ADDRESS&to=ADDRESS");
    return code;
}

/* --- texts ------------------------------------------------------------------------------------------ */

static void put_date(struct pgc_buf *out, int64_t time_us) {
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm t;
    gmtime_r(&seconds, &t);
    pgc_buf_putf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d +0000\r\n", days + (size_t)t.tm_wday * 3, t.tm_mday,
                 months + (size_t)t.tm_mon * 3, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* One encoded word of RFC 2047 holds 45 bytes; a character is not torn apart between two. */
static void put_subject(struct pgc_buf *out, const char *subject) {
    size_t len = strlen(subject);
    pgc_buf_puts(out, "Subject:");
    for (size_t at = 0; at < len;) {
        size_t n = len - at < 45 ? len - at : 45;
        while (n > 1 && at + n < len && ((unsigned char)subject[at + n] & 0xc0) == 0x80)
            n--;
        pgc_buf_puts(out, at > 0 ? "\r\n =?utf-8?B?" : " =?utf-8?B?");
        pgc_text_base64(out, subject + at, n, true);
        pgc_buf_puts(out, "?=");
        at += n;
    }
    pgc_buf_puts(out, "\r\n");
}

void pgc_mail_write(struct pgc_buf *out, const struct pgc_mail_target *target, const char *subject, const char *text,
                    const char *host, int64_t time_us) {
    size_t len = strlen(text);
    put_date(out, time_us);
    pgc_buf_putf(out, "From: <%s>\r\nTo: ", target->from);
    for (size_t i = 0; i < target->to.count; i++)
        pgc_buf_putf(out, "%s<%s>", i > 0 ? ",\r\n " : "", target->to.items[i]);
    pgc_buf_puts(out, "\r\n");
    put_subject(out, subject);
    pgc_buf_putf(out, "Message-ID: <pgc-backup.%" PRId64 "@", time_us);
    pgc_text_percent(out, host, strlen(host), "");
    pgc_buf_puts(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    for (size_t at = 0; at < len; at += 57) {
        pgc_text_base64(out, text + at, len - at < 57 ? len - at : 57, true);
        pgc_buf_puts(out, "\r\n");
    }
}
