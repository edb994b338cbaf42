/* Rules of style and policy. */
#include <regex.h>

#include "lint/rules.h"

#define IDENTIFIER_MAX 63

/* PostgreSQL cuts names at 63 bytes without failing; the parse tree holds them cut already, so tokens are read. */
static void check_identifiers(struct lint_check *check) {
    const struct lint_file *file = check->file;
    for (size_t i = check->statement->span.first_token; i < check->statement->span.token_end; i++) {
        const struct pgc_token *token = &check->statement->scan->tokens[i];
        const char *text = file->text + token->start;
        size_t len = token->len;
        if (token->kind == PGC_TOKEN_QUOTED && *text == '"') {
            len -= 2;
            for (size_t at = 1; at + 2 < token->len; at++)
                if (text[at] == '"' && text[at + 1] == '"')
                    len--, at++;
        } else if (token->kind != PGC_TOKEN_WORD) {
            continue;
        }
        if (len > IDENTIFIER_MAX)
            pgc__lint_report(check, NULL, token->start, "a name of %zu bytes is cut to %d", len, IDENTIFIER_MAX);
    }
}

static bool has_schema(const struct pgc_json *range) {
    return *pgc__lint_field(range, "schemaname") != '\0' || pgc__lint_field_is(range, "relpersistence", "t");
}

static void require_schema(struct lint_check *check, const struct pgc_json *range) {
    if (range != NULL && !has_schema(range))
        pgc__lint_report(check, NULL, pgc__lint_offset(check, range), "table '%s' has no schema before its name",
                         pgc__lint_field(range, "relname"));
}

static bool drops_table(const struct lint_check *check) {
    return lint_is(check, "DropStmt") &&
           pgc__lint_word_in(pgc__lint_field(check->node, "removeType"), "OBJECT_TABLE OBJECT_FOREIGN_TABLE");
}

static void check_schema(struct lint_check *check) {
    const struct pgc_json *node = check->node, *objects = pgc_json_get(node, "objects");
    bool is_table = pgc__lint_word_in(pgc__lint_field(node, "objtype"), "OBJECT_TABLE OBJECT_FOREIGN_TABLE") ||
                    pgc__lint_word_in(pgc__lint_field(node, "renameType"), "OBJECT_TABLE OBJECT_FOREIGN_TABLE") ||
                    pgc__lint_word_in(pgc__lint_field(node, "relationType"), "OBJECT_TABLE OBJECT_FOREIGN_TABLE");
    if (lint_is(check, "CreateStmt") ||
        (pgc__lint_word_in(check->statement->tree.kind, "AlterTableStmt RenameStmt") && is_table))
        require_schema(check, pgc_json_get(node, "relation"));
    else if (lint_is(check, "CreateForeignTableStmt"))
        require_schema(check, pgc_json_get(pgc_json_get(node, "base"), "relation"));
    else if (lint_is(check, "CreateTableAsStmt") && is_table)
        require_schema(check, pgc_json_get(pgc_json_get(node, "into"), "rel"));
    for (size_t i = 0; drops_table(check) && i < pgc_json_count(objects); i++) {
        const char *schema, *name;
        if (pgc__lint_split_name(pgc_json_at(objects, i), &schema, &name) && *schema == '\0')
            pgc__lint_report(check, NULL, check->statement->span.start, "table '%s' has no schema before its name",
                             name);
    }
}

const char *pgc__lint_naming_pattern(const char *text, const char **kind) {
    static const char *const kinds[] = { "schema", "table", "column", "index", "foreign-key", "check" };
    *kind = "";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i]);
        if (strncmp(text, kinds[i], len) == 0 && text[len] == '=') {
            *kind = kinds[i];
            return text + len + 1;
        }
    }
    size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyz-");
    return text[word] == '=' ? NULL : text;
}

static void require_name(struct lint_check *check, const char *kind, const char *name, size_t offset) {
    for (const char *const *one = check->file->options->naming; one != NULL && *one != NULL && *name != '\0'; one++) {
        const char *of, *pattern = pgc__lint_naming_pattern(*one, &of);
        regex_t regex;
        if (pattern == NULL || (*of != '\0' && strcmp(of, kind) != 0) ||
            regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
            continue;
        bool fits = regexec(&regex, name, 0, NULL, 0) == 0;
        regfree(&regex);
        if (!fits)
            pgc__lint_report(check, NULL, offset, "%s name '%s' does not match '%s'", kind, name, pattern);
    }
}

static void name_constraint(struct lint_check *check, const struct pgc_json *constraint) {
    const char *kind = pgc__lint_field(constraint, "contype");
    if (pgc__lint_word_in(kind, "CONSTR_FOREIGN CONSTR_CHECK"))
        require_name(check, strcmp(kind, "CONSTR_CHECK") == 0 ? "check" : "foreign-key",
                     pgc__lint_field(constraint, "conname"), pgc__lint_offset(check, constraint));
}

static void check_naming(struct lint_check *check) {
    if (check->file->options->naming == NULL)
        return;
    const struct pgc_json *node = check->node, *range = pgc_json_get(node, "relation");
    size_t start = check->statement->span.start;
    if (lint_is(check, "CreateSchemaStmt"))
        require_name(check, "schema", pgc__lint_field(node, "schemaname"), start);
    else if (lint_is(check, "CreateStmt"))
        require_name(check, "table", pgc__lint_field(range, "relname"), pgc__lint_offset(check, range));
    else if (lint_is(check, "IndexStmt"))
        require_name(check, "index", pgc__lint_field(node, "idxname"), start);
    else if (lint_is(check, "RenameStmt") && pgc__lint_field_is(node, "renameType", "OBJECT_TABLE"))
        require_name(check, "table", pgc__lint_field(node, "newname"), start);
    else if (lint_is(check, "RenameStmt") && pgc__lint_field_is(node, "renameType", "OBJECT_COLUMN"))
        require_name(check, "column", pgc__lint_field(node, "newname"), start);
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column)) {
        const struct pgc_json *list = pgc_json_get(column.def, "constraints");
        if (!column.is_change)
            require_name(check, "column", column.name, column.offset);
        for (size_t i = 0; i < pgc_json_count(list); i++)
            name_constraint(check, pgc__lint_node_as(pgc_json_at(list, i), "Constraint"));
    }
    const struct pgc_json *elements = lint_is(check, "CreateStmt") ? pgc_json_get(node, "tableElts") : NULL;
    for (size_t i = 0; i < pgc_json_count(elements); i++)
        name_constraint(check, pgc__lint_node_as(pgc_json_at(elements, i), "Constraint"));
    struct lint_alter alter = { 0 };
    while (pgc__lint_next_alter(check, &alter))
        if (strcmp(alter.subtype, "AT_AddConstraint") == 0)
            name_constraint(check, alter.def);
}

