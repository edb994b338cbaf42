/* Flyway: V<version>__desc.sql, R__desc.sql, U<version>__desc.sql (down), B<version>__desc.sql, callbacks by name, <file>.conf,
 * placeholders ${name}; recursive; checksum CRC-32 over the lines without their ends (Flyway 13: ResourceNameParser,
 * ChecksumCalculator, SqlMigrationResolver). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "io/digest.h"
#include "migrate/flyway.h"
#include "migrate/version.h"

/* --- names ------------------------------------------------------------------------------------------ */

struct name {
    char prefix; /* V R U B */
    char version[128];
    char *description;
};

static const struct {
    const char *event;
    enum pgc_hook_when when;
} callbacks[] = {
    { "beforeMigrate", PGC_HOOK_BEFORE_ALL },          { "beforeEachMigrate", PGC_HOOK_BEFORE_EACH },
    { "afterEachMigrate", PGC_HOOK_AFTER_EACH },       { "afterVersioned", PGC_HOOK_AFTER_VERSIONED },
    { "beforeRepeatables", PGC_HOOK_AFTER_VERSIONED }, { "afterMigrateError", PGC_HOOK_AFTER_ERROR },
    { "afterMigrateApplied", PGC_HOOK_AFTER_ALL },     { "afterMigrate", PGC_HOOK_AFTER_ALL },
};

static bool callback_of(const char *base, enum pgc_hook_when *when) {
    for (size_t i = 0; i < sizeof callbacks / sizeof callbacks[0]; i++) {
        size_t len = strlen(callbacks[i].event);
        if (strncmp(base, callbacks[i].event, len) == 0 && (base[len] == '.' || strncmp(base + len, "__", 2) == 0)) {
            *when = callbacks[i].when;
            return true;
        }
    }
    return false;
}

/* Prefix, then digits divided by single dots or underscores, then "__" and the description, or nothing. */
static bool split_name(const char *base, struct name *name) {
    if (strchr("VRUB", base[0]) == NULL || !pgc_text_ends(base, ".sql"))
        return false;
    const char *end = base + strlen(base) - strlen(".sql");
    const char *divider = strstr(base, "__");
    const char *stop = divider != NULL && divider < end ? divider : end;
    size_t len = (size_t)(stop - base) - 1;
    if (len >= sizeof name->version || (len > 0 && !isdigit((unsigned char)base[1])) || (len == 0 && base[0] != 'R'))
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = base[1 + i];
        if (!isdigit((unsigned char)c) && c != '.' && c != '_')
            return false;
        name->version[i] = c == '_' ? '.' : c;
    }
    name->version[len] = '\0';
    name->prefix = base[0];
    const char *description = stop < end ? stop + 2 : end;
    name->description = strndup(description, (size_t)(end - description));
    for (char *p = name->description; p != NULL && *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    return name->description != NULL;
}

static int detect(const struct pgc_folder *folder) {
    size_t named = 0, ours = 0, numbered = 0;
    for (size_t i = 0; i < folder->count; i++) {
        struct name name = { 0 };
        enum pgc_hook_when when;
        const char *base = pgc_folder_base(&folder->files[i]);
        bool fits = split_name(base, &name) && name.prefix != 'U';
        free(name.description);
        named += fits;
        numbered +=
            pgc_folder_is_top(&folder->files[i]) && base[0] >= '0' && base[0] <= '9' && pgc_text_ends(base, ".sql");
        ours += (fits && (strchr(name.version, '.') != NULL || name.prefix != 'V')) || callback_of(base, &when) ||
                pgc_text_ends(base, ".sql.conf");
    }
    /* Repeatable files beside numbered ones are of our own format, which has R__ too. */
    if (named == 0 || numbered > 0)
        return 0;
    return ours > 0 ? 80 : 70;
}

/* --- checksum --------------------------------------------------------------------------------------- */

