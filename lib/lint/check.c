#include "lint/check.h"

#include <stdio.h>
#include <stdlib.h>

size_t pgc__lint_offset(const struct lint_check *check, const struct pgc_json *fields) {
    int64_t at = pgc_json_int(pgc_json_get(fields, "location"), 0);
    size_t offset = check->statement->span.start + (at > 0 ? (size_t)at : 0);
    return offset < check->statement->span.end ? offset : check->statement->span.start;
}

struct lint_text pgc__lint_table_text(const struct pgc_json *range) {
    struct lint_text out;
    const char *schema = pgc__lint_field(range, "schemaname");
    snprintf(out.text, sizeof out.text, "%s%s%s", schema, *schema != '\0' ? "." : "",
             pgc__lint_field(range, "relname"));
    return out;
}

static bool same_name(const char *schema_a, const char *a, const char *schema_b, const char *b) {
    return strcmp(a, b) == 0 && (*schema_a == '\0' || *schema_b == '\0' || strcmp(schema_a, schema_b) == 0);
}

bool pgc__lint_same_table(const struct pgc_json *a, const struct pgc_json *b) {
    return same_name(pgc__lint_field(a, "schemaname"), pgc__lint_field(a, "relname"), pgc__lint_field(b, "schemaname"),
                     pgc__lint_field(b, "relname"));
}

bool pgc__lint_split_name(const struct pgc_json *names, const char **schema, const char **name) {
    const struct pgc_json *list = pgc_json_get(pgc__lint_node_as(names, "List"), "items");
    if (list == NULL)
        list = names;
    size_t count = pgc_json_count(list);
    *name = pgc__lint_last_name(list);
    *schema = count >= 2 ? pgc__lint_string(pgc_json_at(list, count - 2)) : "";
    return *name != NULL && *schema != NULL;
}

void pgc__lint_old_name(const struct lint_check *check, const char **schema, const char **name) {
    const struct pgc_lint_findings *run = check->file->out;
    for (size_t i = run->rename_count; i-- > 0;) {
        const struct pgc_lint_rename *one = &run->renames[i];
        bool earlier = one->file < run->files || one->statement < check->index;
        if (!earlier || !same_name(one->schema, one->name, *schema, *name))
            continue;
        *schema = one->old_schema;
        *name = one->old_name;
    }
}

bool pgc__lint_on_server(const struct lint_check *check, const char *schema, const char *name,
                         struct pgc_lint_table *out) {
    const struct pgc_lint_catalog *catalog = check->file->options->catalog;
    if (catalog == NULL || catalog->table == NULL)
        return false;
    pgc__lint_old_name(check, &schema, &name);
    *out = catalog->table(catalog->arg, *schema == '\0' ? NULL : schema, name);
    return true;
}

/* IF NOT EXISTS has created nothing when the server has the table. */
static bool was_there(const struct lint_check *check, const struct lint_created *made) {
    struct pgc_lint_table known;
    return made->perhaps && pgc__lint_on_server(check, made->schema, made->name, &known) && known.exists;
}

