/* Rules about constraints that are added to tables in use. */
#include "lint/rules.h"

static bool flag(const struct pgc_json *fields, const char *key) {
    return pgc_json_is_true(pgc_json_get(fields, key));
}

static bool is_kind(const struct lint_constraint *constraint, const char *kind) {
    return strcmp(constraint->kind, kind) == 0;
}

static bool uses_index(const struct lint_constraint *constraint) {
    return *pgc__lint_field(constraint->fields, "indexname") != '\0';
}

static void check_unique(struct lint_check *check) {
    struct lint_constraint one = { 0 };
    while (pgc__lint_next_constraint(check, &one))
        if (is_kind(&one, "CONSTR_UNIQUE") && !uses_index(&one))
            pgc__lint_report(check, one.alter.table, one.offset,
                             "adding a UNIQUE constraint builds its index while '%s' is locked for everybody",
                             pgc__lint_table_text(one.alter.table).text);
}

static bool has_sequence(const struct lint_alter *alter) {
    return strcmp(alter->subtype, "AT_AddColumn") == 0 &&
           (pgc__lint_type_in(pgc_json_get(alter->def, "typeName"),
                              "serial serial2 serial4 serial8 smallserial bigserial") ||
            pgc__lint_column_constraint(alter->def, "CONSTR_IDENTITY") != NULL);
}

/* One finding per action: a serial primary key is one mistake. */
static void check_primary_key(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter)) {
        bool is_key = strcmp(alter.subtype, "AT_AddConstraint") == 0 &&
                      pgc__lint_field_is(alter.def, "contype", "CONSTR_PRIMARY") &&
                      *pgc__lint_field(alter.def, "indexname") == '\0';
        bool is_column = strcmp(alter.subtype, "AT_AddColumn") == 0 &&
                         pgc__lint_column_constraint(alter.def, "CONSTR_PRIMARY") != NULL;
        if (is_key || is_column)
            pgc__lint_report(check, alter.table, alter.offset,
                             "adding a primary key builds its index while '%s' is locked for everybody",
                             pgc__lint_table_text(alter.table).text);
        else if (has_sequence(&alter))
            pgc__lint_report(check, alter.table, alter.offset,
                             "adding a numbered column rewrites '%s' while it is locked for everybody",
                             pgc__lint_table_text(alter.table).text);
    }
}

static void check_foreign_key(struct lint_check *check) {
    struct lint_constraint one = { 0 };
    while (pgc__lint_next_constraint(check, &one))
        if (is_kind(&one, "CONSTR_FOREIGN") && !flag(one.fields, "skip_validation"))
            pgc__lint_report(check, one.alter.table, one.offset,
                             "checking the foreign key reads all of '%s' and blocks writes to it and to '%s'",
                             pgc__lint_table_text(one.alter.table).text,
                             pgc__lint_table_text(pgc_json_get(one.fields, "pktable")).text);
}

/* Was the constraint added NOT VALID before, in the same transaction? */
static bool added_here(const struct lint_check *check, const struct pgc_json *table, const char *name) {
    for (size_t i = check->index + 1; i-- > 0;) {
        const struct lint_statement *statement = &check->file->statements[i];
        struct lint_alter alter = { 0 };
        if (statement->transaction != check->statement->transaction)
            break;
        while (pgc__lint_next_alter_of(check->file, statement, &alter))
            if (strcmp(alter.subtype, "AT_AddConstraint") == 0 && pgc__lint_same_table(alter.table, table) &&
                pgc__lint_field_is(alter.def, "conname", name) && flag(alter.def, "skip_validation"))
                return true;
    }
    return false;
}

static void check_not_valid(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter)) {
        const char *kind = strcmp(alter.subtype, "AT_AddConstraint") == 0 ? pgc__lint_field(alter.def, "contype") : "";
        if (pgc__lint_word_in(kind, "CONSTR_CHECK CONSTR_FOREIGN") && !flag(alter.def, "skip_validation"))
            pgc__lint_report(check, alter.table, alter.offset,
                             "a constraint without NOT VALID reads all of '%s' while it is locked",
                             pgc__lint_table_text(alter.table).text);
        else if (strcmp(alter.subtype, "AT_ValidateConstraint") == 0 && added_here(check, alter.table, alter.name))
            pgc__lint_report(check, alter.table, alter.offset,
                             "'%s' is validated in the transaction that added it: the lock is held all the while",
                             alter.name);
    }
}

