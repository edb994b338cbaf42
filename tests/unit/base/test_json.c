#include "base/json.h"

#include <check.h>
#include <string.h>

static struct pgc_json *parse(const char *text) {
    struct pgc_json *doc = NULL;
    struct pgc_error err;
    ck_assert_int_eq(pgc_json_parse(text, strlen(text), &doc, &err), PGC_OK);
    return doc;
}

START_TEST(test_values)
{
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = parse("{\"b\":\"x\",\"a\":[1,2.5,true,null]}");
    ck_assert_str_eq(pgc_json_text(pgc_json_get(doc, "b")), "x");
    const struct pgc_json *list = pgc_json_get(doc, "a");
    ck_assert_uint_eq(pgc_json_count(list), 4);
    ck_assert_int_eq(pgc_json_int(pgc_json_at(list, 0), -1), 1);
    ck_assert_int_eq(pgc_json_int(pgc_json_at(list, 1), -1), -1);
    ck_assert(pgc_json_number(pgc_json_at(list, 1), 0) == 2.5);
    ck_assert(pgc_json_is_true(pgc_json_at(list, 2)));
    ck_assert_int_eq(pgc_json_kind(pgc_json_at(list, 3)), PGC_JSON_NULL);
    ck_assert_int_eq(pgc_json_kind(pgc_json_at(list, 4)), PGC_JSON_NONE);
}
END_TEST

START_TEST(test_absent_is_harmless)
{
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = parse("[]");
    ck_assert_ptr_null(pgc_json_get(doc, "x"));
    ck_assert_ptr_null(pgc_json_get(NULL, "x"));
    ck_assert_ptr_null(pgc_json_at(NULL, 0));
    ck_assert_ptr_null(pgc_json_text(NULL));
    ck_assert_uint_eq(pgc_json_count(NULL), 0);
    ck_assert_int_eq(pgc_json_int(NULL, 7), 7);
    ck_assert(!pgc_json_is_true(NULL));
    struct pgc_json_iter member = { 0 };
    ck_assert(!pgc_json_next(doc, &member));
}
END_TEST

START_TEST(test_members_in_order)
{
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = parse("{\"z\":1,\"a\":2}");
    struct pgc_json_iter member = { 0 };
    ck_assert(pgc_json_next(doc, &member));
    ck_assert_str_eq(member.key, "z");
    ck_assert(pgc_json_next(doc, &member));
    ck_assert_str_eq(member.key, "a");
    ck_assert_int_eq(pgc_json_int(member.value, 0), 2);
    ck_assert(!pgc_json_next(doc, &member));
}
END_TEST

START_TEST(test_malformed)
{
    static const char *const bad[] = { "", "{", "{\"a\":1,\"a\":2}", "[1] x", "\"\xff\"" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_json *doc = NULL;
        struct pgc_error err;
        ck_assert_int_eq(pgc_json_parse(bad[i], strlen(bad[i]), &doc, &err), PGC_E_DATA);
        ck_assert_ptr_null(doc);
        ck_assert_ptr_nonnull(strstr(err.message, "malformed JSON at line"));
    }
}
END_TEST

Suite *json_suite(void);
Suite *json_suite(void) {
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, test_values);
    tcase_add_test(tests, test_absent_is_harmless);
    tcase_add_test(tests, test_members_in_order);
    tcase_add_test(tests, test_malformed);
    suite_add_tcase(suite, tests);
    return suite;
}
