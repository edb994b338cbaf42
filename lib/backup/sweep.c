#include "backup/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "backup/layout.h"
#include "base/array.h"
#include "base/text.h"

/* A backup's folder in a listing that may come in any order. */
struct folder {
    char *key; /* up to and with the last slash */
    bool alive;
    struct pgc_strings rubbish;
};
struct search {
    struct folder *items;
    size_t count, cap;
    int64_t before_us;
    const char *database; /* NULL: any */
    struct pgc_backup_place place;
};

static void search_release(struct search *search) {
    for (size_t i = 0; i < search->count; i++) {
        free(search->items[i].key);
        pgc_strings_release(&search->items[i].rubbish);
    }
    free(search->items);
    pgc_backup_place_release(&search->place);
}

static bool is_ours(const char *name) {
    static const char *const stems[] = { "dump.zst", "globals.sql.zst", "contents.json.zst", PGC_BACKUP_VERIFIED };
    for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++)
        if (pgc_text_starts(name, stems[i]))
            return true;
    return false;
}

/* Listings are in order or nearly so: the folder is most often the last one. */
static struct folder *find_folder(struct search *search, const char *key, size_t len, struct pgc_error *err) {
    for (size_t i = search->count; i > 0; i--)
        if (strlen(search->items[i - 1].key) == len && memcmp(search->items[i - 1].key, key, len) == 0)
            return &search->items[i - 1];
    char *copy = strndup(key, len);
    if (copy == NULL || !pgc_array_grow(&search->items, &search->cap, search->count + 1, sizeof *search->items)) {
        free(copy);
        pgc_fail_nomem(err);
        return NULL;
    }
    search->items[search->count] = (struct folder) { copy, false, PGC_STRINGS_INIT };
    return &search->items[search->count++];
}

static enum pgc_code look_at(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct search *search = arg;
    if (!pgc_backup_parse_key(entry->key, &search->place) ||
        (search->database != NULL && strcmp(search->place.database.data, search->database) != 0))
        return PGC_OK;
    const char *name = search->place.artefact;
    struct folder *folder = find_folder(search, entry->key, (size_t)(name - entry->key), err);
    if (folder == NULL)
        return PGC_E_NOMEM;
    bool old = entry->modified_us > 0 && entry->modified_us < search->before_us;
    folder->alive |= !old || strcmp(name, PGC_BACKUP_MANIFEST) == 0 || strcmp(name, PGC_BACKUP_PIN) == 0;
    return !folder->alive && is_ours(name) ? pgc_strings_add(&folder->rubbish, entry->key, err) : PGC_OK;
}

enum pgc_code pgc_backup_sweep(struct pgc_store *store, const char *cluster, const char *database, int64_t older_ms,
                               const struct pgc_runtime *rt, size_t *count, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf prefix = PGC_BUF_INIT;
    PGC_CLEANUP(search_release)
    struct search search = { .before_us = pgc_wall_us(rt) - older_ms * 1000,
                             .database = database,
                             .place = PGC_BACKUP_PLACE_INIT };
    *count = 0;
    if (cluster != NULL)
        pgc_backup_key(&prefix, cluster, database, NULL, NULL);
    enum pgc_code code = pgc_buf_check(&prefix, err);
    if (code == PGC_OK)
        code = pgc_store_sweep(store, prefix.data, older_ms, count, err);
    if (code == PGC_OK)
        code = pgc_store_each(store, prefix.data, look_at, &search, err);
    for (size_t i = 0; i < search.count; i++)
        for (size_t k = 0; code == PGC_OK && !search.items[i].alive && k < search.items[i].rubbish.count; k++) {
            code = pgc_check_cancelled(rt, err);
            if (code == PGC_OK)
                code = pgc_store_erase(store, search.items[i].rubbish.items[k], err);
            *count += code == PGC_OK;
        }
    return code;
}