static void check_exclusion(struct lint_check *check) {
    struct lint_constraint one = { 0 };
    while (pgc__lint_next_constraint(check, &one))
        if (is_kind(&one, "CONSTR_EXCLUSION"))
            pgc__lint_report(check, one.alter.table, one.offset,
                             "an exclusion constraint builds its index while '%s' is locked for everybody",
                             pgc__lint_table_text(one.alter.table).text);
}

/* Does the expression imply that the column is not null? */
static bool implies_not_null(const struct pgc_json *expression, const char *column) {
    const struct pgc_json *test = pgc__lint_node_as(expression, "NullTest");
    if (test != NULL) {
        const struct pgc_json *ref = pgc__lint_node_as(pgc_json_get(test, "arg"), "ColumnRef");
        const char *name = pgc__lint_last_name(pgc_json_get(ref, "fields"));
        return pgc__lint_field_is(test, "nulltesttype", "IS_NOT_NULL") && name != NULL && strcmp(name, column) == 0;
    }
    const struct pgc_json *both = pgc__lint_node_as(expression, "BoolExpr");
    const struct pgc_json *args = pgc_json_get(both, "args");
    for (size_t i = 0; pgc__lint_field_is(both, "boolop", "AND_EXPR") && i < pgc_json_count(args); i++)
        if (implies_not_null(pgc_json_at(args, i), column))
            return true;
    return false;
}

/* What the statements before `before` say about a validated constraint: it was added here for another purpose, or
 * proves the column; one that was added elsewhere is trusted. */
static bool constraint_proves(const struct lint_check *check, size_t before, const struct pgc_json *table,
                              const char *name, const char *column) {
    for (size_t i = 0; i <= before; i++) {
        struct lint_alter alter = { 0 };
        while (pgc__lint_next_alter_of(check->file, &check->file->statements[i], &alter))
            if (strcmp(alter.subtype, "AT_AddConstraint") == 0 && pgc__lint_same_table(alter.table, table) &&
                pgc__lint_field_is(alter.def, "conname", name))
                return implies_not_null(pgc_json_get(alter.def, "raw_expr"), column);
    }
    return true;
}

/* A valid CHECK (column IS NOT NULL) spares SET NOT NULL its scan, from PostgreSQL 12 on. */
static bool proven(const struct lint_check *check, const struct pgc_json *table, const char *column) {
    const char *by = NULL;
    for (size_t i = 0; i <= check->index; i++) {
        struct lint_alter alter = { 0 };
        while (pgc__lint_next_alter_of(check->file, &check->file->statements[i], &alter)) {
            if (!pgc__lint_same_table(alter.table, table))
                continue;
            if (i == check->index && strcmp(alter.subtype, "AT_SetNotNull") == 0 && strcmp(alter.name, column) == 0)
                return by != NULL;
            if (strcmp(alter.subtype, "AT_ValidateConstraint") == 0 &&
                constraint_proves(check, i, table, alter.name, column))
                by = alter.name;
            else if (strcmp(alter.subtype, "AT_AddConstraint") == 0 && !flag(alter.def, "skip_validation") &&
                     implies_not_null(pgc_json_get(alter.def, "raw_expr"), column))
                by = pgc__lint_field(alter.def, "conname");
            else if (by != NULL && strcmp(alter.subtype, "AT_DropConstraint") == 0 && strcmp(alter.name, by) == 0)
                by = NULL;
        }
    }
    return false;
}

static void check_set_not_null(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter))
        if (strcmp(alter.subtype, "AT_SetNotNull") == 0 &&
            (check->file->pg_version < 12 || !proven(check, alter.table, alter.name)))
            pgc__lint_report(check, alter.table, alter.offset,
                             "SET NOT NULL reads all of '%s' while it is locked for everybody",
                             pgc__lint_table_text(alter.table).text);
}

