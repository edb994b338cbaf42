#ifndef PGC_LINT_RULES_H
#define PGC_LINT_RULES_H
/* The tables of rules, one per theme; pgc_lint_rule_at joins them. */
#include "lint/check.h"

#define LINT_GRAMMAR_VERSION 15 /* the major version whose grammar libpg_query has */

struct lint_rule_table {
    const struct pgc_lint_rule *rules;
    size_t count;
};
extern const struct lint_rule_table pgc__lint_rules_index, pgc__lint_rules_constraint, pgc__lint_rules_column,
    pgc__lint_rules_destructive, pgc__lint_rules_rename, pgc__lint_rules_transaction, pgc__lint_rules_robust,
    pgc__lint_rules_type, pgc__lint_rules_duplicate, pgc__lint_rules_policy;

/* Reported by the engine itself. */
extern const struct pgc_lint_rule pgc__lint_rule_syntax_error, pgc__lint_rule_template, pgc__lint_rule_encoding,
    pgc__lint_rule_nolint;

#define LINT_RULE_TABLE(name, array)                                                                                   \
    const struct lint_rule_table pgc__lint_rules_##name = { array, sizeof array / sizeof array[0] }

/* "table=^[a-z]+$" -> kind "table" and the pattern; "^[a-z]+$" -> kind "" (all). NULL when the kind is unknown. */
const char *pgc__lint_naming_pattern(const char *text, const char **kind);

/* Can the expression of a DEFAULT be evaluated once for the whole table? False for what may be volatile. */
bool pgc__lint_is_stable(const struct pgc_json *expression);
/* The name of a built-in function all of whose variants are immutable or stable. */
bool pgc__lint_is_stable_function(const char *name);
#endif
