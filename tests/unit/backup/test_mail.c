#include "backup/mail.h"

#include <check.h>
#include <string.h>

START_TEST(targets)
{
    static const struct {
        const char *target, *host, *user;
        int port;
        enum pgc_smtp_tls tls;
    } rows[] = {
        { "smtp://me@mx.org/?from=a@b&to=c@d", "mx.org", "me", 587, PGC_SMTP_STARTTLS },
        { "smtp://me%40x@mx.org:25?from=a@b&to=c@d,e@f", "mx.org", "me@x", 25, PGC_SMTP_STARTTLS },
        { "smtps://mx.org/?from=a@b&to=c@d&tls=none", "mx.org", NULL, 465, PGC_SMTP_WRAPPED },
        { "smtp://mx.org/?from=a@b&to=c@d&tls=none", "mx.org", NULL, 587, PGC_SMTP_NONE },
        { "smtp://127.0.0.1:2525/?from=a@b&to=c@d", "127.0.0.1", NULL, 2525, PGC_SMTP_NONE },
        { "smtp://[::1]:25/?from=a@b&to=c@d", "::1", NULL, 25, PGC_SMTP_NONE },
        { "smtp://localhost/?from=a@b&to=c@d&tls=starttls", "localhost", NULL, 587, PGC_SMTP_STARTTLS },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_mail_target_release) struct pgc_mail_target t = PGC_MAIL_TARGET_INIT;
        struct pgc_error err;
        ck_assert_int_eq(pgc_mail_parse(rows[i].target, &t, &err), PGC_OK);
        ck_assert_str_eq(t.host, rows[i].host);
        ck_assert_pstr_eq(t.user, rows[i].user);
        ck_assert_int_eq(t.port, rows[i].port);
        ck_assert_int_eq(t.tls, rows[i].tls);
        ck_assert_str_eq(t.from, "a@b");
        ck_assert_str_eq(t.to.items[0], "c@d");
        ck_assert_int_eq(t.to.count, strstr(rows[i].target, "e@f") != NULL ? 2 : 1);
    }
}
END_TEST

START_TEST(refused)
{
    static const char *const rows[] = { "smtp://mx/",
                                        "smtp://mx/?from=a@b",
                                        "smtp://mx/?to=a@b",
                                        "smtp:///?from=a@b&to=c@d",
                                        "smtp://mx:0/?from=a@b&to=c@d",
                                        "smtp://mx:x/?from=a@b&to=c@d",
                                        "smtp://[::1/?from=a@b&to=c@d",
                                        "smtp://me:secret@mx/?from=a@b&to=c@d",
                                        "smtp://mx/?from=a@b%0d%0aDATA&to=c@d",
                                        "smtp://mx/?from=a@b&to=c@d%3e",
                                        "smtp://mx/?from=a&to=c@d",
                                        "smtp://mx/?from=a@b&to=c@d&tls=maybe" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_mail_target_release) struct pgc_mail_target t = PGC_MAIL_TARGET_INIT;
        struct pgc_error err;
        ck_assert_msg(pgc_mail_parse(rows[i], &t, &err) == PGC_E_USAGE, "%s", rows[i]);
        ck_assert_ptr_null(strstr(err.message, "secret"));
    }
}
END_TEST

START_TEST(text)
{
    PGC_CLEANUP(pgc_mail_target_release) struct pgc_mail_target t = PGC_MAIL_TARGET_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    struct pgc_error err;
    ck_assert_int_eq(pgc_mail_parse("smtp://mx/?from=a@b&to=c@d&to=e@f", &t, &err), PGC_OK);
    pgc_mail_write(&out, &t, "hi\r\nBcc: x@y", "it broke\r\n.\r\n", "h 1", 1700000000000000);
    ck_assert_str_eq(out.data, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                               "From: <a@b>\r\n"
                               "To: <c@d>,\r\n <e@f>\r\n"
                               "Subject: =?utf-8?B?aGkNCkJjYzogeEB5?=\r\n"
                               "Message-ID: <pgc-backup.1700000000000000@h%201>\r\n"
                               "Auto-Submitted: auto-generated\r\n"
                               "MIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Transfer-Encoding: base64\r\n"
                               "\r\n"
                               "aXQgYnJva2UNCi4NCg==\r\n");
}
END_TEST

Suite *mail_suite(void);
Suite *mail_suite(void) {
    Suite *suite = suite_create("mail");
    TCase *cases = tcase_create("mail");
    tcase_add_test(cases, targets);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, text);
    suite_add_tcase(suite, cases);
    return suite;
}
