#include "base/array.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

bool pgc_array_grow(void *slot, size_t *cap, size_t need, size_t size) {
    if (need <= *cap)
        return true;
    size_t wanted = *cap < 8 ? 8 : *cap * 2;
    if (wanted < need)
        wanted = need;
    if (wanted > SIZE_MAX / size)
        return false;
    void *items;
    memcpy(&items, slot, sizeof items);
    items = realloc(items, wanted * size);
    if (items == NULL)
        return false;
    memcpy(slot, &items, sizeof items);
    *cap = wanted;
    return true;
}

void pgc_strings_release(struct pgc_strings *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct pgc_strings)PGC_STRINGS_INIT;
}

enum pgc_code pgc_strings_take(struct pgc_strings *list, char *text, struct pgc_error *err) {
    if (text == NULL || !pgc_array_grow(&list->items, &list->cap, list->count + 2, sizeof *list->items)) {
        free(text);
        return pgc_fail_nomem(err);
    }
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
    return PGC_OK;
}

enum pgc_code pgc_strings_add(struct pgc_strings *list, const char *text, struct pgc_error *err) {
    return pgc_strings_take(list, strdup(text), err);
}

enum pgc_code pgc_strings_addf(struct pgc_strings *list, struct pgc_error *err, const char *format, ...) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&text, format, args);
    va_end(args);
    return pgc_strings_take(list, pgc_buf_detach(&text), err);
}

bool pgc_strings_contain(const struct pgc_strings *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void pgc_strings_sort(struct pgc_strings *list) {
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare);
}
