/* Advice about types: which to choose for a column, domains, enums. */
#include "lint/rules.h"

/* Reports the columns whose type is one of the words. */
static void check_type(struct lint_check *check, const char *words, const char *problem) {
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column))
        if (pgc__lint_type_in(column.type, words))
            pgc__lint_report(check, NULL, column.offset, "column '%s': %s", column.name, problem);
}

static void check_int(struct lint_check *check) {
    check_type(check, "int4 serial serial4", "four bytes overflow at 2147483647");
}

static void check_smallint(struct lint_check *check) {
    check_type(check, "int2 smallserial serial2", "two bytes overflow at 32767");
}

static void check_identity(struct lint_check *check) {
    check_type(check, "serial serial2 serial4 serial8 smallserial bigserial",
               "serial is not the SQL standard's way to number rows");
}

static void check_text(struct lint_check *check) {
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column))
        if (pgc__lint_type_in(column.type, "varchar") && pgc_json_count(pgc_json_get(column.type, "typmods")) > 0)
            pgc__lint_report(check, NULL, column.offset, "column '%s': the length is part of the type", column.name);
}

/* char, character, nchar and bpchar all become pg_catalog.bpchar; "char" in quotes is another type, of one byte. */
static void check_char(struct lint_check *check) {
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column)) {
        bool qualified = pgc_json_count(pgc_json_get(column.type, "names")) == 2;
        if (pgc__lint_type_in(column.type, "bpchar character") || (qualified && pgc__lint_type_in(column.type, "char")))
            pgc__lint_report(check, NULL, column.offset, "column '%s': char is padded with blanks", column.name);
    }
}

static void check_timestamp(struct lint_check *check) {
    check_type(check, "timestamp", "a timestamp without time zone is no point in time");
}

static void check_json(struct lint_check *check) {
    check_type(check, "json", "json has no equality, so DISTINCT and GROUP BY fail, and no index");
}

static void check_create_domain(struct lint_check *check) {
    const struct pgc_json *list = pgc_json_get(check->node, "constraints");
    for (size_t i = 0; lint_is(check, "CreateDomainStmt") && i < pgc_json_count(list); i++) {
        const struct pgc_json *constraint = pgc__lint_node_as(pgc_json_at(list, i), "Constraint");
        if (!pgc__lint_word_in(pgc__lint_field(constraint, "contype"), "CONSTR_CHECK CONSTR_NOTNULL"))
            continue;
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "a constraint of a domain cannot be changed without reading every table that uses it");
        return;
    }
}

static void check_alter_domain(struct lint_check *check) {
    if (lint_is(check, "AlterDomainStmt") && pgc__lint_field_is(check->node, "subtype", "C"))
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "the new constraint is checked against every table that uses the domain, all of them locked");
}

static bool adds_value(const struct lint_check *check) {
    return lint_is(check, "AlterEnumStmt") && *pgc__lint_field(check->node, "oldVal") == '\0';
}

static void check_enum_order(struct lint_check *check) {
    if (adds_value(check) && *pgc__lint_field(check->node, "newValNeighbor") == '\0')
        pgc__lint_report(check, NULL, check->statement->span.start, "the place of value '%s' in the order is left open",
                         pgc__lint_field(check->node, "newVal"));
}

/* PostgreSQL refuses to use a new value in the transaction that adds it, unless the type is new as well. */
static void check_enum_use(struct lint_check *check) {
    if (!adds_value(check) || !check->statement->in_transaction || check->file->pg_version < 12)
        return;
    const char *value = pgc__lint_field(check->node, "newVal");
    size_t len = strlen(value);
    const struct lint_file *file = check->file;
    for (size_t i = check->index + 1; i < file->count; i++) {
        const struct lint_statement *later = &file->statements[i];
        if (later->transaction != check->statement->transaction)
            return;
        if (strcmp(later->tree.kind, "AlterEnumStmt") == 0)
            continue;
        for (size_t t = later->span.first_token; t < later->span.token_end; t++) {
            const struct pgc_token *token = &later->scan->tokens[t];
            if (token->kind == PGC_TOKEN_STRING && token->len == len + 2 &&
                memcmp(file->text + token->start + 1, value, len) == 0) {
                pgc__lint_report(check, NULL, token->start, "'%s' is used in the transaction that adds it to the enum",
                                 value);
                return;
            }
        }
    }
}

