#include "io/age.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/age_keys.h"
#include "io/memory.h"
#include "support/sink_contract.h"

static struct pgc_age_keypair pair;
static struct pgc_age_recipients to;
static struct pgc_age_identities keys;

static void setup(void) {
    struct pgc_error err;
    ck_assert_int_eq(pgc_age_keygen(PGC_AGE_X25519, &pair, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_recipients_add(&to, pair.recipient, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_identities_add(&keys, pair.identity, &err), PGC_OK);
}

static void teardown(void) {
    pgc_age_recipients_release(&to);
    pgc_age_identities_release(&keys);
}

static enum pgc_code push(struct pgc_sink **chain, void *arg, struct pgc_error *err) {
    return pgc_age_push(chain, &to, arg == NULL ? PGC_AGE_BINARY : PGC_AGE_ARMOR, err);
}

static enum pgc_code pull(struct pgc_source **source, void *arg, struct pgc_error *err) {
    (void)arg;
    return pgc_age_pull(source, &keys, err);
}

static const size_t sizes[] = { 0, 1, 47, 48, 49, 65535, 65536, 65537, 131071, 131072, 131073, 200000 };
static char yes[] = "armor";
static const struct filter_contract binary = { push, pull, NULL, sizes, sizeof sizes / sizeof sizes[0] };
static const struct filter_contract armored = { push, pull, yes, sizes, sizeof sizes / sizeof sizes[0] };

START_TEST(contract_of_the_stages)
{ check_filter_contract(_i == 0 ? &binary : &armored); }
END_TEST

/* Every byte of the header, the borders of all chunks, and the last bytes. */
START_TEST(altered_or_cut_files_never_commit)
{
    long positions[400];
    size_t n = 0;
    long header = 22 + 54 + 44 + 48; /* version, one stanza of two lines, MAC */
    for (long at = 0; at < header + 18; at++)
        positions[n++] = at;
    for (long chunk = 0; chunk <= 3; chunk++)
        for (long d = -1; d <= 1; d++)
            positions[n++] = header + 16 + chunk * 65552 + d;
    for (long d = -20; d < 0; d++)
        positions[n++] = d;
    check_tampering(&binary, 3 * 65536, positions, n);
    check_tampering(&binary, 3 * 65536 - 7, positions, n);
    check_tampering(&binary, 0, positions, n);
}
END_TEST

START_TEST(altered_or_cut_armor_never_commits)
{
    long positions[300];
    size_t n = 0;
    for (long at = 0; at < 110; at++)
        positions[n++] = at;
    for (long at = 5000; at < 5130; at++)
        positions[n++] = at;
    for (long d = -60; d < -1; d++) /* the final line feed may be absent */
        positions[n++] = d;
    check_tampering(&armored, 100000, positions, n);
}
END_TEST

static enum pgc_code open_with(const struct pgc_buf *coded, const struct pgc_age_identities *ids, struct pgc_buf *out,
                               struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_memory_source(coded->data, coded->len, &source, err), PGC_OK);
    ck_assert_int_eq(pgc_memory_sink(out, &sink, err), PGC_OK);
    enum pgc_code code = pgc_age_pull(&source, ids, err);
    return code != PGC_OK ? code : pgc_copy(source, sink, NULL, err);
}

static void close_for(const struct pgc_age_recipients *recipients, const char *plain, struct pgc_buf *out) {
    struct pgc_error err;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    ck_assert_int_eq(pgc_memory_sink(out, &chain, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_push(&chain, recipients, PGC_AGE_BINARY, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(chain, plain, strlen(plain), &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(chain, &err), PGC_OK);
}

START_TEST(every_recipient_opens_and_nobody_else)
{
    struct pgc_error err;
    struct pgc_age_keypair second, third;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities theirs = PGC_AGE_IDENTITIES_INIT;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities strangers = PGC_AGE_IDENTITIES_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT, out = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_age_keygen(PGC_AGE_X25519, &second, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_keygen(PGC_AGE_X25519, &third, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_recipients_add(&to, second.recipient, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_identities_add(&theirs, second.identity, &err), PGC_OK);
    ck_assert_int_eq(pgc_age_identities_add(&strangers, third.identity, &err), PGC_OK);
    close_for(&to, "secret", &coded);
    ck_assert_int_eq(open_with(&coded, &keys, &out, &err), PGC_OK);
    ck_assert_int_eq(open_with(&coded, &theirs, &out, &err), PGC_OK);
    ck_assert_str_eq(out.data, "secretsecret");
    ck_assert_int_eq(open_with(&coded, &strangers, &out, &err), PGC_E_NO_KEY);
    ck_assert_int_eq(pgc_age_identities_add_passphrase(&strangers, "x", &err), PGC_OK);
    ck_assert_int_eq(open_with(&coded, &strangers, &out, &err), PGC_E_NO_KEY);
    ck_assert_str_eq(out.data, "secretsecret");
}
END_TEST

/* A file whose chunks are right one by one, but whose last one is empty though there were others. */
START_TEST(an_empty_last_chunk_is_refused)
{
    static unsigned char plain[65536], sealed[65552];
    unsigned char file_key[16] = "YELLOW SUBMARIN", nonce[16] = { 0 }, key[32], mac[32],
                  last[12] = { [10] = 1, [11] = 1 };
    unsigned char first[12] = { 0 };
    struct pgc_error err;
    struct pgc__age_aead *aead = NULL;
    PGC_CLEANUP(pgc__age_header_release) struct pgc__age_header header = PGC__AGE_HEADER_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf file = PGC_BUF_INIT, out = PGC_BUF_INIT;
    ck_assert_int_eq(pgc__age_wrap(&to.items[0], 0, file_key, &header, &err), PGC_OK);
    pgc__age_header_format(&file, &header);
    ck_assert_int_eq(pgc__age_hkdf(file_key, 16, "", 0, "header", key, &err), PGC_OK);
    ck_assert_int_eq(pgc__age_hmac(key, file.data, file.len, mac, &err), PGC_OK);
    pgc_buf_putc(&file, ' ');
    pgc_text_base64(&file, mac, sizeof mac, false);
    pgc_buf_putc(&file, '\n');
    pgc_buf_put(&file, nonce, sizeof nonce);
    ck_assert_int_eq(pgc__age_hkdf(file_key, 16, nonce, 16, "payload", key, &err), PGC_OK);
    ck_assert_int_eq(pgc__age_aead_new(key, PGC__AGE_SEAL, &aead, &err), PGC_OK);
    ck_assert_int_eq(pgc__age_seal(aead, first, plain, sizeof plain, sealed, &err), PGC_OK);
    pgc_buf_put(&file, sealed, sizeof sealed);
    ck_assert_int_eq(pgc__age_seal(aead, last, plain, 0, sealed, &err), PGC_OK);
    pgc_buf_put(&file, sealed, 16);
    pgc__age_aead_free(aead);
    ck_assert_int_eq(open_with(&file, &keys, &out, &err), PGC_E_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "its last chunk is empty"));
}
END_TEST

START_TEST(a_passphrase_is_alone)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients phrase = PGC_AGE_RECIPIENTS_INIT;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities right = PGC_AGE_IDENTITIES_INIT;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities wrong = PGC_AGE_IDENTITIES_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT, out = PGC_BUF_INIT;
    phrase.scrypt_log_n = 10;
    ck_assert_int_eq(pgc_age_recipients_add_passphrase(&phrase, "", &err), PGC_E_USAGE);
    ck_assert_int_eq(pgc_age_recipients_add_passphrase(&phrase, "correct horse", &err), PGC_OK);
    ck_assert_int_eq(pgc_age_identities_add_passphrase(&right, "correct horse", &err), PGC_OK);
    ck_assert_int_eq(pgc_age_identities_add_passphrase(&wrong, "battery staple", &err), PGC_OK);
    close_for(&phrase, "secret", &coded);
    ck_assert_ptr_nonnull(strstr(coded.data, " 10\n"));
    ck_assert_int_eq(open_with(&coded, &right, &out, &err), PGC_OK);
    ck_assert_str_eq(out.data, "secret");
    ck_assert_int_eq(open_with(&coded, &wrong, &out, &err), PGC_E_NO_KEY);
    ck_assert_int_eq(open_with(&coded, &keys, &out, &err), PGC_E_NO_KEY);
    ck_assert_int_eq(pgc_age_recipients_add(&phrase, pair.recipient, &err), PGC_OK);
    struct probe_sink probe;
    probe_sink_init(&probe);
    struct pgc_sink *chain = &probe.sink;
    ck_assert_int_eq(pgc_age_push(&chain, &phrase, PGC_AGE_ARMOR, &err), PGC_E_USAGE);
    ck_assert_ptr_eq(chain, &probe.sink);
    ck_assert_int_eq(probe.drops, 0);
}
END_TEST

START_TEST(nobody_to_encrypt_for)
{
    struct pgc_error err;
    struct pgc_age_recipients none = PGC_AGE_RECIPIENTS_INIT;
    struct pgc_age_identities no_keys = PGC_AGE_IDENTITIES_INIT;
    struct probe_sink probe;
    probe_sink_init(&probe);
    struct pgc_sink *chain = &probe.sink;
    ck_assert_int_eq(pgc_age_push(&chain, &none, PGC_AGE_BINARY, &err), PGC_E_USAGE);
    struct probe_source from;
    probe_source_init(&from, "", 0, 1);
    struct pgc_source *source = &from.source;
    ck_assert_int_eq(pgc_age_pull(&source, &no_keys, &err), PGC_E_USAGE);
    ck_assert_ptr_eq(source, &from.source);
}
END_TEST

Suite *age_suite(void);
Suite *age_suite(void) {
    Suite *suite = suite_create("age");
    TCase *tcase = tcase_create("age");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, contract_of_the_stages, 0, 2);
    tcase_add_test(tcase, altered_or_cut_files_never_commit);
    tcase_add_test(tcase, altered_or_cut_armor_never_commits);
    tcase_add_test(tcase, every_recipient_opens_and_nobody_else);
    tcase_add_test(tcase, an_empty_last_chunk_is_refused);
    tcase_add_test(tcase, a_passphrase_is_alone);
    tcase_add_test(tcase, nobody_to_encrypt_for);
    suite_add_tcase(suite, tcase);
    return suite;
}
