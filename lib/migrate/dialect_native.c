/* The native format: 20240131120000_name.sql with sections, requires and repeatable files. Its ledger is ours (ledger.c). */
#include <string.h>

#include "base/text.h"
#include "migrate/dialect.h"
#include "migrate/sections.h"
#include "migrate/version.h"

static const struct {
    const char *file;
    enum pgc_hook_when when;
} hooks[] = {
    { "before_all.sql", PGC_HOOK_BEFORE_ALL }, { "before_each.sql", PGC_HOOK_BEFORE_EACH },
    { "after_each.sql", PGC_HOOK_AFTER_EACH }, { "after_versioned.sql", PGC_HOOK_AFTER_VERSIONED },
    { "after_all.sql", PGC_HOOK_AFTER_ALL },   { "after_error.sql", PGC_HOOK_AFTER_ERROR },
};

static int detect(const struct pgc_folder *folder) {
    if (pgc_dialect_count_lines(folder, ".sql", "-- migrate:up") > 0 ||
        pgc_dialect_count_lines(folder, ".sql", "--migrate:up") > 0 ||
        pgc_dialect_count_lines(folder, ".sql", "-- pgc:") > 0 ||
        pgc_dialect_count_lines(folder, ".sql", "-- migrate:repeatable") > 0)
        return 60;
    for (size_t i = 0; i < folder->count; i++) {
        const char *name = folder->files[i].name;
        if (pgc_folder_is_top(&folder->files[i]) && pgc_version_digits(name) > 0 && pgc_text_ends(name, ".sql"))
            return 10;
    }
    return 0;
}

static bool has_line(const struct pgc_folder_file *file, const char *word) {
    size_t at = 0, line = 0, len;
    const char *rest;
    return memmem(file->text, file->len, word, strlen(word)) != NULL &&
           pgc_sections_next(file, word, &at, &line, &rest, &len);
}

static enum pgc_code read_needs(const struct pgc_folder_file *file, struct pgc_migration *m, struct pgc_error *err) {
    size_t at = 0, line = 0, len;
    const char *rest;
    if (memmem(file->text, file->len, "pgc:requires", 12) == NULL)
        return PGC_OK;
    while (pgc_sections_next(file, "pgc:requires", &at, &line, &rest, &len)) {
        const char *end = rest + len;
        if (len == 0)
            return pgc_fail(err, PGC_E_DATA, "%s:%zu: '-- pgc:requires' names nothing", file->path, line);
        while (rest < end) {
            size_t word = 0;
            while (rest + word < end && strchr(", \t", rest[word]) == NULL)
                word++;
            enum pgc_code code = word == 0 ? PGC_OK : pgc_migration_need_add(m, rest, word, line, err);
            if (code != PGC_OK)
                return code;
            rest += word + (rest + word < end);
        }
    }
    return PGC_OK;
}

/* "20240131120000_create_users.sql" -> "create_users"; "R__views.sql" -> "views". */
static char *name_of(const char *file, size_t skip) {
    file += skip;
    while (*file == '_' || *file == '-')
        file++;
    return strndup(file, strlen(file) - strlen(".sql"));
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, struct pgc_migration_set *set,
                                struct pgc_error *err) {
    static const struct pgc_sections_rules rules = { .plain = true, .options_checked = true };
    size_t digits = pgc_version_digits(file->name);
    bool r = strncmp(file->name, "R__", 3) == 0;
    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
        if (strcmp(file->name, hooks[i].file) == 0)
            return pgc_migration_set_hook(set, hooks[i].when, file, err);
    }
    bool repeatable = r || has_line(file, "migrate:repeatable");
    if (!repeatable && digits == 0)
        return pgc_strings_add(&set->ignored, file->path, err);
    enum pgc_migration_kind kind = repeatable                           ? PGC_MIGRATION_REPEATABLE
                                   : has_line(file, "migrate:baseline") ? PGC_MIGRATION_BASELINE
                                                                        : PGC_MIGRATION_VERSIONED;
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(set, kind, file, &m, err);
    if (code != PGC_OK)
        return code;
    m->name = name_of(file->name, r ? 3 : digits);
    m->version = repeatable ? NULL : strndup(file->name, digits);
    if (m->name == NULL || (!repeatable && m->version == NULL))
        return pgc_fail_nomem(err);
    code = pgc_sections_parse(file, &rules, m, err);
    return code != PGC_OK ? code : read_needs(file, m, err);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    (void)options;
    for (size_t i = 0; i < folder->count; i++) {
        const struct pgc_folder_file *file = &folder->files[i];
        if (!pgc_folder_is_top(file) || !pgc_text_ends(file->name, ".sql"))
            continue;
        enum pgc_code code = parse_file(file, set, err);
        if (code != PGC_OK)
            return code;
    }
    return pgc_migration_set_finish(set, NULL, err);
}

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}_{name}.sql", "-- migrate:up\n\n\n-- migrate:down\n\n" } },
    .baseline = { "{version}_baseline.sql",
                  "-- migrate:baseline\n"
                  "-- The schema of versions up to {version}, made by pgc migrate squash. New databases start here.\n"
                  "-- migrate:up\n" },
};

const struct pgc_dialect pgc_dialect_native = {
    .name = "native",
    .detect = detect,
    .parse = parse,
    .fresh = &fresh,
};
