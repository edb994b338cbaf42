/* Rules about indexes and whole-table maintenance. */
#include "lint/rules.h"

static const struct pgc_json *relation(const struct lint_check *check) {
    return pgc_json_get(check->node, "relation");
}

static bool flag(const struct pgc_json *fields, const char *key) {
    return pgc_json_is_true(pgc_json_get(fields, key));
}

/* CREATE INDEX ON ONLY builds nothing: it is the first step of indexing a partitioned table without a lock. */
static void check_index_creation(struct lint_check *check) {
    if (!lint_is(check, "IndexStmt") || flag(check->node, "concurrent") || !flag(relation(check), "inh"))
        return;
    pgc__lint_report(check, relation(check), check->statement->span.start,
                     "building an index blocks all writes to '%s' until it is done",
                     pgc__lint_table_text(relation(check)).text);
}

static void check_index_deletion(struct lint_check *check) {
    if (lint_is(check, "DropStmt") && pgc__lint_field_is(check->node, "removeType", "OBJECT_INDEX") &&
        !flag(check->node, "concurrent"))
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "dropping an index blocks all reads and writes of its table while it waits for its lock");
}

static void check_reindex(struct lint_check *check) {
    if (!lint_is(check, "ReindexStmt") || pgc__lint_option_on(pgc_json_get(check->node, "params"), "concurrently") ||
        pgc__lint_field_is(check->node, "kind", "REINDEX_OBJECT_SYSTEM") || check->file->pg_version < 12)
        return;
    const struct pgc_json *table =
        pgc__lint_field_is(check->node, "kind", "REINDEX_OBJECT_TABLE") ? relation(check) : NULL;
    pgc__lint_report(check, table, check->statement->span.start, "REINDEX blocks writes until the index is rebuilt");
}

static void check_detach(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter))
        if (strcmp(alter.subtype, "AT_DetachPartition") == 0 && !flag(alter.def, "concurrent") &&
            check->file->pg_version >= 14)
            pgc__lint_report(check, alter.table, alter.offset,
                             "detaching a partition blocks all reads and writes of '%s' and the partition",
                             pgc__lint_table_text(alter.table).text);
}

/* A file that consists of nothing else is run outside of a transaction by every tool that can. */
static void check_in_transaction(struct lint_check *check) {
    if (lint_is(check, "IndexStmt") && flag(check->node, "concurrent") && check->statement->in_transaction &&
        (check->statement->in_block || check->file->scan.statement_count > 1))
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
}

static void check_repack(struct lint_check *check) {
    const char *what = NULL;
    if (lint_is(check, "ClusterStmt"))
        what = "CLUSTER";
    else if (lint_is(check, "VacuumStmt") && pgc__lint_option_on(pgc_json_get(check->node, "options"), "full"))
        what = "VACUUM FULL";
    if (what != NULL)
        pgc__lint_report(check, lint_is(check, "ClusterStmt") ? relation(check) : NULL, check->statement->span.start,
                         "%s rewrites the table and blocks all reads and writes meanwhile", what);
}

#define MANY_COLUMNS 3

static void check_many_columns(struct lint_check *check) {
    size_t count = pgc_json_count(pgc_json_get(check->node, "indexParams"));
    if (lint_is(check, "IndexStmt") && !flag(check->node, "unique") && count > MANY_COLUMNS)
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "an index over %zu columns is rarely used beyond its first %d", count, MANY_COLUMNS);
}

static bool drops_index(const struct lint_statement *statement, const char *name) {
    if (strcmp(statement->tree.kind, "DropStmt") != 0 ||
        !pgc__lint_field_is(statement->tree.node, "removeType", "OBJECT_INDEX"))
        return false;
    const struct pgc_json *objects = pgc_json_get(statement->tree.node, "objects");
    for (size_t i = 0; i < pgc_json_count(objects); i++) {
        const char *schema, *dropped;
        if (pgc__lint_split_name(pgc_json_at(objects, i), &schema, &dropped) && strcmp(dropped, name) == 0)
            return true;
    }
    return false;
}

static void check_becomes_unique(struct lint_check *check) {
    const char *name = pgc__lint_field(check->node, "idxname");
    if (!lint_is(check, "IndexStmt") || !flag(check->node, "unique") || *name == '\0')
        return;
    for (size_t i = 0; i < check->index; i++) {
        if (!drops_index(&check->file->statements[i], name))
            continue;
        pgc__lint_report(check, relation(check), check->statement->span.start,
                         "index '%s' becomes unique: this fails when '%s' holds duplicates", name,
                         pgc__lint_table_text(relation(check)).text);
        return;
    }
}

