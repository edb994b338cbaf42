#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pg/internal.h"

#define MASK "********"

static bool is_uri(const char *text) {
    return strncmp(text, "postgres://", 11) == 0 || strncmp(text, "postgresql://", 13) == 0;
}

/* scheme://user:PASSWORD@hosts/db?password=PASSWORD&... */
static void redact_uri(struct pgc_buf *out, const char *text) {
    const char *authority = strstr(text, "://") + 3;
    size_t len = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', len);
    const char *colon = at != NULL ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    const char *rest = authority;
    pgc_buf_put(out, text, (size_t)(authority - text));
    if (colon != NULL) {
        pgc_buf_put(out, authority, (size_t)(colon + 1 - authority));
        pgc_buf_puts(out, MASK);
        rest = at;
    }
    const char *query;
    while ((query = strpbrk(rest, "?&")) != NULL) {
        pgc_buf_put(out, rest, (size_t)(query + 1 - rest));
        rest = query + 1;
        size_t name = strcspn(rest, "=&");
        if ((name == 8 && strncmp(rest, "password", 8) == 0) || (name == 11 && strncmp(rest, "sslpassword", 11) == 0)) {
            pgc_buf_put(out, rest, name);
            pgc_buf_puts(out, "=" MASK);
            rest += strcspn(rest, "&");
        }
    }
    pgc_buf_puts(out, rest);
}

/* One value of a key=value string: quoted by '...' with backslashes, or up to white space. */
static const char *skip_value(const char *p) {
    bool quoted = *p == '\'';
    if (quoted)
        p++;
    while (*p != '\0' && (quoted ? *p != '\'' : strchr(" \t\n\r", *p) == NULL))
        p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
    return quoted && *p == '\'' ? p + 1 : p;
}

static void redact_pairs(struct pgc_buf *out, const char *text) {
    const char *p = text;
    while (*p != '\0') {
        size_t blank = strspn(p, " \t\n\r");
        pgc_buf_put(out, p, blank);
        p += blank;
        size_t name = strcspn(p, "= \t\n\r");
        const char *value = p + name + strspn(p + name, " \t\n\r");
        if (*value != '=') {
            pgc_buf_put(out, p, name);
            p += name;
            continue;
        }
        value += 1 + strspn(value + 1, " \t\n\r");
        const char *end = skip_value(value);
        bool secret = name >= 8 && strncmp(p + name - 8, "password", 8) == 0;
        pgc_buf_put(out, p, (size_t)(value - p));
        if (secret)
            pgc_buf_puts(out, MASK);
        else
            pgc_buf_put(out, value, (size_t)(end - value));
        p = end;
    }
}

char *pgc_conninfo_redact(const char *conninfo) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (is_uri(conninfo))
        redact_uri(&out, conninfo);
    else
        redact_pairs(&out, conninfo);
    return pgc_buf_detach(&out);
}

static char *value_in(const char *conninfo, const char *keyword) {
    char *found = NULL, *message = NULL;
    PQconninfoOption *rows = PQconninfoParse(conninfo, &message);
    for (PQconninfoOption *row = rows; row != NULL && row->keyword != NULL; row++) {
        if (strcmp(row->keyword, keyword) == 0 && row->val != NULL && row->val[0] != '\0')
            found = strdup(row->val);
    }
    PQconninfoFree(rows);
    PQfreemem(message);
    return found;
}

char *pgc_conn_options_dbname(const struct pgc_conn_options *options) {
    const char *info = options->conninfo;
    char *name = NULL;
    if (options->dbname != NULL)
        return strdup(options->dbname);
    if (info != NULL && !is_uri(info) && strchr(info, '=') == NULL && info[0] != '\0')
        return strdup(info);
    if (info != NULL)
        name = value_in(info, "dbname");
    if (name == NULL && getenv("PGDATABASE") != NULL)
        name = strdup(getenv("PGDATABASE"));
    if (name == NULL && options->user != NULL)
        name = strdup(options->user);
    if (name == NULL && info != NULL)
        name = value_in(info, "user");
    return name != NULL || getenv("PGUSER") == NULL ? name : strdup(getenv("PGUSER"));
}
