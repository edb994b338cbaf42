/* The same column named twice where it may be named once. */
#include <stdlib.h>

#include "base/array.h"
#include "lint/rules.h"

struct column_name {
    const char *name;
    size_t offset;
    size_t order;
};

struct column_names {
    struct column_name *items;
    size_t count, cap;
};

static void names_release(struct column_names *names) {
    free(names->items);
}

static void add(struct lint_check *check, struct column_names *names, const char *name, size_t offset) {
    if (!pgc_array_grow(&names->items, &names->cap, names->count + 1, sizeof *names->items)) {
        check->file->failed = PGC_E_NOMEM;
        return;
    }
    names->items[names->count] = (struct column_name) { name, offset, names->count };
    names->count++;
}

static int by_name(const void *a, const void *b) {
    const struct column_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Every one of the equal names is reported: which of them is wrong only the author knows. */
static void report(struct lint_check *check, struct column_names *names) {
    if (names->count < 2)
        return;
    qsort(names->items, names->count, sizeof *names->items, by_name);
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i].name;
        bool twice = (i > 0 && strcmp(names->items[i - 1].name, name) == 0) ||
                     (i + 1 < names->count && strcmp(names->items[i + 1].name, name) == 0);
        if (twice)
            pgc__lint_report(check, NULL, names->items[i].offset, "column '%s' is named more than once", name);
    }
}

/* Targets of INSERT, UPDATE or MERGE; col.field and col[n] set only a part. */
static void check_targets(struct lint_check *check, const struct pgc_json *targets) {
    PGC_CLEANUP(names_release) struct column_names names = { 0 };
    for (size_t i = 0; i < pgc_json_count(targets); i++) {
        const struct pgc_json *target = pgc__lint_node_as(pgc_json_at(targets, i), "ResTarget");
        if (pgc_json_count(pgc_json_get(target, "indirection")) == 0 && *pgc__lint_field(target, "name") != '\0')
            add(check, &names, pgc__lint_field(target, "name"), pgc__lint_offset(check, target));
    }
    report(check, &names);
}

static const char *query_name(const struct pgc_json *select);

/* The name that PostgreSQL gives to an expression without AS; NULL when only the server can tell. */
static const char *expression_name(const struct pgc_json *node) {
    static const struct {
        const char *type, *name;
    } fixed[] = {
        { "A_ArrayExpr", "array" },         { "CoalesceExpr", "coalesce" }, { "RowExpr", "row" },
        { "XmlSerialize", "xmlserialize" }, { "GroupingFunc", "grouping" },
    };
    const char *type = pgc__lint_node_type(node);
    const struct pgc_json *fields = pgc__lint_node_fields(node);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(type, fixed[i].type) == 0)
            return fixed[i].name;
    if (strcmp(type, "ColumnRef") == 0)
        return pgc__lint_last_name(pgc_json_get(fields, "fields")); /* NULL for a star */
    if (strcmp(type, "FuncCall") == 0)
        return pgc__lint_last_name(pgc_json_get(fields, "funcname"));
    if (strcmp(type, "TypeCast") == 0) {
        const char *inner = expression_name(pgc_json_get(fields, "arg"));
        return inner == NULL || strcmp(inner, "?column?") != 0
                   ? inner
                   : pgc__lint_last_name(pgc_json_get(pgc_json_get(fields, "typeName"), "names"));
    }
    if (strcmp(type, "CollateClause") == 0)
        return expression_name(pgc_json_get(fields, "arg"));
    if (strcmp(type, "A_Expr") == 0)
        return pgc__lint_field_is(fields, "kind", "AEXPR_NULLIF") ? "nullif" : "?column?";
    if (strcmp(type, "MinMaxExpr") == 0)
        return pgc__lint_field_is(fields, "op", "IS_LEAST") ? "least" : "greatest";
    if (strcmp(type, "SubLink") == 0) {
        if (pgc__lint_field_is(fields, "subLinkType", "EXPR_SUBLINK"))
            return query_name(pgc__lint_node_as(pgc_json_get(fields, "subselect"), "SelectStmt"));
        return pgc__lint_field_is(fields, "subLinkType", "EXISTS_SUBLINK")  ? "exists"
               : pgc__lint_field_is(fields, "subLinkType", "ARRAY_SUBLINK") ? "array"
                                                                            : "?column?";
    }
    if (strcmp(type, "CaseExpr") == 0) {
        const char *inner = expression_name(pgc_json_get(fields, "defresult"));
        return inner == NULL || strcmp(inner, "?column?") == 0 ? "case" : inner;
    }
    bool plain = pgc__lint_word_in(type, "A_Const BoolExpr NullTest BooleanTest ParamRef");
    return plain ? "?column?" : NULL;
}

