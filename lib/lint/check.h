#ifndef PGC_LINT_CHECK_H
#define PGC_LINT_CHECK_H
/* What a rule's check function gets, may ask, and how it reports.
 *
 * Recipe: a new rule
 *   1. one entry {id, name, severity, summary, why, safe, check} in the table of its theme (lint/rules_*.c);
 *   2. tests/golden/lint/<id>.sql with `-- expect: <id> <line>` comments, good and bad statements;
 *   3. docs/lint.md is written by `pgc lint rules --markdown`.
 *
 *     static void check_truncate(struct lint_check *check) {
 *         if (lint_is(check, "TruncateStmt") && pgc__lint_field_is(check->node, "behavior", "DROP_CASCADE"))
 *             pgc__lint_report(check, NULL, check->statement->span.start, "truncates tables that are not named");
 *     }
 *
 * A check looks at one statement and may look back and ahead in check->file. It cannot fail: when there is no
 * memory for a finding, the file remembers that and pgc_lint_text returns it. */
#include <string.h>

#include "base/buf.h"
#include "lint/ast.h"
#include "lint/directives.h"
#include "script/scan.h"
#include <pgc/lint.h>

#define LINT_NOWHERE ((size_t)-1)

/* A statement of the file, or one in the body of a DO block, which then follows that. */
struct lint_statement {
    struct pgc_scan_statement span; /* of lint_file.text; tokens of `scan` */
    struct pgc_scan *scan;          /* borrowed */
    struct lint_tree tree;
    size_t parent;       /* the statement whose body it is in, LINT_NOWHERE: none */
    bool plpgsql;        /* it stands in PL/pgSQL */
    bool body_failed;    /* no statement, but a fault in the body of `parent` */
    bool has_template;   /* it can be parsed only without its placeholders, if at all */
    bool ignored;        /* in a down part, or the transaction control of none of our business */
    bool recovered;      /* parsed after parts that the grammar refused were left out */
    size_t error_at;     /* byte of the file, when tree.failed or recovered */
    bool in_transaction; /* runs inside a transaction block, an explicit one or the tool's */
    bool in_block;       /* the file itself has opened the block */
    size_t transaction;  /* equal numbers: same transaction */
};

/* A relation that a statement of the file creates, sorted by name. */
struct lint_created {
    const char *schema; /* "" when not given */
    const char *name;
    size_t statement;
    bool perhaps; /* IF NOT EXISTS, or in a DO block: it may have been there before */
};

/* Text of a string constant with its quotes resolved, behind the text of the file. */
struct lint_decoded {
    size_t start, len; /* in lint_file.text */
    size_t origin;     /* byte of the constant's first character, also in lint_file.text */
    bool escapes;      /* an E'' constant */
};

/* What is wrong with the bytes of the file. */
struct lint_encoding {
    const char *problem; /* NULL: nothing */
    size_t at;
    bool fatal; /* it cannot be run in any encoding */
};

struct lint_file {
    const struct pgc_lint_options *options;
    const char *name;
    const char *text;
    size_t len;         /* of the file; decoded strings follow */
    struct pgc_buf own; /* storage of text when it is a copy */
    struct lint_encoding encoding;
    struct lint_decoded *decoded;
    size_t decoded_count, decoded_cap;
    struct pgc_scan scan;
    struct pgc_scan **bodies; /* of DO blocks and functions */
    size_t body_count, body_cap;
    struct lint_directives directives;
    struct lint_statement *statements;
    size_t count, cap;
    struct lint_created *created;
    size_t created_count, created_cap;
    size_t *lines; /* byte where each line starts */
    size_t line_count, line_cap;
    int pg_version;
    bool assumed; /* a tool wraps the file in a transaction */
    struct pgc_lint_findings *out;
    enum pgc_code failed;
};

struct lint_check {
    struct lint_file *file;
    const struct pgc_lint_rule *rule;
    enum pgc_lint_severity severity;
    const struct lint_statement *statement;
    size_t index;                /* of the statement */
    const struct pgc_json *node; /* fields of the statement */
    size_t reported;             /* findings of this rule in this file so far */
};

static inline bool lint_is(const struct lint_check *check, const char *kind) {
    return strcmp(check->statement->tree.kind, kind) == 0;
}

