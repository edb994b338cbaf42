/* The database that a restore writes to: is it there, is it empty, who owns what; made, dropped, swapped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/layout.h"
#include "backup/restore_internal.h"
#include "sql_embedded.h"

#define SWAP_TRIES 20

enum pgc_code pgc__restore_connect(struct pgc__restore *r, const char *database, struct pgc_conn **out,
                                   struct pgc_error *err) {
    struct pgc_conn_options options = r->o->server;
    if (options.conninfo == NULL)
        options.conninfo = "postgres"; /* libpq looks for a connection string in the first dbname only */
    if (database != NULL)
        options.dbname = database;
    options.application_name = "pgc-restore";
    return pgc_conn_open(&options, r->rt, out, err);
}

/* Another database than the one that is restored: that one may have to be renamed. */
static enum pgc_code connect_maintenance(struct pgc__restore *r, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    enum pgc_code code = pgc__restore_connect(r, NULL, &conn, err);
    if (code == PGC_E_NOT_FOUND)
        code = pgc__restore_connect(r, strcmp(r->o->into, "postgres") == 0 ? "template1" : "postgres", &conn, err);
    if (code == PGC_OK && strcmp(pgc_conn_dbname(conn), r->o->into) == 0) {
        pgc_conn_free(conn);
        conn = NULL;
        code = pgc__restore_connect(r, strcmp(r->o->into, "postgres") == 0 ? "template1" : "postgres", &conn, err);
    }
    if (code != PGC_OK)
        return code;
    r->conn = conn;
    conn = NULL;
    return pgc_conn_exec(r->conn, "set search_path = ''; set client_min_messages = warning", err);
}

static enum pgc_code database_exists(struct pgc__restore *r, const char *name, bool *out, struct pgc_error *err) {
    const char *params[] = { name };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code =
        pgc_conn_query(r->conn, "select from pg_catalog.pg_database where datname = $1", params, 1, &rows, err);
    *out = code == PGC_OK && pgc_rows_count(rows) > 0;
    return code;
}

static enum pgc_code check_empty(struct pgc__restore *r, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc__restore_connect(r, r->o->into, &conn, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, pgc_sql_restore_count_objects, NULL, 0, &rows, err);
    if (code != PGC_OK || pgc_rows_int(rows, 0, 0) == 0)
        return code;
    return pgc_fail(err, PGC_E_EXISTS,
                    "database '%s' is not empty: use --replace (it is kept under another name) or --clean", r->o->into);
}

enum pgc_code pgc__restore_check_target(struct pgc__restore *r, struct pgc_error *err) {
    const struct pgc_restore_options *o = r->o;
    enum pgc_code code = connect_maintenance(r, err);
    if (code == PGC_OK)
        code = database_exists(r, o->into, &r->exists, err);
    if (code != PGC_OK)
        return code;
    snprintf(r->name, sizeof r->name, "%s", o->into);
    if (!r->exists && !o->create && !o->replace)
        return pgc_fail(err, PGC_E_NOT_FOUND, "database '%s' does not exist: use --create", o->into);
    /* Single tables and data into a schema that stands are restored in one transaction: what is in the way stops it. */
    bool selective = o->data_only || (o->tables != NULL && o->tables->count > 0);
    if (r->exists && !o->replace && !o->clean && !selective)
        return check_empty(r, err);
    return PGC_OK;
}

/* --- roles ------------------------------------------------------------------------------------------------ */

static enum pgc_code missing_roles(struct pgc__restore *r, struct pgc_buf *out, size_t *count, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < r->manifest->roles.count; i++) {
        const char *params[] = { r->manifest->roles.items[i] };
        PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
        code = pgc_conn_query(r->conn, "select from pg_catalog.pg_roles where rolname = $1", params, 1, &rows, err);
        if (code == PGC_OK && pgc_rows_count(rows) == 0)
            pgc_buf_putf(out, "%s'%s'", (*count)++ == 0 ? "" : ", ", params[0]);
    }
    return code;
}

