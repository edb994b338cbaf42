/* flyway_schema_history: one row for each run; the newest row of a version or description counts. */
#include <string.h>

#include "migrate/flyway.h"

static bool recognise(const char *columns) {
    return strstr(columns, "installed_rank:integer ") != NULL && strstr(columns, "checksum:integer ") != NULL &&
           strstr(columns, "success:boolean ") != NULL;
}

static void create(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_puts(sql, "create schema if not exists ");
    pgc_sql_ident(sql, place->schema);
    pgc_buf_putf(sql,
                 "; create table if not exists %s (installed_rank int not null, version varchar(50), description "
                 "varchar(200) not null, "
                 "type varchar(20) not null, script varchar(1000) not null, checksum integer, installed_by "
                 "varchar(100) not null, "
                 "installed_on timestamp not null default now(), execution_time integer not null, success boolean not "
                 "null, constraint ",
                 place->qualified);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    pgc_buf_putf(&name, "%s_pk", place->table);
    pgc_sql_ident(sql, name.data);
    pgc_buf_puts(sql, " primary key (installed_rank)); create index if not exists ");
    pgc_buf_clear(&name);
    pgc_buf_putf(&name, "%s_s_idx", place->table);
    pgc_sql_ident(sql, name.data);
    pgc_buf_putf(sql, " on %s (success);", place->qualified);
}

static void read_rows(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_putf(sql,
                 "select version::text, description::text, script::text, checksum::text, "
                 "case when type in ('BASELINE', 'SQL_BASELINE') then 'baseline' when type = 'SCHEMA' then 'ignored' "
                 "when success then 'applied' else 'failed' end, "
                 "to_char(installed_on, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), installed_by::text, execution_time::bigint "
                 "from (select distinct on (coalesce('V' || version, 'R' || description)) * from %s "
                 "order by coalesce('V' || version, 'R' || description), installed_rank desc) h "
                 "where type not like 'UNDO%%' and type <> 'DELETE' order by installed_rank",
                 place->qualified);
}

static void put_row(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                    const char *type, const struct pgc_ledger_note *note) {
    pgc_buf_putf(sql,
                 "insert into %s (installed_rank, version, description, type, script, checksum, installed_by, "
                 "execution_time, success) "
                 "select coalesce(max(installed_rank), 0) + 1, ",
                 place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ", left(");
    pgc_sql_literal(sql, m->name);
    pgc_buf_putf(sql, ", 200), '%s', ", type);
    pgc_sql_literal(sql, m->file);
    pgc_buf_putf(sql,
                 ", %s, left(current_user, 100), greatest(0, (extract(epoch from clock_timestamp() - now()) * "
                 "1000)::int), %s from %s;",
                 m->own_checksum != NULL ? m->own_checksum : "null", note->success ? "true" : "false",
                 place->qualified);
}

/* A row that said "begun" is replaced by the one that says how it ended. */
static void drop_unfinished(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m) {
    pgc_buf_putf(sql, "delete from %s where not success and script = ", place->qualified);
    pgc_sql_literal(sql, m->file);
    pgc_buf_puts(sql, "; ");
}

static void record_up(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                      const struct pgc_ledger_note *note) {
    drop_unfinished(sql, place, m);
    put_row(sql, place, m, m->kind == PGC_MIGRATION_BASELINE ? "SQL_BASELINE" : "SQL", note);
}

static void record_down(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                        const char *previous, const struct pgc_ledger_note *note) {
    (void)previous;
    if (note->success)
        put_row(sql, place, m, "UNDO_SQL", note);
}

/* A constant plus Java's String.hashCode of "schema"."table". */
static bool lock_key(const struct pgc_ledger_place *place, int64_t *key) {
    uint32_t hash = 0;
    for (const char *p = place->qualified; *p != '\0'; p++)
        hash = hash * 31 + (unsigned char)*p;
    *key = INT64_C(77431708279161) + (int32_t)hash;
    return true;
}

const struct pgc_dialect_ledger pgc__flyway_ledger = {
    .table = "flyway_schema_history",
    .recognise = recognise,
    .create = create,
    .read = read_rows,
    .record_up = record_up,
    .record_down = record_down,
    .lock_key = lock_key,
};
