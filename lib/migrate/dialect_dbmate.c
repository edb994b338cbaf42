/* dbmate: N_name.sql with `-- migrate:up` and `-- migrate:down`; order by file name; one column of versions,
 * no checksum, no lock (dbmate 2.35: pkg/dbmate/migration.go, pkg/driver/postgres/postgres.go). */
#include <string.h>

#include "base/text.h"
#include "migrate/dialect.h"
#include "migrate/sections.h"
#include "migrate/version.h"

/* The native format has the same markers and is what a folder without further signs is taken for. */
static int detect(const struct pgc_folder *folder) {
    size_t up = pgc_dialect_count_lines(folder, ".sql", "-- migrate:up") +
                pgc_dialect_count_lines(folder, ".sql", "--migrate:up");
    return up > 0 ? 55 : 0;
}

static int by_file(const struct pgc_migration *a, const struct pgc_migration *b) {
    return strcmp(a->file, b->file);
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, struct pgc_migration_set *set,
                                struct pgc_error *err) {
    static const struct pgc_sections_rules rules = { 0 };
    size_t digits = pgc_version_digits(file->name);
    if (digits == 0)
        return pgc_strings_add(&set->ignored, file->path, err);
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code != PGC_OK)
        return code;
    const char *name = file->name + digits + strspn(file->name + digits, "_-");
    m->version = strndup(file->name, digits);
    m->name = strndup(name, strlen(name) - strlen(".sql"));
    if (m->version == NULL || m->name == NULL)
        return pgc_fail_nomem(err);
    return pgc_sections_parse(file, &rules, m, err);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    (void)options;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        if (pgc_folder_is_top(&folder->files[i]) && pgc_text_ends(folder->files[i].name, ".sql"))
            code = parse_file(&folder->files[i], set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, by_file, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

/* Rails has the same table; its ar_internal_metadata tells the two apart, and both mean the same. */
static bool recognise(const char *columns) {
    return strcmp(columns, "version:character varying ") == 0;
}

static void create(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_puts(sql, "create schema if not exists ");
    pgc_sql_ident(sql, place->schema);
    pgc_buf_putf(sql, "; create table if not exists %s (version varchar primary key);", place->qualified);
}

static void read_rows(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_putf(
        sql,
        "select version::text, null::text, null::text, null::text, 'applied', null::text, null::text, null::bigint "
        "from %s order by version collate \"C\"",
        place->qualified);
}

static void record_up(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                      const struct pgc_ledger_note *note) {
    (void)note;
    pgc_buf_putf(sql, "insert into %s (version) values (", place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ");");
}

static void record_down(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                        const char *previous, const struct pgc_ledger_note *note) {
    (void)previous, (void)note;
    pgc_buf_putf(sql, "delete from %s where version = ", place->qualified);
    pgc_sql_literal(sql, m->version);
    pgc_buf_puts(sql, ";");
}

static const struct pgc_dialect_ledger ledger = {
    .table = "schema_migrations",
    .recognise = recognise,
    .create = create,
    .read = read_rows,
    .record_up = record_up,
    .record_down = record_down,
};

const struct pgc_dialect pgc_dialect_dbmate = { "dbmate", detect, parse, &ledger };
