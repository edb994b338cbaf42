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

/* The checksums that the file would have with either kind of line ends. */
static char *checksums_of_lines(const struct pgc_folder_file *file) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf all = PGC_BUF_INIT;
    for (size_t i = 0; i < 2; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        char hex[2 * 48 + 1];
        pgc_dialect_put_lines(&text, file->text, file->len, i == 0 ? "\n" : "\r\n");
        pgc_digest_hex(PGC_DIGEST_SHA384, text.data, text.len, hex);
        pgc_buf_putf(&all, "%s ", hex);
    }
    return pgc_buf_detach(&all);
}

static enum pgc_code sign(const struct pgc_folder *folder, struct pgc_migration *m, struct pgc_error *err) {
    const struct pgc_folder_file *file = file_of(folder, m);
    m->own_checksum = malloc(2 * 48 + 1);
    if (m->own_checksum == NULL || file == NULL)
        return pgc_fail_nomem(err);
    pgc_digest_hex(PGC_DIGEST_SHA384, file->text, file->len, m->own_checksum);
    m->other_checksums = checksums_of_lines(file);
    if (m->other_checksums == NULL)
        return pgc_fail_nomem(err);
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

/* 0x3d32ad9e times the CRC-32 of the database's name. */
static size_t lock_keys(const struct pgc_ledger_place *place, int64_t keys[PGC_LEDGER_KEYS_MAX]) {
    keys[0] = INT64_C(0x3d32ad9e) * (int64_t)pgc_crc32(0, place->database, strlen(place->database));
    return 1;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "_sqlx_migrations",
    .recognise = recognise,
    .create = "create table if not exists {table} (version bigint primary key, description text not null, "
              "installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null, "
              "execution_time bigint not null);",
    .read = { .version = "version",
              .name = "description",
              .checksum = "encode(checksum, 'hex')",
              .state = "case when success then 'applied' else 'failed' end",
              .applied_at = PGC_LEDGER_TIME("installed_on"),
              .duration_ms = "execution_time / 1000000",
              .order = "version" },
    .up = "insert into {table} (version, description, success, checksum, execution_time) values ({version}, {name}, "
          "true, decode({checksum}, 'hex'), " PGC_LEDGER_ELAPSED("1000000000") ");",
    .accept = "update {table} set checksum = decode({checksum}, 'hex') where version = {version};",
    .lock_keys = lock_keys,
};

static bool has_pairs(const struct pgc_folder *folder) {
    return pgc_pairs_count(folder) > 0;
}

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}_{name}.sql", "" } },
    .pair = { { "{version}_{name}.up.sql", "" }, { "{version}_{name}.down.sql", "" } },
    .paired = has_pairs,
};

const struct pgc_dialect pgc_dialect_sqlx = { "sqlx", detect, parse, &ledger, &fresh };
