#include "lint/statement.h"

#include <ctype.h>
#include <stdlib.h>

#define RECOVERIES_MAX 16

static void blank(char *sql, size_t from, size_t to) {
    for (size_t at = from; at < to; at++)
        if (sql[at] != '\n')
            sql[at] = ' ';
}

/* psql's commands inside a statement are not SQL. */
static void blank_meta(const struct lint_statement *statement, char *sql) {
    const struct pgc_token *tokens = statement->scan->tokens;
    size_t start = statement->span.start;
    for (size_t i = statement->span.first_token; i < statement->span.token_end; i++)
        if (tokens[i].kind == PGC_TOKEN_META)
            blank(sql, tokens[i].start - start, tokens[i].start + tokens[i].len - start);
}

/* psql's variables :name, :'name', :"name" become a name, a string, a quoted name. True when there were any. */
static bool plain_variables(const struct lint_file *file, const struct lint_statement *statement, char *sql) {
    bool found = false;
    const struct pgc_token *tokens = statement->scan->tokens;
    for (size_t i = statement->span.first_token; i + 1 < statement->span.token_end; i++) {
        char before = tokens[i].start > 0 ? file->text[tokens[i].start - 1] : ' ';
        if (!pgc_token_is_punct(file->text, &tokens[i], ':') || before == ':' ||
            tokens[i + 1].start != tokens[i].start + 1 || tokens[i + 1].kind > PGC_TOKEN_STRING)
            continue;
        sql[tokens[i].start - statement->span.start] = ' ';
        found = true;
    }
    return found;
}

/* The targets of INTO in PL/pgSQL: names and commas behind an INTO that belongs to no INSERT or MERGE. */
static void blank_into(const struct lint_file *file, const struct lint_statement *statement, char *sql) {
    const struct pgc_token *tokens = statement->scan->tokens;
    size_t start = statement->span.start, i = statement->span.first_token, end = statement->span.token_end;
    int depth = 0;
    for (; i < end; i++) {
        depth += pgc_token_is_punct(file->text, &tokens[i], '(') - pgc_token_is_punct(file->text, &tokens[i], ')');
        if (depth == 0 && i > statement->span.first_token && pgc_token_is(file->text, &tokens[i], "into") &&
            !pgc_token_is(file->text, &tokens[i - 1], "insert") && !pgc_token_is(file->text, &tokens[i - 1], "merge"))
            break;
    }
    bool name_next = true;
    for (size_t first = i; i < end; i++) {
        bool joins = pgc_token_is_punct(file->text, &tokens[i], '.') || pgc_token_is_punct(file->text, &tokens[i], ',');
        bool is_name = tokens[i].kind == PGC_TOKEN_WORD || tokens[i].kind == PGC_TOKEN_QUOTED;
        if (i > first && !joins && !(is_name && name_next))
            break;
        name_next = i == first || joins || pgc_token_is(file->text, &tokens[i], "strict");
        blank(sql, tokens[i].start - start, tokens[i].start + tokens[i].len - start);
    }
}

/* What PL/pgSQL writes otherwise than SQL, in the same length. */
static void plain_plpgsql(const struct lint_file *file, const struct lint_statement *statement, char *sql) {
    if (pgc_token_is(file->text, &statement->scan->tokens[statement->span.first_token], "perform"))
        memcpy(sql, "select ", strlen("select "));
    blank_into(file, statement, sql);
}

/* Placeholders of migration tools, ${name} and {{ name }}, become names of the same length, or blanks. */
static bool replace_placeholders(char *sql, size_t len, bool blanks) {
    bool found = false;
    for (size_t at = 0; at + 1 < len; at++) {
        bool dollar = sql[at] == '$' && sql[at + 1] == '{', braces = sql[at] == '{' && sql[at + 1] == '{';
        char *end = dollar || braces ? memmem(sql + at, len - at, dollar ? "}" : "}}", dollar ? 1 : 2) : NULL;
        if (end == NULL || memchr(sql + at, '\n', (size_t)(end - sql) - at) != NULL)
            continue;
        size_t stop = (size_t)(end - sql) + (dollar ? 1 : 2);
        for (; at < stop; at++)
            if (blanks || !isalnum((unsigned char)sql[at]))
                sql[at] = blanks ? ' ' : '_';
        found = true;
    }
    return found;
}

bool pgc__lint_plain_placeholders(char *sql, size_t len) {
    return replace_placeholders(sql, len, false);
}

static char punct(const struct lint_file *file, const struct pgc_token *token) {
    return token->kind == PGC_TOKEN_PUNCT ? file->text[token->start] : '\0';
}