static const struct pgc_lint_rule rules[] = {
    { .id = "disallowed-unique-constraint",
      .name = "UNIQUE constraint added to a table in use",
      .severity = PGC_LINT_ERROR,
      .summary = "ADD CONSTRAINT ... UNIQUE, or a new UNIQUE column, without USING INDEX",
      .why = "The index is built under an ACCESS EXCLUSIVE lock, and the statement fails when there are duplicates.",
      .safe = "CREATE UNIQUE INDEX CONCURRENTLY, then ALTER TABLE ... ADD CONSTRAINT ... UNIQUE USING INDEX.",
      .aliases = "disallow-unique-constraint add_unique_constraint PG105 MF101 data_depend",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_unique },
    { .id = "adding-serial-primary-key-field",
      .name = "Primary key or numbered column added to a table in use",
      .severity = PGC_LINT_ERROR,
      .summary = "ADD PRIMARY KEY without USING INDEX; ADD COLUMN with a primary key, serial or identity",
      .why = "The index is built, or every row is rewritten with its number, under an ACCESS EXCLUSIVE lock.",
      .safe = "CREATE UNIQUE INDEX CONCURRENTLY on a column proven NOT NULL, then ADD PRIMARY KEY USING INDEX; fill a "
              "new number column in batches.",
      .aliases = "adding-primary-key-constraint add_column_auto_incrementing PG104 PG304",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_primary_key },
    { .id = "adding-foreign-key-constraint",
      .name = "Foreign key checked while both tables are locked",
      .severity = PGC_LINT_ERROR,
      .summary = "a foreign key added without NOT VALID",
      .why = "SHARE ROW EXCLUSIVE locks on both tables block writes while every row is checked.",
      .safe =
          "ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in a later transaction. A partitioned table takes NOT "
          "VALID from PostgreSQL 18 on; before, do so with its partitions, and then add the key to it.",
      .aliases = "add_foreign_key add_reference PG306",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_foreign_key },
    { .id = "constraint-missing-not-valid",
      .name = "Constraint checked under the lock that adds it",
      .severity = PGC_LINT_ERROR,
      .summary = "CHECK or FOREIGN KEY without NOT VALID, or NOT VALID and VALIDATE in one transaction",
      .why = "The table stays locked against writes (CHECK: against everything) until all its rows were read.",
      .safe = "ADD CONSTRAINT ... NOT VALID in one transaction, VALIDATE CONSTRAINT in the next.",
      .aliases = "add_check_constraint validate_check_constraint PG305",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_not_valid },
    { .id = "adding-exclusion-constraint",
      .name = "Exclusion constraint added to a table in use",
      .severity = PGC_LINT_ERROR,
      .summary = "ADD CONSTRAINT ... EXCLUDE",
      .why = "The index is built under an ACCESS EXCLUSIVE lock, and there is no NOT VALID for it.",
      .safe = "None without a lock: choose a quiet time and a lock_timeout, or a new table that is filled in batches.",
      .aliases = "add_exclusion_constraint",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_exclusion },
    { .id = "adding-not-nullable-field",
      .name = "SET NOT NULL scans the table",
      .severity = PGC_LINT_ERROR,
      .summary = "SET NOT NULL on a column that no valid CHECK constraint proves",
      .why = "All rows are read under an ACCESS EXCLUSIVE lock; a row with NULL makes it fail.",
      .safe =
          "ADD CONSTRAINT c CHECK (col IS NOT NULL) NOT VALID; in the next transaction VALIDATE CONSTRAINT c, SET NOT "
          "NULL (PostgreSQL 12 and later use c instead of a scan), DROP CONSTRAINT c. PostgreSQL 18: ADD CONSTRAINT c "
          "NOT NULL col NOT VALID, then VALIDATE.",
      .aliases = "adding-not-null-field change_column_null PG303 MF104 data_depend",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_set_not_null },
};
LINT_RULE_TABLE(constraint, rules);
