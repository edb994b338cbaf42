/* The database that a restore makes: under a name of its own until it is complete, so that nobody takes half of one for the
 * whole; dropped when the restore fails, and by a later one when this one was killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/layout.h"
#include "backup/restore_internal.h"
#include "sql_embedded.h"

#define SWAP_TRIES 20

/* `name` and the suffix within the 63 bytes of an identifier; a character is left out whole or not at all. */
static void put_name(char out[64], const char *name, const char *suffix) {
    size_t room = 63 - strlen(suffix), len = strlen(name);
    if (len > room)
        for (len = room; len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80;)
            len--;
    snprintf(out, 64, "%.*s%s", (int)len, name, suffix);
}

/* --- dropped ------------------------------------------------------------------------------------------------ */

/* A subscription keeps its database from being dropped; its slot elsewhere is none of our business. */
static enum pgc_code drop_subscriptions(struct pgc_conn *conn, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_restore_list_subscriptions, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++) {
        const char *name = pgc_rows_text(rows, i, 0);
        code = pgc_conn_execf(conn, err, "alter subscription %s disable; alter subscription %s set (slot_name = none)",
                              name, name);
        if (code == PGC_OK)
            code = pgc_conn_execf(conn, err, "drop subscription %s", name);
    }
    return code;
}

static enum pgc_code open_database(struct pgc_conn_options options, const char *name, const struct pgc_runtime *rt,
                                   struct pgc_conn **out, struct pgc_error *err) {
    if (options.conninfo == NULL && name != NULL)
        options.conninfo = "postgres"; /* libpq looks for a connection string in the first dbname only */
    if (name != NULL)
        options.dbname = name;
    options.application_name = "pgc-restore";
    return pgc_conn_open(&options, rt, out, err);
}

static void clear_database(const struct pgc_conn_options *server, const char *name, const struct pgc_runtime *rt) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    struct pgc_error ignored;
    if (open_database(*server, name, rt, &conn, &ignored) == PGC_OK)
        (void)!drop_subscriptions(conn, &ignored);
}

static enum pgc_code drop(const struct pgc_conn_options *server, const struct pgc_runtime *rt, const char *maintenance,
                          const char *name, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    struct pgc_error ignored;
    clear_database(server, name, rt);
    enum pgc_code code = open_database(*server, maintenance, rt, &conn, err);
    PGC_AUTO_FREE char *quoted = conn == NULL ? NULL : pgc_conn_quote_ident(conn, name);
    if (code != PGC_OK || quoted == NULL)
        return code == PGC_OK ? pgc_fail_nomem(err) : code;
    (void)!pgc_conn_execf(conn, &ignored, "alter database %s is_template false", quoted);
    return pgc_conn_execf(conn, err, "drop database if exists %s with (force)", quoted);
}

void pgc_restore_drop(const struct pgc_conn_options *server, const char *maintenance, const char *name,
                      const struct pgc_runtime *rt) {
    /* A runtime that was told to stop lets nothing through; what we made must go all the same. */
    struct pgc_runtime calm = pgc_runtime_undisturbed(rt);
    struct pgc_error problem;
    if (drop(server, &calm, maintenance, name, &problem) != PGC_OK)
        pgc_log(rt, PGC_LOG_WARN, "restore.leftover", "cannot drop the database of a restore",
                PGC_LOG_TEXT("database", name), PGC_LOG_TEXT("error.message", problem.message));
}