enum pgc_code pgc__restore_check_roles(struct pgc__restore *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf missing = PGC_BUF_INIT;
    size_t count = 0;
    enum pgc_code code = missing_roles(r, &missing, &count, err);
    if (code != PGC_OK || count == 0 || r->o->data_only)
        return code;
    if (!r->without_owner)
        return pgc_fail(
            err, PGC_E_CONFIG,
            "the server has no role %s, which the backup needs: use --globals, create it, or use --no-owner",
            missing.data);
    if (r->without_privileges)
        return PGC_OK;
    r->without_privileges = true;
    return pgc_strings_addf(&r->result->warnings, err, "grants are left out: the server has no role %s", missing.data);
}

/* --- extensions ---------------------------------------------------------------------------------------------- */

enum pgc_code pgc__restore_check_extensions(struct pgc__restore *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf missing = PGC_BUF_INIT;
    enum pgc_code code = PGC_OK;
    bool partial = r->o->data_only || (r->o->tables != NULL && r->o->tables->count > 0);
    for (size_t i = 0; !partial && code == PGC_OK && i < r->manifest->extensions.count; i++) {
        const char *params[] = { r->manifest->extensions.items[i] };
        PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
        code = pgc_conn_query(r->conn, "select from pg_catalog.pg_available_extensions where name = $1", params, 1,
                              &rows, err);
        if (code == PGC_OK && pgc_rows_count(rows) == 0)
            pgc_buf_putf(&missing, "%s'%s'", missing.len == 0 ? "" : ", ", params[0]);
    }
    if (code != PGC_OK || missing.len == 0)
        return code;
    return pgc_fail(err, PGC_E_CONFIG, "the server has no extension %s, which the backup needs: install it there first",
                    missing.data);
}

/* --- made and dropped --------------------------------------------------------------------------------------- */