/* Blanks the element of the outermost parentheses (a column, a constraint) that holds byte `at` of the statement, with
 * one comma beside it; outside of parentheses an action of ALTER TABLE that is not the first. False: no such element. */
static bool leave_out(struct lint_file *file, struct lint_statement *statement, size_t at, char *sql) {
    struct pgc_token *tokens = statement->scan->tokens;
    const struct pgc_scan_statement *span = &statement->span;
    size_t from = 0, to = span->end - span->start;
    int depth = 0, level = -1; /* level: of the list that the element is in, once byte `at` is reached */
    char before = '\0', after = '\0';
    for (size_t i = span->first_token; i < span->token_end && after == '\0'; i++) {
        char c = punct(file, &tokens[i]);
        size_t where = tokens[i].start - span->start;
        if (tokens[i].kind == PGC_TOKEN_COMMENT) /* also what was left out before */
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
            tokens[i].kind = PGC_TOKEN_COMMENT;
    return true;
}

static bool is_table_statement(const struct lint_file *file, const struct lint_statement *statement) {
    for (size_t i = statement->span.first_token, words = 0; i < statement->span.token_end && words < 4; i++) {
        const struct pgc_token *token = &statement->scan->tokens[i];
        if (token->kind == PGC_TOKEN_COMMENT)
            continue;
        if (words == 0 && !pgc_token_is(file->text, token, "create") && !pgc_token_is(file->text, token, "alter"))
            return false;
        if (pgc_token_is(file->text, token, "table"))
            return true;
        words++;
    }
    return false;
}

/* What the grammar refuses inside a table's definition is left out, so that the rest is checked. */
static enum pgc_code recover(struct lint_file *file, struct lint_statement *statement, char *sql, size_t len,
                             struct pgc_error *err) {
    struct lint_tree first = statement->tree;
    enum pgc_code code = PGC_OK;
    statement->error_at = statement->span.start + first.error_at;
    bool worthwhile = is_table_statement(file, statement);
    for (int i = 0; i < RECOVERIES_MAX && worthwhile && code == PGC_OK && statement->tree.failed; i++) {
        if (!leave_out(file, statement, statement->tree.error_at, sql))
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

char *pgc__lint_statement_sql(const struct lint_file *file, const struct lint_statement *statement) {
    size_t len = statement->span.end - statement->span.start;
    char *sql = malloc(len + 1);
    if (sql == NULL)
        return NULL;
    memcpy(sql, file->text + statement->span.start, len);
    sql[len] = '\0';
    blank_meta(statement, sql);
    if (statement->plpgsql)
        plain_plpgsql(file, statement, sql);
    return sql;
}

bool pgc__lint_plain(const struct lint_file *file, const struct lint_statement *statement, char *sql) {
    bool plain = plain_variables(file, statement, sql);
    return pgc__lint_plain_placeholders(sql, statement->span.end - statement->span.start) || plain;
}

/* A brace outside of quotes, which SQL does not have. */
static bool has_placeholder(const struct lint_file *file, const struct lint_statement *statement) {
    for (size_t i = statement->span.first_token; i < statement->span.token_end; i++) {
        const struct pgc_token *token = &statement->scan->tokens[i];
        if (token->start > 0 && pgc_token_is_punct(file->text, token, '{') &&
            (file->text[token->start - 1] == '$' || file->text[token->start - 1] == '{'))
            return true;
    }
    return false;
}

/* With nothing where the placeholders stand: they may be commands of a template engine. */
static enum pgc_code parse_bare(struct lint_file *file, struct lint_statement *statement, struct pgc_error *err) {
    PGC_AUTO_FREE char *sql = pgc__lint_statement_sql(file, statement);
    if (sql == NULL)
        return pgc_fail_nomem(err);
    statement->has_template = replace_placeholders(sql, strlen(sql), true);
    if (!statement->has_template)
        return PGC_OK;
    pgc__lint_tree_release(&statement->tree);
    return pgc__lint_parse(sql, strlen(sql), &statement->tree, err);
}

enum pgc_code pgc__lint_statement_parse(struct lint_file *file, struct lint_statement *statement,
                                        struct pgc_error *err) {
    size_t len = statement->span.end - statement->span.start;
    PGC_AUTO_FREE char *sql = pgc__lint_statement_sql(file, statement);
    if (sql == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc__lint_parse(sql, len, &statement->tree, err);
    if (code == PGC_OK && statement->tree.failed && pgc__lint_plain(file, statement, sql))
        code = pgc__lint_parse(sql, len, &statement->tree, err);
    if (code != PGC_OK || !statement->tree.failed)
        return code;
    if (has_placeholder(file, statement))
        code = parse_bare(file, statement, err);
    return code != PGC_OK || statement->has_template ? code : recover(file, statement, sql, len, err);
}