static void put_checksum(struct pgc_buf *out, const char *text, size_t len) {
    const char *p = text, *end = text + len;
    uint32_t crc = 0;
    if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3;
    while (p < end) {
        size_t n = 0;
        while (p + n < end && p[n] != '\n' && p[n] != '\r')
            n++;
        crc = pgc_crc32(crc, p, n);
        p += n + (p + n < end);
    }
    pgc_buf_putf(out, "%d", (int)(int32_t)crc);
}

/* --- placeholders ----------------------------------------------------------------------------------- */

/* Is it one that Flyway gives a value to? *value NULL: only a server knows. */
static bool built_in(const struct pgc_dialect_options *options, const struct pgc_folder_file *file, const char *name,
                     size_t len, const char **value) {
    const struct {
        const char *name, *value;
    } rows[] = { { "flyway:defaultSchema", options->schema },
                 { "flyway:user", options->user },
                 { "flyway:database", options->database },
                 { "flyway:timestamp", options->time },
                 { "flyway:filename", pgc_folder_base(file) },
                 { "flyway:table", options->table != NULL ? options->table : "flyway_schema_history" },
                 { "flyway:environment", "default" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].name) == len && strncasecmp(rows[i].name, name, len) == 0) {
            *value = rows[i].value;
            return true;
        }
    return false;
}

static const char *variable(const struct pgc_dialect_options *options, const char *name, size_t len) {
    for (size_t i = 0; options->variables != NULL && i < options->variables->count; i++) {
        const char *item = options->variables->items[i];
        if (strncasecmp(item, name, len) == 0 && item[len] == '=')
            return item + len + 1;
    }
    return NULL;
}

static enum pgc_code put_replaced(struct pgc_buf *out, const struct pgc_folder_file *file,
                                  const struct pgc_dialect_options *options, const char *text, size_t len,
                                  bool *wants_server, struct pgc_error *err) {
    const char *p = text, *end = text + len;
    size_t line = 1;
    while (p < end) {
        const char *close = p[0] == '$' && p + 1 < end && p[1] == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
        if (close == NULL) {
            line += *p == '\n';
            pgc_buf_putc(out, *p++);
            continue;
        }
        const char *name = p + 2;
        size_t n = (size_t)(close - name);
        const char *value = variable(options, name, n);
        bool known = value != NULL || built_in(options, file, name, n, &value);
        if (!known)
            return pgc_fail(err, PGC_E_DATA,
                            "%s:%zu: there is no value for the placeholder ${%.*s}; give --var %.*s=...", file->path,
                            line, (int)n, name, (int)n, name);
        *wants_server |= value == NULL;
        if (value != NULL)
            pgc_buf_puts(out, value);
        else
            pgc_buf_put(out, p, (size_t)(close + 1 - p));
        p = close + 1;
    }
    return pgc_buf_check(out, err);
}

/* --- configuration of one script -------------------------------------------------------------------- */

/* The value of "key=value" in <file>.conf, without blanks around it; NULL when absent. */
static char *conf_value(const struct pgc_folder *folder, const struct pgc_folder_file *file, const char *key) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    pgc_buf_putf(&name, "%s.conf", file->name);
    const struct pgc_folder_file *conf = pgc_folder_find(folder, name.data);
    size_t len = strlen(key);
    for (const char *p = conf != NULL ? conf->text : NULL; p != NULL && *p != '\0';) {
        p += strspn(p, " \t\r\n");
        const char *v = strncmp(p, key, len) == 0 ? p + len + strspn(p + len, " \t") : p;
        if (v > p && (*v == '=' || *v == ':')) {
            v += 1 + strspn(v + 1, " \t");
            size_t n = strcspn(v, "\r\n");
            while (n > 0 && isblank((unsigned char)v[n - 1]))
                n--;
            return strndup(v, n);
        }
        p += strcspn(p, "\r\n");
    }
    return NULL;
}