/* Reports at a byte of the file. `table` is the RangeVar it is about, or NULL: rules with PGC_LINT_NEW_TABLE_OK are
 * silent about tables that the file has created before, or that the server does not have yet. */
void pgc__lint_report(struct lint_check *check, const struct pgc_json *table, size_t offset, const char *format, ...)
    PGC_PRINTF(4, 5);

/* What the server says about the table, under the name that it has there; false when nobody can tell. schema "": none. */
bool pgc__lint_on_server(const struct lint_check *check, const char *schema, const char *name,
                         struct pgc_lint_table *out);
/* The name that the server knows the table by, before what this run renames; schema "": search_path. */
void pgc__lint_old_name(const struct lint_check *check, const char **schema, const char **name);

/* Byte in the file of a node's "location", or of the statement when it has none. */
size_t pgc__lint_offset(const struct lint_check *check, const struct pgc_json *fields);

/* Names. "s.t" of a RangeVar for messages; cut when very long. */
struct lint_text {
    char text[200];
};
struct lint_text pgc__lint_table_text(const struct pgc_json *range);
/* Same relation, as far as the file tells: names equal, schemas equal or one not given. */
bool pgc__lint_same_table(const struct pgc_json *a, const struct pgc_json *b);
/* A list of names, [s,] t, as it stands in DROP: schema "" when not given. False when it is no list of names. */
bool pgc__lint_split_name(const struct pgc_json *names, const char **schema, const char **name);
/* Was the relation created by an earlier statement of the file? Of the same transaction? */
bool pgc__lint_is_new(const struct lint_check *check, const char *schema, const char *name);
bool pgc__lint_is_new_here(const struct lint_check *check, const char *schema, const char *name);

/* The built-in type's own name ("int4", "varchar", "serial"), "" for others. Takes a TypeName's fields. */
const char *pgc__lint_type(const struct pgc_json *type);
bool pgc__lint_type_in(const struct pgc_json *type, const char *words); /* words separated by blanks */
bool pgc__lint_word_in(const char *word, const char *words);

/* Actions of ALTER TABLE, one after the other; only for real tables. Start with a zeroed struct. */
struct lint_alter {
    size_t index;                 /* the next action */
    const struct pgc_json *table; /* RangeVar */
    const struct pgc_json *cmd;
    const char *subtype;        /* "AT_AddColumn" */
    const char *name;           /* column or constraint, "" when none */
    const struct pgc_json *def; /* fields of its definition */
    size_t offset;              /* where the action begins */
};
bool pgc__lint_next_alter(const struct lint_check *check, struct lint_alter *alter);
bool pgc__lint_next_alter_of(const struct lint_file *file, const struct lint_statement *statement,
                             struct lint_alter *alter);

/* Columns that the statement defines: CREATE [FOREIGN] TABLE, ADD COLUMN, and ALTER COLUMN TYPE (is_change). */
struct lint_column {
    size_t next;
    struct lint_alter alter;
    const struct pgc_json *table;
    const struct pgc_json *def;  /* ColumnDef */
    const struct pgc_json *type; /* TypeName */
    const char *name;
    size_t offset; /* of the column */
    bool is_create, is_change;
};
bool pgc__lint_next_column(const struct lint_check *check, struct lint_column *column);
/* The column's constraint of that kind ("CONSTR_NOTNULL"), NULL when it has none. */
const struct pgc_json *pgc__lint_column_constraint(const struct pgc_json *def, const char *kind);

/* Constraints that ALTER TABLE adds, by ADD CONSTRAINT or with ADD COLUMN. */
struct lint_constraint {
    struct lint_alter alter;
    bool in_column;
    size_t next; /* in the column's list */
    const struct pgc_json *fields;
    const char *kind; /* "CONSTR_CHECK" */
    const char *name; /* "" when not given */
    size_t offset;
};
bool pgc__lint_next_constraint(const struct lint_check *check, struct lint_constraint *constraint);

/* What the statement is called when PostgreSQL refuses it in a transaction block ("VACUUM"); NULL when it does not. */
const char *pgc__lint_needs_no_transaction(const struct lint_file *file, const struct lint_statement *statement);

/* The value of a boolean option list (VACUUM, REINDEX): absent false, without value true. */
bool pgc__lint_option_on(const struct pgc_json *options, const char *name);
#endif