static const struct pgc_lint_rule rules[] = {
    { .id = "prefer-bigint-over-int",
      .name = "Four-byte integer",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type integer or serial",
      .why = "Keys and counters outgrow it, and changing the type later rewrites the table under an exclusive lock.",
      .safe = "Use bigint.",
      .aliases = "prefer-big-int",
      .check = check_int },
    { .id = "prefer-bigint-over-smallint",
      .name = "Two-byte integer",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type smallint or smallserial",
      .why = "It saves little, often nothing because of alignment, and overflows early.",
      .safe = "Use bigint.",
      .aliases = "prefer-big-int",
      .check = check_smallint },
    { .id = "prefer-identity",
      .name = "Serial column",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type serial, bigserial or smallserial",
      .why = "The sequence behind it has rights, an owner and a default of its own, which are easily lost.",
      .safe = "Use bigint GENERATED BY DEFAULT AS IDENTITY.",
      .aliases = "",
      .check = check_identity },
    { .id = "prefer-text-field",
      .name = "Text with a length",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type varchar(n)",
      .why = "Making it shorter checks every row under an exclusive lock, and the limit saves no space.",
      .safe = "Use text with CHECK (length(col) <= n), which can be added NOT VALID.",
      .aliases = "",
      .check = check_text },
    { .id = "ban-char-field",
      .name = "Text padded with blanks",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type char, character or bpchar",
      .why = "Values are filled with blanks up to the length, and comparisons ignore them: surprising and larger.",
      .safe = "Use text.",
      .aliases = "",
      .check = check_char },
    { .id = "prefer-timestamp-tz",
      .name = "Timestamp without time zone",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type timestamp without time zone",
      .why = "Which moment it means depends on who reads it.",
      .safe = "Use timestamptz, which takes the same eight bytes.",
      .aliases = "prefer-timestamptz",
      .check = check_timestamp },
    { .id = "prefer-jsonb",
      .name = "Column of type json",
      .severity = PGC_LINT_WARNING,
      .summary = "a column of type json",
      .why = "json is kept as text: no equality operator, so that SELECT DISTINCT breaks, and no GIN index.",
      .safe = "Use jsonb.",
      .aliases = "add_column_json",
      .check = check_json },
    { .id = "ban-create-domain-with-constraint",
      .name = "Domain with a constraint",
      .severity = PGC_LINT_WARNING,
      .summary = "CREATE DOMAIN with CHECK or NOT NULL",
      .why = "Changing the rule later reads every table that has a column of the domain, under locks.",
      .safe = "Put CHECK constraints on the tables.",
      .aliases = "",
      .check = check_create_domain },
    { .id = "ban-alter-domain-with-add-constraint",
      .name = "Constraint added to a domain",
      .severity = PGC_LINT_WARNING,
      .summary = "ALTER DOMAIN ... ADD CONSTRAINT",
      .why = "Every table with a column of the domain is locked and read.",
      .safe = "Put CHECK constraints on the tables, NOT VALID first.",
      .aliases = "",
      .check = check_alter_domain },
    { .id = "require-enum-value-ordering",
      .name = "Enum value without a place",
      .severity = PGC_LINT_WARNING,
      .summary = "ALTER TYPE ... ADD VALUE without BEFORE or AFTER",
      .why = "The value goes to the end of the order, which cannot be changed afterwards.",
      .safe = "Write BEFORE or AFTER.",
      .aliases = "",
      .check = check_enum_order },
    { .id = "ban-new-enum-value-in-transaction",
      .name = "Enum value used too early",
      .severity = PGC_LINT_ERROR,
      .summary = "a value is used in the transaction that adds it to the enum",
      .why = "PostgreSQL refuses it (unsafe use of new value): the migration fails.",
      .safe = "Add the value in a file of its own.",
      .aliases = "",
      .check = check_enum_use },
};
LINT_RULE_TABLE(type, rules);
