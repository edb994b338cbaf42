/* diesel: folders VERSION_name with up.sql, perhaps down.sql and metadata.toml; the version is what stands before the first
 * underscore without its hyphens (diesel of 2026-08: diesel_migrations/migrations_internals). */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "migrate/dialect.h"

static int detect(const struct pgc_folder *folder) {
    for (size_t i = 0; i < folder->count; i++) {
        const char *name = folder->files[i].name, *slash = strchr(name, '/');
        if (slash != NULL && strcmp(slash, "/up.sql") == 0 && name[0] >= '0' && name[0] <= '9' &&
            strchr(name, '_') != NULL)
            return 90;
    }
    return 0;
}

/* run_in_transaction = false */
static void read_metadata(const struct pgc_folder *folder, const char *dir, size_t len, struct pgc_migration *m) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    pgc_buf_put(&name, dir, len);
    pgc_buf_puts(&name, "/metadata.toml");
    const struct pgc_folder_file *file = pgc_folder_find(folder, name.data);
    size_t line = 1;
    for (const char *p = file != NULL ? file->text : NULL; p != NULL && *p != '\0'; line++) {
        p += strspn(p, " \t");
        if (pgc_text_starts(p, "run_in_transaction")) {
            p += strlen("run_in_transaction");
            p += strspn(p, " \t=");
            m->up.tx = m->down.tx = pgc_text_starts(p, "false") ? PGC_MIGRATION_TX_OFF : PGC_MIGRATION_TX_ON;
            m->up.tx_line = m->down.tx_line = line;
        }
        p = strchr(p, '\n');
        p += p != NULL;
    }
}

static bool says_nothing(const char *text) {
    return text[strspn(text, " \t\r\n")] == '\0';
}

static enum pgc_code parse_folder(const struct pgc_folder *folder, const struct pgc_folder_file *up, size_t dir_len,
                                  struct pgc_migration_set *set, struct pgc_error *err) {
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, up, &m, err);
    if (code != PGC_OK)
        return code;
    const char *dir = up->name;
    size_t version_len = strcspn(dir, "_/");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf version = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf down_name = PGC_BUF_INIT;
    for (size_t i = 0; i < version_len; i++)
        if (dir[i] != '-')
            pgc_buf_putc(&version, dir[i]);
    pgc_buf_put(&down_name, dir, dir_len);
    pgc_buf_puts(&down_name, "/down.sql");
    m->version = pgc_buf_detach(&version);
    m->name = version_len < dir_len ? strndup(dir + version_len + 1, dir_len - version_len - 1) : strdup("");
    if (m->version == NULL || m->name == NULL)
        return pgc_fail_nomem(err);
    if (says_nothing(up->text))
        return pgc_fail(err, PGC_E_DATA, "%s: is empty, which diesel refuses", up->path);
    code = pgc_migration_cut(&m->up, up, 0, up->len, err);
    const struct pgc_folder_file *down = pgc_folder_find(folder, down_name.data);
    if (code == PGC_OK && down != NULL)
        code = pgc_migration_cut(&m->down, down, 0, down->len, err);
    if (code == PGC_OK)
        read_metadata(folder, dir, dir_len, m);
    return code;
}

/* Versions are texts of digits, compared as texts. */
static int by_version(const struct pgc_migration *a, const struct pgc_migration *b) {
    return strcmp(a->version, b->version);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    (void)options;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++) {
        const struct pgc_folder_file *file = &folder->files[i];
        const char *slash = strchr(file->name, '/');
        if (slash == NULL)
            continue;
        size_t len = (size_t)(slash - file->name);
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf up = PGC_BUF_INIT;
        pgc_buf_put(&up, file->name, len);
        pgc_buf_puts(&up, "/up.sql");
        if (strcmp(file->name, up.data) == 0)
            code = parse_folder(folder, file, len, set, err);
        else if (strcmp(slash, "/down.sql") == 0 && pgc_folder_find(folder, up.data) == NULL)
            code = pgc_fail(err, PGC_E_DATA, "%s: there is no up.sql beside it", file->path);
    }
    return code == PGC_OK ? pgc_migration_set_finish(set, by_version, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strstr(columns, "version:character varying ") == columns && strstr(columns, "run_on:timestamp") != NULL;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "__diesel_schema_migrations",
    .recognise = recognise,
    .create = "create table if not exists {table} (version varchar(50) primary key not null, "
              "run_on timestamp not null default current_timestamp);",
    .read = { .version = "version", .applied_at = PGC_LEDGER_TIME("run_on"), .order = "version collate \"C\"" },
    .up = "insert into {table} (version) values ({version});",
};

static const struct pgc_dialect_fresh fresh = {
    .first = "0000-00-00-000000",
    .separators = "-",
    .files = { { "{version}_{name}/up.sql", "-- what this migration does\n" },
               { "{version}_{name}/down.sql", "-- what takes it back\n" } },
};

const struct pgc_dialect pgc_dialect_diesel = { "diesel", detect, parse, &ledger, &fresh };
