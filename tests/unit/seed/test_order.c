#include <check.h>
#include <string.h>

#include "seed/order.h"

/* Edges as "ab bc": a needs b. Answers the order as letters. */
static const char *order_of(size_t count, const char *edges) {
    static char out[27];
    bool needs[26 * 26] = { false };
    size_t order[26];
    struct pgc_error err;
    for (const char *e = edges; e[0] != '\0' && e[1] != '\0'; e += e[2] == ' ' ? 3 : 2)
        needs[(size_t)(e[0] - 'a') * count + (size_t)(e[1] - 'a')] = true;
    ck_assert_int_eq(pgc_seed_order(needs, count, order, &err), PGC_OK);
    for (size_t i = 0; i < count; i++)
        out[i] = (char)('a' + order[i]);
    out[count] = '\0';
    return out;
}

START_TEST(needed_first)
{
    ck_assert_str_eq(order_of(0, ""), "");
    ck_assert_str_eq(order_of(3, ""), "abc");
    ck_assert_str_eq(order_of(3, "ab"), "bac");
    ck_assert_str_eq(order_of(3, "ab bc"), "cba");
    ck_assert_str_eq(order_of(4, "ad cd"), "bdac");
    ck_assert_str_eq(order_of(2, "aa"), "ab");
}
END_TEST

START_TEST(cycles_end)
{
    ck_assert_str_eq(order_of(2, "ab ba"), "ab");
    ck_assert_str_eq(order_of(4, "ab ba cd"), "dcab");
    ck_assert_str_eq(order_of(3, "ab bc ca"), "acb");
}
END_TEST

Suite *order_suite(void);
Suite *order_suite(void) {
    Suite *suite = suite_create("seed/order");
    TCase *tests = tcase_create("order");
    tcase_add_test(tests, needed_first);
    tcase_add_test(tests, cycles_end);
    suite_add_tcase(suite, tests);
    return suite;
}