static const struct pgc_lint_rule rules[] = {
    { .id = "require-concurrent-index-creation",
      .name = "Index built without CONCURRENTLY",
      .severity = PGC_LINT_ERROR,
      .summary = "CREATE INDEX without CONCURRENTLY on a table that exists",
      .why = "CREATE INDEX takes a SHARE lock: every INSERT, UPDATE and DELETE waits until the whole table is read.",
      .safe =
          "CREATE INDEX CONCURRENTLY in a file of its own that runs without a transaction; afterwards see that "
          "pg_index.indisvalid is true. A partitioned table takes no CONCURRENTLY: CREATE INDEX ON ONLY it, build the "
          "index of every partition CONCURRENTLY, ALTER INDEX ... ATTACH PARTITION.",
      .aliases = "add_index PG101 concurrent_index",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_index_creation },
    { .id = "require-concurrent-index-deletion",
      .name = "Index dropped without CONCURRENTLY",
      .severity = PGC_LINT_WARNING,
      .summary = "DROP INDEX without CONCURRENTLY",
      .why = "DROP INDEX takes an ACCESS EXCLUSIVE lock on the table; while it waits behind a long query, everybody "
             "else waits behind it.",
      .safe =
          "DROP INDEX CONCURRENTLY outside of a transaction; for the index of a partitioned table, which has no such "
          "way, a lock_timeout and another try.",
      .aliases = "PG102 concurrent_index",
      .check = check_index_deletion },
    { .id = "require-concurrent-reindex",
      .name = "REINDEX without CONCURRENTLY",
      .severity = PGC_LINT_WARNING,
      .summary = "REINDEX of an index, table, schema or database without CONCURRENTLY",
      .why = "REINDEX blocks writes to the table, and reads that would use the index, until it is done.",
      .safe = "REINDEX ... CONCURRENTLY (PostgreSQL 12 and later), outside of a transaction.",
      .aliases = "",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_reindex },
    { .id = "require-concurrent-partition-detach",
      .name = "Partition detached without CONCURRENTLY",
      .severity = PGC_LINT_WARNING,
      .summary = "ALTER TABLE ... DETACH PARTITION without CONCURRENTLY or FINALIZE",
      .why = "DETACH PARTITION takes an ACCESS EXCLUSIVE lock on the whole partitioned table.",
      .safe = "DETACH PARTITION ... CONCURRENTLY (PostgreSQL 14 and later) outside of a transaction; FINALIZE when it "
              "was interrupted. A table with a default partition has no such way: a lock_timeout and another try.",
      .aliases = "",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_detach },
    { .id = "ban-concurrent-index-creation-in-transaction",
      .name = "CONCURRENTLY inside a transaction",
      .severity = PGC_LINT_ERROR,
      .summary = "CREATE INDEX CONCURRENTLY where a transaction is open",
      .why = "PostgreSQL refuses CREATE INDEX CONCURRENTLY in a transaction block: the migration fails.",
      .safe = "Put it alone into a file, or mark the file ('-- migrate:up transaction:false').",
      .aliases = "PG103 concurrent_index",
      .check = check_in_transaction },
    { .id = "prefer-repack",
      .name = "Table rewritten under an exclusive lock",
      .severity = PGC_LINT_WARNING,
      .summary = "VACUUM FULL or CLUSTER",
      .why = "Both copy the whole table under an ACCESS EXCLUSIVE lock and need its size again on disk.",
      .safe = "REPACK CONCURRENTLY (PostgreSQL 19) or the extension pg_repack.",
      .aliases = "",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_repack },
    { .id = "index-with-many-columns",
      .name = "Index over many columns",
      .severity = PGC_LINT_INFO,
      .summary = "a non-unique index over more than three columns",
      .why = "Each further column makes the index larger and its updates dearer, and is seldom of use.",
      .safe = "Start with the most selective columns; add others with INCLUDE when index-only scans need them.",
      .aliases = "add_index_columns",
      .check = check_many_columns },
    { .id = "index-becomes-unique",
      .name = "Index made unique",
      .severity = PGC_LINT_WARNING,
      .summary = "an index is dropped and created again as a unique one",
      .why = "The new index fails when the table holds duplicates, and until then the old index is gone.",
      .safe = "Build the unique index CONCURRENTLY under a new name, drop the old one afterwards.",
      .aliases = "MF102 data_depend",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_becomes_unique },
};
LINT_RULE_TABLE(index, rules);
