/* Rules about columns that are added or change their type. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lint/rules.h"

static void check_required(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter)) {
        if (strcmp(alter.subtype, "AT_AddColumn") != 0 ||
            pgc__lint_column_constraint(alter.def, "CONSTR_NOTNULL") == NULL ||
            pgc__lint_column_constraint(alter.def, "CONSTR_DEFAULT") != NULL ||
            pgc__lint_column_constraint(alter.def, "CONSTR_GENERATED") != NULL ||
            pgc__lint_column_constraint(alter.def, "CONSTR_IDENTITY") != NULL ||
            pgc__lint_type_in(pgc_json_get(alter.def, "typeName"),
                              "serial serial2 serial4 serial8 smallserial bigserial"))
            continue;
        pgc__lint_report(check, alter.table, alter.offset,
                         "column '%s' is NOT NULL without a default: this fails when '%s' has rows",
                         pgc__lint_field(alter.def, "colname"), pgc__lint_table_text(alter.table).text);
    }
}

static bool is_null(const struct pgc_json *expression) {
    return pgc_json_is_true(pgc_json_get(pgc__lint_node_as(expression, "A_Const"), "isnull"));
}

/* PostgreSQL 11 keeps a constant default in the catalog, but the first of its minor releases had faults in doing so, and
 * squawk counts it with the older ones: so do we. */
#define REWRITES_UNTIL 11

static void check_default(struct lint_check *check) {
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter)) {
        if (strcmp(alter.subtype, "AT_AddColumn") != 0)
            continue;
        const struct pgc_json *column_default = pgc__lint_column_constraint(alter.def, "CONSTR_DEFAULT");
        const struct pgc_json *value = pgc_json_get(column_default, "raw_expr");
        if (pgc__lint_column_constraint(alter.def, "CONSTR_GENERATED") != NULL)
            pgc__lint_report(check, alter.table, alter.offset,
                             "a stored generated column rewrites '%s' while it is locked for everybody",
                             pgc__lint_table_text(alter.table).text);
        else if (value != NULL && !is_null(value) &&
                 (check->file->pg_version <= REWRITES_UNTIL || !pgc__lint_is_stable(value)))
            pgc__lint_report(check, alter.table, alter.offset,
                             "%s default rewrites '%s' while it is locked for everybody",
                             check->file->pg_version <= REWRITES_UNTIL ? "before PostgreSQL 12 a" : "a volatile",
                             pgc__lint_table_text(alter.table).text);
    }
}

/* A type as its base name with up to two modifiers, -1 for none. */
struct type_form {
    char base[64];
    long mod[2];
};

/* From format_type()'s text, such as "character varying(10)" or "timestamp(3) without time zone". */
static struct type_form form_of_text(const char *text) {
    static const struct {
        const char *text, *name;
    } names[] = { { "character varying", "varchar" },
                  { "timestamp without time zone", "timestamp" },
                  { "timestamp with time zone", "timestamptz" },
                  { "time without time zone", "time" },
                  { "time with time zone", "timetz" },
                  { "bit varying", "varbit" } };
    struct type_form form = { .mod = { -1, -1 } };
    const char *open = strchr(text, '('), *close = open == NULL ? NULL : strchr(open, ')');
    if (close == NULL) {
        snprintf(form.base, sizeof form.base, "%s", text);
    } else {
        snprintf(form.base, sizeof form.base, "%.*s%s", (int)(open - text), text, close + 1);
        char *next = NULL;
        form.mod[0] = strtol(open + 1, &next, 10);
        if (*next == ',')
            form.mod[1] = strtol(next + 1, NULL, 10);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(form.base, names[i].text) == 0)
            snprintf(form.base, sizeof form.base, "%s", names[i].name);
    return form;
}

static struct type_form form_of_node(const struct pgc_json *type) {
    struct type_form form = { .mod = { -1, -1 } };
    const char *name = pgc__lint_last_name(pgc_json_get(type, "names"));
    if (pgc_json_count(pgc_json_get(type, "arrayBounds")) == 0 && name != NULL)
        snprintf(form.base, sizeof form.base, "%s", name);
    const struct pgc_json *mods = pgc_json_get(type, "typmods");
    for (size_t i = 0; i < pgc_json_count(mods) && i < 2; i++)
        form.mod[i] = (long)pgc_json_int(
            pgc_json_get(pgc_json_get(pgc__lint_node_as(pgc_json_at(mods, i), "A_Const"), "ival"), "ival"), 0);
    return form;
}

