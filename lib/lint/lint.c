#include <pgc/lint.h>

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/sha256.h"
#include "lint/file.h"
#include "lint/literal.h"
#include "lint/rules.h"

#define SMALL_TABLE_BYTES ((int64_t)1 << 20)
#define NO_STATEMENT      ((size_t)-2) /* a finding about a comment */

static bool listed(const struct pgc_lint_rule *rule, const char *const *names) {
    for (; names != NULL && *names != NULL; names++)
        if (pgc_lint_rule_matches(rule, *names, strlen(*names)))
            return true;
    return false;
}

/* The severity after only, exclude and "rule=level"; the last that fits wins. */
static enum pgc_lint_severity severity_of(const struct pgc_lint_options *options, const struct pgc_lint_rule *rule) {
    if ((options->only != NULL && *options->only != NULL && !listed(rule, options->only)) ||
        listed(rule, options->exclude))
        return PGC_LINT_OFF;
    enum pgc_lint_severity severity = rule->severity;
    for (const char *const *one = options->severity; one != NULL && *one != NULL; one++) {
        const char *equals = strchr(*one, '=');
        enum pgc_lint_severity level;
        if (equals != NULL && pgc_lint_rule_matches(rule, *one, (size_t)(equals - *one)) &&
            pgc_lint_severity_parse(equals + 1, &level))
            severity = level;
    }
    return severity;
}

static enum pgc_code check_names(const char *const *names, bool with_level, struct pgc_error *err) {
    for (; names != NULL && *names != NULL; names++) {
        const char *equals = strchr(*names, '=');
        enum pgc_lint_severity level;
        if (with_level && (equals == NULL || !pgc_lint_severity_parse(equals + 1, &level)))
            return pgc_fail(err, PGC_E_USAGE, "'%s' is no RULE=LEVEL; levels are off, info, warning, error", *names);
        size_t len = with_level ? (size_t)(equals - *names) : strlen(*names);
        bool known = false;
        for (size_t i = 0; i < pgc_lint_rule_count() && !known; i++)
            known = pgc_lint_rule_matches(pgc_lint_rule_at(i), *names, len);
        if (!known)
            return pgc_fail(err, PGC_E_USAGE, "there is no rule '%.*s'; 'pgc lint rules' lists them", (int)len, *names);
    }
    return PGC_OK;
}

enum pgc_code pgc_lint_options_check(const struct pgc_lint_options *options, struct pgc_error *err) {
    enum pgc_code code = check_names(options->only, false, err);
    if (code == PGC_OK)
        code = check_names(options->exclude, false, err);
    if (code == PGC_OK)
        code = check_names(options->severity, true, err);
    for (const char *const *one = options->naming; code == PGC_OK && one != NULL && *one != NULL; one++) {
        regex_t regex;
        const char *kind, *pattern = pgc__lint_naming_pattern(*one, &kind);
        if (pattern == NULL)
            return pgc_fail(err, PGC_E_USAGE,
                            "'%s' is no KIND=REGEX; kinds are schema, table, column, index, foreign-key, check", *one);
        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
            return pgc_fail(err, PGC_E_USAGE, "'%s' is no POSIX extended regular expression", pattern);
        regfree(&regex);
    }
    return code;
}

/* A comment at a DO block is about all that is in it. */
static bool silences(const struct lint_check *check, const struct lint_silence *one) {
    if (one->statement == LINT_WHOLE_FILE)
        return true;
    for (size_t at = check->index; at < check->file->count; at = check->file->statements[at].parent)
        if (at == one->statement)
            return true;
    return false;
}

static bool silenced(const struct lint_check *check) {
    const struct lint_directives *directives = &check->file->directives;
    for (size_t i = 0; i < directives->silence_count; i++) {
        const struct lint_silence *one = &directives->silences[i];
        if (silences(check, one) &&
            (one->len == 0 || pgc_lint_rule_matches(check->rule, check->file->text + one->start, one->len)))
            return true;
    }
    return false;
}

