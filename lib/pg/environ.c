#include "pg/environ.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "pg/internal.h"

static bool is_connection_variable(const PQconninfoOption *options, const char *assignment) {
    size_t n = strcspn(assignment, "=");
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (o->envvar != NULL && strlen(o->envvar) == n && strncmp(assignment, o->envvar, n) == 0)
            return true;
    /* What resolved into the settings already would override or clash with them. */
    return strncmp(assignment, "PGSERVICEFILE=", 14) == 0 || strncmp(assignment, "PGSYSCONFDIR=", 13) == 0 ||
           strncmp(assignment, "DATABASE_URL=", 13) == 0 || strncmp(assignment, "POSTGRES_PASSWORD=", 18) == 0;
}

static enum pgc_code add_settings(const PQconninfoOption *options, struct pgc_strings *out, struct pgc_error *err) {
    static const char *const replaced[] = {
        "service", "host", "port", "dbname", "application_name", "hostaddr", "fallback_application_name"
    };
    enum pgc_code code = PGC_OK;
    for (const PQconninfoOption *o = options; code == PGC_OK && o->keyword != NULL; o++) {
        bool skip = o->envvar == NULL || o->val == NULL || o->val[0] == '\0';
        for (size_t i = 0; !skip && i < sizeof replaced / sizeof replaced[0]; i++)
            skip = strcmp(o->keyword, replaced[i]) == 0;
        /* An address belongs to its host; with several the one that answered is not known by it. */
        if (strcmp(o->keyword, "hostaddr") == 0 && o->val != NULL && o->val[0] != '\0')
            skip = strchr(o->val, ',') != NULL;
        if (!skip)
            code = pgc_strings_addf(out, err, "%s=%s", o->envvar, o->val);
    }
    return code;
}

enum pgc_code pgc_conn_environ(const struct pgc_conn *conn, const char *application_name, struct pgc_strings *out,
                               struct pgc_error *err) {
    PQconninfoOption *options = PQconninfo(conn->pg);
    if (options == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = PGC_OK;
    for (char **v = environ; code == PGC_OK && *v != NULL; v++)
        if (!is_connection_variable(options, *v))
            code = pgc_strings_add(out, *v, err);
    if (code == PGC_OK)
        code = add_settings(options, out, err);
    PQconninfoFree(options);
    if (code == PGC_OK && pgc_conn_host(conn)[0] != '\0')
        code = pgc_strings_addf(out, err, "PGHOST=%s", pgc_conn_host(conn));
    if (code == PGC_OK)
        code = pgc_strings_addf(out, err, "PGPORT=%s", pgc_conn_port(conn));
    if (code == PGC_OK)
        code = pgc_strings_addf(out, err, "PGDATABASE=%s", pgc_conn_dbname(conn));
    if (code == PGC_OK)
        code = pgc_strings_addf(out, err, "PGAPPNAME=%s", application_name);
    return code;
}

void pgc_environ_release(struct pgc_strings *env) {
    for (size_t i = 0; i < env->count; i++)
        if (pgc_text_starts(env->items[i], "PGPASSWORD="))
            explicit_bzero(env->items[i], strlen(env->items[i]));
    pgc_strings_release(env);
}

char *pgc_conninfo_of_dbname(const char *dbname) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_puts(&text, "dbname='");
    for (const char *p = dbname; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\')
            pgc_buf_putc(&text, '\\');
        pgc_buf_putc(&text, *p);
    }
    pgc_buf_putc(&text, '\'');
    return pgc_buf_detach(&text);
}
