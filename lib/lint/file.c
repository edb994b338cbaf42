#include "lint/file.h"

#include <stdlib.h>

#include "base/array.h"
#include "lint/bodies.h"
#include "lint/encoding.h"
#include "lint/statement.h"

static enum pgc_code index_lines(struct lint_file *file, struct pgc_error *err) {
    for (size_t at = 0; at <= file->len; at++) {
        if (at != 0 && file->text[at - 1] != '\n')
            continue;
        if (!pgc_array_grow(&file->lines, &file->line_cap, file->line_count + 1, sizeof *file->lines))
            return pgc_fail_nomem(err);
        bool bom = at == 0 && file->len >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0;
        file->lines[file->line_count++] = bom ? 3 : at; /* nobody sees it as a column */
    }
    return PGC_OK;
}

void pgc__lint_position(const struct lint_file *file, size_t offset, size_t *line, size_t *column) {
    size_t low = 0, high = file->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (file->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    *line = low + 1;
    *column = 1;
    for (size_t at = file->lines[low]; at < offset; at++)
        *column += ((unsigned char)file->text[at] & 0xc0) != 0x80;
}

enum pgc_code pgc__lint_add_statement(struct lint_file *file, const struct lint_statement *statement,
                                      struct pgc_error *err) {
    if (!pgc_array_grow(&file->statements, &file->cap, file->count + 1, sizeof *file->statements))
        return pgc_fail_nomem(err);
    file->statements[file->count++] = *statement;
    return PGC_OK;
}

/* The silences name statements of the scan; those of bodies stand between them in the file. */
static void number_silences(struct lint_file *file, const size_t *places) {
    for (size_t i = 0; i < file->directives.silence_count; i++) {
        size_t *statement = &file->directives.silences[i].statement;
        if (*statement != LINT_WHOLE_FILE)
            *statement = *statement < file->scan.statement_count ? places[*statement] : LINT_NOWHERE - 1;
    }
}

static enum pgc_code parse_all(struct lint_file *file, struct pgc_error *err) {
    enum pgc_code code = pgc_scan_text(file->text, file->len, &file->scan, err);
    if (code == PGC_OK)
        code = pgc__lint_directives(file->text, &file->scan, &file->directives, err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE size_t *places = calloc(file->scan.statement_count + 1, sizeof *places);
    if (places == NULL)
        return pgc_fail_nomem(err);
    struct lint_directives inner = { 0 }; /* of bodies, numbered as the file's statements */
    for (size_t i = 0; code == PGC_OK && i < file->scan.statement_count; i++) {
        struct lint_statement statement = {
            .span = file->scan.statements[i], .scan = &file->scan, .parent = LINT_NOWHERE, .tree = { .kind = "" }
        };
        statement.ignored = file->directives.down != NULL && file->directives.down[i] && !file->options->include_down;
        places[i] = file->count;
        code = pgc__lint_add_statement(file, &statement, err);
        if (code == PGC_OK && !statement.ignored)
            code = pgc__lint_statement_parse(file, &file->statements[places[i]], err);
        if (code == PGC_OK)
            code = pgc__lint_bodies(file, places[i], &inner, err);
    }
    number_silences(file, places);
    if (code == PGC_OK)
        code = pgc__lint_directives_join(&file->directives, &inner, err);
    pgc__lint_directives_release(&inner);
    return code;
}

/* A statement that cannot run in a transaction, or one that begins or ends it: then pgc migrate makes none. */
static bool wants_none(const struct lint_file *file, bool control_only) {
    for (size_t i = 0; i < file->count; i++) {
        const struct lint_statement *statement = &file->statements[i];
        const char *kind =
            strcmp(statement->tree.kind, "TransactionStmt") == 0 ? pgc__lint_field(statement->tree.node, "kind") : "";
        if (statement->parent != LINT_NOWHERE)
            continue;
        if ((!control_only && pgc__lint_needs_no_transaction(file, statement) != NULL) ||
            pgc__lint_word_in(kind, "TRANS_STMT_BEGIN TRANS_STMT_START TRANS_STMT_COMMIT TRANS_STMT_ROLLBACK"))
            return true;
    }
    return false;
}

static bool is_wrapped(const struct lint_file *file) {
    switch (file->options->transaction) {
    case PGC_LINT_TX_AUTO:
        return file->directives.marker == LINT_MARKER_TRANSACTION;
    case PGC_LINT_TX_NO:
        return false;
    case PGC_LINT_TX_YES:
        return file->directives.marker != LINT_MARKER_NO_TRANSACTION;
    case PGC_LINT_TX_IMPLICIT:
        return !wants_none(file, true);
    case PGC_LINT_TX_LIKELY:
        return file->directives.marker == LINT_MARKER_TRANSACTION ||
               (file->directives.marker == LINT_MARKER_NONE && !wants_none(file, false));
    }
    return false;
}

/* Follows BEGIN and COMMIT through the file. */
static void find_transactions(struct lint_file *file) {
    file->assumed = is_wrapped(file);
    bool outer = file->assumed, block = false;
    size_t current = 0, next = 1;
    for (size_t i = 0; i < file->count; i++) {
        struct lint_statement *statement = &file->statements[i];
        const char *kind =
            strcmp(statement->tree.kind, "TransactionStmt") == 0 ? pgc__lint_field(statement->tree.node, "kind") : "";
        if (statement->parent !=
            LINT_NOWHERE) { /* a body runs in the transaction of its statement, or in one of that's own */
            statement->in_transaction = statement->in_block = true;
            statement->transaction = file->statements[statement->parent].transaction;
            continue;
        }
        statement->in_transaction = outer || block;
        statement->in_block = block;
        statement->transaction = statement->in_transaction ? current : next++;
        if (pgc__lint_word_in(kind, "TRANS_STMT_BEGIN TRANS_STMT_START") && !block) {
            block = true;
            if (!outer)
                current = next++;
        } else if (pgc__lint_word_in(kind, "TRANS_STMT_COMMIT TRANS_STMT_ROLLBACK TRANS_STMT_PREPARE")) {
            outer = false;
            block = pgc_json_is_true(pgc_json_get(statement->tree.node, "chain"));
            current = next++;
        }
    }
}

/* The RangeVar that the statement creates, NULL when it creates no relation with rows. */
static const struct pgc_json *creates(const struct lint_tree *tree) {
    if (strcmp(tree->kind, "CreateStmt") == 0)
        return pgc_json_get(tree->node, "relation");
    if (strcmp(tree->kind, "CreateForeignTableStmt") == 0)
        return pgc_json_get(pgc_json_get(tree->node, "base"), "relation");
    if (strcmp(tree->kind, "CreateTableAsStmt") == 0)
        return pgc_json_get(pgc_json_get(tree->node, "into"), "rel");
    if (strcmp(tree->kind, "SelectStmt") == 0)
        return pgc_json_get(pgc_json_get(tree->node, "intoClause"), "rel");
    return NULL;
}

static enum pgc_code add_created(struct lint_file *file, size_t statement, struct pgc_error *err) {
    const struct lint_tree *tree = &file->statements[statement].tree;
    const struct pgc_json *range = creates(tree);
    if (range == NULL)
        return PGC_OK;
    bool perhaps = file->statements[statement].parent != LINT_NOWHERE ||
                   pgc_json_is_true(pgc_json_get(tree->node, "if_not_exists")) ||
                   pgc_json_is_true(pgc_json_get(pgc_json_get(tree->node, "base"), "if_not_exists"));
    if (!pgc_array_grow(&file->created, &file->created_cap, file->created_count + 1, sizeof *file->created))
        return pgc_fail_nomem(err);
    file->created[file->created_count++] =
        (struct lint_created) { pgc__lint_field(range, "schemaname"), pgc__lint_field(range, "relname"), statement,
                                perhaps };
    return PGC_OK;
}

static int by_name(const void *a, const void *b) {
    const struct lint_created *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->statement > y->statement) - (x->statement < y->statement);
}

static enum pgc_code find_created(struct lint_file *file, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < file->count; i++)
        code = add_created(file, i, err);
    if (code != PGC_OK || file->created_count == 0)
        return code;
    qsort(file->created, file->created_count, sizeof *file->created, by_name);
    return PGC_OK;
}

