#ifndef PGC_SCRIPT_VARS_H
#define PGC_SCRIPT_VARS_H
/* Variables of a script: names (letters, digits, underscore, case matters) and text values, kept in byte order of names. */
#include <pgc/error.h>
#include <stdbool.h>
#include <stddef.h>

struct pgc_var {
    char *name;
    char *value;
};
struct pgc_vars {
    struct pgc_var *items;
    size_t count;
    size_t cap;
};

void pgc_vars_release(struct pgc_vars *vars);
/* NULL when unset. Borrowed until the variable is set again. */
const char *pgc_vars_get(const struct pgc_vars *vars, const char *name);
/* value NULL unsets. PGC_E_USAGE for a name that is none. */
PGC_MUST_USE enum pgc_code pgc_vars_set(struct pgc_vars *vars, const char *name, const char *value,
                                        struct pgc_error *err);
/* Truth as psql reads it: unique prefixes of true, false, yes, no; on, off, 1, 0; any case. False: it is neither. */
bool pgc_vars_parse_bool(const char *text, bool *out);
#endif
