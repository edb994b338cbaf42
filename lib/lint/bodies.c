#include "lint/bodies.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/text.h"
#include "lint/file.h"
#include "lint/literal.h"
#include "lint/statement.h"

#define DEPTH_MAX 4 /* DO in EXECUTE in DO ... */

/* A body under way. */
struct body {
    struct lint_file *file;
    size_t parent;         /* the statement whose body it is */
    struct pgc_scan *scan; /* owned by the file */
    size_t from, to;       /* in file->text */
    bool add;              /* its statements join the file */
    bool has_fault;        /* the first statement that the grammar refuses: where, and what it says */
    size_t fault_at;
    char fault[256];
    struct lint_directives *inner;
    struct pgc_error *err;
};

static enum pgc_code new_scan(struct body *b) {
    struct lint_file *file = b->file;
    if (!pgc_array_grow(&file->bodies, &file->body_cap, file->body_count + 1, sizeof(struct pgc_scan *)))
        return pgc_fail_nomem(b->err);
    b->scan = calloc(1, sizeof *b->scan);
    if (b->scan == NULL)
        return pgc_fail_nomem(b->err);
    file->bodies[file->body_count++] = b->scan;
    enum pgc_code code = PGC_OK;
    struct pgc_token token;
    for (size_t at = b->from; code == PGC_OK && pgc_token_next(file->text, b->to, &at, true, &token);)
        code = pgc_scan_add_token(b->scan, token, b->err);
    return code;
}

static bool is_word(const struct body *b, size_t token, const char *word) {
    return token < b->scan->token_count && pgc_token_is(b->file->text, &b->scan->tokens[token], word);
}

static bool is_punct(const struct body *b, size_t token, char c) {
    return token < b->scan->token_count && pgc_token_is_punct(b->file->text, &b->scan->tokens[token], c);
}

/* The next token that is no comment. */
static size_t next(const struct body *b, size_t token) {
    do
        token++;
    while (token < b->scan->token_count && b->scan->tokens[token].kind == PGC_TOKEN_COMMENT);
    return token;
}

/* The semicolon outside of parentheses that ends what stands here, or the end of the body. */
static size_t end_of(const struct body *b, size_t token) {
    for (int depth = 0; token < b->scan->token_count; token++) {
        depth += is_punct(b, token, '(') - is_punct(b, token, ')');
        if (is_punct(b, token, ';') && depth <= 0)
            break;
    }
    return token;
}

/* Behind the word outside of parentheses and CASE expressions, or behind the next semicolon. */
static size_t behind(const struct body *b, size_t token, const char *word) {
    int depth = 0, cases = 0;
    for (; token < b->scan->token_count; token++) {
        depth += is_punct(b, token, '(') - is_punct(b, token, ')');
        cases += is_word(b, token, "case") - (cases > 0 && is_word(b, token, "end"));
        if (is_punct(b, token, ';') || (depth <= 0 && cases == 0 && is_word(b, token, word)))
            return token + 1;
    }
    return token;
}

static void note_fault(struct body *b, const struct lint_statement *statement, const struct lint_tree *tree) {
    if (b->has_fault)
        return;
    b->has_fault = true;
    b->fault_at = statement->span.start + tree->error_at;
    memcpy(b->fault, tree->error_text, sizeof b->fault);
}

static enum pgc_code add_fault(struct body *b, size_t at, const char *text) {
    struct lint_statement fault = { .span = b->file->statements[b->parent].span,
                                    .scan = b->file->statements[b->parent].scan,
                                    .parent = b->parent,
                                    .error_at = at,
                                    .body_failed = true,
                                    .tree = { .kind = "", .failed = true } };
    snprintf(fault.tree.error_text, sizeof fault.tree.error_text, "%s", text);
    return pgc__lint_add_statement(b->file, &fault, b->err);
}