static const char *target_name(const struct pgc_json *target) {
    const char *name = pgc__lint_field(target, "name");
    return *name != '\0' ? name : expression_name(pgc_json_get(target, "val"));
}

static const char *query_name(const struct pgc_json *select) {
    const struct pgc_json *targets = pgc_json_get(select, "targetList");
    return pgc_json_count(targets) == 0 ? NULL : target_name(pgc__lint_node_as(pgc_json_at(targets, 0), "ResTarget"));
}

/* The names of a query's columns; those of a UNION are those of its first query. */
static void check_query(struct lint_check *check, const struct pgc_json *select) {
    PGC_CLEANUP(names_release) struct column_names names = { 0 };
    while (pgc_json_get(select, "larg") != NULL)
        select = pgc_json_get(select, "larg");
    const struct pgc_json *targets = pgc_json_get(select, "targetList");
    for (size_t i = 0; i < pgc_json_count(targets); i++) {
        const struct pgc_json *target = pgc__lint_node_as(pgc_json_at(targets, i), "ResTarget");
        const char *name = target_name(target);
        if (name != NULL)
            add(check, &names, name, pgc__lint_offset(check, target));
    }
    report(check, &names);
}

static void check_columns(struct lint_check *check) {
    PGC_CLEANUP(names_release) struct column_names names = { 0 };
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column))
        if (!column.is_change)
            add(check, &names, column.name, column.offset);
    report(check, &names);
}

static void check_duplicate(struct lint_check *check) {
    const struct pgc_json *node = check->node;
    if (lint_is(check, "UpdateStmt")) {
        check_targets(check, pgc_json_get(node, "targetList"));
    } else if (lint_is(check, "InsertStmt")) {
        check_targets(check, pgc_json_get(node, "cols"));
        check_targets(check, pgc_json_get(pgc_json_get(node, "onConflictClause"), "targetList"));
    } else if (lint_is(check, "MergeStmt")) {
        const struct pgc_json *clauses = pgc_json_get(node, "mergeWhenClauses");
        for (size_t i = 0; i < pgc_json_count(clauses); i++)
            check_targets(check,
                          pgc_json_get(pgc__lint_node_as(pgc_json_at(clauses, i), "MergeWhenClause"), "targetList"));
    } else if (lint_is(check, "ViewStmt")) {
        if (pgc_json_count(pgc_json_get(node, "aliases")) == 0)
            check_query(check, pgc__lint_node_as(pgc_json_get(node, "query"), "SelectStmt"));
    } else if (lint_is(check, "CreateTableAsStmt")) {
        if (pgc_json_count(pgc_json_get(pgc_json_get(node, "into"), "colNames")) == 0)
            check_query(check, pgc__lint_node_as(pgc_json_get(node, "query"), "SelectStmt"));
    } else if (lint_is(check, "SelectStmt")) {
        if (pgc_json_get(node, "intoClause") != NULL)
            check_query(check, node);
    } else {
        check_columns(check);
    }
}

static const struct pgc_lint_rule rules[] = {
    { .id = "ban-duplicate-column-assignments",
      .name = "Column named twice",
      .severity = PGC_LINT_ERROR,
      .summary = "the same column twice in UPDATE, INSERT, MERGE, or in the definition of a table or view",
      .why = "PostgreSQL refuses the statement: the migration fails.",
      .safe = "Delete one of them.",
      .aliases = "",
      .check = check_duplicate },
};
LINT_RULE_TABLE(duplicate, rules);
