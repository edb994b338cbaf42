#include "backup/properties.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "script/split.h"

void pgc_properties_release(struct pgc_properties *p) {
    free(p->create);
    free(p->encoding);
    free(p->tablespace);
    pgc_strings_release(&p->early);
    pgc_strings_release(&p->late);
}

/* --- identifiers ------------------------------------------------------------------------------------------------ */

/* Behind an identifier, quoted or not. */
static const char *skip_name(const char *p) {
    if (*p != '"')
        return p + strcspn(p, " ;");
    for (p++; *p != '\0'; p++)
        if (*p == '"' && *++p != '"')
            break;
    return p;
}

static char *unquoted(const char *p) {
    const char *end = skip_name(p);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (*p != '"')
        pgc_buf_put(&out, p, (size_t)(end - p));
    else
        for (p++; p + 1 < end; p++) {
            pgc_buf_putc(&out, *p);
            p += *p == '"'; /* the second one of two */
        }
    return pgc_buf_detach(&out);
}

/* The name behind the first word DATABASE that is not within quotes; NULL: there is none. */
static const char *find_database(const char *sql) {
    static const char word[] = "DATABASE ";
    for (const char *p = sql; *p != '\0';) {
        if (*p == '"') {
            p = skip_name(p);
        } else if ((p == sql || p[-1] == ' ') && pgc_text_starts(p, word)) {
            return p + sizeof word - 1;
        } else {
            p++;
        }
    }
    return NULL;
}

static char *renamed(const char *sql, const char *database) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    const char *name = find_database(sql);
    if (name == NULL)
        return strdup(sql);
    pgc_buf_put(&out, sql, (size_t)(name - sql));
    pgc_buf_puts(&out, database);
    pgc_buf_puts(&out, skip_name(name));
    return pgc_buf_detach(&out);
}

/* --- statements --------------------------------------------------------------------------------------------------- */

bool pgc_property_is_owner(const char *statement) {
    const char *name = find_database(statement);
    return pgc_text_starts(statement, "ALTER DATABASE ") && name != NULL &&
           pgc_text_starts(skip_name(name), " OWNER TO ");
}

bool pgc_property_is_grant(const char *statement) {
    static const char *const words[] = { "GRANT ", "REVOKE ", "SET SESSION AUTHORIZATION ",
                                         "RESET SESSION AUTHORIZATION" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (pgc_text_starts(statement, words[i]))
            return true;
    return false;
}

char *pgc_property_role(const char *statement) {
    static const char begin[] = "ALTER ROLE ";
    if (!pgc_text_starts(statement, begin))
        return NULL;
    return unquoted(statement + sizeof begin - 1);
}

static bool is_late(const char *statement) {
    const char *name = find_database(statement), *rest = name == NULL ? "" : skip_name(name);
    return pgc_text_starts(statement, "COMMENT ") || pgc_text_starts(rest, " CONNECTION LIMIT") ||
           pgc_text_starts(rest, " IS_TEMPLATE");
}

static bool is_early(const char *statement) {
    return pgc_property_is_grant(statement) || pgc_text_starts(statement, "ALTER DATABASE ") ||
           pgc_text_starts(statement, "ALTER ROLE ") || pgc_text_starts(statement, "SECURITY LABEL ");
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

struct reader {
    struct pgc_properties *p;
    const char *database;
};

static const char tablespace_words[] = " TABLESPACE = ";

static enum pgc_code read_create(struct reader *r, const char *text, struct pgc_error *err) {
    r->p->create = renamed(text, r->database);
    if (r->p->create == NULL)
        return pgc_fail_nomem(err);
    const char *name = find_database(r->p->create);
    const char *at = strstr(skip_name(name), tablespace_words);
    if (at == NULL)
        return PGC_OK;
    r->p->tablespace = unquoted(at + sizeof tablespace_words - 1);
    return r->p->tablespace == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

/* What else is printed sets the session up, which is ours, not pg_restore's. */
static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct reader *r = arg;
    if (item->kind != PGC_SPLIT_STATEMENT)
        return PGC_OK;
    if (pgc_text_starts(item->text, "CREATE DATABASE "))
        return read_create(r, item->text, err);
    if (pgc_text_starts(item->text, "SET client_encoding ") && r->p->encoding == NULL) {
        r->p->encoding = strdup(item->text);
        return r->p->encoding == NULL ? pgc_fail_nomem(err) : PGC_OK;
    }
    if (is_late(item->text))
        return pgc_strings_take(&r->p->late, renamed(item->text, r->database), err);
    if (is_early(item->text))
        return pgc_strings_take(&r->p->early, renamed(item->text, r->database), err);
    return PGC_OK;
}

enum pgc_code pgc_properties_parse(struct pgc_properties *properties, const char *sql, size_t len, const char *database,
                                   struct pgc_error *err) {
    struct reader r = { properties, database };
    struct pgc_split_options options = { 0 };
    return pgc_split_text(sql, len, &options, each, &r, NULL, err);
}

void pgc_properties_drop_tablespace(struct pgc_properties *p) {
    if (p->tablespace == NULL)
        return;
    char *at = strstr(p->create + (skip_name(find_database(p->create)) - p->create), tablespace_words);
    const char *end = skip_name(at + sizeof tablespace_words - 1);
    memmove(at, end, strlen(end) + 1);
    free(p->tablespace);
    p->tablespace = NULL;
}