static enum pgc_code put_literal(struct pgc__restore *r, struct pgc_buf *sql, const char *key, const char *value,
                                 struct pgc_error *err) {
    if (value == NULL || value[0] == '\0')
        return PGC_OK;
    PGC_AUTO_FREE char *quoted = pgc_conn_quote_literal(r->conn, value);
    if (quoted == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_putf(sql, " %s %s", key, quoted);
    return PGC_OK;
}

/* The old owner, when there is such a role and we may give the database away. */
static enum pgc_code put_owner(struct pgc__restore *r, struct pgc_buf *sql, struct pgc_error *err) {
    const char *owner = r->o->role != NULL ? r->o->role : r->manifest->owner;
    if (owner == NULL || (r->without_owner && r->o->role == NULL))
        return PGC_OK;
    const char *params[] = { owner };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(
        r->conn, "select from pg_catalog.pg_roles where rolname = $1 and pg_catalog.pg_has_role(oid, 'member')", params,
        1, &rows, err);
    if (code != PGC_OK || pgc_rows_count(rows) == 0)
        return code;
    PGC_AUTO_FREE char *quoted = pgc_conn_quote_ident(r->conn, owner);
    if (quoted == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_putf(sql, " owner %s", quoted);
    return PGC_OK;
}

/* `name` and the suffix within the 63 bytes of an identifier; a character is left out whole or not at all. */
static void put_name(char out[64], const char *name, const char *suffix) {
    size_t room = 63 - strlen(suffix), len = strlen(name);
    if (len > room)
        for (len = room; len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80;)
            len--;
    snprintf(out, 64, "%.*s%s", (int)len, name, suffix);
}

enum pgc_code pgc__restore_make_database(struct pgc__restore *r, struct pgc_error *err) {
    if (r->exists && !r->o->replace)
        return PGC_OK;
    if (r->o->replace) {
        char suffix[32];
        snprintf(suffix, sizeof suffix, "_restore_%s", r->manifest->id + PGC_BACKUP_NAME_BYTES - 1 - 8);
        put_name(r->name, r->o->into, suffix);
    }
    PGC_AUTO_FREE char *name = pgc_conn_quote_ident(r->conn, r->name);
    if (name == NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is no valid name", r->name);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_putf(&sql, "create database %s template template0", name);
    enum pgc_code code = put_literal(r, &sql, "encoding", r->manifest->encoding, err);
    if (code == PGC_OK)
        code = put_literal(r, &sql, "lc_collate", r->manifest->collate, err);
    if (code == PGC_OK)
        code = put_literal(r, &sql, "lc_ctype", r->manifest->ctype, err);
    if (code == PGC_OK)
        code = put_owner(r, &sql, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(r->conn, sql.data, err);
    r->made = code == PGC_OK;
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot create database '%s'", r->name);
}

void pgc__restore_drop_database(struct pgc__restore *r) {
    struct pgc_error ignored;
    /* A runtime that was told to stop lets nothing through; what we made must go all the same. */
    struct pgc_runtime calm = pgc_runtime_undisturbed(r->rt);
    const struct pgc_runtime *before = r->rt;
    r->rt = &calm;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    enum pgc_code code = pgc__restore_connect(r, pgc_conn_dbname(r->conn), &conn, &ignored);
    PGC_AUTO_FREE char *name = conn == NULL ? NULL : pgc_conn_quote_ident(conn, r->name);
    if (name != NULL)
        code = pgc_conn_execf(conn, &ignored, "drop database if exists %s with (force)", name);
    r->rt = before;
    if (code != PGC_OK)
        pgc_log(r->rt, PGC_LOG_WARN, "restore.leftover", "cannot drop the database of a failed restore",
                PGC_LOG_TEXT("database", r->name), PGC_LOG_TEXT("error.message", ignored.message));
}

/* --- swapped -------------------------------------------------------------------------------------------------- */

static enum pgc_code rename_both(struct pgc__restore *r, const char *old, const char *kept, const char *fresh,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_tx_rollback) struct pgc_tx tx = { 0 };
    enum pgc_code code = pgc_tx_begin(&tx, r->conn, err);
    if (code == PGC_OK && r->exists)
        code = pgc_conn_execf(r->conn, err, "alter database %s rename to %s", old, kept);
    if (code == PGC_OK)
        code = pgc_conn_execf(r->conn, err, "alter database %s rename to %s", fresh, old);
    return code == PGC_OK ? pgc_tx_commit(&tx, err) : code;
}

enum pgc_code pgc__restore_swap(struct pgc__restore *r, struct pgc_error *err) {
    char stamp[PGC_BACKUP_NAME_BYTES], kept[64];
    pgc_backup_name(stamp, pgc_wall_us(r->rt), 0);
    char suffix[32];
    snprintf(suffix, sizeof suffix, "_before_%.16s", stamp);
    put_name(kept, r->o->into, suffix);
    PGC_AUTO_FREE char *old = pgc_conn_quote_ident(r->conn, r->o->into);
    PGC_AUTO_FREE char *fresh = pgc_conn_quote_ident(r->conn, r->name);
    PGC_AUTO_FREE char *quoted = pgc_conn_quote_ident(r->conn, kept);
    if (old == NULL || fresh == NULL || quoted == NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is no valid name", kept);
    const char *params[] = { r->o->into };
    enum pgc_code code = PGC_OK;
    for (int tries = 0; tries < SWAP_TRIES; tries++) {
        code = pgc_conn_query(r->conn, pgc_sql_restore_end_sessions, params, 1, NULL, err);
        if (code == PGC_OK)
            code = rename_both(r, old, quoted, fresh, err);
        /* 55006: somebody came back between the two statements. */
        if (code == PGC_OK || strcmp(err->sqlstate, "55006") != 0)
            break;
        pgc_sleep_ms(r->rt, 100);
    }
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot put the restored database in place of '%s'", r->o->into);
    r->made = false;
    if (r->exists)
        snprintf(r->result->kept_as, sizeof r->result->kept_as, "%s", kept);
    return PGC_OK;
}