/* Parses the tokens [first, end) as one statement of the file; what the grammar refuses is only noted. */
static enum pgc_code add_statement(struct body *b, size_t first, size_t end, bool plpgsql, size_t *place) {
    size_t before = b->scan->statement_count;
    *place = LINT_NOWHERE;
    enum pgc_code code = pgc_scan_add_statement(b->scan, first, end, b->err);
    if (code != PGC_OK || b->scan->statement_count == before)
        return code;
    struct lint_statement statement = { .span = b->scan->statements[before],
                                        .scan = b->scan,
                                        .parent = b->parent,
                                        .plpgsql = plpgsql,
                                        .tree = { .kind = "" } };
    code = pgc__lint_statement_parse(b->file, &statement, b->err);
    bool wanted = code == PGC_OK && b->add && statement.tree.node != NULL;
    if (code == PGC_OK && statement.tree.failed && !statement.recovered)
        note_fault(b, &statement, &statement.tree);
    if (wanted)
        code = pgc__lint_add_statement(b->file, &statement, b->err);
    if (!wanted || code != PGC_OK) {
        pgc__lint_tree_release(&statement.tree);
        return code;
    }
    *place = b->file->count - 1;
    return pgc__lint_bodies(b->file, *place, b->inner, b->err);
}

/* --- EXECUTE 'constant' ----------------------------------------------------------------------------------------- */

/* What is between the quotes, statement by statement. */
static enum pgc_code take_constant(const struct body *outer, size_t token) {
    struct body b = *outer;
    b.has_fault = false;
    bool known;
    enum pgc_code code = pgc__lint_literal(b.file, &outer->scan->tokens[token], &known, &b.from, &b.to, b.err);
    if (code != PGC_OK || !known)
        return code;
    code = new_scan(&b);
    size_t place;
    for (size_t i = 0; code == PGC_OK && i < b.scan->token_count;) {
        size_t end = end_of(&b, i);
        code = add_statement(&b, i, end, false, &place);
        i = end + 1;
    }
    return code == PGC_OK && b.has_fault ? add_fault(&b, b.fault_at, b.fault) : code;
}

/* A constant string is the whole command when nothing but INTO or USING follows. */
static enum pgc_code take_execute(struct body *b, size_t token) {
    size_t string = next(b, token), after = next(b, string);
    bool constant = string < b->scan->token_count && b->scan->tokens[string].kind == PGC_TOKEN_STRING &&
                    (after >= b->scan->token_count || is_punct(b, after, ';') || is_word(b, after, "into") ||
                     is_word(b, after, "using"));
    return constant && b->add ? take_constant(b, string) : PGC_OK;
}

/* --- PL/pgSQL --------------------------------------------------------------------------------------------------- */

/* An SQL command that rules may be interested in; `set := 1` assigns to a variable of that name. */
static bool is_command(const struct body *b, size_t token) {
    static const char *const commands[] = { "alter",    "call",    "cluster",  "comment", "create", "delete",
                                            "do",       "drop",    "grant",    "import",  "insert", "lock",
                                            "merge",    "perform", "refresh",  "reindex", "reset",  "revoke",
                                            "security", "set",     "truncate", "update",  "vacuum", "with" };
    size_t after = next(b, token);
    if (is_punct(b, after, ':') || is_punct(b, after, '=') || is_punct(b, after, '.') || is_punct(b, after, '['))
        return false;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (is_word(b, token, commands[i]))
            return true;
    return false;
}

/* Where the statement behind a piece of PL/pgSQL's own syntax begins; the same token when none stands here. */
static size_t skip_syntax(const struct body *b, size_t i, bool *declaring) {
    static const char *const one[] = { "begin", "loop", "else", "exception" };
    static const char *const conditions[] = { "if", "elsif", "elseif", "when" };
    static const char *const loops[] = { "while", "for", "foreach" };
    if (b->scan->tokens[i].kind == PGC_TOKEN_COMMENT || is_punct(b, i, ';'))
        return i + 1;
    if (is_punct(b, i, '#')) /* #variable_conflict use_column */
        return i + 3;
    if (is_punct(b, i, '<')) { /* <<label>> */
        while (i < b->scan->token_count && !is_punct(b, i, '>'))
            i++;
        return i + 2;
    }
    *declaring = (*declaring || is_word(b, i, "declare")) && !is_word(b, i, "begin");
    if (*declaring)
        return is_word(b, i, "declare") ? i + 1 : end_of(b, i) + 1;
    for (size_t w = 0; w < sizeof one / sizeof one[0]; w++)
        if (is_word(b, i, one[w]))
            return i + 1;
    for (size_t w = 0; w < sizeof conditions / sizeof conditions[0]; w++)
        if (is_word(b, i, conditions[w]))
            return behind(b, i, "then");
    for (size_t w = 0; w < sizeof loops / sizeof loops[0]; w++)
        if (is_word(b, i, loops[w]))
            return behind(b, i, "loop");
    return is_word(b, i, "case") ? behind(b, i + 1, "then") : i;
}

