/* Rules about data and guarantees that are lost. */
#include "lint/rules.h"

/* Reports an action of ALTER TABLE by its subtype. */
static bool next_of(const struct lint_check *check, struct lint_alter *alter, const char *subtype) {
    while (pgc__lint_next_alter(check, alter))
        if (strcmp(alter->subtype, subtype) == 0)
            return true;
    return false;
}

static void check_drop_column(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (next_of(check, &alter, "AT_DropColumn"))
        pgc__lint_report(check, alter.table, alter.offset,
                         "dropping column '%s' loses its data and breaks clients that still use it", alter.name);
}

/* A table that the same change has made may go again. */
static void check_drop_table(struct lint_check *check) {
    if (!lint_is(check, "DropStmt") || !pgc__lint_field_is(check->node, "removeType", "OBJECT_TABLE"))
        return;
    const struct pgc_json *objects = pgc_json_get(check->node, "objects");
    for (size_t i = 0; i < pgc_json_count(objects); i++) {
        const char *schema, *name;
        if (pgc__lint_split_name(pgc_json_at(objects, i), &schema, &name) && !pgc__lint_is_new(check, schema, name))
            pgc__lint_report(check, NULL, check->statement->span.start,
                             "dropping table '%s' loses its data and breaks clients that still use it", name);
    }
}

static void check_drop_database(struct lint_check *check) {
    if (lint_is(check, "DropdbStmt"))
        pgc__lint_report(check, NULL, check->statement->span.start, "dropping database '%s' loses everything in it",
                         pgc__lint_field(check->node, "dbname"));
}

static void check_drop_schema(struct lint_check *check) {
    if (!lint_is(check, "DropStmt") || !pgc__lint_field_is(check->node, "removeType", "OBJECT_SCHEMA"))
        return;
    const struct pgc_json *objects = pgc_json_get(check->node, "objects");
    for (size_t i = 0; i < pgc_json_count(objects); i++) {
        const char *name = pgc__lint_string(pgc_json_at(objects, i));
        pgc__lint_report(check, NULL, check->statement->span.start, "dropping schema '%s'%s", name == NULL ? "" : name,
                         pgc__lint_field_is(check->node, "behavior", "DROP_CASCADE") ? " loses everything in it"
                                                                                     : " breaks clients that use it");
    }
}

static bool ends_with(const char *text, const char *suffix) {
    size_t len = strlen(text), tail = strlen(suffix);
    return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

/* The server knows the kind of a constraint; without one its name has to tell. */
static bool is_foreign_key(const struct lint_check *check, const struct lint_alter *alter) {
    const struct pgc_lint_catalog *catalog = check->file->options->catalog;
    const char *schema = pgc__lint_field(alter->table, "schemaname"), *table = pgc__lint_field(alter->table, "relname");
    pgc__lint_old_name(check, &schema, &table);
    char kind = catalog == NULL || catalog->constraint_kind == NULL
                    ? '\0'
                    : catalog->constraint_kind(catalog->arg, *schema == '\0' ? NULL : schema, table, alter->name);
    if (kind != '\0')
        return kind == 'f';
    return ends_with(alter->name, "_fkey") || ends_with(alter->name, "_fk") || strncmp(alter->name, "fk_", 3) == 0;
}

/* DROP CONSTRAINT IF EXISTS before ADD CONSTRAINT of the same name replaces it. */
static bool is_replaced(const struct lint_check *check, const char *name) {
    for (size_t i = check->index; i < check->file->count; i++) {
        struct lint_alter alter = { 0 };
        while (pgc__lint_next_alter_of(check->file, &check->file->statements[i], &alter))
            if (strcmp(alter.subtype, "AT_AddConstraint") == 0 && pgc__lint_field_is(alter.def, "conname", name))
                return true;
    }
    return false;
}

static void check_drop_foreign_key(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (next_of(check, &alter, "AT_DropConstraint"))
        if (is_foreign_key(check, &alter) && !is_replaced(check, alter.name))
            pgc__lint_report(check, alter.table, alter.offset, "without the foreign key '%s' rows may refer to nothing",
                             alter.name);
}

static void check_drop_not_null(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (next_of(check, &alter, "AT_DropNotNull"))
        pgc__lint_report(check, alter.table, alter.offset, "clients that read '%s' may not expect NULL", alter.name);
}

static void check_truncate(struct lint_check *check) {
    if (lint_is(check, "TruncateStmt") && pgc__lint_field_is(check->node, "behavior", "DROP_CASCADE"))
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "TRUNCATE ... CASCADE empties every table that refers to these, directly or not");
}

static const struct pgc_lint_rule rules[] = {
    { .id = "ban-drop-column",
      .name = "Column dropped",
      .severity = PGC_LINT_ERROR,
      .summary = "ALTER TABLE ... DROP COLUMN",
      .why = "The data is gone, and clients that were started before still name the column.",
      .safe = "First deploy clients that do not use the column, then drop it; say so with '-- pgc:nolint "
              "ban-drop-column reason'.",
      .aliases = "remove_column DS103 destructive",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_drop_column },
    { .id = "ban-drop-table",
      .name = "Table dropped",
      .severity = PGC_LINT_ERROR,
      .summary = "DROP TABLE of a table that the file has not created",
      .why = "The data is gone, and clients that were started before still use the table.",
      .safe = "First deploy clients that do not use it, check that nothing reads it, keep a backup, then drop it.",
      .aliases = "drop_table DS102 destructive",
      .check = check_drop_table },
    { .id = "ban-drop-database",
      .name = "Database dropped",
      .severity = PGC_LINT_ERROR,
      .summary = "DROP DATABASE",
      .why = "Everything in the database is gone; a migration is the wrong place for it.",
      .safe = "Drop databases by hand, after a backup.",
      .aliases = "destructive",
      .check = check_drop_database },
    { .id = "ban-drop-schema",
      .name = "Schema dropped",
      .severity = PGC_LINT_ERROR,
      .summary = "DROP SCHEMA",
      .why = "With CASCADE all its tables and data go with it.",
      .safe = "Drop what is in it one by one, without CASCADE, when no client uses it any more.",
      .aliases = "DS101 destructive",
      .check = check_drop_schema },
    { .id = "ban-drop-foreign-key",
      .name = "Foreign key dropped",
      .severity = PGC_LINT_WARNING,
      .summary = "DROP CONSTRAINT of a foreign key (known by the server, or by its name)",
      .why = "Nothing keeps the references true any more; adding the key again may fail.",
      .safe = "Drop it only together with the column or table it is about.",
      .aliases = "CD101 constraint_deletion",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_drop_foreign_key },
    { .id = "ban-drop-not-null",
      .name = "NOT NULL dropped",
      .severity = PGC_LINT_WARNING,
      .summary = "ALTER COLUMN ... DROP NOT NULL",
      .why = "Clients that were written for a value meet NULL.",
      .safe = "First deploy clients that can read NULL.",
      .aliases = "",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_drop_not_null },
    { .id = "ban-truncate-cascade",
      .name = "TRUNCATE with CASCADE",
      .severity = PGC_LINT_ERROR,
      .summary = "TRUNCATE ... CASCADE",
      .why = "Tables that are not named lose all their rows, too.",
      .safe = "List all tables that shall be emptied.",
      .aliases = "destructive",
      .check = check_truncate },
};
LINT_RULE_TABLE(destructive, rules);
