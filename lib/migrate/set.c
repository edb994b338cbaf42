#include "migrate/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "io/digest.h"
#include "migrate/version.h"

#define BOM      "\xEF\xBB\xBF"
#define BOM_SIZE ((size_t)3)

static void script_release(struct pgc_migration_script *script) {
    free(script->path);
    free(script->text);
}

static void migration_release(struct pgc_migration *m) {
    free(m->version);
    free(m->name);
    free(m->file);
    free(m->path);
    free(m->own_checksum);
    free(m->other_checksums);
    free(m->header);
    script_release(&m->up);
    script_release(&m->down);
    for (size_t i = 0; i < m->need_count; i++)
        free(m->needs[i].target);
    free(m->needs);
}

void pgc_migration_set_release(struct pgc_migration_set *set) {
    for (size_t i = 0; i < set->count; i++)
        migration_release(&set->items[i]);
    free(set->items);
    for (size_t i = 0; i < set->hook_count; i++)
        script_release(&set->hooks[i].script);
    free(set->hooks);
    pgc_strings_release(&set->ignored);
    pgc_digest_run_free(set->digest);
    *set = (struct pgc_migration_set)PGC_MIGRATION_SET_INIT;
}

/* The server would see the text only up to there. */
static enum pgc_code refuse_nul(const struct pgc_folder_file *file, struct pgc_error *err) {
    const char *nul = file->len == 0 ? NULL : memchr(file->text, '\0', file->len);
    if (nul == NULL)
        return PGC_OK;
    size_t line = 1;
    for (const char *p = file->text; p < nul; p++)
        line += *p == '\n';
    return pgc_fail(err, PGC_E_DATA, "%s:%zu: holds a NUL byte: this is no UTF-8 text (UTF-16?)", file->path, line);
}

enum pgc_code pgc_migration_set_new(struct pgc_migration_set *set, enum pgc_migration_kind kind,
                                    const struct pgc_folder_file *file, struct pgc_migration **out,
                                    struct pgc_error *err) {
    if (!pgc_array_grow(&set->items, &set->cap, set->count + 1, sizeof *set->items))
        return pgc_fail_nomem(err);
    struct pgc_migration *m = &set->items[set->count];
    *m = (struct pgc_migration) { .kind = kind, .file = strdup(file->name), .path = strdup(file->path) };
    set->count++;
    if (m->file == NULL || m->path == NULL)
        return pgc_fail_nomem(err);
    *out = m;
    enum pgc_code code = refuse_nul(file, err);
    return code != PGC_OK ? code : pgc_migration_checksum(set, file->text, file->len, m->checksum, err);
}

enum pgc_code pgc_migration_set_hook(struct pgc_migration_set *set, enum pgc_hook_when when,
                                     const struct pgc_folder_file *file, struct pgc_error *err) {
    if (!pgc_array_grow(&set->hooks, &set->hook_cap, set->hook_count + 1, sizeof *set->hooks))
        return pgc_fail_nomem(err);
    struct pgc_migration_hook *hook = &set->hooks[set->hook_count];
    *hook = (struct pgc_migration_hook) { .when = when };
    set->hook_count++;
    enum pgc_code code = refuse_nul(file, err);
    return code != PGC_OK ? code : pgc_migration_cut(&hook->script, file, 0, file->len, err);
}

enum pgc_code pgc_migration_need_add(struct pgc_migration *m, const char *target, size_t len, size_t line,
                                     struct pgc_error *err) {
    if (!pgc_array_grow(&m->needs, &m->need_cap, m->need_count + 1, sizeof *m->needs))
        return pgc_fail_nomem(err);
    char *copy = strndup(target, len);
    if (copy == NULL)
        return pgc_fail_nomem(err);
    m->needs[m->need_count++] = (struct pgc_migration_need) { .target = copy, .line = line };
    return PGC_OK;
}

