#ifndef PGC_BASE_JSON_H
#define PGC_BASE_JSON_H
/* Reading JSON; the only home of <jansson.h>. (JSON is written with pgc_text_json and a buffer.)
 *
 *     PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
 *     code = pgc_json_parse(text, len, &doc, err);
 *     const char *name = pgc_json_text(pgc_json_get(doc, "name"));      // NULL when absent or not a string
 *     for (size_t i = 0; i < pgc_json_count(list); i++) use(pgc_json_at(list, i));
 *     struct pgc_json_iter member = { 0 };
 *     while (pgc_json_next(object, &member)) use(member.key, member.value);
 *
 * The document is owned by the caller; every node below it is borrowed and lives as long as the document.
 * Getters accept NULL and nodes of the wrong type, and then return NULL, 0 or the default: a chain of
 * lookups needs one check at its end. Documents nested deeper than 2048 levels are refused. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pgc_json;

enum pgc_json_kind {
    PGC_JSON_NONE, /* the node is NULL: absent */
    PGC_JSON_NULL,
    PGC_JSON_BOOL,
    PGC_JSON_NUMBER,
    PGC_JSON_STRING,
    PGC_JSON_ARRAY,
    PGC_JSON_OBJECT,
};

/* Text that is not exactly one JSON value is PGC_E_DATA with line and column in the message. Duplicate keys are refused. */
PGC_MUST_USE enum pgc_code pgc_json_parse(const char *text, size_t len, struct pgc_json **out, struct pgc_error *err);
void pgc_json_free(struct pgc_json *doc);
PGC_DEFINE_AUTO(pgc_json_free, struct pgc_json *)

enum pgc_json_kind pgc_json_kind(const struct pgc_json *node);
const struct pgc_json *pgc_json_get(const struct pgc_json *object, const char *key);
size_t pgc_json_count(const struct pgc_json *node); /* items of an array, members of an object, else 0 */
const struct pgc_json *pgc_json_at(const struct pgc_json *array, size_t index);
const char *pgc_json_text(const struct pgc_json *node); /* NUL-terminated UTF-8; NULL unless a string */
int64_t pgc_json_int(const struct pgc_json *node, int64_t otherwise);
double pgc_json_number(const struct pgc_json *node, double otherwise);
bool pgc_json_is_true(const struct pgc_json *node);

/* Members of an object in the order of the text. Start with a zeroed iterator; false at the end. */
struct pgc_json_iter {
    const char *key;
    const struct pgc_json *value;
    void *position;
    bool started;
};
bool pgc_json_next(const struct pgc_json *object, struct pgc_json_iter *iter);
#endif
