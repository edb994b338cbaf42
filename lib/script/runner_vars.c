/* psql's special variables: what may be put into them, and those that tell of the connection and the last query. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "script/runner_internal.h"

enum kind { BOOLEAN, CHOICE, NUMBER };
static const struct special {
    const char *name;
    enum kind kind;
    const char *initial;
    const char *choices; /* as psql lists them; an empty value stands for `on` where there is one */
    const char *unset;   /* what \unset leaves */
} specials[] = {
    { "AUTOCOMMIT", BOOLEAN, "on", NULL, "off" },
    { "ON_ERROR_STOP", BOOLEAN, "off", NULL, "off" },
    { "QUIET", BOOLEAN, "off", NULL, "off" },
    { "SINGLELINE", BOOLEAN, "off", NULL, "off" },
    { "SINGLESTEP", BOOLEAN, "off", NULL, "off" },
    { "SHOW_ALL_RESULTS", BOOLEAN, "on", NULL, "off" },
    { "HIDE_TABLEAM", BOOLEAN, "off", NULL, "off" },
    { "HIDE_TOAST_COMPRESSION", BOOLEAN, "off", NULL, "off" },
    { "ECHO", CHOICE, "none", "none, errors, queries, all", "none" },
    { "ECHO_HIDDEN", CHOICE, "off", "on, off, noexec", "off" },
    { "ON_ERROR_ROLLBACK", CHOICE, "off", "on, off, interactive", "off" },
    { "VERBOSITY", CHOICE, "default", "default, verbose, terse, sqlstate", "default" },
    { "SHOW_CONTEXT", CHOICE, "errors", "never, errors, always", "errors" },
    { "COMP_KEYWORD_CASE", CHOICE, "preserve-upper", "lower, upper, preserve-lower, preserve-upper", "preserve-upper" },
    { "HISTCONTROL", CHOICE, "none", "none, ignorespace, ignoredups, ignoreboth", "none" },
    { "FETCH_COUNT", NUMBER, "0", NULL, "0" },
    { "HISTSIZE", NUMBER, "500", NULL, "500" },
    { "IGNOREEOF", NUMBER, "0", NULL, "0" },
};

static const struct special *find(const char *name) {
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        if (strcmp(specials[i].name, name) == 0)
            return &specials[i];
    return NULL;
}

bool pgc__script_is_special(const char *name) {
    return find(name) != NULL || strcmp(name, "PROMPT1") == 0 || strcmp(name, "PROMPT2") == 0 ||
           strcmp(name, "PROMPT3") == 0;
}