static bool conf_says(const struct pgc_folder *folder, const struct pgc_folder_file *file, const char *key,
                      const char *value) {
    PGC_AUTO_FREE char *found = conf_value(folder, file, key);
    return found != NULL && strcasecmp(found, value) == 0;
}

/* What would be run otherwise than Flyway runs it is refused. */
static enum pgc_code check_conf(const struct pgc_folder *folder, const struct pgc_folder_file *file,
                                struct pgc_error *err) {
    static const struct { const char *key, *known; } rows[] = { { "encoding", "UTF-8" }, { "shouldExecute", "true" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_AUTO_FREE char *value = conf_value(folder, file, rows[i].key);
        if (value != NULL && strcasecmp(value, rows[i].known) != 0)
            return pgc_fail(err, PGC_E_DATA, "%s.conf: '%s=%s' is not supported, only %s", file->path, rows[i].key,
                            value, rows[i].known);
    }
    return PGC_OK;
}

/* --- files ------------------------------------------------------------------------------------------ */

struct reader {
    const struct pgc_folder *folder;
    const struct pgc_dialect_options *options;
    struct pgc_migration_set *set;
};

static enum pgc_code fill_script(const struct reader *r, const struct pgc_folder_file *file,
                                 struct pgc_migration_script *script, struct pgc_error *err) {
    enum pgc_code code = check_conf(r->folder, file, err);
    if (code == PGC_OK)
        code = pgc_migration_cut(script, file, 0, file->len, err);
    if (code != PGC_OK)
        return code;
    if (conf_says(r->folder, file, "executeInTransaction", "false"))
        script->tx = PGC_MIGRATION_TX_OFF;
    else if (conf_says(r->folder, file, "executeInTransaction", "true"))
        script->tx = PGC_MIGRATION_TX_ON;
    if (strstr(script->text, "${") == NULL || conf_says(r->folder, file, "placeholderReplacement", "false"))
        return PGC_OK;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    code = put_replaced(&text, file, r->options, script->text, script->len, &r->set->wants_server, err);
    if (code != PGC_OK)
        return code;
    free(script->text);
    script->len = text.len;
    script->text = pgc_buf_detach(&text);
    return script->text != NULL ? PGC_OK : pgc_fail_nomem(err);
}

/* A repeatable one is known by its text after replacement; the raw text counts as equal. */
static enum pgc_code sign(const struct pgc_folder_file *file, struct pgc_migration *m, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf raw = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf replaced = PGC_BUF_INIT;
    put_checksum(&raw, file->text, file->len);
    put_checksum(&replaced, m->up.text, m->up.len);
    bool repeatable = m->kind == PGC_MIGRATION_REPEATABLE;
    m->own_checksum = strdup(repeatable ? replaced.data : raw.data);
    if (repeatable && strcmp(raw.data, replaced.data) != 0)
        m->other_checksums = strdup(raw.data);
    return m->own_checksum != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code new_migration(const struct reader *r, const struct pgc_folder_file *file, struct name *name,
                                   struct pgc_error *err) {
    enum pgc_migration_kind kind = name->prefix == 'R'   ? PGC_MIGRATION_REPEATABLE
                                   : name->prefix == 'B' ? PGC_MIGRATION_BASELINE
                                                         : PGC_MIGRATION_VERSIONED;
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(r->set, kind, file, &m, err);
    if (code != PGC_OK)
        return code;
    m->name = name->description;
    name->description = NULL;
    m->version = kind == PGC_MIGRATION_REPEATABLE ? NULL : strdup(name->version);
    if (kind != PGC_MIGRATION_REPEATABLE && m->version == NULL)
        return pgc_fail_nomem(err);
    code = fill_script(r, file, &m->up, err);
    return code == PGC_OK ? sign(file, m, err) : code;
}

static enum pgc_code take_file(const struct reader *r, const struct pgc_folder_file *file, struct pgc_error *err) {
    const char *base = pgc_folder_base(file);
    enum pgc_hook_when when;
    struct name name = { 0 };
    if (!pgc_text_ends(base, ".sql"))
        return PGC_OK;
    if (callback_of(base, &when)) {
        enum pgc_code code = pgc_migration_set_hook(r->set, when, file, err);
        struct pgc_migration_hook *hook = code == PGC_OK ? &r->set->hooks[r->set->hook_count - 1] : NULL;
        if (hook == NULL || strstr(file->text, "${") == NULL)
            return code;
        free(hook->script.text);
        free(hook->script.path);
        hook->script = (struct pgc_migration_script) { 0 };
        return fill_script(r, file, &hook->script, err);
    }
    if (!split_name(base, &name))
        return pgc_strings_add(&r->set->ignored, file->path, err);
    enum pgc_code code = PGC_OK;
    if (name.prefix == 'R' && name.version[0] != '\0')
        code = pgc_fail(err, PGC_E_DATA, "%s: a repeatable migration cannot have a version", file->path);
    else if (name.prefix != 'U')
        code = new_migration(r, file, &name, err);
    free(name.description);
    return code;
}

/* What the ledger says about it stands in the header: "CHECKSUM FILE". */
static enum pgc_code fill_undo(const struct reader *r, const struct pgc_folder_file *file, struct pgc_migration *m,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf header = PGC_BUF_INIT;
    put_checksum(&header, file->text, file->len);
    pgc_buf_putf(&header, " %s", file->name);
    free(m->header);
    m->header = pgc_buf_detach(&header);
    return m->header != NULL ? fill_script(r, file, &m->down, err) : pgc_fail_nomem(err);
}

static enum pgc_code take_undo(const struct reader *r, const struct pgc_folder_file *file, struct pgc_error *err) {
    struct name name = { 0 };
    bool fits = split_name(pgc_folder_base(file), &name) && name.prefix == 'U';
    free(name.description);
    for (size_t i = 0; fits && i < r->set->count; i++) {
        struct pgc_migration *m = &r->set->items[i];
        if (m->kind == PGC_MIGRATION_VERSIONED && pgc_version_compare(m->version, name.version) == 0)
            return fill_undo(r, file, m, err);
    }
    return fits ? pgc_strings_add(&r->set->ignored, file->path, err) : PGC_OK;
}

static int by_version_or_description(const struct pgc_migration *a, const struct pgc_migration *b) {
    int order = pgc_version_compare(a->version, b->version);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    struct reader r = { folder, options, set };
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        code = folder->files[i].text != NULL ? take_file(&r, &folder->files[i], err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        code = folder->files[i].text != NULL ? take_undo(&r, &folder->files[i], err) : PGC_OK;
    return code == PGC_OK ? pgc_migration_set_finish(set, by_version_or_description, err) : code;
}

/* Where some migrations have an undo script the next one gets one too. */
static bool has_undo(const struct pgc_folder *folder) {
    for (size_t i = 0; i < folder->count; i++) {
        struct name name = { 0 };
        bool undo = split_name(pgc_folder_base(&folder->files[i]), &name) && name.prefix == 'U';
        free(name.description);
        if (undo)
            return true;
    }
    return false;
}

static const struct pgc_dialect_fresh fresh = {
    .first = "1",
    .separators = "._",
    .letters = "VUB",
    .recursive = true,
    .files = { { "V{version}__{name}.sql", "" } },
    .pair = { { "V{version}__{name}.sql", "" }, { "U{version}__{name}.sql", "" } },
    .baseline = { "B{version}__baseline.sql", "-- The schema of versions up to {version}, made by pgc migrate squash. "
                                              "New databases start here.\n" },
    .baseline_conf = "placeholderReplacement=false\n",
    .paired = has_undo,
};

const struct pgc_dialect pgc_dialect_flyway = { "flyway", detect, parse, &pgc__flyway_ledger, &fresh };