/* ALTER TABLE ... RENAME TO and SET SCHEMA, for who asks the server about the table afterwards. */
static enum pgc_code note_rename(struct lint_file *file, size_t statement, struct pgc_error *err) {
    const struct lint_tree *tree = &file->statements[statement].tree;
    const struct pgc_json *table = pgc_json_get(tree->node, "relation");
    bool renames =
        strcmp(tree->kind, "RenameStmt") == 0 && pgc__lint_field_is(tree->node, "renameType", "OBJECT_TABLE");
    bool moves = strcmp(tree->kind, "AlterObjectSchemaStmt") == 0 &&
                 pgc__lint_field_is(tree->node, "objectType", "OBJECT_TABLE");
    if ((!renames && !moves) || table == NULL)
        return PGC_OK;
    struct pgc_lint_findings *out = file->out;
    if (!pgc_array_grow(&out->renames, &out->rename_cap, out->rename_count + 1, sizeof *out->renames))
        return pgc_fail_nomem(err);
    const char *schema = pgc__lint_field(table, "schemaname"), *name = pgc__lint_field(table, "relname");
    struct pgc_lint_rename one = { .schema = strdup(moves ? pgc__lint_field(tree->node, "newschema") : schema),
                                   .name = strdup(renames ? pgc__lint_field(tree->node, "newname") : name),
                                   .old_schema = strdup(schema),
                                   .old_name = strdup(name),
                                   .file = out->files,
                                   .statement = statement };
    out->renames[out->rename_count++] = one;
    return one.schema != NULL && one.name != NULL && one.old_schema != NULL && one.old_name != NULL
               ? PGC_OK
               : pgc_fail_nomem(err);
}

enum pgc_code pgc__lint_file_read(struct lint_file *file, struct pgc_error *err) {
    file->pg_version = file->options->pg_version > 0 ? file->options->pg_version : 15;
    enum pgc_code code = pgc__lint_encoding(file, err);
    if (code == PGC_OK)
        code = index_lines(file, err);
    if (code == PGC_OK)
        code = parse_all(file, err);
    if (code != PGC_OK)
        return code;
    find_transactions(file);
    for (size_t i = 0; code == PGC_OK && i < file->count; i++)
        code = note_rename(file, i, err);
    return code == PGC_OK ? find_created(file, err) : code;
}

void pgc__lint_file_release(struct lint_file *file) {
    for (size_t i = 0; i < file->count; i++)
        pgc__lint_tree_release(&file->statements[i].tree);
    free(file->statements);
    free(file->created);
    free(file->lines);
    pgc__lint_directives_release(&file->directives);
    pgc_scan_release(&file->scan);
    for (size_t i = 0; i < file->body_count; i++) {
        pgc_scan_release(file->bodies[i]);
        free(file->bodies[i]);
    }
    free(file->bodies);
    free(file->decoded);
    pgc_buf_release(&file->own);
}