/* The word of "a, b, c" that the text is, without regard to case. */
static bool choice(const char *choices, const char *text) {
    size_t len = strlen(text);
    for (const char *at = choices; *at != '\0'; at += strspn(at, ", ")) {
        size_t n = strcspn(at, ",");
        if (n == len && strncasecmp(at, text, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static bool check(struct pgc_engine *engine, const struct special *s, const char **value) {
    bool truth;
    char *end;
    if (s->kind == BOOLEAN) {
        if (**value == '\0')
            *value = "on";
        if (pgc_vars_parse_bool(*value, &truth))
            return true;
        pgc_engine_error(engine, "unrecognized value \"%s\" for \"%s\": Boolean expected", *value, s->name);
        return false;
    }
    if (s->kind == NUMBER) {
        if (**value != '\0' && (strtol(*value, &end, 0), *end == '\0'))
            return true;
        pgc_engine_error(engine, "invalid value \"%s\" for \"%s\": integer expected", *value, s->name);
        return false;
    }
    if (**value == '\0' && strncmp(s->choices, "on,", 3) == 0)
        *value = "on";
    if (choice(s->choices, *value))
        return true;
    if (strncmp(s->choices, "on,", 3) == 0 && pgc_vars_parse_bool(*value, &truth)) {
        *value = truth ? "on" : "off";
        return true;
    }
    pgc_engine_error(engine, "unrecognized value \"%s\" for \"%s\"\nAvailable values are: %s.", *value, s->name,
                     s->choices);
    return false;
}

bool pgc__script_assign(struct pgc_engine *engine, const char *name, const char **value) {
    struct pgc_script *script = pgc__script_of(engine);
    const struct special *s = find(name);
    if (s == NULL)
        return true;
    if (*value == NULL)
        *value = s->unset;
    else if (!check(engine, s, value))
        return false;
    if (script->conn != NULL && (strcmp(name, "VERBOSITY") == 0 || strcmp(name, "SHOW_CONTEXT") == 0)) {
        bool verbosity = strcmp(name, "VERBOSITY") == 0;
        pgc_raw_set_verbosity(script->conn, verbosity ? *value : pgc_vars_get(&script->session.vars, "VERBOSITY"),
                              verbosity ? pgc_vars_get(&script->session.vars, "SHOW_CONTEXT") : *value);
    }
    return true;
}

void pgc__script_set_now(struct pgc_script *script, const char *name, const char *value) {
    struct pgc_error err;
    if (pgc_vars_set(&script->session.vars, name, value, &err) != PGC_OK && !script->fatal) {
        script->fatal = true;
        script->err = err;
    }
}

void pgc__script_defaults(struct pgc_script *script) {
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        pgc__script_set_now(script, specials[i].name, specials[i].initial);
    pgc__script_set_now(script, "ERROR", "false");
    pgc__script_set_now(script, "SQLSTATE", "00000");
    pgc__script_set_now(script, "ROW_COUNT", "0");
    pgc__script_set_now(script, "LAST_ERROR_SQLSTATE", "00000");
    pgc__script_set_now(script, "LAST_ERROR_MESSAGE", "");
    pgc__script_set_now(script, "VERSION", "pgc " PGC_VERSION);
    pgc__script_set_now(script, "VERSION_NAME", "15.0");
    pgc__script_set_now(script, "VERSION_NUM", "150000");
    if (script->options.quiet)
        pgc__script_set_now(script, "QUIET", "on");
    if (script->options.on_error_stop)
        pgc__script_set_now(script, "ON_ERROR_STOP", "on");
}

void pgc__script_sync(struct pgc_script *script) {
    const struct pgc_conn *conn = script->conn;
    char number[16];
    pgc__script_set_now(script, "DBNAME", conn != NULL ? pgc_conn_dbname(conn) : NULL);
    pgc__script_set_now(script, "USER", conn != NULL ? pgc_conn_user(conn) : NULL);
    pgc__script_set_now(script, "HOST", conn != NULL ? pgc_conn_host(conn) : NULL);
    pgc__script_set_now(script, "PORT", conn != NULL ? pgc_conn_port(conn) : NULL);
    pgc__script_set_now(script, "ENCODING", conn != NULL ? pgc_raw_encoding(conn) : NULL);
    pgc__script_set_now(script, "SERVER_VERSION_NAME",
                        conn != NULL ? pgc_conn_parameter(conn, "server_version") : NULL);
    snprintf(number, sizeof number, "%d", conn != NULL ? pgc_conn_server_version(conn) : 0);
    pgc__script_set_now(script, "SERVER_VERSION_NUM", conn != NULL ? number : NULL);
    if (conn != NULL)
        pgc_raw_set_verbosity(script->conn, pgc_vars_get(&script->session.vars, "VERBOSITY"),
                              pgc_vars_get(&script->session.vars, "SHOW_CONTEXT"));
}

void pgc__script_result_variables(struct pgc_script *script, const struct pgc_raw_result *result) {
    if (pgc_raw_kind(result) == PGC_RAW_FAILED) {
        const char *sqlstate = pgc_raw_sqlstate(result);
        const char *message = pgc_raw_primary(result);
        pgc__script_set_now(script, "ERROR", "true");
        pgc__script_set_now(script, "ROW_COUNT", "0");
        pgc__script_set_now(script, "SQLSTATE", sqlstate);
        pgc__script_set_now(script, "LAST_ERROR_SQLSTATE", sqlstate);
        pgc__script_set_now(script, "LAST_ERROR_MESSAGE", message);
        return;
    }
    const char *rows = pgc_raw_affected(result);
    pgc__script_set_now(script, "ERROR", "false");
    pgc__script_set_now(script, "SQLSTATE", "00000");
    pgc__script_set_now(script, "ROW_COUNT", rows[0] != '\0' ? rows : "0");
}
