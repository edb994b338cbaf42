/* tern: NNN_name.sql numbered 1..N without gaps, up and down divided by a line, Go templates (fields of [data] in tern.conf and
 * included files; nothing else of text/template), one row in the ledger (tern 2.4: migrate/migrate.go). */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "migrate/dialect.h"
#include "migrate/version.h"

static const char marker[] = "---- create above / drop below ----";
static const char no_tx[] = "---- tern: disable-tx ----";

static int detect(const struct pgc_folder *folder) {
    return pgc_dialect_count_lines(folder, ".sql", marker) > 0 || pgc_folder_find(folder, "tern.conf") != NULL ? 90 : 0;
}

/* --- templates -------------------------------------------------------------------------------------- */

struct expansion {
    const struct pgc_folder *folder;
    const struct pgc_dialect_options *options;
    int depth;
};

static enum pgc_code expand(const struct expansion *x, const struct pgc_folder_file *file, const char *text, size_t len,
                            struct pgc_buf *out, struct pgc_error *err);

/* The value of `name` in the section [data] of tern.conf. */
static bool put_conf_value(const struct pgc_folder *folder, const char *name, size_t len, struct pgc_buf *out) {
    const struct pgc_folder_file *conf = pgc_folder_find(folder, "tern.conf");
    bool in_data = false;
    for (const char *p = conf != NULL ? conf->text : NULL; p != NULL && *p != '\0';) {
        p += strspn(p, " \t\r\n");
        size_t line = strcspn(p, "\r\n");
        if (*p == '[')
            in_data = strncmp(p, "[data]", 6) == 0;
        else if (in_data && strncmp(p, name, len) == 0 && strchr(" \t=", p[len]) != NULL) {
            const char *value = memchr(p, '=', line);
            if (value == NULL)
                return false;
            value += 1 + strspn(value + 1, " \t");
            size_t n = strcspn(value, "\r\n");
            while (n > 0 && isblank((unsigned char)value[n - 1]))
                n--;
            pgc_buf_put(out, value, n);
            return true;
        }
        p += line;
    }
    return false;
}

static enum pgc_code put_field(const struct expansion *x, const struct pgc_folder_file *file, const char *name,
                               size_t len, struct pgc_buf *out, struct pgc_error *err) {
    const char *value = pgc_dialect_variable(x->options, name, len);
    if (value != NULL)
        pgc_buf_puts(out, value);
    else if (!put_conf_value(x->folder, name, len, out))
        return pgc_fail(err, PGC_E_DATA,
                        "%s: there is no value for {{.%.*s}}; put it into [data] of tern.conf or give --var %.*s=...",
                        file->path, (int)len, name, (int)len, name);
    return PGC_OK;
}

static enum pgc_code put_include(const struct expansion *x, const struct pgc_folder_file *file, const char *name,
                                 size_t len, struct pgc_buf *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf wanted = PGC_BUF_INIT;
    pgc_buf_put(&wanted, name, len);
    const struct pgc_folder_file *included = pgc_folder_find(x->folder, wanted.data);
    if (included == NULL || included->text == NULL)
        return pgc_fail(err, PGC_E_DATA, "%s: the template '%s' does not exist", file->path, wanted.data);
    if (x->depth >= 16)
        return pgc_fail(err, PGC_E_DATA, "%s: templates include each other", file->path);
    struct expansion deeper = { x->folder, x->options, x->depth + 1 };
    return expand(&deeper, included, included->text, included->len, out, err);
}

/* What stands between {{ and }}: .name, template "file" ., or a comment. */
static enum pgc_code put_action(const struct expansion *x, const struct pgc_folder_file *file, const char *p,
                                size_t len, struct pgc_buf *out, struct pgc_error *err) {
    while (len > 0 && (isspace((unsigned char)*p) || *p == '-'))
        p++, len--;
    while (len > 0 && (isspace((unsigned char)p[len - 1]) || p[len - 1] == '-'))
        len--;
    if (len > 1 && p[0] == '.' && strcspn(p + 1, " |()") >= len - 1)
        return put_field(x, file, p + 1, len - 1, out, err);
    if (len > 2 && p[0] == '/' && p[1] == '*')
        return PGC_OK;
    const char *open = pgc_text_starts(p, "template") ? memchr(p, '"', len) : NULL;
    const char *close = open != NULL ? memchr(open + 1, '"', (size_t)(p + len - open - 1)) : NULL;
    if (close != NULL)
        return put_include(x, file, open + 1, (size_t)(close - open - 1), out, err);
    return pgc_fail(
        err, PGC_E_DATA,
        "%s: the template action '{{%.*s}}' is not supported; only {{.name}} and {{template \"file\" .}} are",
        file->path, (int)len, p);
}

static enum pgc_code expand(const struct expansion *x, const struct pgc_folder_file *file, const char *text, size_t len,
                            struct pgc_buf *out, struct pgc_error *err) {
    const char *end = text + len;
    while (text < end) {
        const char *open = memmem(text, (size_t)(end - text), "{{", 2);
        const char *close = open != NULL ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
        pgc_buf_put(out, text, (size_t)((close != NULL ? open : end) - text));
        if (close == NULL)
            return PGC_OK;
        enum pgc_code code = put_action(x, file, open + 2, (size_t)(close - open - 2), out, err);
        if (code != PGC_OK)
            return code;
        text = close + 2;
    }
    return PGC_OK;
}