/* What restores that were killed have left: marked by us, and nobody works on it any more. */
static enum pgc_code drop_leftovers(struct pgc__restore *r, const char *prefix, struct pgc_error *err) {
    const char *params[] = { prefix };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    struct pgc_error ignored;
    enum pgc_code code = pgc_conn_query(r->conn, pgc_sql_restore_list_leftovers, params, 1, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        if (pgc_conn_execf(r->conn, &ignored, "drop database if exists %s", pgc_rows_text(rows, i, 1)) == PGC_OK)
            code = pgc_strings_addf(&r->result->warnings, err, "dropped '%s', which a killed restore had left",
                                    pgc_rows_text(rows, i, 0));
    return code;
}

/* --- made --------------------------------------------------------------------------------------------------- */

static enum pgc_code choose_name(struct pgc__restore *r, struct pgc_error *err) {
    char suffix[32], prefix[64];
    if (r->o->scratch)
        return drop_leftovers(r, PGC_RESTORE_SCRATCH_PREFIX, err);
    snprintf(suffix, sizeof suffix, "_restore_%s", r->manifest->id + PGC_BACKUP_NAME_BYTES - 1 - 8);
    put_name(r->name, r->o->into, suffix);
    snprintf(prefix, sizeof prefix, "%.*s", (int)(strlen(r->name) - 8), r->name);
    return drop_leftovers(r, prefix, err);
}

/* The name is quoted by now. The session is told, so that another restore knows whether we are still at work. */
static enum pgc_code create(struct pgc__restore *r, const char *name, struct pgc_error *err) {
    if (r->properties.create == NULL)
        return pgc_fail(err, PGC_E_DATA, "the archive does not tell how its database is created");
    if (r->o->no_tablespaces)
        pgc_properties_drop_tablespace(&r->properties);
    enum pgc_code code = pgc_conn_exec(r->conn, r->properties.create, err);
    r->made = code == PGC_OK;
    if (code == PGC_OK)
        code = pgc_conn_execf(r->conn, err, "comment on database %s is 'pgc restore, not complete: session %d'", name,
                              pgc_conn_backend_pid(r->conn));
    return code;
}

static enum pgc_code role_exists(struct pgc__restore *r, const char *role, bool *out, struct pgc_error *err) {
    const char *params[] = { role };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code =
        pgc_conn_query(r->conn, "select from pg_catalog.pg_roles where rolname = $1", params, 1, &rows, err);
    *out = code == PGC_OK && pgc_rows_count(rows) > 0;
    return code;
}

static enum pgc_code apply_early(struct pgc__restore *r, const char *statement, struct pgc_error *err) {
    if (pgc_property_is_owner(statement) && (r->without_owner || r->o->role != NULL))
        return PGC_OK;
    if (pgc_property_is_grant(statement) && r->without_privileges)
        return PGC_OK;
    PGC_AUTO_FREE char *role = pgc_property_role(statement);
    bool there = true;
    enum pgc_code code = role == NULL ? PGC_OK : role_exists(r, role, &there, err);
    if (code != PGC_OK)
        return code;
    if (there)
        return pgc_conn_exec(r->conn, statement, err);
    return pgc_strings_addf(&r->result->warnings, err, "a setting of role '%s' is left out: there is no such role",
                            role);
}

/* The statements are in the encoding of the archive, which need not be that of the database. */
static enum pgc_code set_encoding(struct pgc__restore *r, bool archive, struct pgc_error *err) {
    if (r->properties.encoding == NULL)
        return PGC_OK;
    return pgc_conn_exec(r->conn, archive ? r->properties.encoding : "set client_encoding = 'UTF8'", err);
}

static enum pgc_code set_up(struct pgc__restore *r, const char *name, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    bool whole = !r->o->no_properties && (r->o->tables == NULL || r->o->tables->count == 0);
    for (size_t i = 0; code == PGC_OK && whole && i < r->properties.early.count; i++)
        code = apply_early(r, r->properties.early.items[i], err);
    if (code != PGC_OK || r->o->role == NULL)
        return code;
    PGC_AUTO_FREE char *role = pgc_conn_quote_ident(r->conn, r->o->role);
    return role == NULL ? pgc_fail_nomem(err)
                        : pgc_conn_execf(r->conn, err, "alter database %s owner to %s", name, role);
}

static enum pgc_code put_literal(struct pgc__restore *r, struct pgc_buf *sql, const char *key, const char *value,
                                 struct pgc_error *err) {
    if (value == NULL || value[0] == '\0')
        return PGC_OK;
    PGC_AUTO_FREE char *quoted = pgc_conn_quote_literal(r->conn, value);
    if (quoted == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_putf(sql, " %s = %s", key, quoted);
    return PGC_OK;
}

/* pg_restore refuses to print statements for a name with a line end: what the manifest tells has to do. */
static enum pgc_code make_properties(struct pgc__restore *r, const char *name, struct pgc_buf *sql,
                                     struct pgc_error *err) {
    const struct pgc_manifest *m = r->manifest;
    pgc_buf_putf(sql, "CREATE DATABASE %s TEMPLATE = template0", name);
    enum pgc_code code = put_literal(r, sql, "ENCODING", m->encoding, err);
    if (code == PGC_OK)
        code = put_literal(r, sql, "LC_COLLATE", m->collate, err);
    if (code == PGC_OK)
        code = put_literal(r, sql, "LC_CTYPE", m->ctype, err);
    PGC_AUTO_FREE char *owner = m->owner == NULL ? NULL : pgc_conn_quote_ident(r->conn, m->owner);
    pgc_buf_puts(sql, ";\n");
    if (owner != NULL)
        pgc_buf_putf(sql, "ALTER DATABASE %s OWNER TO %s;\n", name, owner);
    if (code == PGC_OK)
        code =
            pgc_strings_add(&r->result->warnings,
                            "settings, grants and comment of the database are left out: pg_restore does not tell them "
                            "of a database whose name has a line end",
                            err);
    return code;
}

static enum pgc_code read_properties(struct pgc__restore *r, const char *name, struct pgc_error *err) {
    static const char *const flags[] = { "--create" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf list = PGC_BUF_INIT, sql = PGC_BUF_INIT;
    pgc_toc_write(&r->toc, &list, PGC_TOC_DATABASE);
    enum pgc_code code = pgc_buf_check(&list, err);
    if (code == PGC_OK)
        code = strpbrk(r->manifest->database, "\r\n") != NULL ? make_properties(r, name, &sql, err)
                                                              : pgc__restore_print(r, flags, 1, &list, &sql, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&sql, err);
    return code == PGC_OK ? pgc_properties_parse(&r->properties, sql.data, sql.len, name, err) : code;
}

enum pgc_code pgc__restore_make_database(struct pgc__restore *r, struct pgc_error *err) {
    if (!r->makes)
        return PGC_OK;
    enum pgc_code code = choose_name(r, err);
    PGC_AUTO_FREE char *name = code == PGC_OK ? pgc_conn_quote_ident(r->conn, r->name) : NULL;
    if (code == PGC_OK && name == NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is no valid name", r->name);
    if (code == PGC_OK)
        code = read_properties(r, name, err);
    if (code == PGC_OK)
        code = set_encoding(r, true, err);
    if (code == PGC_OK)
        code = create(r, name, err);
    if (code == PGC_OK)
        code = set_up(r, name, err);
    if (code == PGC_OK)
        code = set_encoding(r, false, err);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot create database '%s'", r->name);
}

/* --- swapped -------------------------------------------------------------------------------------------------- */

struct swap {
    char *into, *into_text, *kept, *fresh; /* quoted; into_text as a literal */
};

static void swap_release(struct swap *swap) {
    free(swap->into);
    free(swap->into_text);
    free(swap->kept);
    free(swap->fresh);
}

/* In one transaction, so that there is no moment without a database of that name, and in one go: once the first rename has its
 * lock, sessions that come back wait for us. */
static enum pgc_code rename_both(struct pgc__restore *r, const struct swap *swap, struct pgc_error *err) {
    PGC_CLEANUP(pgc_tx_rollback) struct pgc_tx tx = { 0 };
    enum pgc_code code = pgc_tx_begin(&tx, r->conn, err);
    if (code == PGC_OK && r->exists)
        code = pgc_conn_execf(r->conn, err,
                              "select count(pg_catalog.pg_terminate_backend(pid)) from pg_catalog.pg_stat_activity "
                              "where datname = %s and pid <> pg_catalog.pg_backend_pid(); "
                              "alter database %s rename to %s; alter database %s rename to %s",
                              swap->into_text, swap->into, swap->kept, swap->fresh, swap->into);
    else if (code == PGC_OK)
        code = pgc_conn_execf(r->conn, err, "alter database %s rename to %s", swap->fresh, swap->into);
    return code == PGC_OK ? pgc_tx_commit(&tx, err) : code;
}

static enum pgc_code count_sessions(struct pgc__restore *r, struct pgc_error *err) {
    const char *params[] = { r->o->into };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(r->conn, "select count(*) from pg_catalog.pg_stat_activity where datname = $1",
                                        params, 1, &rows, err);
    r->result->sessions_ended = code == PGC_OK ? pgc_rows_int(rows, 0, 0) : 0;
    return code;
}

static enum pgc_code swap_names(struct pgc__restore *r, struct pgc_error *err) {
    char stamp[PGC_BACKUP_NAME_BYTES], kept[64], suffix[32];
    pgc_backup_name(stamp, pgc_wall_us(r->rt), 0);
    snprintf(suffix, sizeof suffix, "_before_%.16s", stamp);
    put_name(kept, r->o->into, suffix);
    PGC_CLEANUP(swap_release)
    struct swap swap = { pgc_conn_quote_ident(r->conn, r->o->into), pgc_conn_quote_literal(r->conn, r->o->into),
                         pgc_conn_quote_ident(r->conn, kept), pgc_conn_quote_ident(r->conn, r->name) };
    if (swap.into == NULL || swap.into_text == NULL || swap.kept == NULL || swap.fresh == NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is no valid name", kept);
    enum pgc_code code = r->exists ? count_sessions(r, err) : PGC_OK;
    for (int tries = 0; code == PGC_OK && tries < SWAP_TRIES; tries++) {
        code = rename_both(r, &swap, err);
        /* 55006: somebody came back between the two statements. */
        if (code == PGC_OK || strcmp(err->sqlstate, "55006") != 0 || tries + 1 == SWAP_TRIES)
            break;
        code = PGC_OK;
        pgc_sleep_ms(r->rt, 100);
    }
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot put the restored database in the place of '%s'", r->o->into);
    r->made = false;
    if (r->exists)
        snprintf(r->result->kept_as, sizeof r->result->kept_as, "%s", kept);
    return PGC_OK;
}

enum pgc_code pgc__restore_finish_database(struct pgc__restore *r, struct pgc_error *err) {
    if (!r->makes || r->o->scratch)
        return PGC_OK;
    PGC_AUTO_FREE char *name = pgc_conn_quote_ident(r->conn, r->name);
    if (name == NULL)
        return pgc_fail_nomem(err);
    bool whole = !r->o->no_properties && (r->o->tables == NULL || r->o->tables->count == 0);
    enum pgc_code code = set_encoding(r, true, err);
    if (code == PGC_OK)
        code = pgc_conn_execf(r->conn, err, "comment on database %s is null", name);
    for (size_t i = 0; code == PGC_OK && whole && i < r->properties.late.count; i++)
        code = pgc_conn_exec(r->conn, r->properties.late.items[i], err);
    if (code == PGC_OK)
        code = set_encoding(r, false, err);
    return code == PGC_OK ? swap_names(r, err) : pgc_wrap(err, "cannot set up database '%s'", r->name);
}
