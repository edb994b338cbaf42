#include "io/digest.h"

#include <check.h>
#include <string.h>

START_TEST(known_values)
{
    char hex[2 * PGC_DIGEST_MAX + 1];
    pgc_digest_hex(PGC_DIGEST_MD5, "abc", 3, hex);
    ck_assert_str_eq(hex, "900150983cd24fb0d6963f7d28e17f72");
    pgc_digest_hex(PGC_DIGEST_SHA1, "abc", 3, hex);
    ck_assert_str_eq(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    pgc_digest_hex(PGC_DIGEST_SHA256, "abc", 3, hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    pgc_digest_hex(PGC_DIGEST_SHA384, "", 0, hex);
    ck_assert_str_eq(hex, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f1489"
                          "8b95b");
    ck_assert_uint_eq(pgc_crc32(0, "123456789", 9), 0xCBF43926U);
}
END_TEST

START_TEST(a_run_can_be_looked_at)
{
    unsigned char whole[32], seen[32];
    struct pgc_digest_run *run = pgc_digest_run_new(PGC_DIGEST_SHA256);
    pgc_digest_run_add(run, "ab", 2);
    pgc_digest_run_peek(run, seen);
    pgc_digest(PGC_DIGEST_SHA256, "ab", 2, whole);
    ck_assert_mem_eq(seen, whole, 32);
    pgc_digest_run_add(run, "c", 1);
    pgc_digest_run_peek(run, seen);
    pgc_digest(PGC_DIGEST_SHA256, "abc", 3, whole);
    ck_assert_mem_eq(seen, whole, 32);
    char one[65], other[65];
    pgc_digest_hex(PGC_DIGEST_SHA256, "x", 1, other);
    pgc_digest_run_hex(run, "x", 1, one);
    ck_assert_str_eq(one, other);
    pgc_digest_run_hex(run, "x", 1, one);
    ck_assert_str_eq(one, other);
    pgc_digest_run_add(run, "abc", 3);
    pgc_digest_run_peek(run, seen);
    ck_assert_mem_eq(seen, whole, 32);
    pgc_digest_run_free(run);
}
END_TEST

Suite *digest_suite(void);
Suite *digest_suite(void) {
    Suite *suite = suite_create("digest");
    TCase *tc = tcase_create("digest");
    tcase_add_test(tc, known_values);
    tcase_add_test(tc, a_run_can_be_looked_at);
    suite_add_tcase(suite, tc);
    return suite;
}
