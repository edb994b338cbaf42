#include <check.h>
#include <string.h>

#include "pg/scram.h"

/* The exchange of RFC 7677, section 3, but for the user name: PostgreSQL's is empty in SCRAM, so the proof is our own,
 * checked against the server's formula in the integration tests. Here: form, refusals, the server's signature. */
static const char server_first[] = "r=clientNonce%hvYDpWUa2RaTCAfuxFIlj)hNlF,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

static struct pgc_scram begun(struct pgc_buf *first) {
    struct pgc_scram scram = { .nonce = "clientNonce" };
    pgc_scram_first(&scram, first);
    return scram;
}

static enum pgc_code final_of(const char *message, struct pgc_buf *out) {
    struct pgc_error err;
    struct pgc_buf first = PGC_BUF_INIT;
    struct pgc_scram scram = begun(&first);
    enum pgc_code code = pgc_scram_final(&scram, "pencil", message, strlen(message), out, &err);
    pgc_buf_release(&first);
    pgc_scram_release(&scram);
    return code;
}

START_TEST(messages_have_their_form)
{
    struct pgc_error err;
    struct pgc_buf first = PGC_BUF_INIT, final = PGC_BUF_INIT;
    struct pgc_scram scram = begun(&first);
    ck_assert_str_eq(first.data, "n,,n=,r=clientNonce");
    ck_assert_int_eq(pgc_scram_final(&scram, "pencil", server_first, strlen(server_first), &final, &err), PGC_OK);
    ck_assert(strncmp(final.data, "c=biws,r=clientNonce%hvYDpWUa2RaTCAfuxFIlj)hNlF,p=", 50) == 0);
    ck_assert_uint_eq(final.len, 50 + 44);
    ck_assert_int_eq(pgc_scram_verify(&scram, "v=AAAA", 6, &err), PGC_E_AUTH);
    ck_assert_int_eq(pgc_scram_verify(&scram, "", 0, &err), PGC_E_AUTH);
    static const char forged[] = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; /* of the right length */
    ck_assert_uint_eq(strlen(forged), 46);
    ck_assert_int_eq(pgc_scram_verify(&scram, forged, strlen(forged), &err), PGC_E_AUTH);
    pgc_buf_release(&first);
    pgc_buf_wipe(&final);
    pgc_scram_release(&scram);
}
END_TEST

START_TEST(bad_server_messages_are_refused)
{
    static const char *const bad[] = { "",
                                       "e=other-error",
                                       "r=clientNonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  /* nothing of the server's */
                                       "r=anotherNonceXYZ,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", /* not our nonce */
                                       "r=clientNonceXYZ,s=!!!,i=4096",                    /* no base64 */
                                       "r=clientNonceXYZ,s=W22ZaJ0SNY7soEsUEjb6gQ==",      /* no count */
                                       "r=clientNonceXYZ,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
                                       "r=clientNonceXYZ,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-5",
                                       "r=clientNonceXYZ,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_buf out = PGC_BUF_INIT;
        ck_assert_msg(final_of(bad[i], &out) == PGC_E_DATA, "accepted: %s", bad[i]);
        pgc_buf_release(&out);
    }
}
END_TEST

START_TEST(only_ascii_passwords_are_ours)
{
    ck_assert(pgc_scram_can("pencil ~!"));
    ck_assert(pgc_scram_can(""));
    ck_assert(!pgc_scram_can("gr\xc3\xb6\xc3\x9f"
                             "e"));
    ck_assert(!pgc_scram_can("tab\t"));
}
END_TEST

Suite *scram_suite(void);
Suite *scram_suite(void) {
    Suite *suite = suite_create("scram");
    TCase *tests = tcase_create("scram");
    tcase_add_test(tests, messages_have_their_form);
    tcase_add_test(tests, bad_server_messages_are_refused);
    tcase_add_test(tests, only_ascii_passwords_are_ours);
    suite_add_tcase(suite, tests);
    return suite;
}
