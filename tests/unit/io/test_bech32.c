#include "io/bech32.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Valid and invalid strings of BIP 173 (without those that are only too long for Bitcoin). */
START_TEST(strings_of_the_specification)
{
    static const char *const good[] = {
        "A12UEL5L",
        "a12uel5l",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    };
    static const char *const bad[] = {
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "A12UEL5l",
        "a12uel5m",
        "",
        "1",
        "a1",
        "split1cheo2y9e2w",
        "\x20"
        "1nwldj5",
        "\x7f"
        "1axkwrx",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf hrp = PGC_BUF_INIT, data = PGC_BUF_INIT, again = PGC_BUF_INIT;
        ck_assert_msg(pgc_bech32_decode(good[i], &hrp, &data), "%s", good[i]);
        pgc_bech32_encode(&again, hrp.data, (unsigned char *)data.data, data.len);
        ck_assert_str_eq(again.data, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf hrp = PGC_BUF_INIT, data = PGC_BUF_INIT;
        ck_assert_msg(!pgc_bech32_decode(bad[i], &hrp, &data), "%s", bad[i]);
    }
}
END_TEST

START_TEST(every_single_change_is_found)
{
    char text[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf hrp = PGC_BUF_INIT, data = PGC_BUF_INIT;
        char was = text[i];
        text[i] = was == 'q' ? 'p' : 'q';
        ck_assert(!pgc_bech32_decode(text, &hrp, &data));
        text[i] = was;
    }
}
END_TEST

Suite *bech32_suite(void);
Suite *bech32_suite(void) {
    Suite *suite = suite_create("bech32");
    TCase *tcase = tcase_create("bech32");
    tcase_add_test(tcase, strings_of_the_specification);
    tcase_add_test(tcase, every_single_change_is_found);
    suite_add_tcase(suite, tcase);
    return suite;
}
