/* rubenv/sql-migrate: any name, `-- +migrate Up [notransaction]`; the file name is the version, ordered by its leading number and
 * then as text; ledger gorp_migrations. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "migrate/annotated.h"
#include "migrate/version.h"

static const struct pgc_annotated_rules rules = { "+migrate", false };

static int detect(const struct pgc_folder *folder) {
    return pgc_dialect_count_lines(folder, ".sql", "-- +migrate ") > 0 ? 90 : 0;
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, const struct pgc_dialect_options *options,
                                struct pgc_migration_set *set, struct pgc_error *err) {
    PGC_CLEANUP(pgc_annotated_release) struct pgc_annotated annotated = PGC_ANNOTATED_INIT;
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code != PGC_OK)
        return code;
    size_t digits = pgc_version_digits(file->name);
    m->version = strdup(file->name);
    m->name = strndup(file->name + digits + strspn(file->name + digits, "_-"),
                      strlen(file->name + digits + strspn(file->name + digits, "_-")) - strlen(".sql"));
    if (m->version == NULL || m->name == NULL)
        return pgc_fail_nomem(err);
    code = pgc_annotated_parse(file, &rules, options, &annotated, err);
    if (code == PGC_OK)
        code = pgc_annotated_script(&annotated, file, false, &m->up, err);
    if (code == PGC_OK && annotated.down_found)
        code = pgc_annotated_script(&annotated, file, true, &m->down, err);
    return code;
}

static int by_file(const struct pgc_migration *a, const struct pgc_migration *b) {
    size_t x = pgc_version_digits(a->file), y = pgc_version_digits(b->file);
    if (x > 0 && y > 0) {
        char *va = strndup(a->file, x), *vb = strndup(b->file, y);
        int order = va != NULL && vb != NULL ? pgc_version_compare(va, vb) : 0;
        free(va);
        free(vb);
        if (order != 0)
            return order;
    }
    return strcmp(a->file, b->file);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        if (pgc_folder_is_top(&folder->files[i]) && pgc_text_ends(folder->files[i].name, ".sql"))
            code = parse_file(&folder->files[i], options, set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, by_file, err) : code;
}

static bool recognise(const char *columns) {
    return strcmp(columns, "id:text applied_at:timestamp with time zone ") == 0;
}

static void create(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_puts(sql, "create schema if not exists ");
    pgc_sql_ident(sql, place->schema);
    pgc_buf_putf(sql, "; create table if not exists %s (id text not null primary key, applied_at timestamptz);",
                 place->qualified);
}

static void read_rows(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_putf(sql,
                 "select id, null::text, id, null::text, 'applied', "
                 "to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), null::text, null::bigint "
                 "from %s order by applied_at, id collate \"C\"",
                 place->qualified);
}

static void record_up(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                      const struct pgc_ledger_note *note) {
    if (!note->success)
        return;
    pgc_buf_putf(sql, "insert into %s (id, applied_at) values (", place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ", clock_timestamp());");
}

static void record_down(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                        const char *previous, const struct pgc_ledger_note *note) {
    (void)previous;
    if (!note->success)
        return;
    pgc_buf_putf(sql, "delete from %s where id = ", place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ";");
}

static const struct pgc_dialect_ledger ledger = {
    .table = "gorp_migrations",
    .recognise = recognise,
    .create = create,
    .read = read_rows,
    .record_up = record_up,
    .record_down = record_down,
};

const struct pgc_dialect pgc_dialect_sqlmigrate = { "sql-migrate", detect, parse, &ledger };
