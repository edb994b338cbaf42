#include "lint/ast.h"

#include <pg_query.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static void put_clean(struct pgc_buf *out, const char *sql, size_t len) {
    size_t at = 0, done = 0;
    while (at < len) {
        size_t size = sql[at] == '\0' ? 0 : pgc_text_utf8(sql + at, len - at);
        if (size == 0) {
            pgc_buf_put(out, sql + done, at - done);
            pgc_buf_putc(out, sql[at] == '\0' ? '?' : '_'); /* a letter of another encoding may be part of a name */
            done = at + 1;
        }
        at += size == 0 ? 1 : size;
    }
    pgc_buf_put(out, sql + done, len - done);
}

/* The parser counts characters from 1; we count bytes from 0. */
static size_t byte_of_char(const char *text, size_t len, int position) {
    size_t at = 0;
    for (int left = position - 1; left > 0 && at < len; left--) {
        at++;
        while (at < len && (text[at] & 0xc0) == 0x80)
            at++;
    }
    return at;
}

static void note_error(struct lint_tree *out, const PgQueryError *error, const struct pgc_buf *sql) {
    out->failed = true;
    out->error_at = byte_of_char(sql->data, sql->len, error->cursorpos);
    size_t len = 0;
    for (const char *from = error->message; *from != '\0' && len + 5 < sizeof out->error_text;) {
        size_t size = pgc_text_utf8(from, strlen(from));
        if (size == 0)
            break;
        out->error_text[len] = '\0';
        if (*from == '\n' || *from == '\r') /* the message quotes the rest of an unterminated string */
            break;
        memcpy(out->error_text + len, from, size);
        len += size;
        from += size;
    }
    out->error_text[len] = '\0';
}

static enum pgc_code read_tree(const char *json, struct lint_tree *out, struct pgc_error *err) {
    enum pgc_code code = pgc_json_parse(json, strlen(json), &out->doc, err);
    if (code == PGC_E_DATA) { /* nested deeper than the reader goes */
        out->failed = out->too_deep = true;
        memcpy(out->error_text, "nested too deeply to be checked", sizeof "nested too deeply to be checked");
        return PGC_OK;
    }
    if (code != PGC_OK)
        return code;
    const struct pgc_json *first = pgc_json_get(pgc_json_at(pgc_json_get(out->doc, "stmts"), 0), "stmt");
    out->kind = pgc__lint_node_type(first);
    out->node = pgc__lint_node_fields(first);
    return PGC_OK;
}

enum pgc_code pgc__lint_parse(const char *sql, size_t len, struct lint_tree *out, struct pgc_error *err) {
    *out = (struct lint_tree) { .kind = "" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf clean = PGC_BUF_INIT;
    put_clean(&clean, sql, len);
    enum pgc_code code = pgc_buf_check(&clean, err);
    if (code != PGC_OK)
        return code;
    PgQueryParseResult result = pg_query_parse(clean.data);
    if (result.error != NULL)
        note_error(out, result.error, &clean);
    else
        code = read_tree(result.parse_tree, out, err);
    pg_query_free_parse_result(result);
    return code;
}

enum pgc_code pgc__lint_parse_plpgsql(const char *sql, size_t len, struct lint_tree *out, struct pgc_error *err) {
    *out = (struct lint_tree) { .kind = "" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf clean = PGC_BUF_INIT;
    put_clean(&clean, sql, len);
    enum pgc_code code = pgc_buf_check(&clean, err);
    if (code != PGC_OK)
        return code;
    PgQueryPlpgsqlParseResult result = pg_query_parse_plpgsql(clean.data);
    if (result.error != NULL) {
        note_error(out, result.error, &clean);
        const char *near = result.error->context == NULL ? NULL : strstr(result.error->context, "near line ");
        out->error_line = near == NULL ? 1 : (size_t)strtoul(near + strlen("near line "), NULL, 10);
    }
    pg_query_free_plpgsql_parse_result(result);
    return PGC_OK;
}

void pgc__lint_tree_release(struct lint_tree *tree) {
    pgc_json_free(tree->doc);
    *tree = (struct lint_tree) { .kind = "" };
}

const char *pgc__lint_node_type(const struct pgc_json *node) {
    struct pgc_json_iter member = { 0 };
    return pgc_json_next(node, &member) ? member.key : "";
}

const struct pgc_json *pgc__lint_node_fields(const struct pgc_json *node) {
    struct pgc_json_iter member = { 0 };
    return pgc_json_next(node, &member) ? member.value : NULL;
}

const struct pgc_json *pgc__lint_node_as(const struct pgc_json *node, const char *type) {
    return pgc_json_get(node, type);
}

const char *pgc__lint_string(const struct pgc_json *node) {
    const struct pgc_json *fields = pgc_json_get(node, "String");
    if (fields == NULL)
        return NULL;
    const char *text = pgc_json_text(pgc_json_get(fields, "sval"));
    return text == NULL ? "" : text;
}

const char *pgc__lint_last_name(const struct pgc_json *names) {
    size_t count = pgc_json_count(names);
    return count == 0 ? NULL : pgc__lint_string(pgc_json_at(names, count - 1));
}

const char *pgc__lint_field(const struct pgc_json *fields, const char *key) {
    const char *text = pgc_json_text(pgc_json_get(fields, key));
    return text == NULL ? "" : text;
}

bool pgc__lint_field_is(const struct pgc_json *fields, const char *key, const char *value) {
    return strcmp(pgc__lint_field(fields, key), value) == 0;
}
