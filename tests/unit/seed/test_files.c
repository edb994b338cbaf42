#include <check.h>
#include <stdio.h>

#include "seed/files.h"

static const char *named(const char *name, bool strip) {
    static char out[256];
    char schema[64], table[64];
    if (!pgc_seed_table_name(name, strip, schema, table, sizeof table))
        return "-";
    snprintf(out, sizeof out, "%s/%s", schema, table);
    return out;
}

START_TEST(table_names)
{
    ck_assert_str_eq(named("orders.csv", false), "/orders");
    ck_assert_str_eq(named("shop.orders.csv", false), "shop/orders");
    ck_assert_str_eq(named("shop.order.items.csv", false), "shop/order.items");
    ck_assert_str_eq(named("10_orders.csv", false), "/10_orders");
    ck_assert_str_eq(named("10_orders.csv", true), "/orders");
    ck_assert_str_eq(named("10-shop.orders.tsv", true), "shop/orders");
    ck_assert_str_eq(named("10.orders.csv", true), "/orders");
    ck_assert_str_eq(named("orders.csv", true), "-");
    ck_assert_str_eq(named("10orders.csv", true), "-");
    ck_assert_str_eq(named(".csv", false), "-");
    ck_assert_str_eq(named("shop..csv", false), "-");
    ck_assert_str_eq(named("a123456789b123456789c123456789d123456789e123456789f123456789g123.csv", false), "-");
}
END_TEST

Suite *files_suite(void);
Suite *files_suite(void) {
    Suite *suite = suite_create("seed/files");
    TCase *tests = tcase_create("names");
    tcase_add_test(tests, table_names);
    suite_add_tcase(suite, tests);
    return suite;
}
