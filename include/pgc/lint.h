#ifndef PGC_LINT_H
#define PGC_LINT_H
/* Finds statements in migrations that lock, rewrite, break or lose more than their author thinks: what `pgc lint` does.
 *
 *     struct pgc_lint_options options = { .pg_version = 15, .transaction = PGC_LINT_TX_AUTO };
 *     struct pgc_lint_findings found = { 0 };
 *     struct pgc_error err;
 *     enum pgc_code code = pgc_lint_text(&options, "001_users.sql", sql, len, &found, &err);
 *     for (size_t i = 0; code == PGC_OK && i < found.count; i++)
 *         printf("%s:%zu: %s: %s\n", found.items[i].file, found.items[i].line, found.items[i].message, found.items[i].rule->safe);
 *     pgc_lint_findings_release(&found);
 *
 * Pure: text in, findings out; what a server knows comes in through options.catalog. Zeroed options are the defaults.
 * Text that PostgreSQL 15's grammar does not accept is no failure but a finding of the rule syntax-error; the
 * statements around it are checked all the same. The parser is libpg_query, which catches errors of the
 * grammar by longjmp inside itself and keeps its state per thread: any number of threads may lint at once, each with
 * options and findings of its own. Link with -lpgc. */
#include <pgc/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pgc_lint_severity { PGC_LINT_OFF, PGC_LINT_INFO, PGC_LINT_WARNING, PGC_LINT_ERROR };

/* Does the tool that runs the file wrap it in a transaction? */
enum pgc_lint_transaction {
    PGC_LINT_TX_AUTO, /* yes when the file has a marker of a tool that does, else no */
    PGC_LINT_TX_NO,
    PGC_LINT_TX_YES,      /* a directive in the file that says otherwise still wins */
    PGC_LINT_TX_IMPLICIT, /* sent as one query: yes, unless the file begins or ends transactions itself (golang-migrate) */
    PGC_LINT_TX_LIKELY, /* yes, as pgc migrate does: unless a marker or a statement that cannot run in one says otherwise */
};

/* Rules are constants; pointers to them compare equal. */
struct lint_check;
struct pgc_lint_rule {
    const char *id;   /* squawk's name where squawk has the rule */
    const char *name; /* a title for people */
    enum pgc_lint_severity severity;
    const char *summary; /* what is detected, one line */
    const char *why;     /* what goes wrong */
    const char *safe;    /* what to do instead */
    const char *aliases; /* other names of the rule (Atlas codes, strong_migrations checks), separated by blanks */
    unsigned flags;
    void (*check)(struct lint_check *check); /* called once per statement; NULL: reported by the engine itself */
};
#define PGC_LINT_NEW_TABLE_OK 1u /* harmless on a table that the same change has created */
#define PGC_LINT_BY_SIZE      2u /* harm grows with the table: only info when the table is known to be small */

size_t pgc_lint_rule_count(void);
const struct pgc_lint_rule *pgc_lint_rule_at(size_t index); /* by theme, NULL past the end */
/* By id or alias, case-insensitively; NULL when there is none. */
const struct pgc_lint_rule *pgc_lint_rule_find(const char *name, size_t len);
/* Does `name` (an id, an alias, a group such as require-timeout-settings, or "all") mean this rule? */
bool pgc_lint_rule_matches(const struct pgc_lint_rule *rule, const char *name, size_t len);
const char *pgc_lint_severity_name(enum pgc_lint_severity severity); /* "error" */
bool pgc_lint_severity_parse(const char *text, enum pgc_lint_severity *out);

/* What the server knows about a table. */
struct pgc_lint_table {
    bool exists;
    int64_t rows; /* estimate of the planner, -1 when the table was never analysed */
    int64_t bytes;
};

/* The server's side, all NULL-safe; names come without quotes, schema NULL means search_path. */
struct pgc_lint_catalog {
    void *arg;
    struct pgc_lint_table (*table)(void *arg, const char *schema, const char *name);
    /* Type of a column as format_type() writes it, NULL when unknown. */
    const char *(*column_type)(void *arg, const char *schema, const char *table, const char *column);
    /* Kind of a constraint as in pg_constraint.contype ('f', 'c', ...), 0 when unknown. */
    char (*constraint_kind)(void *arg, const char *schema, const char *table, const char *constraint);
};

struct pgc_lint_options {
    int pg_version; /* major version of the target server; 0: 15 */
    enum pgc_lint_transaction transaction;
    const char *const *only; /* NULL-terminated names; NULL: all rules */
    const char *const *exclude;
    const char *const *severity; /* "rule=level", level off, info, warning or error; NULL: as the rules say */
    bool lock_timeout_set;       /* the runner sets lock_timeout before the file */
    bool statement_timeout_set;
    bool include_down;            /* also check the down part of files that have both */
    int64_t small_table_bytes;    /* with a catalog: tables below this are small; 0: 1 MiB, < 0: none is */
    enum pgc_lint_severity least; /* findings below this are left out; OFF: none is */
    const char *const *naming;    /* "kind=regex" or "regex" (POSIX extended) for the rule naming-convention */
    const struct pgc_lint_catalog *catalog;
};

/* PGC_E_USAGE when a name in only, exclude, severity or naming is unknown or malformed. */
PGC_MUST_USE enum pgc_code pgc_lint_options_check(const struct pgc_lint_options *options, struct pgc_error *err);

struct pgc_lint_finding {
    const struct pgc_lint_rule *rule;
    enum pgc_lint_severity severity;
    char *file;
    size_t line, column;         /* from 1; columns count characters */
    size_t end_line, end_column; /* end of the statement, column one past its last character */
    size_t offset;               /* byte of the file, from 0 */
    char *message;
    char fingerprint[33]; /* hex; the same while rule, file, statement and message are, wherever the statement stands */
    size_t ordinal;       /* from 1: which one of those with this fingerprint in the file */
    char *table;          /* the table it is about, as written; NULL when none */
    struct pgc_lint_table on_server; /* filled when `table` and a catalog are there */
    bool known_on_server;
};

/* A table got another name or schema: the server knows it by the old one. */
struct pgc_lint_rename {
    char *schema, *name; /* now; schema "" when not given */
    char *old_schema, *old_name;
    size_t file, statement; /* since when */
};

struct pgc_lint_findings {
    struct pgc_lint_finding *items; /* per file in order of position */
    size_t count, cap;
    size_t suppressed; /* findings that a comment in the file silenced */
    size_t files, statements;
    struct pgc_lint_rename *renames; /* by the files so far, which are taken to run one after the other */
    size_t rename_count, rename_cap;
    size_t unparsable; /* statements with a syntax error, also where the rule syntax-error is silenced */
};

/* Appends the findings of one file; earlier ones are kept. `file` is only a name. sql need not be NUL-terminated. */
PGC_MUST_USE enum pgc_code pgc_lint_text(const struct pgc_lint_options *options, const char *file, const char *sql,
                                         size_t len, struct pgc_lint_findings *out, struct pgc_error *err);
void pgc_lint_findings_release(struct pgc_lint_findings *found);
/* The highest severity among the findings; PGC_LINT_OFF when there are none. */
enum pgc_lint_severity pgc_lint_worst(const struct pgc_lint_findings *found);

#ifdef __cplusplus
}
#endif
#endif
