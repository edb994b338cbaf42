/* rubenv/sql-migrate: any name, `-- +migrate Up [notransaction]`; the file name is the version, ordered by its leading number and
 * then as text; ledger gorp_migrations. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "migrate/annotated.h"
#include "migrate/version.h"

static int detect(const struct pgc_folder *folder) {
    return pgc_dialect_count_lines(folder, ".sql", "-- +migrate ") > 0 ? 90 : 0;
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, const struct pgc_dialect_options *options,
                                struct pgc_migration_set *set, struct pgc_error *err) {
    struct pgc_migration *m;
    enum pgc_code code = pgc_dialect_new(file, pgc_version_digits(file->name), set, &m, err);
    if (code != PGC_OK)
        return code;
    free(m->version);
    m->version = strdup(file->name);
    return m->version != NULL ? pgc_annotated_fill(m, file, &pgc_annotated_sqlmigrate, options, err)
                              : pgc_fail_nomem(err);
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
    enum pgc_code code = pgc_dialect_each_sql(folder, options, set, parse_file, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, by_file, err) : code;
}

static bool recognise(const char *columns) {
    return strcmp(columns, "id:text applied_at:timestamp with time zone ") == 0;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "gorp_migrations",
    .recognise = recognise,
    .create = "create table if not exists {table} (id text not null primary key, applied_at timestamptz);",
    .read = { .version = "id",
              .file = "id",
              .applied_at = PGC_LEDGER_TIME("applied_at"),
              .order = "applied_at, id collate \"C\"" },
    .up = "insert into {table} (id, applied_at) values ({version}, clock_timestamp());",
};

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}-{name}.sql", "-- +migrate Up\n\n\n-- +migrate Down\n\n" } },
};

const struct pgc_dialect pgc_dialect_sqlmigrate = { "sql-migrate", detect, parse, &ledger, &fresh };
