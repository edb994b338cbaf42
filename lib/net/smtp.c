#include "net/smtp.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct sending {
    const struct pgc_smtp_mail *mail;
    const struct pgc_runtime *rt;
    size_t at, len;
    char message[CURL_ERROR_SIZE];
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void) {
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_send(char *buf, size_t size, size_t count, void *arg) {
    struct sending *s = arg;
    size_t left = s->len - s->at, n = size * count < left ? size * count : left;
    memcpy(buf, s->mail->text + s->at, n);
    s->at += n;
    return n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct sending *s = arg;
    (void)a, (void)b, (void)c, (void)d;
    return !s->mail->undisturbed && pgc_cancelled(s->rt) != 0;
}

static enum pgc_code code_of(CURLcode result, long answer) {
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return PGC_E_UNAVAILABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return PGC_E_TIMEOUT;
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        return PGC_E_TLS;
    case CURLE_LOGIN_DENIED:
        return PGC_E_AUTH;
    case CURLE_OUT_OF_MEMORY:
        return PGC_E_NOMEM;
    case CURLE_ABORTED_BY_CALLBACK:
        return PGC_E_CANCELLED;
    default:
        return answer >= 500 ? PGC_E_FAILED : PGC_E_TEMPORARY;
    }
}

static void set_address(CURL *easy, const struct pgc_smtp_mail *mail, struct pgc_buf *url) {
    bool v6 = strchr(mail->host, ':') != NULL;
    pgc_buf_putf(url, "%s://%s%s%s:%d", mail->tls == PGC_SMTP_WRAPPED ? "smtps" : "smtp", v6 ? "[" : "", mail->host,
                 v6 ? "]" : "", mail->port);
    (void)curl_easy_setopt(easy, CURLOPT_URL, url->data);
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL, mail->tls == PGC_SMTP_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* web proxies do not speak SMTP */
    const char *ca = getenv("PGC_CA_FILE");
    if (ca == NULL || ca[0] == '\0')
        ca = getenv("SSL_CERT_FILE");
    if (ca != NULL && ca[0] != '\0')
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    if (mail->user != NULL && mail->password != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
        (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password);
    }
}

static void set_transfer(CURL *easy, struct sending *s, int64_t timeout_ms, const struct curl_slist *to) {
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* threads */
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, s->message);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, s->mail->from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, s);
    (void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, s);
}

enum pgc_code pgc_smtp_send(const struct pgc_smtp_mail *mail, int64_t timeout_ms, const struct pgc_runtime *rt,
                            struct pgc_error *err) {
    struct sending s = { .mail = mail, .rt = rt, .len = strlen(mail->text) };
    struct curl_slist *to = NULL;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    pthread_once(&global_once, global_init);
    CURL *easy = curl_easy_init();
    CURLcode result = easy != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    long answer = 0;
    for (size_t i = 0; result == CURLE_OK && i < mail->to->count; i++) {
        struct curl_slist *longer = curl_slist_append(to, mail->to->items[i]);
        to = longer != NULL ? longer : to;
        result = longer != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    }
    if (result == CURLE_OK) {
        set_address(easy, mail, &url);
        set_transfer(easy, &s, timeout_ms, to);
        result = curl_easy_perform(easy);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    }
    curl_slist_free_all(to);
    curl_easy_cleanup(easy);
    if (result == CURLE_OK)
        return PGC_OK;
    return pgc_fail(err, code_of(result, answer), "%s: %s", url.data,
                    s.message[0] != '\0' ? s.message : curl_easy_strerror(result));
}
