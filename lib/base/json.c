#include "base/json.h"

#include <jansson.h>

/* A node is jansson's own: the struct is never defined, only pointed at. */
static json_t *raw(const struct pgc_json *node) {
    return (json_t *)(uintptr_t)node;
}
static const struct pgc_json *wrap(const json_t *node) {
    return (const struct pgc_json *)node;
}

enum pgc_code pgc_json_parse(const char *text, size_t len, struct pgc_json **out, struct pgc_error *err) {
    json_error_t where;
    json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (doc == NULL && json_error_code(&where) == json_error_out_of_memory)
        return pgc_fail_nomem(err);
    if (doc == NULL)
        return pgc_fail(err, PGC_E_DATA, "malformed JSON at line %d, column %d: %s", where.line, where.column,
                        where.text);
    *out = (struct pgc_json *)doc;
    return PGC_OK;
}

void pgc_json_free(struct pgc_json *doc) {
    json_decref((json_t *)doc);
}

enum pgc_json_kind pgc_json_kind(const struct pgc_json *node) {
    if (node == NULL)
        return PGC_JSON_NONE;
    switch (json_typeof(raw(node))) {
    case JSON_OBJECT:
        return PGC_JSON_OBJECT;
    case JSON_ARRAY:
        return PGC_JSON_ARRAY;
    case JSON_STRING:
        return PGC_JSON_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return PGC_JSON_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return PGC_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return PGC_JSON_NULL;
}

const struct pgc_json *pgc_json_get(const struct pgc_json *object, const char *key) {
    return wrap(json_object_get(raw(object), key));
}

size_t pgc_json_count(const struct pgc_json *node) {
    if (json_is_array(raw(node)))
        return json_array_size(raw(node));
    return json_object_size(raw(node));
}

const struct pgc_json *pgc_json_at(const struct pgc_json *array, size_t index) {
    return wrap(json_array_get(raw(array), index));
}

const char *pgc_json_text(const struct pgc_json *node) {
    return json_string_value(raw(node));
}

int64_t pgc_json_int(const struct pgc_json *node, int64_t otherwise) {
    return json_is_integer(raw(node)) ? (int64_t)json_integer_value(raw(node)) : otherwise;
}

double pgc_json_number(const struct pgc_json *node, double otherwise) {
    return json_is_number(raw(node)) ? json_number_value(raw(node)) : otherwise;
}

bool pgc_json_is_true(const struct pgc_json *node) {
    return json_is_true(raw(node));
}

bool pgc_json_next(const struct pgc_json *object, struct pgc_json_iter *iter) {
    iter->position = iter->started ? json_object_iter_next(raw(object), iter->position) : json_object_iter(raw(object));
    iter->started = true;
    if (iter->position == NULL)
        return false;
    iter->key = json_object_iter_key(iter->position);
    iter->value = wrap(json_object_iter_value(iter->position));
    return true;
}
