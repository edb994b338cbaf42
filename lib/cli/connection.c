#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "os/secret.h"

/* PG* variables are libpq's own business unless they come as files; POSTGRES_* are what the official image is
 * configured with, so they count only when nothing else says it. */
static enum pgc_code first_of(char **slot, const char *pg, const char *postgres, struct pgc_error *err) {
    if (*slot != NULL)
        return PGC_OK;
    enum pgc_code code = pgc_env_value(pg, slot, err);
    if (code == PGC_OK && *slot == NULL && postgres != NULL)
        code = pgc_env_value(postgres, slot, err);
    return code;
}

static bool is_connection_string(const char *text) {
    return strncmp(text, "postgres://", 11) == 0 || strncmp(text, "postgresql://", 13) == 0 ||
           strchr(text, '=') != NULL;
}

enum pgc_code pgc_connection_resolve(struct pgc_connection_settings *c, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (c->dbname == NULL)
        code = pgc_env_value("DATABASE_URL", &c->dbname, err);
    if (code != PGC_OK)
        return code;
    bool whole = c->dbname != NULL && is_connection_string(c->dbname);
    if (!whole) {
        code = first_of(&c->dbname, "PGDATABASE", "POSTGRES_DB", err);
        if (code == PGC_OK)
            code = first_of(&c->user, "PGUSER", "POSTGRES_USER", err);
        if (code == PGC_OK)
            code = first_of(&c->password, "PGPASSWORD", "POSTGRES_PASSWORD", err);
        if (code == PGC_OK && c->dbname == NULL && c->user != NULL && getenv("POSTGRES_USER") != NULL)
            c->dbname = strdup(c->user);
        return code;
    }
    /* A URL stands for itself; only its password may come from a file beside it. */
    if (c->password == NULL && getenv("PGPASSWORD_FILE") != NULL)
        code = pgc_env_value("PGPASSWORD", &c->password, err);
    return code;
}
