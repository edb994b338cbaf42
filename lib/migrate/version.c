#include "migrate/version.h"

#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

size_t pgc_version_digits(const char *name) {
    size_t n = 0;
    while (is_digit(name[n]))
        n++;
    return n;
}

bool pgc_version_valid(const char *text) {
    if (!is_digit(*text))
        return false;
    for (; *text != '\0'; text++) {
        if (!is_digit(*text) && !(strchr("._-", *text) != NULL && is_digit(text[1])))
            return false;
    }
    return true;
}

/* Takes the next group of digits off *text: its first significant digit and length (0 at the end: the number zero). */
static size_t next_group(const char **text, const char **digits) {
    const char *p = *text;
    while (*p != '\0' && !is_digit(*p))
        p++;
    while (*p == '0')
        p++;
    *digits = p;
    while (is_digit(*p))
        p++;
    *text = p;
    return (size_t)(p - *digits);
}

static bool is_name(const char *version) {
    return *version != '\0' && !pgc_version_valid(version);
}

int pgc_version_compare(const char *a, const char *b) {
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    const char *text_a = a, *text_b = b;
    while (*a != '\0' || *b != '\0') {
        const char *da, *db;
        size_t la = next_group(&a, &da), lb = next_group(&b, &db);
        if (la != lb)
            return la < lb ? -1 : 1;
        int order = memcmp(da, db, la);
        if (order != 0)
            return order;
    }
    return is_name(text_a) || is_name(text_b) ? strcmp(text_a, text_b) : 0;
}
