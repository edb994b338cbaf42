/* flyway_schema_history: one row for each run; the newest row of a version or description counts. */
#include <string.h>

#include "migrate/flyway.h"

static bool recognise(const char *columns) {
    return strstr(columns, "installed_rank:integer ") != NULL && strstr(columns, "checksum:integer ") != NULL &&
           strstr(columns, "success:boolean ") != NULL;
}

/* A constant plus Java's String.hashCode of "schema"."table". */
static size_t lock_keys(const struct pgc_ledger_place *place, int64_t keys[PGC_LEDGER_KEYS_MAX]) {
    uint32_t hash = 0;
    for (const char *p = place->qualified; *p != '\0'; p++)
        hash = hash * 31 + (unsigned char)*p;
    keys[0] = INT64_C(77431708279161) + (int32_t)hash;
    return 1;
}

#define INSERT                                                                                                         \
    "insert into {table} (installed_rank, version, description, type, script, checksum, installed_by, "                \
    "execution_time, success) select coalesce(max(installed_rank), 0) + 1, {version}, "                                \
    "case when length({name}) > 200 then left({name}, 197) || '...' else {name} end, "
#define REST ", left(current_user, 100), " PGC_LEDGER_ELAPSED("1000") "::int, true from {table};"

const struct pgc_dialect_ledger pgc__flyway_ledger = {
    .table = "flyway_schema_history",
    .recognise = recognise,
    .create = "create table if not exists {table} (installed_rank int not null, version varchar(50), "
              "description varchar(200) not null, type varchar(20) not null, script varchar(1000) not null, "
              "checksum integer, installed_by varchar(100) not null, installed_on timestamp not null default now(), "
              "execution_time integer not null, success boolean not null, constraint {table_pk} primary key "
              "(installed_rank)); create index if not exists {table_s_idx} on {table} (success);",
    .read = { .version = "version",
              .name = "description",
              .file = "script",
              .checksum = "checksum",
              .state = "case when type in ('BASELINE', 'SQL_BASELINE') then 'baseline' "
                       "when type = 'SCHEMA' then 'ignored' when success then 'applied' else 'failed' end",
              .applied_at = PGC_LEDGER_TIME("installed_on"),
              .who = "installed_by",
              .duration_ms = "execution_time",
              .from = "(select distinct on (coalesce('V' || version, 'R' || description)) * from {table} "
                      "order by coalesce('V' || version, 'R' || description), installed_rank desc) h "
                      "where type not like 'UNDO%' and type <> 'DELETE'",
              .order = "installed_rank" },
    /* A failed row is replaced by the one that says that all is well. */
    .up = "delete from {table} where not success and script = {file}; " INSERT
          "case {kind} when 'baseline' then 'SQL_BASELINE' else 'SQL' end, {file}, {checksum}::int" REST,
    /* The undo script's own name and checksum. */
    .down = INSERT "'UNDO_SQL', coalesce(substr({header}, strpos({header}, ' ') + 1), {file}), "
                   "coalesce(split_part({header}, ' ', 1), {checksum})::int" REST,
    .accept =
        "update {table} set checksum = {checksum}::int, description = {name} where success and version = {version} "
        "and type = 'SQL';",
    .lock_keys = lock_keys,
};
