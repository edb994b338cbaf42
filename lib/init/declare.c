#include "init/declare.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "os/secret.h"

/* One pass over the declaration: `current` is the connection to the database that the entry concerns. */
struct pass {
    struct pgc_conn *home;
    const struct pgc_conn_options *options;
    const struct pgc_runtime *rt;
    pgc_init_declare_fn *told;
    void *arg;
    struct pgc_conn *other; /* the last other database that was opened */
};

/* Up to three fields of an entry. Missing ones are "". */
struct entry {
    char text[256];
    const char *a, *b, *c;
};

static bool cut(struct entry *entry, const char *text) {
    size_t len = strlen(text);
    if (len == 0 || len >= sizeof entry->text)
        return false;
    memcpy(entry->text, text, len + 1);
    entry->a = entry->text;
    entry->b = entry->c = entry->text + len;
    char *colon = strchr(entry->text, ':');
    if (colon != NULL) {
        *colon = '\0';
        entry->b = colon + 1;
        colon = strchr(colon + 1, ':');
    }
    if (colon != NULL) {
        *colon = '\0';
        entry->c = colon + 1;
    }
    return entry->a[0] != '\0';
}

/* "db.name" into its two parts; without a dot the database is "". */
static const char *after_database(char *text, const char **database) {
    char *dot = strchr(text, '.');
    *database = "";
    if (dot == NULL)
        return text;
    *dot = '\0';
    *database = text;
    return dot + 1;
}

/* --- statements ------------------------------------------------------------------------------------- */

static bool exists(struct pgc_conn *conn, const char *sql, const char *name, enum pgc_code *code,
                   struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    const char *params[] = { name };
    *code = pgc_conn_query(conn, sql, params, 1, &rows, err);
    return *code == PGC_OK && pgc_rows_count(rows) > 0;
}

/* Runs "HEAD ident TAIL" and tells of it. Losing a race against another replica is as good as winning it. */
static enum pgc_code make(const struct pass *pass, struct pgc_conn *conn, const char *head, const char *name,
                          const char *tail, struct pgc_error *err) {
    PGC_AUTO_FREE char *ident = pgc_conn_quote_ident(conn, name);
    if (ident == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_conn_execf(conn, err, "%s %s%s", head, ident, tail);
    bool raced = code == PGC_E_SQL && (strcmp(err->sqlstate, "42P04") == 0 || strcmp(err->sqlstate, "42710") == 0 ||
                                       strcmp(err->sqlstate, "23505") == 0 || strcmp(err->sqlstate, "42P06") == 0);
    if (code != PGC_OK && !raced)
        return pgc_wrap(err, "cannot %s '%s'", head, name);
    if (pass->told != NULL && !raced) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        pgc_buf_putf(&text, "%s %s", head, name);
        pass->told(pass->arg, text.data);
    }
    return PGC_OK;
}

