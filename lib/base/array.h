#ifndef PGC_BASE_ARRAY_H
#define PGC_BASE_ARRAY_H
/* Growing arrays. The pattern for `struct thing *items; size_t count, cap;` inside any struct:
 *
 *     if (!pgc_array_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items))
 *         return pgc_fail_nomem(err);
 *     list->items[list->count++] = thing;
 *
 * and one ready-made vector of owned strings. */
#include <pgc/error.h>
#include <stdbool.h>
#include <stddef.h>

/* `slot` is the address of the items pointer. New memory is not initialised. False: no memory, nothing changed. */
bool pgc_array_grow(void *slot, size_t *cap, size_t need, size_t size);

/* A vector of strings that it owns. items is NULL-terminated whenever count > 0 (fit for execve). */
struct pgc_strings {
    char **items;
    size_t count;
    size_t cap;
};
#define PGC_STRINGS_INIT                                                                                               \
    { NULL, 0, 0 }
void pgc_strings_release(struct pgc_strings *list);
PGC_MUST_USE enum pgc_code pgc_strings_add(struct pgc_strings *list, const char *text, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_strings_addf(struct pgc_strings *list, struct pgc_error *err, const char *format, ...)
    PGC_PRINTF(3, 4);
/* Takes ownership of a malloc'ed text, also on failure; NULL counts as no memory. */
PGC_MUST_USE enum pgc_code pgc_strings_take(struct pgc_strings *list, char *text, struct pgc_error *err);
bool pgc_strings_contain(const struct pgc_strings *list, const char *text);
void pgc_strings_sort(struct pgc_strings *list); /* byte order */
#endif