static bool created_before(const struct lint_check *check, const char *schema, const char *name,
                           bool same_transaction) {
    const struct lint_file *file = check->file;
    size_t low = 0, high = file->created_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(file->created[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < file->created_count && strcmp(file->created[low].name, name) == 0; low++) {
        const struct lint_created *made = &file->created[low];
        if (made->statement < check->index && same_name(made->schema, made->name, schema, name) &&
            !was_there(check, made) &&
            (!same_transaction || file->statements[made->statement].transaction == check->statement->transaction))
            return true;
    }
    return false;
}

bool pgc__lint_is_new(const struct lint_check *check, const char *schema, const char *name) {
    return created_before(check, schema, name, false);
}

bool pgc__lint_is_new_here(const struct lint_check *check, const char *schema, const char *name) {
    return created_before(check, schema, name, true);
}

bool pgc__lint_word_in(const char *word, const char *words) {
    size_t len = strlen(word);
    for (const char *at = len > 0 ? words : NULL; at != NULL && (at = strstr(at, word)) != NULL; at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

const char *pgc__lint_type(const struct pgc_json *type) {
    const struct pgc_json *names = pgc_json_get(type, "names");
    size_t count = pgc_json_count(names);
    const char *first = pgc__lint_string(pgc_json_at(names, 0)), *last = pgc__lint_last_name(names);
    if (last == NULL || first == NULL || count > 2 || (count == 2 && strcmp(first, "pg_catalog") != 0))
        return "";
    return last;
}

bool pgc__lint_type_in(const struct pgc_json *type, const char *words) {
    return pgc__lint_word_in(pgc__lint_type(type), words);
}

/* The byte where action number `index` of an ALTER TABLE begins: actions are separated by commas outside parentheses,
 * the first one follows the table's name, which stands at `name_at`. */
static size_t action_offset(const struct lint_file *file, const struct lint_statement *statement, size_t name_at,
                            size_t index) {
    const struct pgc_scan_statement *span = &statement->span;
    const struct pgc_token *tokens = statement->scan->tokens;
    size_t at = span->first_token;
    while (at < span->token_end && tokens[at].start < name_at)
        at++;
    for (at++; at < span->token_end && index == 0; at++) { /* the rest of the name: ".t", "*" */
        char c = file->text[tokens[at].start];
        bool dot_before = file->text[tokens[at - 1].start] == '.' && tokens[at - 1].kind == PGC_TOKEN_PUNCT;
        if (tokens[at].kind != PGC_TOKEN_COMMENT && !dot_before &&
            !(tokens[at].kind == PGC_TOKEN_PUNCT && (c == '.' || c == '*')))
            return tokens[at].start;
    }
    int depth = 0;
    for (; at < span->token_end; at++) {
        char c = tokens[at].kind == PGC_TOKEN_PUNCT ? file->text[tokens[at].start] : 0;
        depth += (c == '(' || c == '[') - (c == ')' || c == ']');
        if (c != ',' || depth != 0 || --index > 0)
            continue;
        for (at++; at < span->token_end; at++)
            if (tokens[at].kind != PGC_TOKEN_COMMENT)
                return tokens[at].start;
    }
    return span->start;
}

bool pgc__lint_next_alter_of(const struct lint_file *file, const struct lint_statement *statement,
                             struct lint_alter *alter) {
    const struct pgc_json *node = statement->tree.node;
    if (strcmp(statement->tree.kind, "AlterTableStmt") != 0 ||
        !pgc__lint_word_in(pgc__lint_field(node, "objtype"), "OBJECT_TABLE OBJECT_FOREIGN_TABLE"))
        return false;
    alter->cmd = pgc__lint_node_as(pgc_json_at(pgc_json_get(node, "cmds"), alter->index), "AlterTableCmd");
    if (alter->cmd == NULL)
        return false;
    alter->table = pgc_json_get(node, "relation");
    alter->subtype = pgc__lint_field(alter->cmd, "subtype");
    alter->name = pgc__lint_field(alter->cmd, "name");
    alter->def = pgc__lint_node_fields(pgc_json_get(alter->cmd, "def"));
    size_t name_at = statement->span.start + (size_t)pgc_json_int(pgc_json_get(alter->table, "location"), 0);
    alter->offset = action_offset(file, statement, name_at, alter->index);
    alter->index++;
    return true;
}

bool pgc__lint_next_alter(const struct lint_check *check, struct lint_alter *alter) {
    return pgc__lint_next_alter_of(check->file, check->statement, alter);
}

/* The CreateStmt of CREATE TABLE or CREATE FOREIGN TABLE. */
static const struct pgc_json *create_of(const struct lint_check *check) {
    if (lint_is(check, "CreateStmt"))
        return check->node;
    return lint_is(check, "CreateForeignTableStmt") ? pgc_json_get(check->node, "base") : NULL;
}

static bool fill_column(const struct lint_check *check, struct lint_column *column, const struct pgc_json *def) {
    column->def = def;
    column->type = pgc_json_get(def, "typeName");
    column->offset = pgc__lint_offset(check, def);
    return true;
}

bool pgc__lint_next_column(const struct lint_check *check, struct lint_column *column) {
    const struct pgc_json *create = create_of(check);
    if (create != NULL) {
        const struct pgc_json *list = pgc_json_get(create, "tableElts");
        column->table = pgc_json_get(create, "relation");
        column->is_create = true;
        while (column->next < pgc_json_count(list)) {
            const struct pgc_json *def = pgc__lint_node_as(pgc_json_at(list, column->next++), "ColumnDef");
            column->name = pgc__lint_field(def, "colname");
            if (pgc_json_get(def, "typeName") != NULL)
                return fill_column(check, column, def);
        }
        return false;
    }
    while (pgc__lint_next_alter(check, &column->alter)) {
        bool is_add = strcmp(column->alter.subtype, "AT_AddColumn") == 0;
        column->is_change = strcmp(column->alter.subtype, "AT_AlterColumnType") == 0;
        if (!is_add && !column->is_change)
            continue;
        column->table = column->alter.table;
        column->name = is_add ? pgc__lint_field(column->alter.def, "colname") : column->alter.name;
        return fill_column(check, column, column->alter.def);
    }
    return false;
}

const struct pgc_json *pgc__lint_column_constraint(const struct pgc_json *def, const char *kind) {
    const struct pgc_json *list = pgc_json_get(def, "constraints");
    for (size_t i = 0; i < pgc_json_count(list); i++) {
        const struct pgc_json *fields = pgc__lint_node_as(pgc_json_at(list, i), "Constraint");
        if (pgc__lint_field_is(fields, "contype", kind))
            return fields;
    }
    return NULL;
}

static bool fill_constraint(const struct lint_check *check, struct lint_constraint *found,
                            const struct pgc_json *fields) {
    found->fields = fields;
    found->kind = pgc__lint_field(fields, "contype");
    found->name = pgc__lint_field(fields, "conname");
    found->offset = pgc__lint_offset(check, fields);
    return true;
}

bool pgc__lint_next_constraint(const struct lint_check *check, struct lint_constraint *constraint) {
    for (;;) {
        if (constraint->in_column) {
            const struct pgc_json *list = pgc_json_get(constraint->alter.def, "constraints");
            if (constraint->next < pgc_json_count(list))
                return fill_constraint(check, constraint,
                                       pgc__lint_node_as(pgc_json_at(list, constraint->next++), "Constraint"));
            constraint->in_column = false;
        }
        if (!pgc__lint_next_alter(check, &constraint->alter))
            return false;
        if (strcmp(constraint->alter.subtype, "AT_AddConstraint") == 0)
            return fill_constraint(check, constraint, constraint->alter.def);
        constraint->in_column = strcmp(constraint->alter.subtype, "AT_AddColumn") == 0;
        constraint->next = 0;
    }
}

bool pgc__lint_option_on(const struct pgc_json *options, const char *name) {
    for (size_t i = 0; i < pgc_json_count(options); i++) {
        const struct pgc_json *option = pgc__lint_node_as(pgc_json_at(options, i), "DefElem");
        if (!pgc__lint_field_is(option, "defname", name))
            continue;
        const struct pgc_json *arg = pgc_json_get(option, "arg");
        const struct pgc_json *number = pgc__lint_node_as(arg, "Integer");
        const struct pgc_json *boolean = pgc__lint_node_as(arg, "Boolean");
        if (number != NULL)
            return pgc_json_int(pgc_json_get(number, "ival"), 0) != 0;
        if (boolean != NULL)
            return pgc_json_is_true(pgc_json_get(boolean, "boolval"));
        const char *text = pgc__lint_string(arg);
        return text == NULL || !pgc__lint_word_in(text, "false off no 0");
    }
    return false;
}
