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

static enum pgc_code parse_file(const struct pgc_folder_file *file, const struct pgc_dialect_options *options,
                                struct pgc_migration_set *set, struct pgc_error *err) {
    /* dbmate wants a down section in every file; one without it goes up all the same. */
    static const struct pgc_sections_rules rules = { 0 };
    size_t digits = pgc_version_digits(file->name);
    if (digits == 0)
        return pgc_strings_add(&set->ignored, file->path, err);
    struct pgc_migration *m;
    (void)options;
    enum pgc_code code = pgc_dialect_new(file, digits, set, &m, err);
    return code == PGC_OK ? pgc_sections_parse(file, &rules, m, err) : code;
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    enum pgc_code code = pgc_dialect_each_sql(folder, options, set, parse_file, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, by_file, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

/* Rails has the same table; its ar_internal_metadata tells the two apart, and both mean the same. */
static bool recognise(const char *columns) {
    return strcmp(columns, "version:character varying ") == 0;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "schema_migrations",
    .recognise = recognise,
    .create = "create table if not exists {table} (version varchar primary key);",
    .read = { .version = "version", .order = "version collate \"C\"" },
    .up = "insert into {table} (version) values ({version});",
};

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}_{name}.sql", "-- migrate:up\n\n\n-- migrate:down\n\n" } },
};

const struct pgc_dialect pgc_dialect_dbmate = { "dbmate", detect, parse, &ledger, &fresh };
