/* \pset and its short forms. What only changes the look on a terminal is accepted without effect. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "script/runner_internal.h"

static const char *const formats[] = { "aligned", "unaligned", "csv" };

static bool set_format(struct pgc_print *style, const char *value) {
    static const char *const looks[] = { "asciidoc", "html", "latex", "latex-longtable", "troff-ms", "wrapped" };
    size_t len = strlen(value);
    for (size_t i = 0; len > 0 && i < sizeof formats / sizeof formats[0]; i++)
        if (strncasecmp(formats[i], value, len) == 0) {
            style->format = (enum pgc_print_format)i;
            return true;
        }
    for (size_t i = 0; len > 0 && i < sizeof looks / sizeof looks[0]; i++)
        if (strncasecmp(looks[i], value, len) == 0) {
            style->format = PGC_PRINT_ALIGNED;
            return true;
        }
    return false;
}

/* value NULL toggles. False: neither true nor false. */
static bool set_bool(struct pgc_script *script, const char *name, const char *value, bool *field) {
    if (value == NULL) {
        *field = !*field;
        return true;
    }
    if (strcmp(name, "expanded") == 0 && strcasecmp(value, "auto") == 0) {
        *field = false;
        return true;
    }
    if (pgc_vars_parse_bool(value, field))
        return true;
    pgc__script_error(script, "unrecognized value \"%s\" for \"%s\": Boolean expected", value, name);
    return false;
}

static void tell(struct pgc_script *script, bool silent, const char *format, ...) PGC_PRINTF(3, 4);
static void tell(struct pgc_script *script, bool silent, const char *format, ...) {
    if (silent || pgc__script_quiet(script))
        return;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&text, format, args);
    va_end(args);
    pgc__script_put(script, text.data, text.len);
}

static const char *on_off(bool value) {
    return value ? "on" : "off";
}

static bool pset_switch(struct pgc_script *script, const char *name, const char *value, bool silent, bool *known) {
    struct pgc_print *style = &script->style;
    *known = true;
    if (strcmp(name, "x") == 0 || strcmp(name, "expanded") == 0 || strcmp(name, "vertical") == 0) {
        if (!set_bool(script, "expanded", value, &style->expanded))
            return false;
        tell(script, silent, "Expanded display is %s.\n", on_off(style->expanded));
    } else if (strcmp(name, "t") == 0 || strcmp(name, "tuples_only") == 0) {
        if (!set_bool(script, "tuples_only", value, &style->tuples_only))
            return false;
        tell(script, silent, "Tuples only is %s.\n", on_off(style->tuples_only));
    } else if (strcmp(name, "footer") == 0) {
        if (!set_bool(script, "footer", value, &style->footer))
            return false;
    } else
        *known = false;
    return true;
}

