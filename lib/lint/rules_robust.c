/* Can a file that is not one transaction be run again after it broke half way? */
#include "lint/rules.h"

static bool flag(const struct pgc_json *fields, const char *key) {
    return pgc_json_is_true(pgc_json_get(fields, key));
}

/* Was the constraint dropped with IF EXISTS before, so that adding it works a second time? */
static bool dropped_before(const struct lint_check *check, const struct lint_alter *added) {
    const char *name = pgc__lint_field(added->def, "conname");
    for (size_t i = 0; i <= check->index && *name != '\0'; i++) {
        struct lint_alter alter = { 0 };
        while (pgc__lint_next_alter_of(check->file, &check->file->statements[i], &alter)) {
            if (i == check->index && alter.index >= added->index)
                break;
            if (strcmp(alter.subtype, "AT_DropConstraint") == 0 && strcmp(alter.name, name) == 0 &&
                pgc__lint_same_table(alter.table, added->table))
                return true;
        }
    }
    return false;
}

static bool alter_is_robust(const struct lint_check *check, const struct lint_alter *alter) {
    if (pgc__lint_word_in(alter->subtype, "AT_AddColumn AT_DropColumn AT_DropConstraint AT_DropExpression"))
        return flag(alter->cmd, "missing_ok");
    if (strcmp(alter->subtype, "AT_AddConstraint") == 0)
        return dropped_before(check, alter);
    return strcmp(alter->subtype, "AT_ValidateConstraint") == 0 || flag(check->node, "missing_ok");
}

static void check_alter(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter))
        if (!alter_is_robust(check, &alter))
            pgc__lint_report(check, NULL, alter.offset, "this fails when the file is run again after it broke off");
}

static bool goes_with_transaction(const struct pgc_json *range, const struct pgc_json *statement) {
    return pgc__lint_field_is(range, "relpersistence", "t") &&
           pgc__lint_field_is(statement, "oncommit", "ONCOMMIT_DROP");
}

/* What is missing from a statement that cannot be run twice; NULL when it can. */
static const char *missing(const struct lint_check *check) {
    const struct pgc_json *node = check->node;
    if (lint_is(check, "IndexStmt"))
        return *pgc__lint_field(node, "idxname") != '\0' && !flag(node, "if_not_exists") ? "IF NOT EXISTS" : NULL;
    if (lint_is(check, "CreateStmt"))
        return !flag(node, "if_not_exists") && !goes_with_transaction(pgc_json_get(node, "relation"), node)
                   ? "IF NOT EXISTS"
                   : NULL;
    if (lint_is(check, "CreateTableAsStmt")) {
        const struct pgc_json *into = pgc_json_get(node, "into");
        bool goes = pgc__lint_field_is(pgc_json_get(into, "rel"), "relpersistence", "t") &&
                    pgc__lint_field_is(into, "onCommit", "ONCOMMIT_DROP");
        return !flag(node, "if_not_exists") && !goes ? "IF NOT EXISTS" : NULL;
    }
    if (pgc__lint_word_in(check->statement->tree.kind, "CreateSchemaStmt CreateSeqStmt CreateExtensionStmt"))
        return !flag(node, "if_not_exists") ? "IF NOT EXISTS" : NULL;
    if (lint_is(check, "AlterEnumStmt") && *pgc__lint_field(node, "oldVal") == '\0')
        return !flag(node, "skipIfNewValExists") ? "IF NOT EXISTS" : NULL;
    if (lint_is(check, "DropStmt"))
        return !flag(node, "missing_ok") ? "IF EXISTS" : NULL;
    return NULL;
}

/* A transaction leaves nothing half done; CONCURRENTLY works outside of one whatever the file says. A file with one
 * statement has no half. A DO block is a transaction of its own: it asks before it acts, or catches what fails. */
static void check_robust(struct lint_check *check) {
    bool outside = !check->statement->in_transaction || flag(check->node, "concurrent");
    if (!outside || check->file->scan.statement_count == 1)
        return;
    if (lint_is(check, "AlterTableStmt")) {
        check_alter(check);
        return;
    }
    const char *what = missing(check);
    if (what != NULL)
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "without %s this fails when the file is run again after it broke off", what);
}

static const struct pgc_lint_rule rules[] = {
    { .id = "prefer-robust-stmts",
      .name = "Statement that cannot be run again",
      .severity = PGC_LINT_WARNING,
      .summary = "outside of a transaction: CREATE, DROP or ALTER without IF [NOT] EXISTS",
      .why = "When a file without a transaction breaks off, what was done before stays; the next run fails on it.",
      .safe =
          "Write IF [NOT] EXISTS (DROP CONSTRAINT IF EXISTS before ADD CONSTRAINT), or run the file in a transaction.",
      .aliases = "prefer-robust-statements",
      .check = check_robust },
};
LINT_RULE_TABLE(robust, rules);
