#include "store/s3_profile.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "store/s3_keys.h"

static const char text[] = "# comment\n"
                           "[default]\n"
                           "region=eu-1\n"
                           "s3 =\n"
                           "  region = nested\n"
                           "[ spaced ]\r\n"
                           "key =  a value \t\r\n"
                           "empty =\n"
                           "[profile x]\n"
                           "region = last";

static void check_value(const char *section, const char *key, const char *want, bool there) {
    bool found = false;
    char *got = pgc_aws_ini_value(text, section, key, &found);
    if (want == NULL)
        ck_assert_ptr_null(got);
    else
        ck_assert_str_eq(got, want);
    ck_assert_msg(found == there, "%s", section);
    free(got);
}

START_TEST(values_of_sections)
{
    check_value("default", "region", "eu-1", true);
    check_value("spaced", "key", "a value", true);
    check_value("spaced", "empty", "", true);
    check_value("profile x", "region", "last", true);
    check_value("profile x", "key", NULL, true);
    check_value("x", "region", NULL, false);
    check_value("default", "regio", NULL, true);
}
END_TEST

START_TEST(commands_are_split_without_a_shell)
{
    static const struct {
        const char *text;
        const char *words; /* joined by | ; NULL: refused */
    } cases[] = {
        { "prog", "prog" },
        { "  prog  a  b ", "prog|a|b" },
        { "'/opt/my prog' \"two words\" x'y'z", "/opt/my prog|two words|xyz" },
        { "prog ''", "prog|" },
        { "prog \"it's\" '\"'", "prog|it's|\"" },
        { "prog $HOME;rm `x`", "prog|$HOME;rm|`x`" },
        { "", NULL },
        { "prog 'open", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PGC_CLEANUP(pgc_strings_release) struct pgc_strings words = PGC_STRINGS_INIT;
        bool good = pgc_s3_split_command(cases[i].text, &words);
        char joined[200] = "";
        ck_assert_msg(good == (cases[i].words != NULL), "%s", cases[i].text);
        for (size_t w = 0; good && w < words.count; w++) {
            strcat(joined, w > 0 ? "|" : "");
            strcat(joined, words.items[w]);
        }
        if (good)
            ck_assert_str_eq(joined, cases[i].words);
    }
}
END_TEST

Suite *s3_profile_suite(void);
Suite *s3_profile_suite(void) {
    Suite *suite = suite_create("s3_profile");
    TCase *tcase = tcase_create("s3_profile");
    tcase_add_test(tcase, values_of_sections);
    tcase_add_test(tcase, commands_are_split_without_a_shell);
    suite_add_tcase(suite, tcase);
    return suite;
}