/* Everything outside the sections is blank; only its line ends stay, so offsets keep their lines. */
static void show(struct pgc_migration_script *script, const struct pgc_folder_file *file, size_t from, size_t to) {
    size_t bom = file->len >= BOM_SIZE && memcmp(file->text, BOM, BOM_SIZE) == 0 ? BOM_SIZE : 0;
    if (from < bom)
        from = bom;
    if (to > from)
        memcpy(script->text + (from - bom), file->text + from, to - from);
}

enum pgc_code pgc_migration_cut(struct pgc_migration_script *script, const struct pgc_folder_file *file, size_t from,
                                size_t to, struct pgc_error *err) {
    size_t bom = file->len >= BOM_SIZE && memcmp(file->text, BOM, BOM_SIZE) == 0 ? BOM_SIZE : 0;
    script->path = strdup(file->path);
    script->text = malloc(file->len + 1);
    if (script->path == NULL || script->text == NULL)
        return pgc_fail_nomem(err);
    script->len = file->len - bom;
    script->line = 1;
    memset(script->text, ' ', script->len);
    script->text[script->len] = '\0';
    const char *text = file->text + bom, *end = text + script->len;
    for (const char *p = text; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        script->text[p - text] = '\n';
    show(script, file, from, to);
    return PGC_OK;
}

enum pgc_code pgc_migration_cut_more(struct pgc_migration_script *script, const struct pgc_folder_file *file,
                                     size_t from, size_t to, struct pgc_error *err) {
    if (script->text == NULL)
        return pgc_migration_cut(script, file, from, to, err);
    show(script, file, from, to);
    return PGC_OK;
}

void pgc_migration_position(const struct pgc_migration_script *script, size_t offset, size_t *line, size_t *column) {
    *line = script->line;
    *column = 1;
    for (size_t i = 0; i < offset && i < script->len; i++) {
        if (script->text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)script->text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

enum pgc_code pgc_migration_checksum(struct pgc_migration_set *set, const char *text, size_t len, char out[65],
                                     struct pgc_error *err) {
    if (set->digest == NULL && (set->digest = pgc_digest_run_new(PGC_DIGEST_SHA256)) == NULL)
        return pgc_fail_nomem(err);
    if (len >= BOM_SIZE && memcmp(text, BOM, BOM_SIZE) == 0) {
        text += BOM_SIZE;
        len -= BOM_SIZE;
    }
    if (len == 0 || memchr(text, '\r', len) == NULL) {
        pgc_digest_run_hex(set->digest, text == NULL ? "" : text, len, out);
        return PGC_OK;
    }
    PGC_AUTO_FREE char *normal = malloc(len);
    if (normal == NULL)
        return pgc_fail_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (!(text[i] == '\r' && i + 1 < len && text[i + 1] == '\n'))
            normal[n++] = text[i];
    }
    pgc_digest_run_hex(set->digest, normal, n, out);
    return PGC_OK;
}

int pgc_migration_compare(const struct pgc_migration *a, const struct pgc_migration *b) {
    int order = pgc_version_compare(a->version, b->version);
    return order != 0 ? order : strcmp(a->name == NULL ? "" : a->name, b->name == NULL ? "" : b->name);
}

static bool names(const struct pgc_migration *m, const char *what) {
    size_t len = strlen(what);
    if (m->version != NULL && pgc_version_valid(what) && pgc_version_compare(m->version, what) == 0)
        return true;
    if (m->name != NULL && strcmp(m->name, what) == 0)
        return true;
    /* The file's name, with or without ".sql". */
    return strncmp(m->file, what, len) == 0 && (m->file[len] == '\0' || strcmp(m->file + len, ".sql") == 0);
}

const struct pgc_migration *pgc_migration_set_find(const struct pgc_migration_set *set, const char *what) {
    for (size_t i = 0; i < set->count; i++) {
        if (names(&set->items[i], what))
            return &set->items[i];
    }
    return NULL;
}
