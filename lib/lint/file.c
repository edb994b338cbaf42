#include "lint/file.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/array.h"

#define RECOVERIES_MAX 16

static enum pgc_code index_lines(struct lint_file *file, struct pgc_error *err) {
    for (size_t at = 0; at <= file->len; at++) {
        if (at != 0 && file->text[at - 1] != '\n')
            continue;
        if (!pgc_array_grow(&file->lines, &file->line_cap, file->line_count + 1, sizeof *file->lines))
            return pgc_fail_nomem(err);
        file->lines[file->line_count++] = at;
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

static void blank(char *sql, size_t from, size_t to) {
    for (size_t at = from; at < to; at++)
        if (sql[at] != '\n')
            sql[at] = ' ';
}

/* psql's commands inside a statement are not SQL. */
static void blank_meta(const struct lint_file *file, const struct lint_span *span, char *sql) {
    for (size_t i = span->first_token; i < span->token_end; i++)
        if (file->scan.tokens[i].kind == LINT_META)
            blank(sql, file->scan.tokens[i].start - span->start,
                  file->scan.tokens[i].start + file->scan.tokens[i].len - span->start);
}

/* psql's variables :name, :'name', :"name" become a name, a string, a quoted name. True when there were any. */
static bool plain_variables(const struct lint_file *file, const struct lint_span *span, char *sql) {
    bool found = false;
    const struct lint_token *tokens = file->scan.tokens;
    for (size_t i = span->first_token; i + 1 < span->token_end; i++) {
        char before = tokens[i].start > 0 ? file->text[tokens[i].start - 1] : ' ';
        if (tokens[i].kind != LINT_PUNCT || file->text[tokens[i].start] != ':' || before == ':' ||
            tokens[i + 1].start != tokens[i].start + 1 || tokens[i + 1].kind > LINT_STRING)
            continue;
        sql[tokens[i].start - span->start] = ' ';
        found = true;
    }
    return found;
}

/* Placeholders of migration tools, ${name} and {{ name }}, become names of the same length. True when there were any. */
static bool plain_placeholders(char *sql, size_t len) {
    bool found = false;
    for (size_t at = 0; at + 1 < len; at++) {
        bool dollar = sql[at] == '$' && sql[at + 1] == '{', braces = sql[at] == '{' && sql[at + 1] == '{';
        char *end = dollar || braces ? memmem(sql + at, len - at, dollar ? "}" : "}}", dollar ? 1 : 2) : NULL;
        if (end == NULL || memchr(sql + at, '\n', (size_t)(end - sql) - at) != NULL)
            continue;
        size_t stop = (size_t)(end - sql) + (dollar ? 1 : 2);
        for (; at < stop; at++)
            if (!isalnum((unsigned char)sql[at]))
                sql[at] = '_';
        found = true;
    }
    return found;
}

static char punct(const struct lint_file *file, size_t token) {
    return file->scan.tokens[token].kind == LINT_PUNCT ? file->text[file->scan.tokens[token].start] : '\0';
}

/* Blanks the element of the outermost parentheses (a column, a constraint) that holds byte `at` of the statement, with
 * one comma beside it; outside of parentheses an action of ALTER TABLE that is not the first. False: no such element. */
static bool leave_out(struct lint_file *file, const struct lint_span *span, size_t at, char *sql) {
    struct lint_token *tokens = file->scan.tokens;
    size_t from = 0, to = span->end - span->start;
    int depth = 0, level = -1; /* level: of the list that the element is in, once byte `at` is reached */
    char before = '\0', after = '\0';
    for (size_t i = span->first_token; i < span->token_end && after == '\0'; i++) {
        char c = punct(file, i);
        size_t where = tokens[i].start - span->start;
        if (tokens[i].kind == LINT_COMMENT) /* also what was left out before */
            continue;
        if (level < 0 && where >= at)
            level = depth > 0 ? 1 : 0;
        bool opens = c == '(' || c == '[', closes = c == ')' || c == ']';
        if (level < 0 && depth <= 1 && (c == ',' || opens)) {
            if (depth == 0 || c == ',') {
                before = c;
                from = where + 1;
            }
        } else if (level >= 0 && depth == level && (c == ',' || (closes && level == 1))) {
            after = c;
            to = where;
        }
        depth += opens - (closes && depth > 0);
        if (closes && depth == 0 && level < 0)
            before = '\0'; /* behind the list */
    }
    if (before == '\0' || before == '[' || (level == 0 && before != ','))
        return false;
    if (after == ',')
        to++;
    else if (before == ',')
        from--;
    blank(sql, from, to);
    for (size_t i = span->first_token; i < span->token_end; i++) /* positions are counted without it, too */
        if (tokens[i].start >= span->start + from && tokens[i].start < span->start + to)
            tokens[i].kind = LINT_COMMENT;
    return true;
}

static bool is_table_statement(const struct lint_file *file, const struct lint_span *span) {
    for (size_t i = span->first_token, words = 0; i < span->token_end && words < 4; i++) {
        const struct lint_token *token = &file->scan.tokens[i];
        if (token->kind == LINT_COMMENT)
            continue;
        if (words == 0 && !pgc__lint_token_is(file->text, token, "create") &&
            !pgc__lint_token_is(file->text, token, "alter"))
            return false;
        if (pgc__lint_token_is(file->text, token, "table"))
            return true;
        words++;
    }
    return false;
}

/* Parses; what the grammar refuses inside a table's definition is left out, so that the rest is checked. */
static enum pgc_code parse(struct lint_file *file, struct lint_statement *statement, struct pgc_error *err) {
    const struct lint_span *span = &statement->span;
    size_t len = span->end - span->start;
    PGC_AUTO_FREE char *sql = malloc(len + 1);
    if (sql == NULL)
        return pgc_fail_nomem(err);
    memcpy(sql, file->text + span->start, len);
    sql[len] = '\0';
    blank_meta(file, span, sql);
    enum pgc_code code = pgc__lint_parse(sql, len, &statement->tree, err);
    bool plain = code == PGC_OK && statement->tree.failed && plain_variables(file, span, sql);
    plain |= code == PGC_OK && statement->tree.failed && plain_placeholders(sql, len);
    if (plain)
        code = pgc__lint_parse(sql, len, &statement->tree, err);
    if (code != PGC_OK || !statement->tree.failed)
        return code;
    struct lint_tree first = statement->tree;
    statement->error_at = span->start + first.error_at;
    bool worthwhile = is_table_statement(file, span);
    for (int i = 0; i < RECOVERIES_MAX && worthwhile && code == PGC_OK && statement->tree.failed; i++) {
        if (!leave_out(file, span, statement->tree.error_at, sql))
            break;
        pgc__lint_tree_release(&statement->tree);
        code = pgc__lint_parse(sql, len, &statement->tree, err);
    }
    statement->recovered = !statement->tree.failed;
    statement->tree.failed = true;
    memcpy(statement->tree.error_text, first.error_text, sizeof first.error_text);
    pgc__lint_tree_release(&first);
    return code;
}

static enum pgc_code parse_all(struct lint_file *file, struct pgc_error *err) {
    enum pgc_code code = pgc__lint_scan(file->text, file->len, &file->scan, err);
    if (code == PGC_OK)
        code = pgc__lint_directives(file->text, &file->scan, &file->directives, err);
    if (code != PGC_OK || file->scan.statement_count == 0)
        return code;
    file->statements = calloc(file->scan.statement_count, sizeof *file->statements);
    if (file->statements == NULL)
        return pgc_fail_nomem(err);
    for (; code == PGC_OK && file->count < file->scan.statement_count; file->count++) {
        struct lint_statement *statement = &file->statements[file->count];
        statement->span = file->scan.statements[file->count];
        statement->tree.kind = "";
        statement->ignored =
            file->directives.down != NULL && file->directives.down[file->count] && !file->options->include_down;
        if (!statement->ignored)
            code = parse(file, statement, err);
    }
    return code;
}

/* A statement that cannot run in a transaction, or one that begins or ends it: then pgc migrate makes none. */
static bool wants_none(const struct lint_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        const struct lint_statement *statement = &file->statements[i];
        const char *kind =
            strcmp(statement->tree.kind, "TransactionStmt") == 0 ? pgc__lint_field(statement->tree.node, "kind") : "";
        if (pgc__lint_needs_no_transaction(file, statement) != NULL ||
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
    case PGC_LINT_TX_LIKELY:
        return file->directives.marker == LINT_MARKER_TRANSACTION ||
               (file->directives.marker == LINT_MARKER_NONE && !wants_none(file));
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

static enum pgc_code add_created(struct lint_file *file, const struct pgc_json *range, size_t statement,
                                 struct pgc_error *err) {
    if (range == NULL)
        return PGC_OK;
    if (!pgc_array_grow(&file->created, &file->created_cap, file->created_count + 1, sizeof *file->created))
        return pgc_fail_nomem(err);
    file->created[file->created_count++] =
        (struct lint_created) { pgc__lint_field(range, "schemaname"), pgc__lint_field(range, "relname"), statement };
    return PGC_OK;
}

static int by_name(const void *a, const void *b) {
    const struct lint_created *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->statement > y->statement) - (x->statement < y->statement);
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

static enum pgc_code find_created(struct lint_file *file, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < file->count; i++)
        code = add_created(file, creates(&file->statements[i].tree), i, err);
    if (code != PGC_OK || file->created_count == 0)
        return code;
    qsort(file->created, file->created_count, sizeof *file->created, by_name);
    return PGC_OK;
}

enum pgc_code pgc__lint_file_read(struct lint_file *file, struct pgc_error *err) {
    file->pg_version = file->options->pg_version > 0 ? file->options->pg_version : 15;
    enum pgc_code code = index_lines(file, err);
    if (code == PGC_OK)
        code = parse_all(file, err);
    if (code != PGC_OK)
        return code;
    find_transactions(file);
    return find_created(file, err);
}

void pgc__lint_file_release(struct lint_file *file) {
    for (size_t i = 0; i < file->scan.statement_count && file->statements != NULL; i++)
        pgc__lint_tree_release(&file->statements[i].tree);
    free(file->statements);
    free(file->created);
    free(file->lines);
    pgc__lint_directives_release(&file->directives);
    pgc__lint_scan_release(&file->scan);
}
