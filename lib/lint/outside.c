/* Statements that PostgreSQL refuses inside a transaction block. */
#include "lint/check.h"

static bool flag(const struct pgc_json *fields, const char *key) {
    return pgc_json_is_true(pgc_json_get(fields, key));
}

static bool is(const struct lint_statement *statement, const char *kind) {
    return strcmp(statement->tree.kind, kind) == 0;
}

static bool has_option(const struct pgc_json *options, const char *name) {
    for (size_t i = 0; i < pgc_json_count(options); i++)
        if (pgc__lint_field_is(pgc__lint_node_as(pgc_json_at(options, i), "DefElem"), "defname", name))
            return true;
    return false;
}

static bool detaches_concurrently(const struct lint_file *file, const struct lint_statement *statement) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter_of(file, statement, &alter))
        if (strcmp(alter.subtype, "AT_DetachPartition") == 0 && flag(alter.def, "concurrent"))
            return true;
    return false;
}

/* A DO block that commits: words outside of quotes and comments cannot be told from here, so only plain ones count. */
static bool do_commits(const struct lint_statement *statement) {
    if (!is(statement, "DoStmt"))
        return false;
    const struct pgc_json *args = pgc_json_get(statement->tree.node, "args");
    for (size_t i = 0; i < pgc_json_count(args); i++) {
        const char *body = pgc__lint_string(pgc_json_get(pgc__lint_node_as(pgc_json_at(args, i), "DefElem"), "arg"));
        if (body != NULL && (strcasestr(body, "commit;") != NULL || strcasestr(body, "rollback;") != NULL))
            return true;
    }
    return false;
}

/* What the statement is called when PostgreSQL refuses it in a transaction block; NULL when it does not. */
const char *pgc__lint_needs_no_transaction(const struct lint_file *file, const struct lint_statement *statement) {
    static const struct {
        const char *kind, *what;
    } always[] = {
        { "CreatedbStmt", "CREATE DATABASE" },           { "DropdbStmt", "DROP DATABASE" },
        { "CreateTableSpaceStmt", "CREATE TABLESPACE" }, { "DropTableSpaceStmt", "DROP TABLESPACE" },
        { "AlterSystemStmt", "ALTER SYSTEM" },
    };
    const struct pgc_json *node = statement->tree.node;
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (is(statement, always[i].kind))
            return always[i].what;
    if (is(statement, "VacuumStmt") && flag(node, "is_vacuumcmd"))
        return "VACUUM";
    if (is(statement, "AlterDatabaseStmt") && has_option(pgc_json_get(node, "options"), "tablespace"))
        return "ALTER DATABASE ... SET TABLESPACE";
    if (is(statement, "IndexStmt") && flag(node, "concurrent"))
        return "CREATE INDEX CONCURRENTLY";
    if (is(statement, "DropStmt") && flag(node, "concurrent"))
        return "DROP INDEX CONCURRENTLY";
    if (is(statement, "ReindexStmt") &&
        (pgc__lint_option_on(pgc_json_get(node, "params"), "concurrently") ||
         pgc__lint_word_in(pgc__lint_field(node, "kind"),
                           "REINDEX_OBJECT_SCHEMA REINDEX_OBJECT_DATABASE REINDEX_OBJECT_SYSTEM")))
        return "this REINDEX";
    if (is(statement, "ClusterStmt") && pgc_json_get(node, "relation") == NULL)
        return "CLUSTER of all tables";
    if (detaches_concurrently(file, statement))
        return "DETACH PARTITION CONCURRENTLY";
    if (is(statement, "DiscardStmt") && pgc__lint_field_is(node, "target", "DISCARD_ALL"))
        return "DISCARD ALL";
    if (is(statement, "CreateSubscriptionStmt") && !has_option(pgc_json_get(node, "options"), "create_slot") &&
        !has_option(pgc_json_get(node, "options"), "connect"))
        return "CREATE SUBSCRIPTION with a slot";
    if (is(statement, "AlterEnumStmt") && *pgc__lint_field(node, "oldVal") == '\0' && file->pg_version < 12)
        return "ALTER TYPE ... ADD VALUE (before PostgreSQL 12)";
    return do_commits(statement) ? "a DO block that commits" : NULL;
}