static bool pset_text(struct pgc_script *script, const char *name, const char *value, bool silent, bool *known) {
    struct pgc_print *style = &script->style;
    *known = true;
    if (strcmp(name, "format") == 0) {
        if (value != NULL && !set_format(style, value)) {
            pgc__script_error(script,
                              "\\pset: allowed formats are aligned, asciidoc, csv, html, latex, latex-longtable, "
                              "troff-ms, unaligned, wrapped");
            return false;
        }
        tell(script, silent, "Output format is %s.\n", formats[style->format]);
    } else if (strcmp(name, "border") == 0) {
        if (value != NULL)
            style->border = atoi(value) < 0 ? 0 : atoi(value) > 2 ? 2 : atoi(value);
        tell(script, silent, "Border style is %d.\n", style->border);
    } else if (strcmp(name, "null") == 0) {
        if (value != NULL)
            snprintf(style->null_text, sizeof style->null_text, "%s", value);
        tell(script, silent, "Null display is \"%s\".\n", style->null_text);
    } else if (strcmp(name, "fieldsep") == 0) {
        if (value != NULL)
            snprintf(style->field_separator, sizeof style->field_separator, "%s", value);
        tell(script, silent, "Field separator is \"%s\".\n", style->field_separator);
    } else if (strcmp(name, "recordsep") == 0) {
        if (value != NULL)
            snprintf(style->record_separator, sizeof style->record_separator, "%s", value);
        tell(script, silent,
             strcmp(style->record_separator, "\n") == 0 ? "Record separator is <newline>.\n"
                                                        : "Record separator is set.\n");
    } else if (strcmp(name, "csv_fieldsep") == 0) {
        if (value != NULL && strlen(value) != 1) {
            pgc__script_error(script, "\\pset: csv_fieldsep must be a single one-byte character");
            return false;
        }
        if (value != NULL)
            style->csv_separator = value[0];
        tell(script, silent, "Field separator for CSV is \"%c\".\n", style->csv_separator);
    } else if (strcmp(name, "title") == 0 || strcmp(name, "C") == 0) {
        snprintf(style->title, sizeof style->title, "%s", value != NULL ? value : "");
        if (value != NULL)
            tell(script, silent, "Title is \"%s\".\n", value);
        else
            tell(script, silent, "Title is unset.\n");
    } else
        *known = false;
    return true;
}

bool pgc__script_pset(struct pgc_script *script, const char *name, const char *value, bool silent) {
    static const char *const looks[] = { "columns",
                                         "fieldsep_zero",
                                         "linestyle",
                                         "pager",
                                         "numericlocale",
                                         "pager_min_lines",
                                         "tableattr",
                                         "T",
                                         "unicode_border_linestyle",
                                         "recordsep_zero",
                                         "unicode_column_linestyle",
                                         "unicode_header_linestyle",
                                         "xheader_width" };
    bool known;
    bool ok = pset_switch(script, name, value, silent, &known);
    if (!known)
        ok = pset_text(script, name, value, silent, &known);
    for (size_t i = 0; !known && i < sizeof looks / sizeof looks[0]; i++)
        known = strcmp(name, looks[i]) == 0;
    if (known)
        return ok;
    pgc__script_error(script, "\\pset: unknown option: %s", name);
    return false;
}

static bool short_form(struct pgc_engine *e, const char *name, const char *value) {
    struct pgc_script *script = pgc__script_of(e);
    switch (name[0]) {
    case 'a':
        return pgc__script_pset(script, "format", script->style.format != PGC_PRINT_ALIGNED ? "aligned" : "unaligned",
                                false);
    case 'x':
        return pgc__script_pset(script, "expanded", value, false);
    case 't':
        return pgc__script_pset(script, "tuples_only", value, false);
    case 'f':
        return pgc__script_pset(script, "fieldsep", value, false);
    case 'C':
        return pgc__script_pset(script, "title", value, false);
    default: /* H, html, T: only another look */
        return true;
    }
}

enum pgc_engine_status pgc__script_display(struct pgc_engine *engine, const char *name) {
    struct pgc_script *script = pgc__script_of(engine);
    PGC_AUTO_FREE char *first = pgc_engine_argument_copy(engine, PGC_ARG_NORMAL, false);
    if (strcmp(name, "timing") == 0) {
        bool on = true;
        if (first != NULL && !pgc_vars_parse_bool(first, &on)) {
            pgc_engine_error(engine, "unrecognized value \"%s\" for \"\\timing\": Boolean expected", first);
            return PGC_ENGINE_ERROR;
        }
        tell(script, false, "Timing is %s.\n", on_off(on));
        return PGC_ENGINE_SKIP;
    }
    if (strcmp(name, "pset") != 0)
        return short_form(engine, name, first) ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
    PGC_AUTO_FREE char *second = pgc_engine_argument_copy(engine, PGC_ARG_NORMAL, false);
    if (first == NULL)
        return PGC_ENGINE_SKIP;
    return pgc__script_pset(script, first, second, false) ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
}
