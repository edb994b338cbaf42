/* golang-migrate: VERSION_title.up.ext and .down.ext, either may be missing; the ledger holds one row, the newest version
 * (golang-migrate of 2026-07: source/parse.go, database/postgres/postgres.go, database/util.go). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/digest.h"
#include "migrate/dialect.h"
#include "migrate/pairs.h"
#include "migrate/version.h"

/* The same names as sqlx's reversible ones; pairs of 14-digit timestamps alone are taken for sqlx's (dialect_sqlx.c). */
static int detect(const struct pgc_folder *folder) {
    return pgc_pairs_count(folder) > 0 ? 52 : 0;
}

/* A version without a down file goes down all the same: nothing is run, and the mark moves. */
static enum pgc_code fill_down(struct pgc_migration *m, struct pgc_error *err) {
    if (m->down.text != NULL)
        return PGC_OK;
    m->down = (struct pgc_migration_script) { .path = strdup(m->path), .text = strdup(""), .line = 1 };
    return m->down.path != NULL && m->down.text != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    static const struct pgc_pairs_rules rules = { .any_extension = true, .alone = true };
    (void)options;
    enum pgc_code code = pgc_pairs_parse(folder, &rules, set, err);
    for (size_t i = 0; code == PGC_OK && i < set->count; i++)
        code = fill_down(&set->items[i], err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strcmp(columns, "version:bigint dirty:boolean ") == 0;
}

/* database.GenerateAdvisoryLockId: CRC-32 over schema, table and database joined by NUL, times a salt, 32 bits. With a URL (the
 * command-line tool) the database is the URL's path, which keeps its slash; with a connection handed over it is the name. */
static size_t lock_keys(const struct pgc_ledger_place *place, int64_t keys[PGC_LEDGER_KEYS_MAX]) {
    static const char *const before[] = { "/", "" };
    for (size_t i = 0; i < 2; i++) {
        uint32_t crc = pgc_crc32(0, place->schema, strlen(place->schema));
        crc = pgc_crc32(crc, "\0", 1);
        crc = pgc_crc32(crc, place->table, strlen(place->table));
        crc = pgc_crc32(crc, "\0", 1);
        crc = pgc_crc32(crc, before[i], strlen(before[i]));
        crc = pgc_crc32(crc, place->database, strlen(place->database));
        keys[i] = (int64_t)(uint32_t)(crc * UINT32_C(1486364155));
    }
    return 2;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "schema_migrations",
    .high_water = true,
    .recognise = recognise,
    .create = "create table if not exists {table} (version bigint not null primary key, dirty boolean not null);",
    /* Version -1, always dirty: the first migration broke on its way down. */
    .read = { .version = "greatest(version, 0)", .state = "case when dirty then 'failed' else 'applied' end" },
    .up = "delete from {table}; insert into {table} (version, dirty) values ({version}, false);",
    .down = "delete from {table}; insert into {table} (version, dirty) select {previous}::bigint, false "
            "where {previous} is not null;",
    .lock_keys = lock_keys,
};

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}_{name}.up.sql", "" }, { "{version}_{name}.down.sql", "" } },
};

const struct pgc_dialect pgc_dialect_golang = { "golang-migrate", detect, parse, &ledger, &fresh };
