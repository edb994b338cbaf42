#include "backup/hook.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "os/spawn.h"
#include "pg/environ.h"

/* Without these little works, and none holds a secret. */
static const char *const harmless[] = { "PATH",   "HOME", "USER",     "LOGNAME", "SHELL",  "LANG",   "LANGUAGE",  "TZ",
                                        "TMPDIR", "TERM", "HOSTNAME", "PGHOST",  "PGPORT", "PGUSER", "PGDATABASE" };

enum pgc_code pgc_hook_parse(const char *json, struct pgc_strings *out, struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    enum pgc_code code = pgc_json_parse(json, strlen(json), &doc, err);
    size_t count = pgc_json_count(doc);
    if (code == PGC_E_NOMEM)
        return code;
    if (code != PGC_OK || pgc_json_kind(doc) != PGC_JSON_ARRAY || count == 0)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is no JSON array of a program and its arguments", json);
    for (size_t i = 0; code == PGC_OK && i < count; i++) {
        const char *text = pgc_json_text(pgc_json_at(doc, i));
        if (text == NULL || (i == 0 && text[0] == '\0'))
            return pgc_fail(err, PGC_E_USAGE, "'%s' is no JSON array of a program and its arguments", json);
        code = pgc_strings_add(out, text, err);
    }
    return code;
}

static enum pgc_code pass_on(const char *name, struct pgc_strings *env, struct pgc_error *err) {
    const char *value = getenv(name);
    return value == NULL ? PGC_OK : pgc_strings_addf(env, err, "%s=%s", name, value);
}

static enum pgc_code make_environment(const struct pgc_hook_call *call, struct pgc_strings *env,
                                      struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < sizeof harmless / sizeof harmless[0]; i++)
        code = pass_on(harmless[i], env, err);
    for (char **entry = environ; code == PGC_OK && *entry != NULL; entry++)
        if (pgc_text_starts(*entry, "LC_"))
            code = pgc_strings_add(env, *entry, err);
    for (size_t i = 0; code == PGC_OK && call->pass != NULL && i < call->pass->count; i++)
        code = pass_on(call->pass->items[i], env, err);
    for (size_t i = 0; code == PGC_OK && i < call->vars->count; i++)
        code = pgc_strings_add(env, call->vars->items[i], err);
    return code;
}

enum pgc_code pgc_hook_run(const struct pgc_strings *argv, const struct pgc_hook_call *call,
                           const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_CLEANUP(pgc_environ_release) struct pgc_strings env = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    struct pgc_spawn spec = { .argv = argv->items,
                              .stdin_from = PGC_SPAWN_NULL,
                              .stdin_text = call->input,
                              .stdout_to = PGC_SPAWN_STDERR,
                              .stderr_log = "backup.hook",
                              .stderr_is_info = true,
                              .limit_ms = call->limit_ms };
    enum pgc_code code = make_environment(call, &env, err);
    spec.env = env.items;
    if (code == PGC_OK)
        code = pgc_child_start(&spec, rt, &child, err);
    return code == PGC_OK ? pgc_child_wait(child, err) : code;
}
