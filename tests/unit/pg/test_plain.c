#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pg/plain.h"

static void clean_environment(void) {
    static const char *const names[] = {
        "PGHOST",    "PGPORT",    "PGUSER",    "PGDATABASE", "PGPASSWORD", "PGSSLMODE",
        "PGAPPNAME", "PGSERVICE", "PGOPTIONS", "PGHOSTADDR", "PGPASSFILE", "KRB5CCNAME"
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("HOME", "/nonexistent", 1);
}

static struct pgc__plain parsed(const char *conninfo) {
    struct pgc_probe_options options = { .conninfo = conninfo, .user = "u" };
    struct pgc__plain plain;
    ck_assert_msg(pgc__plain_parse(&options, &plain), "not plain: %s", conninfo != NULL ? conninfo : "(null)");
    return plain;
}

static void ck_plain(const char *conninfo, const char *user, const char *password, const char *host, const char *port,
                     const char *dbname, enum pgc__plain_tls tls) {
    struct pgc__plain p = parsed(conninfo);
    ck_assert_str_eq(p.user, user);
    ck_assert_pstr_eq(p.password, password);
    ck_assert_str_eq(p.host, host);
    ck_assert_str_eq(p.port, port);
    ck_assert_str_eq(p.dbname, dbname);
    ck_assert_int_eq(p.tls, tls);
    pgc__plain_release(&p);
}

START_TEST(simple_forms)
{
    clean_environment();
    ck_plain(NULL, "u", NULL, "/var/run/postgresql", "5432", "u", PGC__TLS_PREFER);
    ck_plain("app", "u", NULL, "/var/run/postgresql", "5432", "app", PGC__TLS_PREFER);
    ck_plain("postgres://h", "u", NULL, "h", "5432", "u", PGC__TLS_PREFER);
    ck_plain("postgresql://a:b@h:1/d", "a", "b", "h", "1", "d", PGC__TLS_PREFER);
    ck_plain("postgres://a%40b:p%2Fw@h/d%20e?sslmode=disable", "a@b", "p/w", "h", "5432", "d e", PGC__TLS_DISABLE);
    ck_plain("postgres://[::1]:7/d?sslmode=require&application_name=x", "u", NULL, "::1", "7", "d", PGC__TLS_REQUIRE);
    ck_plain("postgres://%2Ftmp%2Fs/d", "u", NULL, "/tmp/s", "5432", "d", PGC__TLS_PREFER);
    ck_plain("postgres:///d", "u", NULL, "/var/run/postgresql", "5432", "d", PGC__TLS_PREFER);
}
END_TEST

START_TEST(environment_fills_what_is_left)
{
    clean_environment();
    setenv("PGHOST", "eh", 1);
    setenv("PGPORT", "99", 1);
    setenv("PGUSER", "eu", 1);
    setenv("PGPASSWORD", "ep", 1);
    setenv("PGDATABASE", "ed", 1);
    setenv("PGSSLMODE", "disable", 1);
    ck_plain(NULL, "u", "ep", "eh", "99", "ed", PGC__TLS_DISABLE); /* an option wins over the environment */
    ck_plain("postgres://x:y@h:5/z?sslmode=require", "x", "y", "h", "5", "z", PGC__TLS_REQUIRE);
    clean_environment();
}
END_TEST

START_TEST(the_rest_is_libpqs)
{
    static const char *const not_ours[] = { "host=h dbname=d",
                                            "postgres://a,b/d",
                                            "postgres://h?sslmode=verify-full",
                                            "postgres://h?options=-c",
                                            "postgres://h?nonsense",
                                            "postgres://h:abc/d",
                                            "postgres://h:70000/d",
                                            "postgres://h/%zz",
                                            "postgres://h/%00",
                                            "postgres://[::1/d",
                                            "postgres://h?hostaddr=1.2.3.4" };
    clean_environment();
    struct pgc_probe_options options = { .user = "u" };
    struct pgc__plain plain;
    for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++) {
        options.conninfo = not_ours[i];
        ck_assert_msg(!pgc__plain_parse(&options, &plain), "plain: %s", not_ours[i]);
    }
    static const char *const variables[] = {
        "PGSERVICE",     "PGOPTIONS",     "PGHOSTADDR",       "PGPASSFILE", "PGTARGETSESSIONATTRS",
        "PGSSLROOTCERT", "PGREQUIREAUTH", "PGCHANNELBINDING", "KRB5CCNAME"
    };
    options.conninfo = "d";
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        setenv(variables[i], "x", 1);
        ck_assert_msg(!pgc__plain_parse(&options, &plain), "plain in spite of %s", variables[i]);
        unsetenv(variables[i]);
    }
    options.host = "";
    ck_assert(!pgc__plain_parse(&options, &plain));
}
END_TEST

Suite *plain_suite(void);
Suite *plain_suite(void) {
    Suite *suite = suite_create("plain");
    TCase *tests = tcase_create("plain");
    tcase_add_test(tests, simple_forms);
    tcase_add_test(tests, environment_fills_what_is_left);
    tcase_add_test(tests, the_rest_is_libpqs);
    suite_add_tcase(suite, tests);
    return suite;
}
