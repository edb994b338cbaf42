/* sqlx: <i64>_desc.sql, or <i64>_desc.up.sql with .down.sql; "-- no-transaction" at the first byte; checksum SHA-384 of the exact
 * bytes of the up file (sqlx of 2026-03: sqlx-core/src/migrate/source.rs, sqlx-postgres/src/migrate.rs). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/digest.h"
#include "migrate/dialect.h"
#include "migrate/pairs.h"
#include "migrate/version.h"

static int detect(const struct pgc_folder *folder) {
    size_t simple = 0;
    for (size_t i = 0; i < folder->count; i++) {
        const struct pgc_folder_file *file = &folder->files[i];
        if (pgc_folder_is_top(file) && file->text != NULL && pgc_version_digits(file->name) > 0 &&
            pgc_text_starts(file->text, "-- no-transaction"))
            return 58;
        simple += pgc_folder_is_top(file) && pgc_text_ends(file->name, ".sql") && pgc_version_digits(file->name) > 0;
    }
    if (pgc_pairs_are_timestamps(folder))
        return 53;
    return simple > 0 ? 5 : 0;
}

static const struct pgc_folder_file *file_of(const struct pgc_folder *folder, const struct pgc_migration *m) {
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->files[i].path, m->path) == 0)
            return &folder->files[i];
    return NULL;
}

static enum pgc_code sign(const struct pgc_folder *folder, struct pgc_migration *m, struct pgc_error *err) {
    const struct pgc_folder_file *file = file_of(folder, m);
    m->own_checksum = malloc(2 * 48 + 1);
    if (m->own_checksum == NULL || file == NULL)
        return pgc_fail_nomem(err);
    pgc_digest_hex(PGC_DIGEST_SHA384, file->text, file->len, m->own_checksum);
    if (pgc_text_starts(file->text, "-- no-transaction")) {
        m->up.tx = PGC_MIGRATION_TX_OFF;
        m->up.tx_line = 1;
    }
    if (m->down.text != NULL && pgc_text_starts(m->down.text, "-- no-transaction")) {
        m->down.tx = PGC_MIGRATION_TX_OFF;
        m->down.tx_line = 1;
    }
    return PGC_OK;
}

/* The versions are numbers: "01" is version 1. */
static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    static const struct pgc_pairs_rules rules = { .simple = true, .spaces = true };
    (void)options;
    enum pgc_code code = pgc_pairs_parse(folder, &rules, set, err);
    for (size_t i = 0; code == PGC_OK && i < set->count; i++) {
        code = sign(folder, &set->items[i], err);
        char *version = set->items[i].version;
        size_t zeros = strspn(version, "0");
        zeros -= version[zeros] == '\0' && zeros > 0;
        memmove(version, version + zeros, strlen(version + zeros) + 1);
    }
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strstr(columns, "version:bigint ") == columns && strstr(columns, "checksum:bytea ") != NULL &&
           strstr(columns, "execution_time:bigint ") != NULL;
}

static void create(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_puts(sql, "create schema if not exists ");
    pgc_sql_ident(sql, place->schema);
    pgc_buf_putf(sql,
                 "; create table if not exists %s (version bigint primary key, description text not null, "
                 "installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null, "
                 "execution_time bigint not null);",
                 place->qualified);
}

static void read_rows(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_putf(sql,
                 "select version::text, description, null::text, encode(checksum, 'hex'), "
                 "case when success then 'applied' else 'failed' end, "
                 "to_char(installed_on at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), null::text, "
                 "execution_time / 1000000 "
                 "from %s order by version",
                 place->qualified);
}

/* Written before and after a script outside a transaction: the second time replaces the first. */
static void record_up(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                      const struct pgc_ledger_note *note) {
    pgc_buf_putf(sql, "insert into %s (version, description, success, checksum, execution_time) values (%s, ",
                 place->qualified, m->version);
    pgc_sql_literal(sql, m->name);
    pgc_buf_putf(sql, ", %s, decode('%s', 'hex'), ", note->success ? "true" : "false", m->own_checksum);
    pgc_buf_puts(sql, "greatest(0, (extract(epoch from clock_timestamp() - now()) * 1000000000)::bigint)) "
                      "on conflict (version) do update set success = excluded.success, checksum = excluded.checksum, "
                      "execution_time = excluded.execution_time;");
}

static void record_down(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                        const char *previous, const struct pgc_ledger_note *note) {
    (void)previous, (void)note;
    pgc_buf_putf(sql, "delete from %s where version = %s;", place->qualified, m->version);
}

/* 0x3d32ad9e times the CRC-32 of the database's name. */
static bool lock_key(const struct pgc_ledger_place *place, int64_t *key) {
    *key = INT64_C(0x3d32ad9e) * (int64_t)pgc_crc32(0, place->database, strlen(place->database));
    return true;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "_sqlx_migrations",
    .recognise = recognise,
    .create = create,
    .read = read_rows,
    .record_up = record_up,
    .record_down = record_down,
    .lock_key = lock_key,
};

const struct pgc_dialect pgc_dialect_sqlx = { "sqlx", detect, parse, &ledger };
