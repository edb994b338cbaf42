/* Supabase CLI: supabase/migrations/<timestamp>_name.sql, up only; ledger supabase_migrations.schema_migrations. */
#include <string.h>

#include "base/text.h"
#include "migrate/dialect.h"
#include "migrate/version.h"

static int detect(const struct pgc_folder *folder) {
    for (size_t i = 0; i < folder->count; i++)
        if (strstr(folder->files[i].path, "supabase/migrations/") != NULL &&
            pgc_version_digits(folder->files[i].name) == 14)
            return 70;
    return 0;
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, struct pgc_migration_set *set,
                                struct pgc_error *err) {
    size_t digits = pgc_version_digits(file->name);
    if (digits == 0 || file->name[digits] != '_')
        return pgc_strings_add(&set->ignored, file->path, err);
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code != PGC_OK)
        return code;
    const char *name = file->name + digits + 1;
    m->version = strndup(file->name, digits);
    m->name = strndup(name, strlen(name) - strlen(".sql"));
    if (m->version == NULL || m->name == NULL)
        return pgc_fail_nomem(err);
    return pgc_migration_cut(&m->up, file, 0, file->len, err);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    (void)options;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        if (pgc_folder_is_top(&folder->files[i]) && pgc_text_ends(folder->files[i].name, ".sql"))
            code = parse_file(&folder->files[i], set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

static bool recognise(const char *columns) {
    return strstr(columns, "version:text ") != NULL && strstr(columns, "statements:text[] ") != NULL;
}

static void create(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_puts(sql, "create schema if not exists ");
    pgc_sql_ident(sql, place->schema);
    pgc_buf_putf(sql,
                 "; create table if not exists %s (version text not null primary key, statements text[], name text);",
                 place->qualified);
}

static void read_rows(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_putf(sql,
                 "select version, %s, null::text, null::text, 'applied', null::text, null::text, null::bigint "
                 "from %s order by version collate \"C\"",
                 strstr(place->columns, " name:") != NULL ? "name" : "null::text", place->qualified);
}

/* The statements are kept as one element: the whole text of the file. */
static void record_up(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                      const struct pgc_ledger_note *note) {
    (void)note;
    pgc_buf_putf(sql, "insert into %s (version, name, statements) values (", place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ", ");
    pgc_sql_literal(sql, m->name);
    pgc_buf_puts(sql, ", array[");
    pgc_sql_literal(sql, m->up.text);
    pgc_buf_puts(sql, "]);");
}

static void record_down(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                        const char *previous, const struct pgc_ledger_note *note) {
    (void)previous, (void)note;
    pgc_buf_putf(sql, "delete from %s where version = ", place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ";");
}

static const struct pgc_dialect_ledger ledger = {
    .schema = "supabase_migrations",
    .table = "schema_migrations",
    .recognise = recognise,
    .create = create,
    .read = read_rows,
    .record_up = record_up,
    .record_down = record_down,
};

const struct pgc_dialect pgc_dialect_supabase = { "supabase", detect, parse, &ledger };
