/* Against the server that tests/run.sh starts (PGHOST, PGPORT, PGUSER). */
#include "pg/conn.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "support/runtime.h"

static struct pgc_conn *conn;
static struct pgc_error err;

static void open_conn(void) {
    struct pgc_conn_options options = { .conninfo = "dbname=postgres" };
    ck_assert_msg(pgc_conn_open(&options, test_runtime_real(), &conn, &err) == PGC_OK, "%s", err.message);
}

static void close_conn(void) {
    pgc_conn_free(conn);
}

START_TEST(passwords_are_masked)
{
    static const struct {
        const char *given, *shown;
    } rows[] = {
        { "postgresql://app:s3cret@db:5432/app?sslmode=require",
          "postgresql://app:********@db:5432/app?sslmode=require" },
        { "postgres://app@db/app", "postgres://app@db/app" },
        { "postgres://db/app?password=x&user=a&sslpassword=y",
          "postgres://db/app?password=********&user=a&sslpassword=********" },
        { "host=db password='a b\\'c' user=x", "host=db password=******** user=x" },
        { "host=db password = a\\ b user=x", "host=db password = ******** user=x" },
        { "app", "app" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *shown = pgc_conninfo_redact(rows[i].given);
        ck_assert_str_eq(shown, rows[i].shown);
        free(shown);
    }
}
END_TEST

START_TEST(query_gives_rows)
{
    const char *params[] = { "41", NULL };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    ck_assert_int_eq(pgc_conn_query(conn, "select $1::int + 1 as n, $2::text as t", params, 2, &rows, &err), PGC_OK);
    ck_assert_uint_eq(pgc_rows_count(rows), 1);
    ck_assert_int_eq(pgc_rows_int(rows, 0, 0), 42);
    ck_assert(pgc_rows_null(rows, 0, 1));
    ck_assert_str_eq(pgc_rows_column_name(rows, 0), "n");
}
END_TEST

START_TEST(errors_carry_sqlstate_and_leave_the_connection_usable)
{
    ck_assert_int_eq(pgc_conn_exec(conn, "select 1; select nope; select 2", &err), PGC_E_SQL);
    ck_assert_str_eq(err.sqlstate, "42703");
    ck_assert_str_eq(err.message, "column \"nope\" does not exist");
    ck_assert_int_eq(pgc_conn_exec(conn, "select 1", &err), PGC_OK);
}
END_TEST

START_TEST(failed_starts_are_told_apart)
{
    struct pgc_conn *other = NULL;
    struct pgc_conn_options missing = { .conninfo = "dbname=does_not_exist" };
    ck_assert_int_eq(pgc_conn_open(&missing, test_runtime_real(), &other, &err), PGC_E_NOT_FOUND);
    ck_assert_str_eq(err.sqlstate, "3D000");
    ck_assert_ptr_nonnull(strstr(err.message, "database \"does_not_exist\" does not exist"));
    ck_assert_ptr_null(strstr(err.message, "3D000"));
    ck_assert_ptr_null(strstr(err.message, "LOCATION"));
    struct pgc_conn_options role = { .conninfo = "dbname=postgres", .user = "nobody_here" };
    ck_assert_int_eq(pgc_conn_open(&role, test_runtime_real(), &other, &err), PGC_E_AUTH);
    struct pgc_conn_options closed = { .conninfo = "dbname=postgres", .host = "127.0.0.1", .port = "1" };
    ck_assert_int_eq(pgc_conn_open(&closed, test_runtime_real(), &other, &err), PGC_E_UNAVAILABLE);
}
END_TEST

START_TEST(transaction_rolls_back_at_the_end_of_the_scope)
{
    ck_assert_int_eq(pgc_conn_exec(conn, "create temp table t (n int)", &err), PGC_OK);
    {
        PGC_CLEANUP(pgc_tx_rollback) struct pgc_tx tx = { 0 };
        ck_assert_int_eq(pgc_tx_begin(&tx, conn, &err), PGC_OK);
        ck_assert_int_eq(pgc_conn_exec(conn, "insert into t values (1)", &err), PGC_OK);
    }
    char *count = NULL;
    ck_assert_int_eq(pgc_conn_query_text(conn, "select count(*) from t", NULL, 0, &count, &err), PGC_OK);
    ck_assert_str_eq(count, "0");
    free(count);
}
END_TEST

START_TEST(copy_goes_both_ways)
{
    ck_assert_int_eq(pgc_conn_exec(conn, "create temp table c (n int, t text)", &err), PGC_OK);
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *in = NULL;
    ck_assert_int_eq(pgc_conn_copy_in(conn, "copy c from stdin", &in, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(in, "1\ta\n2\tb\n", 8, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(in, &err), PGC_OK);
    ck_assert_uint_eq(pgc_conn_last_copy_rows(conn), 2);
    PGC_AUTO(pgc_source_drop) struct pgc_source *out = NULL;
    ck_assert_int_eq(pgc_conn_copy_out(conn, "copy c to stdout", &out, &err), PGC_OK);
    char text[64] = "";
    size_t len;
    ck_assert_int_eq(pgc_source_fill(out, text, sizeof text - 1, &len, &err), PGC_OK);
    ck_assert_str_eq(text, "1\ta\n2\tb\n");
}
END_TEST

START_TEST(dropped_copy_leaves_nothing)
{
    ck_assert_int_eq(pgc_conn_exec(conn, "create temp table d (n int)", &err), PGC_OK);
    struct pgc_sink *in = NULL;
    ck_assert_int_eq(pgc_conn_copy_in(conn, "copy d from stdin", &in, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(in, "1\n", 2, &err), PGC_OK);
    pgc_sink_drop(in);
    char *count = NULL;
    ck_assert_int_eq(pgc_conn_query_text(conn, "select count(*) from d", NULL, 0, &count, &err), PGC_OK);
    ck_assert_str_eq(count, "0");
    free(count);
}
END_TEST

START_TEST(bad_copy_data_is_the_servers_error)
{
    ck_assert_int_eq(pgc_conn_exec(conn, "create temp table e (n int)", &err), PGC_OK);
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *in = NULL;
    ck_assert_int_eq(pgc_conn_copy_in(conn, "copy e from stdin", &in, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(in, "x\n", 2, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(in, &err), PGC_E_SQL);
    ck_assert_str_eq(err.sqlstate, "22P02");
}
END_TEST

START_TEST(pipeline_names_the_failed_statement)
{
    struct pgc_statement good[] = { { "select 1", NULL, 0, NULL }, { "select 2", NULL, 0, NULL } };
    size_t failed;
    ck_assert_int_eq(pgc_conn_pipeline(conn, good, 2, &failed, &err), PGC_OK);
    ck_assert_int_eq(pgc_rows_int(good[1].rows, 0, 0), 2);
    pgc_rows_free(good[0].rows);
    pgc_rows_free(good[1].rows);
    struct pgc_statement bad[] = { { "select 1", NULL, 0, NULL },
                                   { "select nope", NULL, 0, NULL },
                                   { "select 3", NULL, 0, NULL } };
    ck_assert_int_eq(pgc_conn_pipeline(conn, bad, 3, &failed, &err), PGC_E_SQL);
    ck_assert_uint_eq(failed, 1);
    ck_assert_ptr_null(bad[0].rows);
    ck_assert_int_eq(pgc_conn_exec(conn, "select 1", &err), PGC_OK);
}
END_TEST

Suite *conn_suite(void);
Suite *conn_suite(void) {
    Suite *suite = suite_create("conn");
    TCase *pure = tcase_create("conninfo");
    tcase_add_test(pure, passwords_are_masked);
    suite_add_tcase(suite, pure);
    if (getenv("PGHOST") == NULL)
        return suite;
    TCase *cases = tcase_create("server");
    tcase_add_checked_fixture(cases, open_conn, close_conn);
    tcase_add_test(cases, query_gives_rows);
    tcase_add_test(cases, errors_carry_sqlstate_and_leave_the_connection_usable);
    tcase_add_test(cases, failed_starts_are_told_apart);
    tcase_add_test(cases, transaction_rolls_back_at_the_end_of_the_scope);
    tcase_add_test(cases, copy_goes_both_ways);
    tcase_add_test(cases, dropped_copy_leaves_nothing);
    tcase_add_test(cases, bad_copy_data_is_the_servers_error);
    tcase_add_test(cases, pipeline_names_the_failed_statement);
    suite_add_tcase(suite, cases);
    return suite;
}
