#include "script/vars.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "script/lexer.h"

void pgc_vars_release(struct pgc_vars *vars) {
    for (size_t i = 0; i < vars->count; i++) {
        free(vars->items[i].name);
        free(vars->items[i].value);
    }
    free(vars->items);
    *vars = (struct pgc_vars) { 0 };
}

/* Place of the name, or where it would go. */
static size_t find(const struct pgc_vars *vars, const char *name, bool *found) {
    size_t low = 0, high = vars->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(vars->items[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

const char *pgc_vars_get(const struct pgc_vars *vars, const char *name) {
    bool found;
    size_t at = find(vars, name, &found);
    return found ? vars->items[at].value : NULL;
}

enum pgc_code pgc_vars_set(struct pgc_vars *vars, const char *name, const char *value, struct pgc_error *err) {
    if (!pgc_lex_variable_name(name))
        return pgc_fail(err, PGC_E_USAGE, "invalid variable name: \"%s\"", name);
    bool found;
    size_t at = find(vars, name, &found);
    char *copy = value != NULL ? strdup(value) : NULL;
    if (value != NULL && copy == NULL)
        return pgc_fail_nomem(err);
    if (found && value != NULL) {
        free(vars->items[at].value);
        vars->items[at].value = copy;
    } else if (found) {
        free(vars->items[at].name);
        free(vars->items[at].value);
        memmove(vars->items + at, vars->items + at + 1, (--vars->count - at) * sizeof *vars->items);
    } else if (value != NULL) {
        char *key = strdup(name);
        if (key == NULL || !pgc_array_grow(&vars->items, &vars->cap, vars->count + 1, sizeof *vars->items)) {
            free(key);
            free(copy);
            return pgc_fail_nomem(err);
        }
        memmove(vars->items + at + 1, vars->items + at, (vars->count++ - at) * sizeof *vars->items);
        vars->items[at] = (struct pgc_var) { key, copy };
    }
    return PGC_OK;
}

bool pgc_vars_parse_bool(const char *text, bool *out) {
    static const struct {
        const char *word;
        size_t least;
        bool value;
    } words[] = {
        { "true", 1, true }, { "false", 1, false }, { "yes", 1, true }, { "no", 1, false },
        { "on", 2, true },   { "off", 2, false },   { "1", 1, true },   { "0", 1, false },
    };
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (len >= words[i].least && len <= strlen(words[i].word) && strncasecmp(text, words[i].word, len) == 0) {
            *out = words[i].value;
            return true;
        }
    return false;
}
