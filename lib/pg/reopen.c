/* A second connection with the settings of a first: what \connect does. */
#include <stdlib.h>
#include <string.h>

#include "pg/internal.h"
#include "pg/raw.h"

bool pgc_raw_is_conninfo(const char *dbname) {
    return dbname != NULL && (strncmp(dbname, "postgres://", 11) == 0 || strncmp(dbname, "postgresql://", 13) == 0 ||
                              strchr(dbname, '=') != NULL);
}

static const char *value_of(const PQconninfoOption *list, const char *name) {
    for (; list != NULL && list->keyword != NULL; list++)
        if (strcmp(list->keyword, name) == 0)
            return list->val;
    return NULL;
}

static bool differs(const char *wanted, const char *now) {
    return wanted != NULL && (now == NULL || strcmp(wanted, now) != 0);
}

struct merge {
    PQconninfoOption *base;  /* of the old connection, or the defaults */
    PQconninfoOption *given; /* of a conninfo string; NULL: none */
    const struct pgc_raw_target *target;
    bool keep_password;
    bool keep_address;
};

static const char *merged(const struct merge *m, const char *name) {
    const struct {
        const char *name, *value;
    } explicit[] = { { "user", m->target->user },
                     { "host", m->target->host },
                     { "port", m->target->port },
                     { "dbname", m->given == NULL ? m->target->dbname : NULL } };
    for (size_t i = 0; i < sizeof explicit / sizeof explicit[0]; i++)
        if (strcmp(name, explicit[i].name) == 0 && explicit[i].value != NULL)
            return explicit[i].value;
    const char *given = value_of(m->given, name);
    if (given != NULL)
        return given;
    if (strcmp(name, "password") == 0 && !m->keep_password)
        return NULL;
    if (strcmp(name, "hostaddr") == 0 && !m->keep_address)
        return NULL;
    return value_of(m->base, name);
}

static enum pgc_code open_merged(const struct merge *m, const struct pgc_runtime *rt, struct pgc_conn **out,
                                 struct pgc_error *err) {
    const char *names[128], *values[128];
    size_t count = 0;
    for (const PQconninfoOption *o = m->base; o->keyword != NULL && count < 127; o++) {
        const char *value = merged(m, o->keyword);
        if (value == NULL || value[0] == '\0')
            continue;
        names[count] = o->keyword;
        values[count++] = value;
    }
    names[count] = values[count] = NULL;
    return pgc__conn_open_keywords(names, values, false, -1, rt, out, err);
}

enum pgc_code pgc_raw_reopen(const struct pgc_conn *old, const struct pgc_raw_target *target,
                             const struct pgc_runtime *rt, struct pgc_conn **out, struct pgc_error *err) {
    bool conninfo = pgc_raw_is_conninfo(target->dbname);
    bool reuse = target->reuse == PGC_REUSE_ON || (target->reuse == PGC_REUSE_DEFAULT && !conninfo);
    struct merge m = { .target = target };
    char *message = NULL;
    if (conninfo) {
        m.given = PQconninfoParse(target->dbname, &message);
        if (m.given == NULL) {
            pgc_fail(err, PGC_E_USAGE, "%.*s", (int)strcspn(message != NULL ? message : "", "\n"),
                     message != NULL ? message : "out of memory");
            PQfreemem(message);
            return err->code;
        }
    }
    m.base = reuse && old != NULL ? PQconninfo(old->pg) : PQconndefaults();
    if (m.base == NULL) {
        PQconninfoFree(m.given);
        return pgc_fail_nomem(err);
    }
    if (reuse && old != NULL) {
        const char *user = target->user != NULL ? target->user : value_of(m.given, "user");
        const char *host = target->host != NULL ? target->host : value_of(m.given, "host");
        const char *port = target->port != NULL ? target->port : value_of(m.given, "port");
        m.keep_address = !differs(host, PQhost(old->pg));
        m.keep_password = m.keep_address && !differs(user, PQuser(old->pg)) && !differs(port, PQport(old->pg));
    } else
        m.keep_password = m.keep_address = true; /* defaults: PGPASSWORD and PGHOSTADDR belong to them */
    enum pgc_code code = open_merged(&m, rt, out, err);
    PQconninfoFree(m.given);
    PQconninfoFree(m.base);
    return code;
}
