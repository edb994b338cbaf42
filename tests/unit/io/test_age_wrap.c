#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "io/age_keys.h"

static const unsigned char file_key[16] = "YELLOW SUBMARIN";

struct fixture {
    struct pgc_age_recipients to;
    struct pgc_age_identities keys;
    struct pgc__age_header header;
};

static void make(struct fixture *f, const char *passphrase) {
    struct pgc_error err;
    struct pgc_age_keypair pair;
    *f = (struct fixture) { PGC_AGE_RECIPIENTS_INIT, PGC_AGE_IDENTITIES_INIT, PGC__AGE_HEADER_INIT };
    ck_assert_int_eq(pgc_age_keygen(PGC_AGE_X25519, &pair, &err), PGC_OK);
    ck_assert_int_eq(passphrase != NULL ? pgc_age_identities_add_passphrase(&f->keys, passphrase, &err)
                                        : pgc_age_identities_add(&f->keys, pair.identity, &err),
                     PGC_OK);
    ck_assert_int_eq(pgc_age_recipients_add_identities(&f->to, &f->keys, &err), PGC_OK);
    ck_assert_int_eq(pgc__age_wrap(&f->to.items[0], 8, file_key, &f->header, &err), PGC_OK);
}

static void drop(struct fixture *f) {
    pgc_age_recipients_release(&f->to);
    pgc_age_identities_release(&f->keys);
    pgc__age_header_release(&f->header);
}

static enum pgc_code unwrap(const struct fixture *f) {
    struct pgc_error err;
    unsigned char got[16];
    enum pgc_code code = pgc__age_unwrap(&f->keys, &f->header, got, &err);
    if (code == PGC_OK)
        ck_assert_mem_eq(got, file_key, sizeof got);
    return code;
}

static void set_arg(struct fixture *f, size_t i, const char *text) {
    char **slot = &f->header.stanzas[0].args.items[i];
    free(*slot);
    *slot = strdup(text);
}

/* A longer body could hold a longer "file key": it is never decrypted. */
START_TEST(the_length_of_the_wrapped_key)
{
    struct fixture f;
    for (int phrase = 0; phrase < 2; phrase++)
        for (int longer = 0; longer < 2; longer++) {
            make(&f, phrase ? "correct horse" : NULL);
            ck_assert_int_eq(unwrap(&f), PGC_OK);
            struct pgc_buf *body = &f.header.stanzas[0].body;
            if (longer)
                pgc_buf_putc(body, 'x');
            else
                pgc_buf_truncate(body, 31);
            ck_assert_int_eq(unwrap(&f), PGC_E_DATA);
            drop(&f);
        }
}
END_TEST

START_TEST(a_passphrase_stanza_is_alone)
{
    struct fixture f;
    struct pgc_error err;
    make(&f, "correct horse");
    ck_assert_int_eq(pgc__age_wrap(&f.to.items[0], 8, file_key, &f.header, &err), PGC_OK);
    ck_assert_int_eq(unwrap(&f), PGC_E_DATA);
    drop(&f);
}
END_TEST

START_TEST(work_factors)
{
    static const char *const bad[] = { "0", "08", "010", "+8", "-8", "8 ", "0x8", "", "23", "99", "100", "4294967304" };
    struct fixture f;
    make(&f, "correct horse");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_arg(&f, 2, bad[i]);
        ck_assert_msg(unwrap(&f) == PGC_E_DATA, "'%s' is accepted", bad[i]);
    }
    set_arg(&f, 2, "9"); /* another factor: another key */
    ck_assert_int_eq(unwrap(&f), PGC_E_NO_KEY);
    drop(&f);
}
END_TEST

START_TEST(shares)
{
    static const char *const bad[] = {
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* of low order */
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAA", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
    };
    struct fixture f;
    make(&f, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_arg(&f, 1, bad[i]);
        ck_assert_msg(unwrap(&f) == PGC_E_DATA, "'%s' is accepted", bad[i]);
    }
    set_arg(&f, 0, "x25519"); /* types are exact: this is some other kind of stanza */
    ck_assert_int_eq(unwrap(&f), PGC_E_NO_KEY);
    drop(&f);
}
END_TEST

Suite *age_wrap_suite(void);
Suite *age_wrap_suite(void) {
    Suite *suite = suite_create("age_wrap");
    TCase *tcase = tcase_create("age_wrap");
    tcase_add_test(tcase, the_length_of_the_wrapped_key);
    tcase_add_test(tcase, a_passphrase_stanza_is_alone);
    tcase_add_test(tcase, work_factors);
    tcase_add_test(tcase, shares);
    suite_add_tcase(suite, tcase);
    return suite;
}
