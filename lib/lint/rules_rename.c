/* Rules about names that running clients rely on. */
#include "lint/rules.h"

static const struct pgc_json *relation(const struct lint_check *check) {
    return pgc_json_get(check->node, "relation");
}

static bool renames(const struct lint_check *check, const char *kinds) {
    return lint_is(check, "RenameStmt") && pgc__lint_word_in(pgc__lint_field(check->node, "renameType"), kinds);
}

static void check_column(struct lint_check *check) {
    if (renames(check, "OBJECT_COLUMN"))
        pgc__lint_report(check, relation(check), check->statement->span.start,
                         "renaming column '%s' to '%s' breaks clients that use the old name",
                         pgc__lint_field(check->node, "subname"), pgc__lint_field(check->node, "newname"));
}

static void check_table(struct lint_check *check) {
    if (renames(check, "OBJECT_TABLE OBJECT_VIEW OBJECT_MATVIEW OBJECT_FOREIGN_TABLE"))
        pgc__lint_report(check, relation(check), check->statement->span.start,
                         "renaming '%s' to '%s' breaks clients that use the old name",
                         pgc__lint_table_text(relation(check)).text, pgc__lint_field(check->node, "newname"));
}

static void check_schema(struct lint_check *check) {
    if (renames(check, "OBJECT_SCHEMA"))
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "renaming schema '%s' to '%s' breaks clients that use the old name",
                         pgc__lint_field(check->node, "subname"), pgc__lint_field(check->node, "newname"));
}

static void check_enum_value(struct lint_check *check) {
    if (lint_is(check, "AlterEnumStmt") && *pgc__lint_field(check->node, "oldVal") != '\0')
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "renaming value '%s' to '%s' breaks clients that use the old one",
                         pgc__lint_field(check->node, "oldVal"), pgc__lint_field(check->node, "newVal"));
}

static const struct pgc_lint_rule rules[] = {
    { .id = "renaming-column",
      .name = "Column renamed",
      .severity = PGC_LINT_ERROR,
      .summary = "ALTER TABLE ... RENAME COLUMN",
      .why = "Clients that were started before still use the old name, and fail.",
      .safe = "Add a column with the new name, write to both, fill it, move the readers, drop the old one.",
      .aliases = "rename_column BC102 incompatible",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_column },
    { .id = "renaming-table",
      .name = "Table renamed",
      .severity = PGC_LINT_ERROR,
      .summary = "ALTER TABLE (or VIEW) ... RENAME TO",
      .why = "Clients that were started before still use the old name, and fail.",
      .safe = "Rename it and create a view with the old name in the same transaction; drop the view later.",
      .aliases = "rename_table BC101 incompatible",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_table },
    { .id = "renaming-schema",
      .name = "Schema renamed",
      .severity = PGC_LINT_ERROR,
      .summary = "ALTER SCHEMA ... RENAME TO",
      .why = "Clients that were started before still use the old name, and fail.",
      .safe = "Create the new schema, move the tables one by one and leave views behind.",
      .aliases = "rename_schema",
      .check = check_schema },
    { .id = "renaming-enum-value",
      .name = "Enum value renamed",
      .severity = PGC_LINT_ERROR,
      .summary = "ALTER TYPE ... RENAME VALUE",
      .why = "Clients that were started before still write the old value, and fail.",
      .safe = "Add the new value, move the clients, update the rows; an unused value does no harm.",
      .aliases = "rename_enum_value",
      .check = check_enum_value },
};
LINT_RULE_TABLE(rename, rules);
