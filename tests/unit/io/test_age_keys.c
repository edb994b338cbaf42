#include "io/age_keys.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The example pair of the age specification. */
static const char identity[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
static const char recipient[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

START_TEST(pair_of_the_specification)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities ids = PGC_AGE_IDENTITIES_INIT;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients given = PGC_AGE_RECIPIENTS_INIT;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients derived = PGC_AGE_RECIPIENTS_INIT;
    ck_assert_int_eq(pgc_age_identities_add(&ids, identity, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_recipients_add(&given, recipient, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_recipients_add_identities(&derived, &ids, &err), PGC_OK);
    ck_assert_mem_eq(given.items[0].x25519, derived.items[0].x25519, 32);
}
END_TEST

START_TEST(keys_that_are_refused)
{
    static const struct {
        const char *text;
        enum pgc_code code;
        const char *says;
    } recipients[] = {
        { "", PGC_E_USAGE, "malformed" },
        { "age1", PGC_E_USAGE, "malformed" },
        { "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ", PGC_E_USAGE, "malformed" },
        { "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk", PGC_E_USAGE, "malformed" },
        { "age1yubikey1qqqqqq", PGC_E_CONFIG, "plug-in" },
        { "AGE-SECRET-KEY-1GFPYYSJZ", PGC_E_USAGE, "secret key, not a recipient" },
        { "ssh-rsa AAAAB3NzaC1yc2E", PGC_E_CONFIG, "only ssh-ed25519" },
        { "ssh-ed25519 AAAA", PGC_E_USAGE, "malformed" },
        { "ssh-ed25519", PGC_E_USAGE, "malformed" },
        /* y = 1 has no Montgomery form */
        { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA x", PGC_E_USAGE,
          "malformed" },
    };
    struct pgc_error err;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients list = PGC_AGE_RECIPIENTS_INIT;
    for (size_t i = 0; i < sizeof recipients / sizeof recipients[0]; i++) {
        ck_assert_msg(pgc_age_recipients_add(&list, recipients[i].text, &err) == recipients[i].code, "%s",
                      recipients[i].text);
        ck_assert_msg(strstr(err.message, recipients[i].says) != NULL, "%s", err.message);
    }
    ck_assert_uint_eq(list.count, 0);
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities ids = PGC_AGE_IDENTITIES_INIT;
    ck_assert_int_eq(pgc_age_identities_add(&ids, recipient, &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_age_identities_add(&ids, "AGE-PLUGIN-X-1QQQQ", &err), PGC_E_CONFIG);
    ck_assert_int_eq(pgc_age_identities_add(&ids, "age-secret-key-1gfpyysjzgf", &err), PGC_E_USAGE);
    ck_assert_uint_eq(ids.count, 0);
}
END_TEST

START_TEST(files_of_keys)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities ids = PGC_AGE_IDENTITIES_INIT;
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "# created: now\r\n\r\n%s \r\n%s", identity, identity);
    ck_assert_int_eq(pgc_age_identities_add_text(&ids, text, len, "f", &err), PGC_OK);
    ck_assert_uint_eq(ids.count, 2);
    ck_assert_int_eq(pgc_age_identities_add_text(&ids, "# only\n", 7, "f", &err), PGC_E_DATA);
    ck_assert_str_eq(err.message, "'f' holds no key");
    len = (size_t)snprintf(text, sizeof text, "%s\nAGE-SECRET-KEY-1X\n", identity);
    ck_assert_int_eq(pgc_age_identities_add_text(&ids, text, len, "f", &err), PGC_E_DATA);
    ck_assert_str_eq(err.message, "'f' line 2: malformed identity: expected AGE-SECRET-KEY-1...");
    ck_assert_int_eq(pgc_age_identities_add_text(&ids, "a\0b\n", 4, "f", &err), PGC_E_DATA);
    static const char locked[] = "age-encryption.org/v1\n-> scrypt x 18\n";
    ck_assert_int_eq(pgc_age_identities_add_text(&ids, locked, sizeof locked - 1, "f", &err), PGC_E_CONFIG);
    static const char cut[] = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n";
    ck_assert_int_eq(pgc_age_identities_add_text(&ids, cut, sizeof cut - 1, "f", &err), PGC_E_DATA);
}
END_TEST

Suite *age_keys_suite(void);
Suite *age_keys_suite(void) {
    Suite *suite = suite_create("age_keys");
    TCase *tcase = tcase_create("age_keys");
    tcase_add_test(tcase, pair_of_the_specification);
    tcase_add_test(tcase, keys_that_are_refused);
    tcase_add_test(tcase, files_of_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
