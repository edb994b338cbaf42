#include "migrate/shape.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(kinds)
{
    static const struct {
        const char *sql;
        enum pgc_statement_kind kind;
    } cases[] = {
        { "create index concurrently i on t (a)", PGC_STATEMENT_OUTSIDE },
        { "/* x /* y */ */ CREATE -- z\n UNIQUE INDEX CONCURRENTLY i on t (a);", PGC_STATEMENT_OUTSIDE },
        { "create index i on t (a)", PGC_STATEMENT_PLAIN },
        { "create index \"concurrently\" on t (a)", PGC_STATEMENT_PLAIN },
        { "drop index concurrently if exists i", PGC_STATEMENT_OUTSIDE },
        { "reindex table concurrently t", PGC_STATEMENT_OUTSIDE },
        { "reindex (verbose) database d", PGC_STATEMENT_OUTSIDE },
        { "reindex table t", PGC_STATEMENT_PLAIN },
        { "alter table p detach partition q concurrently", PGC_STATEMENT_OUTSIDE },
        { "alter table p detach partition q", PGC_STATEMENT_PLAIN },
        { "create database d", PGC_STATEMENT_OUTSIDE },
        { "drop tablespace s", PGC_STATEMENT_OUTSIDE },
        { "alter database d set tablespace s", PGC_STATEMENT_OUTSIDE },
        { "alter database d set work_mem = 1", PGC_STATEMENT_PLAIN },
        { "alter system set work_mem = 1", PGC_STATEMENT_OUTSIDE },
        { "vacuum (analyze) t", PGC_STATEMENT_OUTSIDE },
        { "analyze t", PGC_STATEMENT_PLAIN },
        { "cluster", PGC_STATEMENT_OUTSIDE },
        { "cluster verbose;", PGC_STATEMENT_OUTSIDE },
        { "cluster t using i", PGC_STATEMENT_PLAIN },
        { "discard all", PGC_STATEMENT_OUTSIDE },
        { "discard temp", PGC_STATEMENT_PLAIN },
        { "create subscription s connection '' publication p", PGC_STATEMENT_OUTSIDE },
        { "begin", PGC_STATEMENT_BEGIN },
        { "start transaction read only", PGC_STATEMENT_BEGIN },
        { "commit", PGC_STATEMENT_END },
        { "end;", PGC_STATEMENT_END },
        { "rollback", PGC_STATEMENT_END },
        { "rollback to savepoint s", PGC_STATEMENT_PLAIN },
        { "prepare transaction 'x'", PGC_STATEMENT_END },
        { "prepare x as select 1", PGC_STATEMENT_PLAIN },
        { "call p()", PGC_STATEMENT_CALLS },
        { "do $$ begin commit; end $$", PGC_STATEMENT_CALLS },
        { "comment on table t is 'create index concurrently'", PGC_STATEMENT_PLAIN },
        { "alter type e add value 'x'", PGC_STATEMENT_PLAIN },
        { "", PGC_STATEMENT_PLAIN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(pgc_statement_kind(cases[i].sql, strlen(cases[i].sql), NULL) == cases[i].kind, "%s",
                      cases[i].sql);
}
END_TEST

static void shape_of(const char *text, enum pgc_migration_tx tx, struct pgc_shape *shape, enum pgc_code want) {
    struct pgc_error err;
    struct pgc_migration_script script = { .path = (char[]) { "m.sql" }, .len = strlen(text), .line = 1, .tx = tx };
    script.text = strdup(text);
    *shape = (struct pgc_shape)PGC_SHAPE_INIT;
    ck_assert_int_eq(pgc_shape_read(shape, &script, &err), want);
    free(script.text);
}

START_TEST(modes)
{
    static const struct {
        const char *text;
        enum pgc_migration_tx tx;
        enum pgc_shape_mode mode;
        bool outside, settings;
        size_t count;
    } cases[] = {
        { "create table a (); insert into a default values;", 0, PGC_SHAPE_TRANSACTION, false, false, 2 },
        { "-- nothing\n", 0, PGC_SHAPE_TRANSACTION, false, false, 0 },
        { "create table a ();\nvacuum;", 0, PGC_SHAPE_STATEMENTS, true, true, 2 },
        { "create table a ();", PGC_MIGRATION_TX_OFF, PGC_SHAPE_STATEMENTS, true, false, 1 },
        { "begin; create table a (); commit;", 0, PGC_SHAPE_STATEMENTS, true, true, 3 },
        { "create procedure p() language sql begin atomic; select 1; end;", 0, PGC_SHAPE_TRANSACTION, false, false, 1 },
        { "create function f() returns int language plpgsql as $$ begin commit; end $$;", 0, PGC_SHAPE_TRANSACTION,
          false, false, 1 },
        { "copy t from stdin;\n1\n\\.\n", 0, PGC_SHAPE_PSQL, false, true, 1 },
        { "\\i x.sql\n", 0, PGC_SHAPE_PSQL, false, false, 0 },
        { "\\set a 1\nvacuum;", 0, PGC_SHAPE_PSQL, true, true, 1 },
        { "set search_path = x;", 0, PGC_SHAPE_TRANSACTION, false, true, 1 },
        { "create temp table a ();", 0, PGC_SHAPE_TRANSACTION, false, true, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pgc_shape shape;
        shape_of(cases[i].text, cases[i].tx, &shape, PGC_OK);
        ck_assert_msg(shape.mode == cases[i].mode && shape.outside == cases[i].outside &&
                          shape.settings == cases[i].settings && shape.count == cases[i].count,
                      "%s", cases[i].text);
        pgc_shape_release(&shape);
    }
    struct pgc_shape shape;
    shape_of("vacuum;", PGC_MIGRATION_TX_ON, &shape, PGC_E_DATA);
    pgc_shape_release(&shape);
}
END_TEST

START_TEST(why_names_the_line)
{
    struct pgc_shape shape;
    shape_of("create table a ();\n\n  create index concurrently i on a (b);", PGC_MIGRATION_TX_AUTO, &shape, PGC_OK);
    ck_assert_str_eq(shape.why, "CREATE INDEX CONCURRENTLY in line 3 cannot run in a transaction");
    ck_assert_uint_eq(shape.statements[1].line, 3);
    pgc_shape_release(&shape);
}
END_TEST

Suite *shape_suite(void);
Suite *shape_suite(void) {
    Suite *suite = suite_create("migrate shape");
    TCase *tc = tcase_create("shape");
    tcase_add_test(tc, kinds);
    tcase_add_test(tc, modes);
    tcase_add_test(tc, why_names_the_line);
    suite_add_tcase(suite, tc);
    return suite;
}