/* --- files ------------------------------------------------------------------------------------------ */

static bool has_sql(const char *p, size_t len) {
    const char *end = p + len;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *stop = nl != NULL ? nl : end;
        while (p < stop && isspace((unsigned char)*p))
            p++;
        if (p < stop && !(stop - p >= 2 && p[0] == '-' && p[1] == '-'))
            return true;
        p = nl != NULL ? nl + 1 : end;
    }
    return false;
}

static enum pgc_code make_script(const struct pgc_folder_file *file, const char *text, size_t len, size_t line,
                                 struct pgc_migration_script *script, struct pgc_error *err) {
    script->text = strndup(text, len);
    script->path = strdup(file->path);
    script->len = len;
    script->line = line;
    if (script->text == NULL || script->path == NULL)
        return pgc_fail_nomem(err);
    script->tx = memmem(text, len, no_tx, strlen(no_tx)) != NULL ? PGC_MIGRATION_TX_OFF : PGC_MIGRATION_TX_ON;
    return PGC_OK;
}

static enum pgc_code parse_file(const struct expansion *x, const struct pgc_folder_file *file,
                                struct pgc_migration_set *set, struct pgc_error *err) {
    size_t digits = pgc_version_digits(file->name);
    if (digits == 0 || digits > 18 || file->name[digits] != '_')
        return pgc_strings_add(&set->ignored, file->path, err);
    struct pgc_migration *m;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code == PGC_OK)
        code = expand(x, file, file->text, file->len, &text, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&text, err);
    if (code != PGC_OK)
        return code;
    char number[24];
    const char *name = file->name + digits + 1;
    snprintf(number, sizeof number, "%lld", strtoll(file->name, NULL, 10));
    m->version = strdup(number);
    m->name = strndup(name, strlen(name) - strlen(".sql"));
    if (m->version == NULL || m->name == NULL)
        return pgc_fail_nomem(err);
    const char *cut = strstr(text.data, marker);
    size_t up_len = cut != NULL ? (size_t)(cut - text.data) : text.len;
    if (!has_sql(text.data, up_len))
        return pgc_fail(err, PGC_E_DATA, "%s: no SQL in the forward half", file->path);
    code = make_script(file, text.data, up_len, 1, &m->up, err);
    if (code != PGC_OK || cut == NULL)
        return code;
    size_t line = 1;
    for (const char *p = text.data; p < cut; p++)
        line += *p == '\n';
    const char *down = cut + strlen(marker);
    return make_script(file, down, strlen(down), line, &m->down, err);
}

static enum pgc_code check_numbers(const struct pgc_migration_set *set, struct pgc_error *err) {
    for (size_t i = 0; i < set->count; i++) {
        size_t number = strtoull(set->items[i].version, NULL, 10);
        if (i > 0 && pgc_version_compare(set->items[i - 1].version, set->items[i].version) == 0)
            return pgc_fail(err, PGC_E_DATA, "Duplicate migration %zu: '%s' and '%s'", number, set->items[i - 1].path,
                            set->items[i].path);
        if (number != i + 1)
            return pgc_fail(err, PGC_E_DATA,
                            "Missing migration %zu: tern numbers its files from 1 without gaps, and '%s' follows %zu",
                            i + 1, set->items[i].path, i);
    }
    return PGC_OK;
}

static int by_number(const void *a, const void *b) {
    return pgc_version_compare(((const struct pgc_migration *)a)->version, ((const struct pgc_migration *)b)->version);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    struct expansion x = { folder, options, 0 };
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        if (pgc_folder_is_top(&folder->files[i]) && pgc_text_ends(folder->files[i].name, ".sql"))
            code = parse_file(&x, &folder->files[i], set, err);
    if (code != PGC_OK)
        return code;
    if (set->count > 1)
        qsort(set->items, set->count, sizeof *set->items, by_number);
    code = check_numbers(set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strcmp(columns, "version:integer ") == 0;
}

static const struct pgc_dialect_ledger ledger = {
    .schema = "public",
    .table = "schema_version",
    .high_water = true,
    .recognise = recognise,
    .create = "create table if not exists {table} (version int4 not null primary key); "
              "insert into {table} (version) select 0 where not exists (select 1 from {table});",
    .read = { .version = "version", .from = "{table} where version > 0" },
    .up = "update {table} set version = {version};",
    .down = "update {table} set version = coalesce({previous}, '0')::int4;",
    .lock_key = INT64_C(9628173550095224),
};

static const struct pgc_dialect_fresh fresh = {
    .first = "001",
    .files = { { "{version}_{name}.sql", "\n---- create above / drop below ----\n\n" } },
};

const struct pgc_dialect pgc_dialect_tern = { "tern", detect, parse, &ledger, &fresh };
