/* Folders become a set: format, parser, environment. No server. */
#include <stdlib.h>
#include <string.h>

#include "migrate/run_internal.h"
#include "sql_embedded.h"

static enum pgc_code substitute(struct pgc_migration_script *script, const struct pgc_migrate_options *options,
                                struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (script->text == NULL || strstr(script->text, "${") == NULL)
        return PGC_OK;
    for (const char *p = script->text; *p != '\0';) {
        size_t name = strncmp(p, "${", 2) == 0 ? strcspn(p + 2, "}") : 0;
        size_t i = 0;
        for (; name > 0 && i < options->env_names->count; i++) {
            const char *known = options->env_names->items[i];
            if (strlen(known) == name && strncmp(known, p + 2, name) == 0)
                break;
        }
        if (name == 0 || i == options->env_names->count || p[2 + name] != '}') {
            pgc_buf_putc(&out, *p++);
            continue;
        }
        const char *value = options->dialect.env == NULL
                                ? NULL
                                : options->dialect.env(options->dialect.env_arg, options->env_names->items[i]);
        size_t line, column;
        pgc_migration_position(script, (size_t)(p - script->text), &line, &column);
        if (value == NULL)
            return pgc_fail(err, PGC_E_CONFIG, "%s:%zu:%zu: the environment variable %s is not set", script->path, line,
                            column, options->env_names->items[i]);
        pgc_buf_puts(&out, value);
        p += name + 3;
    }
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code != PGC_OK)
        return code;
    script->len = out.len;
    free(script->text);
    script->text = pgc_buf_detach(&out);
    return script->text != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code substitute_all(struct pgc_migrate *migrate, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (migrate->options->env_names == NULL || migrate->options->env_names->count == 0)
        return code;
    for (size_t i = 0; code == PGC_OK && i < migrate->set.count; i++) {
        code = substitute(&migrate->set.items[i].up, migrate->options, err);
        if (code == PGC_OK)
            code = substitute(&migrate->set.items[i].down, migrate->options, err);
    }
    for (size_t i = 0; code == PGC_OK && i < migrate->set.hook_count; i++)
        code = substitute(&migrate->set.hooks[i].script, migrate->options, err);
    return code;
}

static enum pgc_code parse(struct pgc_migrate *migrate, const struct pgc_dialect_options *options,
                           struct pgc_error *err) {
    const struct pgc_migration_set *set = &migrate->set;
    enum pgc_code code = migrate->dialect->parse(&migrate->folder, options, &migrate->set, err);
    if (code == PGC_OK && migrate->options->format != NULL && set->count == 0 && set->ignored.count > 0)
        return pgc_fail(err, PGC_E_DATA, "none of the files is a migration of the format '%s' (the first is '%s')",
                        migrate->dialect->name, set->ignored.items[0]);
    return code != PGC_OK ? code : substitute_all(migrate, err);
}

enum pgc_code pgc__migrate_ask_server(struct pgc_migrate *migrate, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    struct pgc_dialect_options options = migrate->options->dialect;
    enum pgc_code code = pgc_conn_query(migrate->conn, pgc_sql_migrate_read_server, NULL, 0, &rows, err);
    if (code != PGC_OK)
        return code;
    options.database = pgc_rows_text(rows, 0, 0);
    options.owner = pgc_rows_text(rows, 0, 1);
    options.user = pgc_rows_text(rows, 0, 2);
    options.schema = pgc_rows_text(rows, 0, 3);
    options.time = pgc_rows_text(rows, 0, 4);
    options.table = migrate->options->table;
    pgc_migration_set_release(&migrate->set);
    return parse(migrate, &options, err);
}

enum pgc_code pgc_migrate_load(struct pgc_migrate *migrate, struct pgc_error *err) {
    const struct pgc_migrate_options *options = migrate->options;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < options->dirs->count; i++)
        code = pgc_folder_read(&migrate->folder, options->dirs->items[i], err);
    if (code == PGC_OK && options->format != NULL)
        code = pgc_dialect_find(options->format, &migrate->dialect, err);
    else if (code == PGC_OK)
        code = pgc_dialect_detect(&migrate->folder, &migrate->dialect, err);
    if (code == PGC_OK && options->format != NULL)
        code = pgc_dialect_check(migrate->dialect, &migrate->folder, err);
    return code == PGC_OK ? parse(migrate, &options->dialect, err) : code;
}