static bool is_small(const struct lint_check *check, const struct pgc_lint_table *table) {
    int64_t limit = check->file->options->small_table_bytes;
    return table->exists && limit >= 0 && table->bytes < (limit > 0 ? limit : SMALL_TABLE_BYTES);
}

/* The statement counts by its tokens, so that neither white space nor comments nor what stands before it matter. */
static void sign(const struct lint_check *check, const char *message, char out[33]) {
    unsigned char hash[PGC_SHA256_SIZE];
    struct pgc_sha256 sha;
    pgc_sha256_init(&sha);
    pgc_sha256_add(&sha, check->rule->id, strlen(check->rule->id) + 1);
    pgc_sha256_add(&sha, check->file->name, strlen(check->file->name) + 1);
    pgc_sha256_add(&sha, message, strlen(message) + 1);
    const struct lint_statement *statement = check->statement;
    for (size_t i = statement == NULL ? 0 : statement->span.first_token;
         statement != NULL && i < statement->span.token_end; i++) {
        const struct pgc_token *token = &statement->scan->tokens[i];
        if (token->kind == PGC_TOKEN_COMMENT)
            continue;
        pgc_sha256_add(&sha, check->file->text + token->start, token->len);
        pgc_sha256_add(&sha, " ", 1);
    }
    pgc_sha256_end(&sha, hash);
    for (size_t i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

/* Fills positions and texts of a new last finding; false without memory. */
static bool add_finding(struct lint_check *check, const struct pgc_json *table, size_t offset, const char *message) {
    struct pgc_lint_findings *out = check->file->out;
    if (!pgc_array_grow(&out->items, &out->cap, out->count + 1, sizeof *out->items))
        return false;
    struct pgc_lint_finding *finding = &out->items[out->count];
    size_t end = check->statement == NULL ? offset : pgc__lint_origin(check->file, check->statement->span.end);
    offset = pgc__lint_origin(check->file, offset);
    *finding = (struct pgc_lint_finding) { .rule = check->rule, .severity = check->severity, .offset = offset };
    pgc__lint_position(check->file, offset, &finding->line, &finding->column);
    pgc__lint_position(check->file, end, &finding->end_line, &finding->end_column);
    finding->file = strdup(check->file->name);
    finding->message = strdup(message);
    sign(check, message, finding->fingerprint);
    if (table != NULL)
        finding->table = strdup(pgc__lint_table_text(table).text);
    if (finding->file == NULL || finding->message == NULL || (table != NULL && finding->table == NULL)) {
        free(finding->file);
        free(finding->message);
        free(finding->table);
        return false;
    }
    out->count++;
    return true;
}

void pgc__lint_report(struct lint_check *check, const struct pgc_json *table, size_t offset, const char *format, ...) {
    struct pgc_lint_table known = { 0 };
    bool is_known = table != NULL && pgc__lint_on_server(check, pgc__lint_field(table, "schemaname"),
                                                         pgc__lint_field(table, "relname"), &known);
    bool is_minor = is_known && (check->rule->flags & PGC_LINT_BY_SIZE) != 0 && is_small(check, &known);
    if (table != NULL && (check->rule->flags & PGC_LINT_NEW_TABLE_OK) != 0 &&
        (pgc__lint_is_new(check, pgc__lint_field(table, "schemaname"), pgc__lint_field(table, "relname")) ||
         (is_known && !known.exists)))
        return;
    check->reported++;
    if ((is_minor ? PGC_LINT_INFO : check->severity) < check->file->options->least)
        return;
    if (silenced(check)) {
        check->file->out->suppressed++;
        return;
    }
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf message = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&message, format, args);
    va_end(args);
    if (message.failed || !add_finding(check, table, offset, message.data)) {
        check->file->failed = PGC_E_NOMEM;
        return;
    }
    struct pgc_lint_finding *finding = &check->file->out->items[check->file->out->count - 1];
    finding->known_on_server = is_known;
    if (is_known)
        finding->on_server = known;
    if (is_minor)
        finding->severity = PGC_LINT_INFO;
}

static void run_rule(struct lint_file *file, const struct pgc_lint_rule *rule, enum pgc_lint_severity severity) {
    struct lint_check check = { .file = file, .rule = rule, .severity = severity };
    for (size_t i = 0; i < file->count && file->failed == PGC_OK; i++) {
        const struct lint_statement *statement = &file->statements[i];
        if (statement->ignored || statement->tree.node == NULL)
            continue;
        check.statement = statement;
        check.index = i;
        check.node = statement->tree.node;
        rule->check(&check);
    }
}

/* A statement that is one only when a template engine has been over it: nobody's mistake, but nobody checked it. */
static void report_template(struct lint_file *file, const struct lint_check *failed) {
    struct lint_check check = *failed;
    check.rule = &pgc__lint_rule_template;
    check.severity = severity_of(file->options, check.rule);
    if (check.severity != PGC_LINT_OFF)
        pgc__lint_report(&check, NULL, check.statement->span.start,
                         "cannot be parsed before its placeholders are replaced; %s",
                         check.statement->tree.failed ? "it was not checked" : "it was checked without them");
}

/* Bytes that no server takes cannot be run, whatever rules were chosen. */
static void report_encoding(struct lint_file *file) {
    const struct lint_encoding *found = &file->encoding;
    struct lint_check check = { .file = file, .rule = &pgc__lint_rule_encoding, .index = NO_STATEMENT };
    enum pgc_lint_severity wanted = severity_of(file->options, check.rule);
    if (found->problem == NULL || (wanted == PGC_LINT_OFF && !found->fatal))
        return;
    check.severity = wanted == PGC_LINT_OFF ? check.rule->severity : wanted;
    if (!found->fatal && check.severity > PGC_LINT_WARNING)
        check.severity = PGC_LINT_WARNING;
    file->out->unparsable += found->fatal;
    pgc__lint_report(&check, NULL, found->at, "%s", found->problem);
}

/* A statement the grammar refuses is told about whatever rules were chosen: it was not checked. For a newer server it
 * may be right, so it is a warning then, as is one that is only nested too deeply. */
static void report_syntax(struct lint_file *file) {
    const struct pgc_lint_rule *rule = &pgc__lint_rule_syntax_error;
    struct lint_check check = { .file = file, .rule = rule };
    enum pgc_lint_severity wanted = severity_of(file->options, rule);
    bool newer = file->pg_version > LINT_GRAMMAR_VERSION;
    for (size_t i = 0; i < file->count && file->failed == PGC_OK; i++) {
        check.statement = &file->statements[i];
        check.index = i;
        if (check.statement->has_template) {
            report_template(file, &check);
            continue;
        }
        if (!check.statement->tree.failed || (check.statement->recovered && wanted == PGC_LINT_OFF))
            continue;
        check.severity = wanted == PGC_LINT_OFF ? rule->severity : wanted;
        if ((newer || check.statement->tree.too_deep) && check.severity > PGC_LINT_WARNING)
            check.severity = PGC_LINT_WARNING;
        file->out->unparsable += check.severity == PGC_LINT_ERROR && !silenced(&check);
        pgc__lint_report(&check, NULL, check.statement->error_at, "%s%s%s", check.statement->tree.error_text,
                         newer ? "; the parser knows PostgreSQL 15" : "",
                         check.statement->body_failed ? ", in the body"
                         : check.statement->recovered ? "; the rest of the statement was checked without it"
                                                      : "; the statement was not checked");
    }
}

/* pgc:nolint without a reason, and silence for a rule that does not exist. */
static void report_directives(struct lint_file *file) {
    const struct pgc_lint_rule *rule = &pgc__lint_rule_nolint;
    struct lint_check check = { .file = file, .rule = rule, .index = NO_STATEMENT };
    check.severity = severity_of(file->options, rule);
    if (check.severity == PGC_LINT_OFF)
        return;
    const struct lint_directives *directives = &file->directives;
    for (size_t i = 0; i < directives->without_reason_count; i++)
        pgc__lint_report(&check, NULL, directives->without_reason[i],
                         "silences without a reason, or nothing: it wants a rule and a reason");
    for (size_t i = 0; i < directives->silence_count; i++) {
        const struct lint_silence *one = &directives->silences[i];
        bool known = one->len == 0;
        for (size_t r = 0; r < pgc_lint_rule_count() && !known; r++)
            known = pgc_lint_rule_matches(pgc_lint_rule_at(r), file->text + one->start, one->len);
        if (!known)
            pgc__lint_report(&check, NULL, one->comment, "silences '%.*s', which is no rule",
                             (int)(one->len < 80 ? one->len : 80), file->text + one->start);
    }
}

static int by_offset(const void *a, const void *b) {
    const struct pgc_lint_finding *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    int order = strcmp(x->rule->id, y->rule->id);
    return order != 0 ? order : strcmp(x->message, y->message);
}

static int by_fingerprint(const void *a, const void *b) {
    const struct pgc_lint_finding *x = *(struct pgc_lint_finding *const *)a, *y = *(struct pgc_lint_finding *const *)b;
    int order = strcmp(x->fingerprint, y->fingerprint);
    return order != 0 ? order : (x > y) - (x < y);
}

/* The same statement may stand in a file twice. */
static enum pgc_code number(struct pgc_lint_finding *items, size_t count, struct pgc_error *err) {
    PGC_AUTO_FREE struct pgc_lint_finding **sorted = calloc(count + 1, sizeof *sorted);
    if (sorted == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &items[i];
    qsort(sorted, count, sizeof *sorted, by_fingerprint);
    for (size_t i = 0; i < count; i++)
        sorted[i]->ordinal =
            i > 0 && strcmp(sorted[i - 1]->fingerprint, sorted[i]->fingerprint) == 0 ? sorted[i - 1]->ordinal + 1 : 1;
    return PGC_OK;
}

enum pgc_code pgc_lint_text(const struct pgc_lint_options *options, const char *name, const char *sql, size_t len,
                            struct pgc_lint_findings *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc__lint_file_release)
    struct lint_file file = { .options = options, .name = name, .text = sql, .len = len, .out = out };
    size_t before = out->count;
    enum pgc_code code = pgc__lint_file_read(&file, err);
    if (code != PGC_OK)
        return code;
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        enum pgc_lint_severity severity = severity_of(options, rule);
        if (rule->check != NULL && severity != PGC_LINT_OFF)
            run_rule(&file, rule, severity);
    }
    report_syntax(&file);
    report_encoding(&file);
    report_directives(&file);
    if (file.failed != PGC_OK)
        return pgc_fail_nomem(err);
    if (out->count > before)
        qsort(out->items + before, out->count - before, sizeof *out->items, by_offset);
    out->files++;
    out->statements += file.scan.statement_count;
    return out->count > before ? number(out->items + before, out->count - before, err) : PGC_OK;
}

void pgc_lint_findings_release(struct pgc_lint_findings *found) {
    for (size_t i = 0; i < found->count; i++) {
        free(found->items[i].file);
        free(found->items[i].message);
        free(found->items[i].table);
    }
    free(found->items);
    for (size_t i = 0; i < found->rename_count; i++) {
        struct pgc_lint_rename *one = &found->renames[i];
        char *const texts[] = { one->schema, one->name, one->old_schema, one->old_name };
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
            free(texts[t]);
    }
    free(found->renames);
    *found = (struct pgc_lint_findings) { 0 };
}

enum pgc_lint_severity pgc_lint_worst(const struct pgc_lint_findings *found) {
    enum pgc_lint_severity worst = PGC_LINT_OFF;
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].severity > worst)
            worst = found->items[i].severity;
    return worst;
}
