#ifndef PGC_LINT_AST_H
#define PGC_LINT_AST_H
/* One statement's raw parse tree; the only home of <pg_query.h>.
 *
 * The tree is libpg_query's JSON: an object with one key, the node's type, and its fields below, for instance
 * {"AlterTableStmt":{"relation":{...},"cmds":[{"AlterTableCmd":{...}}]}}. Fields with default values (0, false,
 * empty) are absent. Every "location" counts bytes from the start of the text given. */
#include "base/json.h"

struct lint_tree {
    struct pgc_json *doc;        /* owned; NULL when nothing was parsed */
    const struct pgc_json *node; /* fields of the statement, NULL when there is no statement */
    const char *kind;            /* "AlterTableStmt"; "" when node is NULL */
    bool failed;                 /* the grammar refused the text */
    size_t error_at;             /* byte, when failed */
    size_t error_line;           /* of the body, from 1, when PL/pgSQL failed: the fault is there or behind it */
    bool too_deep;               /* failed, but only because the tree is nested deeper than it can be read */
    char error_text[256];        /* the parser's message, when failed */
};

/* PGC_OK also for text with a syntax error. Bytes that are not UTF-8 count as underscores, NULs as question marks. */
PGC_MUST_USE enum pgc_code pgc__lint_parse(const char *sql, size_t len, struct lint_tree *out, struct pgc_error *err);
/* Is the body of a CREATE FUNCTION or DO in PL/pgSQL well-formed? Only failed, error_text and error_line are filled. */
PGC_MUST_USE enum pgc_code pgc__lint_parse_plpgsql(const char *sql, size_t len, struct lint_tree *out,
                                                   struct pgc_error *err);
void pgc__lint_tree_release(struct lint_tree *tree);

/* {"String":{"sval":"x"}} -> type "String" and its fields. NULL-safe: type "" and fields NULL. */
const char *pgc__lint_node_type(const struct pgc_json *node);
const struct pgc_json *pgc__lint_node_fields(const struct pgc_json *node);
/* Fields of the node when it has that type, else NULL. */
const struct pgc_json *pgc__lint_node_as(const struct pgc_json *node, const char *type);
/* Text of a String node; NULL when it is none. */
const char *pgc__lint_string(const struct pgc_json *node);
/* The last String of a list of names, NULL when empty; and how many there are. */
const char *pgc__lint_last_name(const struct pgc_json *names);
/* The field as text, "" when absent. */
const char *pgc__lint_field(const struct pgc_json *fields, const char *key);
bool pgc__lint_field_is(const struct pgc_json *fields, const char *key, const char *value);
#endif