/* Comments of the body; its statements are numbered by `places`. */
static enum pgc_code take_comments(struct body *b, const size_t *places) {
    struct lint_directives own = { 0 };
    enum pgc_code code = pgc__lint_directives(b->file->text, b->scan, &own, b->err);
    for (size_t i = 0; i < own.silence_count; i++) {
        size_t *statement = &own.silences[i].statement;
        *statement = *statement == LINT_WHOLE_FILE           ? b->parent
                     : *statement < b->scan->statement_count ? places[*statement]
                                                             : LINT_NOWHERE - 1;
    }
    if (code == PGC_OK)
        code = pgc__lint_directives_join(b->inner, &own, b->err);
    pgc__lint_directives_release(&own);
    return code;
}

static enum pgc_code take_plpgsql(struct body *b) {
    enum pgc_code code = new_scan(b);
    PGC_AUTO_FREE size_t *places = calloc(b->scan == NULL ? 1 : b->scan->token_count + 1, sizeof *places);
    if (code == PGC_OK && places == NULL)
        return pgc_fail_nomem(b->err);
    bool declaring = false;
    for (size_t i = 0; code == PGC_OK && i < b->scan->token_count;) {
        size_t begin = skip_syntax(b, i, &declaring), end = end_of(b, begin);
        if (begin != i) {
            i = begin;
            continue;
        }
        size_t place = LINT_NOWHERE, before = b->scan->statement_count;
        if (is_word(b, i, "execute"))
            code = take_execute(b, i);
        else if (is_command(b, i))
            code = add_statement(b, i, end, true, &place);
        if (b->scan->statement_count > before)
            places[before] = place;
        i = end + 1;
    }
    return code == PGC_OK && b->add ? take_comments(b, places) : code;
}

/* --- faults ----------------------------------------------------------------------------------------------------- */

/* PL/pgSQL tells a line and quotes a word: the word from that line on, else the line's first token. */
static size_t locate(const struct body *b, const struct lint_tree *fault) {
    if (b->has_fault && strcmp(b->fault, fault->error_text) == 0)
        return b->fault_at;
    size_t line = 1, from = b->from;
    for (; line < fault->error_line && from < b->to; from++)
        line += b->file->text[from] == '\n';
    const char *open = strchr(fault->error_text, '"'), *close = open == NULL ? NULL : strchr(open + 1, '"');
    size_t first = b->to;
    for (size_t i = 0; i < b->scan->token_count; i++) {
        const struct pgc_token *token = &b->scan->tokens[i];
        if (token->start < from)
            continue;
        if (first == b->to)
            first = token->start;
        if (close != NULL && token->len == (size_t)(close - open - 1) &&
            memcmp(b->file->text + token->start, open + 1, token->len) == 0)
            return token->start;
    }
    return first;
}

/* The parser knows no types but those of the language itself, so that it takes a cursor for an unknown variable, and the result
 * of a function for one that needs an expression: what it says about anything but syntax may be wrong. */
static bool is_syntax(const struct body *b, const char *message, size_t at) {
    static const char *const sure[] = { "syntax error",
                                        "missing \"",
                                        "unterminated",
                                        "mismatched parentheses",
                                        "too few parameters specified for RAISE",
                                        "too many parameters specified for RAISE" };
    for (size_t i = 1; i < b->scan->token_count; i++) /* FOR r IN cursor LOOP */
        if (b->scan->tokens[i].start == at && is_word(b, i - 1, "in"))
            return false;
    for (size_t i = 0; i < sizeof sure / sizeof sure[0]; i++)
        if (pgc_text_starts(message, sure[i]))
            return true;
    return false;
}

