#include "lint/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static void put_key(struct pgc_buf *out, const char *key, const char *text) {
    pgc_buf_putf(out, ",\"%s\":", key);
    pgc_text_json(out, text);
}

static size_t count_of(const struct pgc_lint_findings *found, enum pgc_lint_severity severity) {
    size_t count = 0;
    for (size_t i = 0; i < found->count; i++)
        count += found->items[i].severity == severity;
    return count;
}

static bool first_of_rule(const struct pgc_lint_findings *found, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (found->items[i].rule == found->items[index].rule)
            return false;
    return true;
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

void pgc_lint_report_text(struct pgc_buf *out, const struct pgc_lint_findings *found) {
    for (size_t i = 0; i < found->count; i++) {
        const struct pgc_lint_finding *one = &found->items[i];
        pgc_buf_putf(out, "%s:%zu:%zu: %s: %s [%s]\n", one->file, one->line, one->column,
                     pgc_lint_severity_name(one->severity), one->message, one->rule->id);
        if (one->known_on_server && one->on_server.exists) {
            pgc_buf_puts(out, "    table: ");
            pgc_text_bytes(out, (uint64_t)one->on_server.bytes);
            if (one->on_server.rows >= 0)
                pgc_buf_putf(out, ", about %" PRId64 " rows", one->on_server.rows);
            pgc_buf_putc(out, '\n');
        }
        if (first_of_rule(found, i))
            pgc_buf_putf(out, "    why: %s\n    instead: %s\n", one->rule->why, one->rule->safe);
    }
    size_t errors = count_of(found, PGC_LINT_ERROR), warnings = count_of(found, PGC_LINT_WARNING),
           infos = count_of(found, PGC_LINT_INFO);
    pgc_buf_putf(out, "%zu file%s, %zu statement%s: %zu error%s, %zu warning%s, %zu info", found->files,
                 plural(found->files), found->statements, plural(found->statements), errors, plural(errors), warnings,
                 plural(warnings), infos);
    if (found->suppressed > 0)
        pgc_buf_putf(out, ", %zu silenced", found->suppressed);
    pgc_buf_putc(out, '\n');
}

static void put_finding(struct pgc_buf *out, const struct pgc_lint_finding *one) {
    pgc_buf_puts(out, "{\"file\":");
    pgc_text_json(out, one->file);
    pgc_buf_putf(out, ",\"line\":%zu,\"column\":%zu,\"end_line\":%zu,\"end_column\":%zu,\"offset\":%zu", one->line,
                 one->column, one->end_line, one->end_column, one->offset);
    put_key(out, "rule", one->rule->id);
    put_key(out, "name", one->rule->name);
    put_key(out, "severity", pgc_lint_severity_name(one->severity));
    put_key(out, "message", one->message);
    put_key(out, "why", one->rule->why);
    put_key(out, "alternative", one->rule->safe);
    pgc_buf_putf(out, ",\"fingerprint\":\"%s:%zu\"", one->fingerprint, one->ordinal);
    if (one->table != NULL)
        put_key(out, "table", one->table);
    if (one->known_on_server && one->on_server.exists)
        pgc_buf_putf(out, ",\"rows\":%" PRId64 ",\"bytes\":%" PRId64, one->on_server.rows, one->on_server.bytes);
    pgc_buf_putc(out, '}');
}

void pgc_lint_report_json(struct pgc_buf *out, const struct pgc_lint_findings *found) {
    pgc_buf_puts(out, "{\"findings\":[");
    for (size_t i = 0; i < found->count; i++) {
        pgc_buf_puts(out, i > 0 ? ",\n" : "\n");
        put_finding(out, &found->items[i]);
    }
    pgc_buf_putf(out,
                 "],\n\"summary\":{\"files\":%zu,\"statements\":%zu,\"error\":%zu,\"warning\":%zu,\"info\":%zu,"
                 "\"suppressed\":%zu,\"unparsable\":%zu}}\n",
                 found->files, found->statements, count_of(found, PGC_LINT_ERROR), count_of(found, PGC_LINT_WARNING),
                 count_of(found, PGC_LINT_INFO), found->suppressed, found->unparsable);
}

static const char *sarif_level(enum pgc_lint_severity severity) {
    return severity == PGC_LINT_ERROR ? "error" : severity == PGC_LINT_WARNING ? "warning" : "note";
}

static void put_sarif_rules(struct pgc_buf *out) {
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        pgc_buf_puts(out, i > 0 ? ",\n{\"id\":" : "\n{\"id\":");
        pgc_text_json(out, rule->id);
        pgc_buf_puts(out, ",\"shortDescription\":{\"text\":");
        pgc_text_json(out, rule->name);
        pgc_buf_puts(out, "},\"fullDescription\":{\"text\":");
        pgc_text_json(out, rule->why);
        pgc_buf_puts(out, "},\"help\":{\"text\":");
        pgc_text_json(out, rule->safe);
        pgc_buf_putf(out, "},\"defaultConfiguration\":{\"level\":\"%s\"}}", sarif_level(rule->severity));
    }
}

static size_t rule_index(const struct pgc_lint_rule *rule) {
    size_t index = 0;
    while (pgc_lint_rule_at(index) != rule)
        index++;
    return index;
}

/* A path as the relative URI reference that SARIF wants. */
static void put_uri(struct pgc_buf *out, const char *path) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf uri = PGC_BUF_INIT;
    if (*path == '/')
        pgc_buf_puts(&uri, "file://");
    pgc_text_percent(&uri, path, strlen(path), "/");
    pgc_text_json(out, uri.data);
}