/* The changes that PostgreSQL makes in the catalog alone, whatever the session. (From and to citext it rebuilds indexes.) */
static bool is_relabel(const struct type_form *from, const struct type_form *to) {
    bool same = strcmp(from->base, to->base) == 0;
    bool wider = to->mod[0] < 0 || (from->mod[0] >= 0 && to->mod[0] >= from->mod[0]);
    if (pgc__lint_word_in(from->base, "varchar varbit timestamp timestamptz time timetz interval") && same)
        return wider;
    if (strcmp(from->base, "numeric") == 0 && same)
        return to->mod[0] < 0 || (wider && (to->mod[1] < 0 ? 0 : to->mod[1]) == (from->mod[1] < 0 ? 0 : from->mod[1]));
    if (pgc__lint_word_in(from->base, "varchar text") && pgc__lint_word_in(to->base, "varchar text"))
        return to->mod[0] < 0;
    return (same && from->mod[0] == to->mod[0] && from->mod[1] == to->mod[1]) ||
           (strcmp(from->base, "cidr") == 0 && strcmp(to->base, "inet") == 0);
}

/* Has the file set the session's zone to UTC before? Then timestamp and timestamptz are the same bytes (12 and later). */
static bool in_utc(const struct lint_check *check) {
    for (size_t i = check->index; i-- > 0 && check->file->pg_version >= 12;) {
        const struct lint_tree *tree = &check->file->statements[i].tree;
        if (strcmp(tree->kind, "VariableSetStmt") != 0 || !pgc__lint_field_is(tree->node, "name", "timezone"))
            continue;
        const struct pgc_json *zone = pgc__lint_node_as(pgc_json_at(pgc_json_get(tree->node, "args"), 0), "A_Const");
        const char *text = pgc_json_text(pgc_json_get(pgc_json_get(zone, "sval"), "sval"));
        return text != NULL && strcasecmp(text, "utc") == 0;
    }
    return false;
}

/* With a connection the type it has now is known. */
static bool is_cheap_change(const struct lint_check *check, const struct lint_column *column) {
    const struct pgc_lint_catalog *catalog = check->file->options->catalog;
    if (catalog == NULL || catalog->column_type == NULL || pgc_json_get(column->def, "raw_default") != NULL)
        return false;
    const char *schema = pgc__lint_field(column->table, "schemaname"),
               *table = pgc__lint_field(column->table, "relname");
    pgc__lint_old_name(check, &schema, &table);
    const char *now = catalog->column_type(catalog->arg, *schema == '\0' ? NULL : schema, table, column->name);
    if (now == NULL)
        return false;
    struct type_form from = form_of_text(now), to = form_of_node(column->type);
    if (pgc__lint_word_in(from.base, "timestamp timestamptz") && strcmp(from.base, to.base) != 0 && in_utc(check))
        return pgc__lint_word_in(to.base, "timestamp timestamptz") && from.mod[0] == to.mod[0];
    return is_relabel(&from, &to);
}

static void check_type_change(struct lint_check *check) {
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column))
        if (column.is_change && !is_cheap_change(check, &column))
            pgc__lint_report(check, column.table, column.offset,
                             "a new type for '%s' may rewrite '%s' while it is locked for everybody, and may break "
                             "running clients",
                             column.name, pgc__lint_table_text(column.table).text);
}

static const struct pgc_lint_rule rules[] = {
    { .id = "adding-required-field",
      .name = "Required column without a default",
      .severity = PGC_LINT_ERROR,
      .summary = "ADD COLUMN ... NOT NULL without a default",
      .why = "The statement fails as soon as the table has one row, and clients that do not know the column cannot "
             "insert any more.",
      .safe = "Add the column nullable or with a constant default; make it NOT NULL when it is filled.",
      .aliases = "add_column_not_null MF103 data_depend",
      .flags = PGC_LINT_NEW_TABLE_OK,
      .check = check_required },
    { .id = "adding-field-with-default",
      .name = "New column that rewrites the table",
      .severity = PGC_LINT_ERROR,
      .summary = "ADD COLUMN with a volatile default (any default before PostgreSQL 12) or GENERATED ... STORED",
      .why = "Every row is written anew under an ACCESS EXCLUSIVE lock.",
      .safe =
          "Add the column without a default, set the default, fill the rows in batches. Instead of a stored generated "
          "column: a trigger or a view, from PostgreSQL 18 on a VIRTUAL one.",
      .aliases = "add_column_default add_column_generated_stored PG302",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_default },
    { .id = "changing-column-type",
      .name = "Column type changed",
      .severity = PGC_LINT_ERROR,
      .summary = "ALTER COLUMN ... TYPE, unless the server says that only the catalog changes",
      .why = "Most changes rewrite the table and its indexes under an ACCESS EXCLUSIVE lock, and running clients may "
             "not expect the new type.",
      .safe = "Add a new column, write to both, fill it in batches, switch the readers, drop the old one. A longer "
              "varchar, varchar to text and more digits of numeric are harmless: lint with a connection sees them.",
      .aliases = "change_column PG301",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_type_change },
};
LINT_RULE_TABLE(column, rules);