static enum pgc_code check_plpgsql(struct body *b) {
    struct lint_statement *statement = &b->file->statements[b->parent];
    PGC_AUTO_FREE char *sql = pgc__lint_statement_sql(b->file, statement);
    if (sql == NULL)
        return pgc_fail_nomem(b->err);
    struct lint_tree fault;
    enum pgc_code code = pgc__lint_parse_plpgsql(sql, strlen(sql), &fault, b->err);
    if (code == PGC_OK && fault.failed && pgc__lint_plain(b->file, statement, sql))
        code = pgc__lint_parse_plpgsql(sql, strlen(sql), &fault, b->err);
    size_t at = fault.failed ? locate(b, &fault) : 0;
    bool sure = code == PGC_OK && fault.failed && is_syntax(b, fault.error_text, at);
    return sure ? add_fault(b, at, fault.error_text) : code;
}

static enum pgc_code check_sql(struct body *b) {
    PGC_AUTO_FREE char *sql = strndup(b->file->text + b->from, b->to - b->from);
    if (sql == NULL)
        return pgc_fail_nomem(b->err);
    struct lint_tree tree;
    enum pgc_code code = pgc__lint_parse(sql, b->to - b->from, &tree, b->err);
    if (code == PGC_OK && tree.failed && pgc__lint_plain_placeholders(sql, b->to - b->from))
        code = pgc__lint_parse(sql, b->to - b->from, &tree, b->err);
    if (code == PGC_OK && tree.failed && !tree.too_deep)
        code = add_fault(b, b->from + tree.error_at, tree.error_text);
    pgc__lint_tree_release(&tree);
    return code;
}

/* --- which body ------------------------------------------------------------------------------------------------- */

static const char *language_of(const struct lint_statement *statement, const char *list, const char *fallback) {
    const struct pgc_json *options = pgc_json_get(statement->tree.node, list);
    for (size_t i = 0; i < pgc_json_count(options); i++) {
        const struct pgc_json *option = pgc__lint_node_as(pgc_json_at(options, i), "DefElem");
        const char *name = pgc__lint_string(pgc_json_get(option, "arg"));
        if (pgc__lint_field_is(option, "defname", "language") && name != NULL)
            return name;
    }
    return fallback;
}

/* The constant that holds the body: in DO the one that names no language, else the one behind AS. */
static const struct pgc_token *body_token(const struct lint_file *file, const struct lint_statement *statement,
                                          bool is_do) {
    const struct pgc_token *tokens = statement->scan->tokens, *last = NULL;
    int depth = 0;
    for (size_t i = statement->span.first_token; i < statement->span.token_end; i++) {
        depth += pgc_token_is_punct(file->text, &tokens[i], '(') - pgc_token_is_punct(file->text, &tokens[i], ')');
        if (tokens[i].kind == PGC_TOKEN_COMMENT)
            continue;
        bool fits = last != NULL && depth == 0 && pgc_token_is(file->text, last, is_do ? "language" : "as") != is_do;
        if (tokens[i].kind == PGC_TOKEN_STRING && fits)
            return &tokens[i];
        last = &tokens[i];
    }
    return NULL;
}

static size_t depth_of(const struct lint_file *file, size_t index) {
    size_t depth = 0;
    for (; file->statements[index].parent != LINT_NOWHERE; index = file->statements[index].parent)
        depth++;
    return depth;
}

enum pgc_code pgc__lint_bodies(struct lint_file *file, size_t index, struct lint_directives *inner,
                               struct pgc_error *err) {
    const struct lint_statement *statement = &file->statements[index];
    bool is_do = strcmp(statement->tree.kind, "DoStmt") == 0;
    if ((!is_do && strcmp(statement->tree.kind, "CreateFunctionStmt") != 0) || depth_of(file, index) >= DEPTH_MAX)
        return PGC_OK;
    const char *language = language_of(statement, is_do ? "args" : "options", is_do ? "plpgsql" : "");
    bool plpgsql = strcmp(language, "plpgsql") == 0;
    const struct pgc_token *token = body_token(file, statement, is_do);
    if (token == NULL || (!plpgsql && strcmp(language, "sql") != 0))
        return PGC_OK;
    struct body b = { .file = file, .parent = index, .add = is_do, .inner = inner, .err = err };
    bool known;
    enum pgc_code code = pgc__lint_literal(file, token, &known, &b.from, &b.to, err);
    if (code != PGC_OK || !known)
        return code;
    if (!plpgsql)
        return check_sql(&b);
    code = take_plpgsql(&b);
    return code == PGC_OK ? check_plpgsql(&b) : code;
}