void pgc_lint_report_sarif(struct pgc_buf *out, const struct pgc_lint_findings *found, const char *version) {
    pgc_buf_puts(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
                      "\"tool\":{\"driver\":{\"name\":\"pgc-lint\",\"version\":");
    pgc_text_json(out, version);
    pgc_buf_puts(out, ",\"rules\":[");
    put_sarif_rules(out);
    pgc_buf_puts(out, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
    for (size_t i = 0; i < found->count; i++) {
        const struct pgc_lint_finding *one = &found->items[i];
        pgc_buf_puts(out, i > 0 ? ",\n{\"ruleId\":" : "\n{\"ruleId\":");
        pgc_text_json(out, one->rule->id);
        pgc_buf_putf(out, ",\"ruleIndex\":%zu,\"level\":\"%s\",\"message\":{\"text\":", rule_index(one->rule),
                     sarif_level(one->severity));
        pgc_text_json(out, one->message);
        pgc_buf_puts(out, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
        put_uri(out, one->file);
        pgc_buf_putf(out, "},\"region\":{\"startLine\":%zu,\"startColumn\":%zu,\"endLine\":%zu,\"endColumn\":%zu}}}],",
                     one->line, one->column, one->end_line, one->end_column);
        pgc_buf_putf(out, "\"partialFingerprints\":{\"statement/v1\":\"%s:%zu\"}}", one->fingerprint, one->ordinal);
    }
    pgc_buf_puts(out, "]}]}\n");
}

/* Values of workflow commands: percent signs and line ends are escaped, in properties also colon and comma. */
static void put_workflow(struct pgc_buf *out, const char *text, bool property) {
    for (; *text != '\0'; text++) {
        if (*text == '%' || *text == '\r' || *text == '\n' || (property && (*text == ':' || *text == ',')))
            pgc_buf_putf(out, "%%%02X", (unsigned)*text);
        else
            pgc_buf_putc(out, *text);
    }
}

void pgc_lint_report_github(struct pgc_buf *out, const struct pgc_lint_findings *found) {
    for (size_t i = 0; i < found->count; i++) {
        const struct pgc_lint_finding *one = &found->items[i];
        pgc_buf_putf(out,
                     "::%s file=", one->severity == PGC_LINT_INFO ? "notice" : pgc_lint_severity_name(one->severity));
        put_workflow(out, one->file, true);
        pgc_buf_putf(out, ",line=%zu,endLine=%zu,col=%zu,title=", one->line, one->end_line, one->column);
        put_workflow(out, one->rule->id, true);
        pgc_buf_puts(out, "::");
        put_workflow(out, one->message, false);
        pgc_buf_puts(out, ". Instead: ");
        put_workflow(out, one->rule->safe, false);
        pgc_buf_putc(out, '\n');
    }
}

void pgc_lint_rules_text(struct pgc_buf *out) {
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        pgc_buf_putf(out, "%-44s %-7s %s\n", rule->id, pgc_lint_severity_name(rule->severity), rule->summary);
    }
}

static void put_aliases(struct pgc_buf *out, const struct pgc_lint_rule *rule) {
    pgc_buf_puts(out, ",\"aliases\":[");
    for (const char *at = rule->aliases; *at != '\0';) {
        size_t len = strcspn(at, " ");
        pgc_buf_puts(out, at == rule->aliases ? "" : ",");
        pgc_text_json_n(out, at, len);
        at += len + strspn(at + len, " ");
    }
    pgc_buf_puts(out, "]}");
}

void pgc_lint_rules_json(struct pgc_buf *out) {
    pgc_buf_puts(out, "[");
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        pgc_buf_puts(out, i > 0 ? ",\n{\"id\":" : "\n{\"id\":");
        pgc_text_json(out, rule->id);
        put_key(out, "name", rule->name);
        put_key(out, "severity", pgc_lint_severity_name(rule->severity));
        put_key(out, "summary", rule->summary);
        put_key(out, "why", rule->why);
        put_key(out, "alternative", rule->safe);
        put_aliases(out, rule);
    }
    pgc_buf_puts(out, "]\n");
}

/* A cell of a table: a bar would end it. */
static void put_cell(struct pgc_buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|')
            pgc_buf_putc(out, '\\');
        pgc_buf_putc(out, *text);
    }
}

void pgc_lint_rules_markdown(struct pgc_buf *out) {
    pgc_buf_puts(out, "| rule | severity | detects | why | instead | other names |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < pgc_lint_rule_count(); i++) {
        const struct pgc_lint_rule *rule = pgc_lint_rule_at(i);
        pgc_buf_putf(out, "| `%s` | %s | ", rule->id, pgc_lint_severity_name(rule->severity));
        put_cell(out, rule->summary);
        pgc_buf_puts(out, " | ");
        put_cell(out, rule->why);
        pgc_buf_puts(out, " | ");
        put_cell(out, rule->safe);
        pgc_buf_putf(out, " | %s |\n", rule->aliases);
    }
}

void pgc_lint_rule_text(struct pgc_buf *out, const struct pgc_lint_rule *rule) {
    pgc_buf_putf(out, "%s (%s): %s\n\ndetects:  %s\nwhy:      %s\ninstead:  %s\n", rule->id,
                 pgc_lint_severity_name(rule->severity), rule->name, rule->summary, rule->why, rule->safe);
    if ((rule->flags & PGC_LINT_NEW_TABLE_OK) != 0)
        pgc_buf_puts(out, "silent:   about tables that the same file has created, or that the server does not have\n");
    if ((rule->flags & PGC_LINT_BY_SIZE) != 0)
        pgc_buf_puts(out, "info:     when the server says that the table is small\n");
    if (*rule->aliases != '\0')
        pgc_buf_putf(out, "also:     %s\n", rule->aliases);
}
