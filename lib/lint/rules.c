#include "lint/rules.h"

#include <strings.h>

static const struct lint_rule_table *const tables[] = {
    &pgc__lint_rules_index,     &pgc__lint_rules_constraint,  &pgc__lint_rules_column, &pgc__lint_rules_destructive,
    &pgc__lint_rules_rename,    &pgc__lint_rules_transaction, &pgc__lint_rules_robust, &pgc__lint_rules_type,
    &pgc__lint_rules_duplicate, &pgc__lint_rules_policy,
};

const struct pgc_lint_rule pgc__lint_rule_syntax_error = {
    .id = "syntax-error",
    .name = "Statement that cannot be parsed",
    .severity = PGC_LINT_ERROR,
    .summary = "a statement that the grammar of PostgreSQL 15 refuses",
    .why =
        "The statement fails when it is run, or it uses syntax of a newer PostgreSQL; either way no rule looked at it.",
    .safe = "Correct the statement. For a newer server say so with --pg-version: then this is a warning.",
    .aliases = "parse-error",
};

const struct pgc_lint_rule pgc__lint_rule_template = {
    .id = "template-placeholder",
    .name = "Statement that only a template engine can complete",
    .severity = PGC_LINT_INFO,
    .summary = "a statement with ${...} or {{...}} that cannot be parsed when a name stands there",
    .why = "What the migration tool puts there is not known here, so no rule looked at the statement.",
    .safe = "Check what it becomes: 'pgc migrate up --lint=error --dry-run' lints the text that is run.",
    .aliases = "",
};

const struct pgc_lint_rule pgc__lint_rule_encoding = {
    .id = "file-encoding",
    .name = "File that is no text in UTF-8",
    .severity = PGC_LINT_ERROR,
    .summary = "a NUL byte, UTF-16, a custom-format dump (errors); other bytes that are no UTF-8 (a warning)",
    .why = "The server refuses the text, or, with another client_encoding than the file has, stores other characters.",
    .safe = "Save the file as UTF-8, or begin it with SET client_encoding = '...'.",
    .aliases = "",
};

const struct pgc_lint_rule pgc__lint_rule_nolint = {
    .id = "nolint-comment",
    .name = "Comment that silences without saying why",
    .severity = PGC_LINT_INFO,
    .summary = "a pgc:nolint comment without a reason, or one that names no rule",
    .why = "The next reader cannot tell whether the danger was understood; a mistyped rule silences nothing.",
    .safe = "Write '-- pgc:nolint RULE reason'.",
    .aliases = "",
};

static const struct pgc_lint_rule *const own[] = { &pgc__lint_rule_syntax_error, &pgc__lint_rule_template,
                                                   &pgc__lint_rule_encoding, &pgc__lint_rule_nolint };

size_t pgc_lint_rule_count(void) {
    size_t count = sizeof own / sizeof own[0];
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        count += tables[i]->count;
    return count;
}

const struct pgc_lint_rule *pgc_lint_rule_at(size_t index) {
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (index < tables[i]->count)
            return &tables[i]->rules[index];
        index -= tables[i]->count;
    }
    return index < sizeof own / sizeof own[0] ? own[index] : NULL;
}

static bool same(const char *text, size_t text_len, const char *name, size_t len) {
    return text_len == len && strncasecmp(text, name, len) == 0;
}

bool pgc_lint_rule_matches(const struct pgc_lint_rule *rule, const char *name, size_t len) {
    if (same("all", 3, name, len) || same(rule->id, strlen(rule->id), name, len))
        return true;
    for (const char *at = rule->aliases; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (same(at, word, name, len))
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

const struct pgc_lint_rule *pgc_lint_rule_find(const char *name, size_t len) {
    const struct pgc_lint_rule *alias = NULL;
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        if (same(rule->id, strlen(rule->id), name, len))
            return rule;
        if (alias == NULL && !same("all", 3, name, len) && pgc_lint_rule_matches(rule, name, len))
            alias = rule;
    }
    return alias;
}

static const char *const severities[] = { "off", "info", "warning", "error" };

const char *pgc_lint_severity_name(enum pgc_lint_severity severity) {
    return severities[severity];
}

bool pgc_lint_severity_parse(const char *text, enum pgc_lint_severity *out) {
    for (size_t i = 0; i < sizeof severities / sizeof severities[0]; i++) {
        if (strcmp(text, severities[i]) == 0) {
            *out = (enum pgc_lint_severity)i;
            return true;
        }
    }
    return false;
}