/* Size and alignment of the types with a fixed size. */
static bool fixed_size(const struct pgc_json *type, size_t *size, size_t *align) {
    static const struct {
        const char *names;
        size_t size, align;
    } known[] = {
        { "int8 bigserial serial8 float8 timestamp timestamptz time money pg_lsn", 8, 8 },
        { "interval point", 16, 8 },
        { "timetz", 12, 8 },
        { "int4 serial serial4 float4 date oid", 4, 4 },
        { "macaddr", 6, 4 },
        { "macaddr8", 8, 4 },
        { "int2 smallserial serial2", 2, 2 },
        { "uuid", 16, 1 },
        { "bool", 1, 1 },
    };
    bool is_array = pgc_json_count(pgc_json_get(type, "arrayBounds")) > 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && !is_array; i++) {
        if (!pgc__lint_type_in(type, known[i].names))
            continue;
        *size = known[i].size;
        *align = known[i].align;
        return true;
    }
    return false;
}

#define PADDING_WORTH 8 /* bytes of a row; rows are multiples of eight anyway */

static size_t aligned(size_t at, size_t align) {
    return (at + align - 1) / align * align;
}

/* Padding between columns of fixed size, against the same columns with the widest alignment first. Text and the like go
 * anywhere: short values are not aligned. */
static void check_alignment(struct lint_check *check) {
    size_t at = 0, best = 0, size, align;
    if (!lint_is(check, "CreateStmt"))
        return;
    struct lint_column column = { 0 };
    while (pgc__lint_next_column(check, &column)) {
        if (!fixed_size(column.type, &size, &align))
            continue;
        at = aligned(at, align) + size;
    }
    for (size_t wide = 8; wide > 0; wide /= 2) {
        struct lint_column again = { 0 };
        while (pgc__lint_next_column(check, &again))
            if (fixed_size(again.type, &size, &align) && align == wide)
                best = aligned(best, align) + size;
    }
    at = aligned(at, 8);
    best = aligned(best, 8);
    if (at >= best + PADDING_WORTH)
        pgc__lint_report(check, NULL, check->statement->span.start,
                         "the order of the columns costs %zu bytes of padding in every row", at - best);
}

static const struct pgc_lint_rule rules[] = {
    { .id = "identifier-too-long",
      .name = "Name longer than 63 bytes",
      .severity = PGC_LINT_WARNING,
      .summary = "an identifier that PostgreSQL cuts",
      .why = "Names are cut at 63 bytes with a notice only: two long names may become one.",
      .safe = "Shorten the name.",
      .aliases = "",
      .check = check_identifiers },
    { .id = "require-table-schema",
      .name = "Table without schema",
      .severity = PGC_LINT_INFO,
      .summary = "CREATE, ALTER or DROP of a table whose name has no schema",
      .why = "Which table it is depends on the search_path of whoever runs the migration.",
      .safe = "Write schema.table.",
      .aliases = "",
      .check = check_schema },
    { .id = "naming-convention",
      .name = "Name against the convention",
      .severity = PGC_LINT_WARNING,
      .summary = "a name that does not match the pattern given with --naming",
      .why = "Names that follow one convention can be guessed, and need no quotes.",
      .safe = "Rename it while it is new.",
      .aliases = "NM101 NM102 NM103 NM104 NM105 NM106 naming",
      .check = check_naming },
    { .id = "column-alignment",
      .name = "Padding between columns",
      .severity = PGC_LINT_INFO,
      .summary = "CREATE TABLE with an order of columns that wastes eight bytes or more per row",
      .why = "Values of eight bytes start at a multiple of eight: a small column before a wide one leaves a gap.",
      .safe = "Put the widest columns of fixed size first, then the smaller ones, then text.",
      .aliases = "PG110",
      .check = check_alignment },
};
LINT_RULE_TABLE(policy, rules);
