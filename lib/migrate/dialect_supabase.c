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

static enum pgc_code parse_file(const struct pgc_folder_file *file, const struct pgc_dialect_options *options,
                                struct pgc_migration_set *set, struct pgc_error *err) {
    size_t digits = pgc_version_digits(file->name);
    if (digits == 0 || file->name[digits] != '_')
        return pgc_strings_add(&set->ignored, file->path, err);
    struct pgc_migration *m;
    (void)options;
    enum pgc_code code = pgc_dialect_new(file, digits, set, &m, err);
    return code == PGC_OK ? pgc_migration_cut(&m->up, file, 0, file->len, err) : code;
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    enum pgc_code code = pgc_dialect_each_sql(folder, options, set, parse_file, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* Early releases had only the versions. */
static bool recognise(const char *columns) {
    return strcmp(columns, "version:text ") == 0 || pgc_text_starts(columns, "version:text statements:text[] ");
}

static const struct pgc_dialect_ledger ledger = {
    .schema = "supabase_migrations",
    .table = "schema_migrations",
    .recognise = recognise,
    .create = "create table if not exists {table} (version text not null primary key, statements text[], name text);",
    .read = { .version = "version",
              .name = "to_jsonb(l)->>'name'",
              .from = "{table} l",
              .order = "version collate \"C\"" },
    .upgrade = "alter table {table} add column if not exists statements text[], add column if not exists name text;",
    .newest = " name:text ",
    .up = "insert into {table} (version, name, statements) values ({version}, {name}, {statements});",
};

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}_{name}.sql", "" } },
};

const struct pgc_dialect pgc_dialect_supabase = { "supabase", detect, parse, &ledger, &fresh };