static enum pgc_code with_owner(struct pgc_conn *conn, const char *word, const char *owner, struct pgc_buf *out,
                                struct pgc_error *err) {
    if (owner[0] == '\0')
        return PGC_OK;
    PGC_AUTO_FREE char *ident = pgc_conn_quote_ident(conn, owner);
    if (ident == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_putf(out, " %s %s", word, ident);
    return PGC_OK;
}

static enum pgc_code open_database(struct pass *pass, const char *database, struct pgc_conn **conn,
                                   struct pgc_error *err) {
    *conn = pass->home;
    if (database[0] == '\0' || strcmp(database, pgc_conn_dbname(pass->home)) == 0)
        return PGC_OK;
    if (pass->other == NULL || strcmp(database, pgc_conn_dbname(pass->other)) != 0) {
        pgc_conn_free(pass->other);
        pass->other = NULL;
        struct pgc_conn_options options = *pass->options;
        options.dbname = database;
        enum pgc_code code = pgc_conn_open(&options, pass->rt, &pass->other, err);
        if (code != PGC_OK)
            return code;
    }
    *conn = pass->other;
    return PGC_OK;
}

/* --- users ------------------------------------------------------------------------------------------ */

static enum pgc_code password_of(const char *user, char **password, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    pgc_buf_puts(&name, "PGC_INIT_PASSWORD_");
    for (const char *p = user; *p != '\0'; p++)
        pgc_buf_putc(&name,
                     isalnum((unsigned char)*p) && (unsigned char)*p < 0x80 ? (char)toupper((unsigned char)*p) : '_');
    return pgc_env_value(name.data, password, err);
}

static enum pgc_code declare_user(const struct pass *pass, const char *user, struct pgc_error *err) {
    char *password = NULL;
    enum pgc_code code = password_of(user, &password, err);
    if (code == PGC_OK && !exists(pass->home, "select 1 from pg_roles where rolname = $1", user, &code, err) &&
        code == PGC_OK)
        code = make(pass, pass->home, "create role", user, " login", err);
    if (code == PGC_OK && password != NULL)
        code = pgc_conn_set_password(pass->home, user, password, err);
    pgc_secret_free(password);
    return code;
}

/* --- the rest --------------------------------------------------------------------------------------- */

static enum pgc_code declare_database(const struct pass *pass, const struct entry *entry, struct pgc_error *err) {
    enum pgc_code code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf tail = PGC_BUF_INIT;
    bool there = exists(pass->home, "select 1 from pg_database where datname = $1", entry->a, &code, err);
    if (code == PGC_OK && !there)
        code = with_owner(pass->home, "owner", entry->b, &tail, err);
    return code != PGC_OK || there ? code : make(pass, pass->home, "create database", entry->a, tail.data, err);
}

static enum pgc_code declare_schema(struct pass *pass, struct entry *entry, struct pgc_error *err) {
    const char *database;
    const char *schema = after_database(entry->text, &database);
    struct pgc_conn *conn;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf tail = PGC_BUF_INIT;
    enum pgc_code code = open_database(pass, database, &conn, err);
    bool there = code == PGC_OK && exists(conn, "select 1 from pg_namespace where nspname = $1", schema, &code, err);
    if (code == PGC_OK && !there)
        code = with_owner(conn, "authorization", entry->b, &tail, err);
    return code != PGC_OK || there ? code : make(pass, conn, "create schema", schema, tail.data, err);
}

static enum pgc_code declare_extension(struct pass *pass, struct entry *entry, struct pgc_error *err) {
    const char *database;
    const char *extension = after_database(entry->text, &database);
    struct pgc_conn *conn;
    enum pgc_code code = open_database(pass, database, &conn, err);
    bool there = code == PGC_OK && exists(conn, "select 1 from pg_extension where extname = $1", extension, &code, err);
    return code != PGC_OK || there ? code : make(pass, conn, "create extension", extension, "", err);
}

static const char *const schemas_sql = "select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in "
                                       "('information_schema', 'pgc') order by 1";

static enum pgc_code grant_in_schema(struct pgc_conn *conn, const char *schema, const char *role, bool writes,
                                     struct pgc_error *err) {
    PGC_AUTO_FREE char *s = pgc_conn_quote_ident(conn, schema);
    if (s == NULL)
        return pgc_fail_nomem(err);
    const char *tables = writes ? "select, insert, update, delete" : "select";
    const char *sequences = writes ? "usage, select" : "select";
    return pgc_conn_execf(conn, err,
                          "grant usage on schema %s to %s; grant %s on all tables in schema %s to %s; "
                          "grant %s on all sequences in schema %s to %s; "
                          "alter default privileges in schema %s grant %s on tables to %s; "
                          "alter default privileges in schema %s grant %s on sequences to %s",
                          s, role, tables, s, role, sequences, s, role, s, tables, role, s, sequences, role);
}

static enum pgc_code declare_grant(struct pass *pass, const struct entry *entry, struct pgc_error *err) {
    struct pgc_conn *conn;
    enum pgc_code code = open_database(pass, entry->a, &conn, err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE char *database = pgc_conn_quote_ident(conn, entry->a);
    PGC_AUTO_FREE char *role = pgc_conn_quote_ident(conn, entry->b);
    if (database == NULL || role == NULL)
        return pgc_fail_nomem(err);
    if (strcmp(entry->c, "owner") == 0)
        return pgc_conn_execf(conn, err, "alter database %s owner to %s", database, role);
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    code = pgc_conn_execf(conn, err, "grant connect on database %s to %s", database, role);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, schemas_sql, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        code = grant_in_schema(conn, pgc_rows_text(rows, i, 0), role, strcmp(entry->c, "writer") == 0, err);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot grant %s on '%s' to '%s'", entry->c, entry->a, entry->b);
}

/* --- together --------------------------------------------------------------------------------------- */

static bool good_grant(const struct entry *entry) {
    return entry->b[0] != '\0' &&
           (strcmp(entry->c, "owner") == 0 || strcmp(entry->c, "reader") == 0 || strcmp(entry->c, "writer") == 0);
}

enum pgc_code pgc_init_declaration_check(const struct pgc_init_declaration *d, struct pgc_error *err) {
    const struct {
        const struct pgc_strings *list;
        const char *what;
    } rows[] = { { &d->databases, "a database NAME[:OWNER]" },
                 { &d->users, "a user NAME" },
                 { &d->schemas, "a schema [DATABASE.]NAME[:OWNER]" },
                 { &d->extensions, "an extension [DATABASE.]NAME" },
                 { &d->grants, "a grant DATABASE:ROLE:owner|reader|writer" } };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        for (size_t i = 0; i < rows[r].list->count; i++) {
            struct entry entry;
            if (!cut(&entry, rows[r].list->items[i]) || (rows[r].list == &d->grants && !good_grant(&entry)))
                return pgc_fail(err, PGC_E_USAGE, "'%s' is not %s", rows[r].list->items[i], rows[r].what);
        }
    for (size_t i = 0; i < d->users.count; i++) {
        char *password = NULL;
        enum pgc_code code = password_of(d->users.items[i], &password, err);
        pgc_secret_free(password);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

bool pgc_init_declaration_empty(const struct pgc_init_declaration *d) {
    return d->databases.count + d->users.count + d->schemas.count + d->extensions.count + d->grants.count == 0;
}

static enum pgc_code declare_all(struct pass *pass, const struct pgc_init_declaration *d, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    struct entry entry;
    for (size_t i = 0; code == PGC_OK && i < d->users.count; i++)
        code = declare_user(pass, d->users.items[i], err);
    for (size_t i = 0; code == PGC_OK && i < d->databases.count; i++)
        code = cut(&entry, d->databases.items[i]) ? declare_database(pass, &entry, err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < d->schemas.count; i++)
        code = cut(&entry, d->schemas.items[i]) ? declare_schema(pass, &entry, err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < d->extensions.count; i++)
        code = cut(&entry, d->extensions.items[i]) ? declare_extension(pass, &entry, err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < d->grants.count; i++)
        code = cut(&entry, d->grants.items[i]) ? declare_grant(pass, &entry, err) : PGC_OK;
    return code;
}

enum pgc_code pgc_init_declare(const struct pgc_init_declaration *declaration, struct pgc_conn *conn,
                               const struct pgc_conn_options *options, const struct pgc_runtime *rt,
                               pgc_init_declare_fn *told, void *arg, struct pgc_error *err) {
    struct pass pass = { conn, options, rt, told, arg, NULL };
    enum pgc_code code = declare_all(&pass, declaration, err);
    pgc_conn_free(pass.other);
    return code;
}
