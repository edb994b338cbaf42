/* Roles and tablespaces of the backup. The script is taken apart and sent statement by statement over our own connection:
 * no psql, and none of its meta-commands. Roles that are there stay as they are, passwords and attributes included. */
#include <string.h>

#include "backup/artefact.h"
#include "backup/restore_internal.h"
#include "base/text.h"
#include "io/memory.h"
#include "script/split.h"

#define GLOBALS_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct globals {
    struct pgc__restore *r;
    struct pgc_strings there; /* roles that exist already, quoted as pg_dumpall writes them */
};

static enum pgc_code read_roles(struct globals *g, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(g->r->conn, "select pg_catalog.quote_ident(rolname) from pg_catalog.pg_roles",
                                        NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        code = pgc_strings_add(&g->there, pgc_rows_text(rows, i, 0), err);
    return code;
}

/* "CREATE ROLE x;", "ALTER ROLE x WITH ...": about a role that was there before? */
static bool is_about_old_role(const struct globals *g, const char *text) {
    size_t skip = pgc_text_starts(text, "CREATE ROLE ") ? 12 : pgc_text_starts(text, "ALTER ROLE ") ? 11 : 0;
    for (size_t i = 0; skip > 0 && i < g->there.count; i++) {
        size_t n = strlen(g->there.items[i]);
        const char *end = text + skip + n;
        if (strncmp(text + skip, g->there.items[i], n) == 0 && (*end == ';' || *end == ' '))
            return true;
    }
    return false;
}

static bool is_about_tablespace(const char *text) {
    static const char *const words[] = { "CREATE TABLESPACE ", "ALTER TABLESPACE ", "COMMENT ON TABLESPACE " };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (pgc_text_starts(text, words[i]))
            return true;
    return (pgc_text_starts(text, "GRANT ") || pgc_text_starts(text, "REVOKE ")) &&
           strstr(text, " ON TABLESPACE ") != NULL;
}

static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct globals *g = arg;
    struct pgc_error refused;
    if (item->kind != PGC_SPLIT_STATEMENT || is_about_old_role(g, item->text) ||
        (g->r->o->no_tablespaces && is_about_tablespace(item->text)))
        return PGC_OK;
    enum pgc_code code = pgc_conn_exec(g->r->conn, item->text, &refused);
    /* 42710, 42P06: there already. What is missing in the end is found by the check of roles. */
    if (code == PGC_OK || strcmp(refused.sqlstate, "42710") == 0)
        return PGC_OK;
    if (code != PGC_E_SQL && code != PGC_E_AUTH) {
        *err = refused;
        return code;
    }
    /* The statement may hold a password verifier: only its first words are told. */
    size_t words = strcspn(item->text, " ");
    words += item->text[words] == ' ' ? 1 + strcspn(item->text + words + 1, " ") : 0;
    return pgc_strings_addf(&g->r->result->warnings, err, "globals: '%.*s ...' was refused: %s",
                            (int)(words > 40 ? 40 : words), item->text, refused.message);
}

enum pgc_code pgc__restore_globals(struct pgc__restore *r, struct pgc_error *err) {
    const struct pgc_manifest_artefact *artefact = pgc_manifest_find(r->manifest, "globals");
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct globals g = { r, PGC_STRINGS_INIT };
    if (!r->o->globals)
        return PGC_OK;
    text.max = GLOBALS_MAX_BYTES;
    enum pgc_code code =
        pgc_artefact_source(r->o->store, r->o->entry->folder, artefact, r->o->identities, &source, err);
    if (code == PGC_OK)
        code = pgc_memory_sink(&text, &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, NULL, err);
    if (code == PGC_OK)
        code = read_roles(&g, err);
    struct pgc_split_options options = { 0 };
    if (code == PGC_OK)
        code = pgc_split_text(text.data, text.len, &options, each, &g, NULL, err);
    pgc_strings_release(&g.there);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot restore the globals");
}
