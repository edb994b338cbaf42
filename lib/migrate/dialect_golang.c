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

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    static const struct pgc_pairs_rules rules = { .any_extension = true, .alone = true };
    (void)options;
    enum pgc_code code = pgc_pairs_parse(folder, &rules, set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strcmp(columns, "version:bigint dirty:boolean ") == 0;
}

static void create(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_puts(sql, "create schema if not exists ");
    pgc_sql_ident(sql, place->schema);
    pgc_buf_putf(sql, "; create table if not exists %s (version bigint not null primary key, dirty boolean not null);",
                 place->qualified);
}

static void read_rows(struct pgc_buf *sql, const struct pgc_ledger_place *place) {
    pgc_buf_putf(
        sql,
        "select version::text, null::text, null::text, null::text, case when dirty then 'failed' else 'applied' end, "
        "null::text, null::text, null::bigint from %s",
        place->qualified);
}

static void put_version(struct pgc_buf *sql, const struct pgc_ledger_place *place, const char *version, bool dirty) {
    pgc_buf_putf(sql, "delete from %s;", place->qualified);
    if (version == NULL)
        return;
    pgc_buf_putf(sql, " insert into %s (version, dirty) values (%s, %s);", place->qualified, version,
                 dirty ? "true" : "false");
}

static void record_up(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                      const struct pgc_ledger_note *note) {
    put_version(sql, place, m->version, !note->success);
}

static void record_down(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *m,
                        const char *previous, const struct pgc_ledger_note *note) {
    (void)m;
    put_version(sql, place, previous, !note->success);
}

/* database.GenerateAdvisoryLockId: CRC-32 over schema, table and database joined by NUL, times a salt, 32 bits. The command-line
 * tool takes the database from the URL's path, which keeps its slash. */
static bool lock_key(const struct pgc_ledger_place *place, int64_t *key) {
    uint32_t crc = pgc_crc32(0, place->schema, strlen(place->schema));
    crc = pgc_crc32(crc, "\0", 1);
    crc = pgc_crc32(crc, place->table, strlen(place->table));
    crc = pgc_crc32(crc, "\0/", 2);
    crc = pgc_crc32(crc, place->database, strlen(place->database));
    *key = (int64_t)(uint32_t)(crc * UINT32_C(1486364155));
    return true;
}

static const struct pgc_dialect_ledger ledger = {
    .table = "schema_migrations",
    .high_water = true,
    .recognise = recognise,
    .create = create,
    .read = read_rows,
    .record_up = record_up,
    .record_down = record_down,
    .lock_key = lock_key,
};

const struct pgc_dialect pgc_dialect_golang = { "golang-migrate", detect, parse, &ledger };
