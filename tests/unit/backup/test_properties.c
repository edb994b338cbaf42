#include "backup/properties.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pgc_error err;

static const char sql[] =
    "-- dump\n\\restrict abc\nSET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n"
    "CREATE DATABASE \"my \"\"db DATABASE x\" WITH TEMPLATE = template0 LOCALE = 'C' TABLESPACE = \"t\"\"s\";\n"
    "ALTER DATABASE \"my \"\"db DATABASE x\" OWNER TO \"o DATABASE y\";\n"
    "\\connect -reuse-previous=on \"dbname='x'\"\n"
    "COMMENT ON DATABASE \"my \"\"db DATABASE x\" IS 'a; DATABASE b\n''c';\n"
    "ALTER DATABASE app CONNECTION LIMIT = 7;\nALTER DATABASE app IS_TEMPLATE = true;\n"
    "ALTER DATABASE app SET work_mem TO '1';\n"
    "ALTER ROLE \"o \"\"DATABASE y\" IN DATABASE app SET search_path TO 'a', 'b c';\n"
    "REVOKE ALL ON DATABASE app FROM PUBLIC;\nSET SESSION AUTHORIZATION g;\nGRANT CREATE ON DATABASE app TO g;\n"
    "RESET SESSION AUTHORIZATION;\n\\unrestrict abc\n";

START_TEST(statements_are_for_the_new_name)
{
    static const char *const early[] = {
        "ALTER DATABASE new OWNER TO \"o DATABASE y\";",
        "ALTER DATABASE new SET work_mem TO '1';",
        "ALTER ROLE \"o \"\"DATABASE y\" IN DATABASE new SET search_path TO 'a', 'b c';",
        "REVOKE ALL ON DATABASE new FROM PUBLIC;",
        "SET SESSION AUTHORIZATION g;",
        "GRANT CREATE ON DATABASE new TO g;",
        "RESET SESSION AUTHORIZATION;"
    };
    static const char *const late[] = { "COMMENT ON DATABASE new IS 'a; DATABASE b\n''c';",
                                        "ALTER DATABASE new CONNECTION LIMIT = 7;",
                                        "ALTER DATABASE new IS_TEMPLATE = true;" };
    PGC_CLEANUP(pgc_properties_release) struct pgc_properties p = PGC_PROPERTIES_INIT;
    ck_assert_int_eq(pgc_properties_parse(&p, sql, strlen(sql), "new", &err), PGC_OK);
    ck_assert_str_eq(p.create, "CREATE DATABASE new WITH TEMPLATE = template0 LOCALE = 'C' TABLESPACE = \"t\"\"s\";");
    ck_assert_str_eq(p.encoding, "SET client_encoding = 'UTF8';");
    ck_assert_str_eq(p.tablespace, "t\"s");
    ck_assert_uint_eq(p.early.count, sizeof early / sizeof early[0]);
    for (size_t i = 0; i < p.early.count; i++)
        ck_assert_str_eq(p.early.items[i], early[i]);
    ck_assert_uint_eq(p.late.count, sizeof late / sizeof late[0]);
    for (size_t i = 0; i < p.late.count; i++)
        ck_assert_str_eq(p.late.items[i], late[i]);
    pgc_properties_drop_tablespace(&p);
    ck_assert_str_eq(p.create, "CREATE DATABASE new WITH TEMPLATE = template0 LOCALE = 'C';");
    pgc_properties_drop_tablespace(&p);
    PGC_AUTO_FREE char *role = pgc_property_role(p.early.items[2]);
    ck_assert_str_eq(role, "o \"DATABASE y");
    ck_assert_ptr_null(pgc_property_role(p.early.items[1]));
    for (size_t i = 0; i < p.early.count; i++) {
        ck_assert_int_eq(pgc_property_is_owner(p.early.items[i]), i == 0);
        ck_assert_int_eq(pgc_property_is_grant(p.early.items[i]), i >= 3);
    }
}
END_TEST

Suite *properties_suite(void);
Suite *properties_suite(void) {
    Suite *s = suite_create("properties");
    TCase *tc = tcase_create("properties");
    tcase_add_test(tc, statements_are_for_the_new_name);
    suite_add_tcase(s, tc);
    return s;
}
