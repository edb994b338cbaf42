#include "migrate/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "migrate/version.h"

enum half { HALF_NONE, HALF_UP, HALF_DOWN, HALF_SIMPLE };

/* The last ".up." (".down.") of a title with its extension, which may have dots of its own: "x.up.pg.sql". */
static const char *last_mark(const char *title, const char *mark) {
    const char *last = NULL;
    for (const char *p = title; (p = strstr(p, mark)) != NULL; p++)
        last = p;
    return last;
}

/* What a name says: version digits, title, direction. title_len excludes ".up.sql". */
static enum half half_of(const char *name, const struct pgc_pairs_rules *rules, size_t *digits, size_t *title_len) {
    *digits = pgc_version_digits(name);
    if (*digits == 0 || name[*digits] != '_')
        return HALF_NONE;
    const char *title = name + *digits + 1;
    const char *up = last_mark(title, ".up."), *down = last_mark(title, ".down.");
    const char *mark = up != NULL && (down == NULL || up > down) ? up : down;
    bool sql = pgc_text_ends(title, ".sql");
    if (mark != NULL && (rules->any_extension || strcmp(mark, ".up.sql") == 0 || strcmp(mark, ".down.sql") == 0)) {
        *title_len = (size_t)(mark - title);
        return mark == up ? HALF_UP : HALF_DOWN;
    }
    *title_len = strlen(title) - (sql ? strlen(".sql") : 0);
    return rules->simple && sql ? HALF_SIMPLE : HALF_NONE;
}

static const struct pgc_pairs_rules any = { .any_extension = true };

size_t pgc_pairs_count(const struct pgc_folder *folder) {
    size_t n = 0, digits, len;
    for (size_t i = 0; i < folder->count; i++)
        n += pgc_folder_is_top(&folder->files[i]) && half_of(folder->files[i].name, &any, &digits, &len) != HALF_NONE;
    return n;
}

bool pgc_pairs_are_timestamps(const struct pgc_folder *folder) {
    size_t up = 0, down = 0, digits, len;
    for (size_t i = 0; i < folder->count; i++) {
        if (!pgc_folder_is_top(&folder->files[i]))
            continue;
        enum half half = half_of(folder->files[i].name, &any, &digits, &len);
        if (half != HALF_NONE && digits != 14)
            return false;
        up += half == HALF_UP;
        down += half == HALF_DOWN;
    }
    return up > 0 && up == down;
}

/* Files come sorted and a '_' follows the digits of each: those of one version are neighbours. */
static struct pgc_migration *find(struct pgc_migration_set *set, const char *version, size_t len) {
    struct pgc_migration *last = set->count > 0 ? &set->items[set->count - 1] : NULL;
    return last != NULL && strlen(last->version) == len && memcmp(last->version, version, len) == 0 ? last : NULL;
}

static enum pgc_code new_migration(const struct pgc_folder_file *file, const struct pgc_pairs_rules *rules,
                                   size_t digits, size_t title_len, struct pgc_migration_set *set,
                                   struct pgc_migration **out, struct pgc_error *err) {
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, out, err);
    if (code != PGC_OK)
        return code;
    (*out)->version = strndup(file->name, digits);
    (*out)->name = strndup(file->name + digits + 1, title_len);
    if ((*out)->version == NULL || (*out)->name == NULL)
        return pgc_fail_nomem(err);
    for (char *p = (*out)->name; rules->spaces && *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    return PGC_OK;
}

/* The migration is known by its up file: its name and checksum replace those of a down file that came first. */
static enum pgc_code take_up(const struct pgc_folder_file *file, struct pgc_migration_set *set, struct pgc_migration *m,
                             struct pgc_error *err) {
    if (m->up.text != NULL)
        return pgc_fail(err, PGC_E_DATA, "duplicate version %s: '%s' and '%s'; give one of them a new version",
                        m->version, m->up.path, file->path);
    char *name = strdup(file->name), *path = strdup(file->path);
    if (name == NULL || path == NULL) {
        free(name);
        free(path);
        return pgc_fail_nomem(err);
    }
    free(m->file);
    free(m->path);
    m->file = name;
    m->path = path;
    enum pgc_code code = pgc_migration_checksum(set, file->text, file->len, m->checksum, err);
    return code == PGC_OK ? pgc_migration_cut(&m->up, file, 0, file->len, err) : code;
}

static enum pgc_code take_file(const struct pgc_folder_file *file, const struct pgc_pairs_rules *rules,
                               struct pgc_migration_set *set, struct pgc_error *err) {
    size_t digits, title_len;
    enum half half = half_of(file->name, rules, &digits, &title_len);
    if (half == HALF_NONE || file->text == NULL)
        return pgc_text_ends(file->name, ".sql") ? pgc_strings_add(&set->ignored, file->path, err) : PGC_OK;
    struct pgc_migration *m = find(set, file->name, digits);
    enum pgc_code code = m != NULL ? PGC_OK : new_migration(file, rules, digits, title_len, set, &m, err);
    if (code != PGC_OK || half != HALF_DOWN)
        return code == PGC_OK ? take_up(file, set, m, err) : code;
    if (m->down.text != NULL)
        return pgc_fail(err, PGC_E_DATA, "duplicate version %s: '%s' and '%s'; give one of them a new version",
                        m->version, m->down.path, file->path);
    return pgc_migration_cut(&m->down, file, 0, file->len, err);
}

enum pgc_code pgc_pairs_parse(const struct pgc_folder *folder, const struct pgc_pairs_rules *rules,
                              struct pgc_migration_set *set, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        if (pgc_folder_is_top(&folder->files[i]))
            code = take_file(&folder->files[i], rules, set, err);
    for (size_t i = 0; code == PGC_OK && i < set->count; i++) {
        struct pgc_migration *m = &set->items[i];
        if (m->up.text == NULL && !rules->alone)
            code = pgc_fail(err, PGC_E_DATA, "%s: there is no up file for version %s", m->path, m->version);
        m->ignored = m->up.text == NULL; /* a version that only goes down: never run up */
    }
    return code;
}
