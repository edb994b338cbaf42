#include "ready/objects.h"

#include <string.h>

#include "ready/verdict.h"
#include "sql_embedded.h"

/* One part of a name; returns what follows it, NULL when malformed. */
static const char *part(const char *p, char *exact, char *folded, size_t size) {
    size_t n = 0;
    bool quoted = *p == '"';
    if (quoted)
        p++;
    for (;; p++) {
        if (quoted && p[0] == '"' && p[1] == '"')
            p++;
        else if (quoted && p[0] == '"')
            break;
        else if (!quoted && (*p == '.' || *p == '\0'))
            break;
        if (*p == '\0' || n + 1 >= size)
            return NULL;
        exact[n] = *p;
        folded[n] = !quoted && *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        n++;
    }
    exact[n] = folded[n] = '\0';
    return n > 0 ? p + (quoted ? 1 : 0) : NULL;
}

bool pgc_ready_name_parse(const char *text, struct pgc_ready_name *out) {
    *out = (struct pgc_ready_name) { 0 };
    const char *rest = part(text, out->table, out->table_folded, sizeof out->table);
    if (rest == NULL || *rest == '\0')
        return rest != NULL;
    memcpy(out->schema, out->table, sizeof out->schema);
    memcpy(out->schema_folded, out->table_folded, sizeof out->schema_folded);
    if (*rest != '.')
        return false;
    rest = part(rest + 1, out->table, out->table_folded, sizeof out->table);
    return rest != NULL && *rest == '\0';
}

enum pgc_code pgc_ready_check_extensions(const struct pgc_ready_spec *spec, struct pgc_probe *probe, int64_t deadline,
                                         const struct pgc_runtime *rt, struct pgc_ready_report *report,
                                         struct pgc_error *err) {
    for (size_t i = 0; i < spec->extensions->count; i++) {
        const char *name = spec->extensions->items[i];
        enum pgc_code code = pgc_probe_ask(probe, pgc_sql_ready_find_extension, &name, 1, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (pgc_probe_rows(probe) > 0)
            continue;
        pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false,
                         "run CREATE EXTENSION in it, or the migration that does",
                         "the extension '%s' is not installed in the database '%s'", name, pgc_probe_dbname(probe));
        return PGC_OK;
    }
    return PGC_OK;
}

enum pgc_code pgc_ready_check_tables(const struct pgc_ready_spec *spec, struct pgc_probe *probe, int64_t deadline,
                                     const struct pgc_runtime *rt, struct pgc_ready_report *report,
                                     struct pgc_error *err) {
    for (size_t i = 0; i < spec->tables->count; i++) {
        const char *text = spec->tables->items[i];
        struct pgc_ready_name name;
        if (!pgc_ready_name_parse(text, &name)) {
            pgc_ready_refuse(&report->verdict, PGC_READY_NO_ATTEMPT, true,
                             "expected TABLE or SCHEMA.TABLE, parts in double quotes where they hold a dot",
                             "'%s' is not a table name", text);
            return PGC_OK;
        }
        bool has_schema = name.schema[0] != '\0';
        const char *params[] = { has_schema ? name.schema : NULL, name.table, has_schema ? name.schema_folded : NULL,
                                 name.table_folded };
        enum pgc_code code = pgc_probe_ask(probe, pgc_sql_ready_find_table, params, 4, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (pgc_probe_rows(probe) > 0)
            continue;
        pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false, "run the migration that creates it",
                         "the table '%s' does not exist in the database '%s'", text, pgc_probe_dbname(probe));
        return PGC_OK;
    }
    return PGC_OK;
}
