#include <check.h>
#include <string.h>

#include "base/sha256.h"
#include "base/text.h"

static void ck_hex(const unsigned char *bytes, const char *want) {
    struct pgc_buf text = PGC_BUF_INIT;
    pgc_text_hex(&text, bytes, PGC_SHA256_SIZE);
    ck_assert_str_eq(text.data, want);
    pgc_buf_release(&text);
}

static void hash(const char *text, size_t len, size_t step, const char *want) {
    struct pgc_sha256 h;
    unsigned char out[PGC_SHA256_SIZE];
    pgc_sha256_init(&h);
    for (size_t at = 0; at < len; at += step)
        pgc_sha256_add(&h, text + at, len - at < step ? len - at : step);
    pgc_sha256_end(&h, out);
    ck_hex(out, want);
}

START_TEST(known_hashes)
{
    hash("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash("abc", 3, 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

START_TEST(chunks_make_no_difference)
{
    static char million[1000000];
    memset(million, 'a', sizeof million);
    static const size_t steps[] = { 1, 55, 56, 63, 64, 65, 1000, sizeof million };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        hash(million, sizeof million, steps[i], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(known_macs)
{ /* RFC 4231, cases 1, 2 and 6 */
    struct pgc_hmac key;
    unsigned char out[PGC_SHA256_SIZE], secret[131];
    memset(secret, 0x0b, 20);
    pgc_hmac_init(&key, secret, 20);
    pgc_hmac_sign(&key, "Hi There", 8, out);
    ck_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    pgc_hmac_init(&key, "Jefe", 4);
    pgc_hmac_sign(&key, "what do ya want for nothing?", 28, out);
    ck_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(secret, 0xaa, sizeof secret);
    pgc_hmac_init(&key, secret, sizeof secret);
    pgc_hmac_sign(&key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
    ck_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(known_keys)
{
    unsigned char out[PGC_SHA256_SIZE];
    pgc_pbkdf2("password", 8, "salt", 4, 1, out);
    ck_hex(out, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
    pgc_pbkdf2("password", 8, "salt", 4, 4096, out);
    ck_hex(out, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
}
END_TEST

Suite *sha256_suite(void);
Suite *sha256_suite(void) {
    Suite *suite = suite_create("sha256");
    TCase *tests = tcase_create("sha256");
    tcase_add_test(tests, known_hashes);
    tcase_add_test(tests, chunks_make_no_difference);
    tcase_add_test(tests, known_macs);
    tcase_add_test(tests, known_keys);
    suite_add_tcase(suite, tests);
    return suite;
}
