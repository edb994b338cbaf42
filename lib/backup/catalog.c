#include "backup/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/artefact.h"
#include "backup/layout.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"

void pgc_catalog_release(struct pgc_catalog *catalog) {
    for (size_t i = 0; i < catalog->count; i++) {
        pgc_manifest_release(&catalog->items[i].manifest);
        free(catalog->items[i].folder);
        free(catalog->items[i].problem);
    }
    free(catalog->items);
    *catalog = (struct pgc_catalog)PGC_CATALOG_INIT;
}

/* --- loading ------------------------------------------------------------------------------------------- */

struct object {
    char *key;
    uint64_t size;
};
struct objects {
    struct object *items;
    size_t count, cap;
};

static void objects_release(struct objects *objects) {
    for (size_t i = 0; i < objects->count; i++)
        free(objects->items[i].key);
    free(objects->items);
}

static enum pgc_code collect(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct objects *objects = arg;
    if (!pgc_array_grow(&objects->items, &objects->cap, objects->count + 1, sizeof *objects->items))
        return pgc_fail_nomem(err);
    struct object *object = &objects->items[objects->count++];
    *object = (struct object) { strdup(entry->key), entry->size_bytes };
    return object->key == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct object *)a)->key, ((const struct object *)b)->key);
}

static const struct object *find_object(const struct objects *objects, const char *folder, const char *name) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    pgc_buf_putf(&key, "%s%s", folder, name);
    struct object wanted = { key.data, 0 };
    return objects->count == 0 ? NULL
                               : bsearch(&wanted, objects->items, objects->count, sizeof *objects->items, by_key);
}

static char *printed(const char *format, ...) PGC_PRINTF(1, 2);
static char *printed(const char *format, ...) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&text, format, args);
    va_end(args);
    return pgc_buf_detach(&text);
}

/* What the listing alone tells about the artefacts. */
static char *problem_of(const struct pgc_catalog_entry *entry, const struct pgc_backup_place *place,
                        const struct objects *objects) {
    const struct pgc_manifest *m = &entry->manifest;
    if (strcmp(m->id, place->name) != 0 || strcmp(m->cluster, place->cluster.data) != 0 ||
        strcmp(m->database, place->database.data) != 0)
        return printed("the manifest is that of another backup ('%s' of '%s')", m->id, m->database);
    for (size_t i = 0; i < m->artefact_count; i++) {
        const struct pgc_manifest_artefact *artefact = &m->artefacts[i];
        const struct object *object = find_object(objects, entry->folder, artefact->name);
        if (object == NULL)
            return printed("the artefact '%s' is missing", artefact->name);
        if (object->size != pgc_manifest_stored(artefact)->bytes)
            return printed("the artefact '%s' has %llu bytes, its manifest says %llu", artefact->name,
                           (unsigned long long)object->size, (unsigned long long)pgc_manifest_stored(artefact)->bytes);
    }
    return NULL;
}

static void put_sha256(char out[65], const struct pgc_buf *text) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf hex = PGC_BUF_INIT;
    unsigned char digest[PGC_SHA256_SIZE];
    struct pgc_sha256 hash;
    pgc_sha256_init(&hash);
    pgc_sha256_add(&hash, text->data, text->len);
    pgc_sha256_end(&hash, digest);
    pgc_text_hex(&hex, digest, sizeof digest);
    snprintf(out, 65, "%s", hex.data);
}

/* A manifest that cannot be read must not hide the others: it becomes an entry with a problem. */
static enum pgc_code read_manifest(struct pgc_store *store, const char *key, const struct pgc_backup_place *place,
                                   const struct objects *objects, struct pgc_catalog_entry *entry,
                                   struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = pgc_store_load(store, key, PGC_MANIFEST_MAX_BYTES, &text, err);
    if (code == PGC_OK)
        code = pgc_manifest_parse(text.data, text.len, &entry->manifest, err);
    if (code == PGC_OK) {
        put_sha256(entry->manifest_sha256, &text);
        entry->problem = problem_of(entry, place, objects);
    } else if (code == PGC_E_DATA || code == PGC_E_NOT_FOUND) {
        entry->problem = strdup(err->message);
        pgc_manifest_release(&entry->manifest);
    } else {
        return code;
    }
    if (entry->problem == NULL)
        return PGC_OK;
    struct pgc_manifest *m = &entry->manifest;
    /* Its place among the others is that of its folder, whatever a strange manifest says. */
    if (!pgc_backup_parse_name(place->name, &m->started_us))
        m->started_us = 0;
    free(m->id);
    free(m->cluster);
    free(m->database);
    m->id = strdup(place->name);
    m->cluster = strdup(place->cluster.data);
    m->database = strdup(place->database.data);
    return m->id == NULL || m->cluster == NULL || m->database == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static int64_t time_member(const struct pgc_json *doc, const char *key) {
    const char *text = pgc_json_text(pgc_json_get(doc, key));
    int64_t us = 0;
    return text != NULL && pgc_text_parse_rfc3339(text, &us) ? us : 0;
}

/* A record of another manifest (or of one that was replaced) proves nothing. */
static void take_record(const struct pgc_json *doc, struct pgc_catalog_entry *entry) {
    const char *sha256 = pgc_json_text(pgc_json_get(doc, "manifest_sha256"));
    if (sha256 == NULL || entry->manifest_sha256[0] == '\0' || strcmp(sha256, entry->manifest_sha256) != 0)
        return;
    entry->verified_us = time_member(doc, "verified");
    entry->restored_us = time_member(doc, "restored");
    entry->failed_us = time_member(doc, "failed");
    entry->level = (int)pgc_json_int(pgc_json_get(doc, "level"), 0);
}

bool pgc_catalog_is_verified(const struct pgc_catalog_entry *entry) {
    return entry->verified_us > 0 && entry->failed_us == 0;
}

static enum pgc_code read_marks(struct pgc_store *store, const struct objects *objects, struct pgc_catalog_entry *entry,
                                struct pgc_error *err) {
    entry->pinned = find_object(objects, entry->folder, PGC_BACKUP_PIN) != NULL;
    const struct object *mark = find_object(objects, entry->folder, PGC_BACKUP_VERIFIED);
    if (mark == NULL)
        return PGC_OK;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    enum pgc_code code = pgc_store_load(store, mark->key, 65536, &text, err);
    if (code == PGC_OK)
        code = pgc_json_parse(text.data, text.len, &doc, err);
    if (code == PGC_OK)
        take_record(doc, entry);
    return code == PGC_E_DATA || code == PGC_E_NOT_FOUND ? PGC_OK : code;
}

static enum pgc_code add_entry(struct pgc_store *store, const char *key, const struct pgc_backup_place *place,
                               const struct objects *objects, struct pgc_catalog *out, struct pgc_error *err) {
    if (!pgc_array_grow(&out->items, &out->cap, out->count + 1, sizeof *out->items))
        return pgc_fail_nomem(err);
    struct pgc_catalog_entry *entry = &out->items[out->count++];
    *entry = (struct pgc_catalog_entry) { .manifest = PGC_MANIFEST_INIT };
    entry->folder = strndup(key, (size_t)(place->artefact - key));
    if (entry->folder == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = read_manifest(store, key, place, objects, entry, err);
    return code == PGC_OK ? read_marks(store, objects, entry, err) : code;
}

static int by_time(const void *a, const void *b) {
    const struct pgc_catalog_entry *x = a, *y = b;
    if (x->manifest.started_us != y->manifest.started_us)
        return x->manifest.started_us < y->manifest.started_us ? -1 : 1;
    return strcmp(x->folder, y->folder);
}

enum pgc_code pgc_catalog_load(struct pgc_store *store, const char *cluster, const char *database,
                               struct pgc_catalog *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf prefix = PGC_BUF_INIT;
    PGC_CLEANUP(objects_release) struct objects objects = { NULL, 0, 0 };
    PGC_CLEANUP(pgc_backup_place_release) struct pgc_backup_place place = PGC_BACKUP_PLACE_INIT;
    if (cluster != NULL)
        pgc_backup_key(&prefix, cluster, database, NULL, NULL);
    enum pgc_code code = pgc_store_each(store, prefix.data, collect, &objects, err);
    if (code != PGC_OK)
        return code;
    if (objects.count > 0)
        qsort(objects.items, objects.count, sizeof *objects.items, by_key);
    for (size_t i = 0; code == PGC_OK && i < objects.count; i++)
        if (pgc_backup_parse_key(objects.items[i].key, &place) && strcmp(place.artefact, PGC_BACKUP_MANIFEST) == 0 &&
            (database == NULL || strcmp(place.database.data, database) == 0))
            code = add_entry(store, objects.items[i].key, &place, &objects, out, err);
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_time);
    return code;
}

/* --- choosing ------------------------------------------------------------------------------------------ */

static bool fits(const struct pgc_catalog_entry *entry, const struct pgc_catalog_query *query) {
    const struct pgc_manifest *m = &entry->manifest;
    return (query->cluster == NULL || strcmp(query->cluster, m->cluster) == 0) &&
           (query->database == NULL || strcmp(query->database, m->database) == 0);
}

static enum pgc_code find_by_id(const struct pgc_catalog *catalog, const struct pgc_catalog_query *query,
                                const struct pgc_catalog_entry **out, struct pgc_error *err) {
    const struct pgc_catalog_entry *found = NULL;
    for (size_t i = 0; i < catalog->count; i++) {
        const struct pgc_catalog_entry *entry = &catalog->items[i];
        const char *id = entry->manifest.id;
        if (!fits(entry, query) || !(pgc_text_starts(id, query->id) || pgc_text_ends(id, query->id)))
            continue;
        if (found != NULL)
            return pgc_fail(err, PGC_E_USAGE, "'%s' fits several backups, '%s' and '%s' among them", query->id,
                            found->manifest.id, id);
        found = entry;
    }
    if (found == NULL)
        return pgc_fail(err, PGC_E_NOT_FOUND, "there is no backup '%s'%s%s%s", query->id,
                        query->database == NULL ? "" : " of database '", query->database == NULL ? "" : query->database,
                        query->database == NULL ? "" : "'");
    *out = found;
    return PGC_OK;
}

static bool same_origin(const struct pgc_catalog_entry *a, const struct pgc_catalog_entry *b) {
    return strcmp(a->manifest.cluster, b->manifest.cluster) == 0 &&
           strcmp(a->manifest.database, b->manifest.database) == 0;
}

static enum pgc_code find_by_time(const struct pgc_catalog *catalog, const struct pgc_catalog_query *query,
                                  const struct pgc_catalog_entry **out, struct pgc_error *err) {
    const struct pgc_catalog_entry *found = NULL;
    for (size_t i = 0; i < catalog->count; i++) {
        const struct pgc_catalog_entry *entry = &catalog->items[i];
        if (!fits(entry, query) || (query->at_us > 0 && entry->manifest.started_us > query->at_us))
            continue;
        if (found != NULL && !same_origin(found, entry))
            return pgc_fail(
                err, PGC_E_USAGE, "there are backups of '%s/%s' and of '%s/%s': choose with --database or --cluster",
                found->manifest.cluster, found->manifest.database, entry->manifest.cluster, entry->manifest.database);
        found = entry;
    }
    /* An older one in its place would be a surprise: somebody has to say that this is wanted. */
    if (found != NULL && found->problem != NULL)
        return pgc_fail(err, PGC_E_DATA, "the newest backup '%s' is damaged: %s; name an older one by its ID or time",
                        found->manifest.id, found->problem);
    if (found == NULL)
        return pgc_fail(err, PGC_E_NOT_FOUND, "there is no backup%s%s%s%s",
                        query->database == NULL ? "" : " of database '", query->database == NULL ? "" : query->database,
                        query->database == NULL ? "" : "'", query->at_us > 0 ? " from that time or before" : "");
    *out = found;
    return PGC_OK;
}

enum pgc_code pgc_catalog_find(const struct pgc_catalog *catalog, const struct pgc_catalog_query *query,
                               const struct pgc_catalog_entry **out, struct pgc_error *err) {
    if (query->id == NULL || query->id[0] == '\0' || strcmp(query->id, "latest") == 0)
        return find_by_time(catalog, query, out, err);
    enum pgc_code code = find_by_id(catalog, query, out, err);
    if (code == PGC_OK && (*out)->problem != NULL)
        return pgc_fail(err, PGC_E_DATA, "backup '%s' cannot be used: %s", (*out)->manifest.id, (*out)->problem);
    return code;
}

/* --- marks, deleting, copying -------------------------------------------------------------------------- */

static void key_of(struct pgc_buf *out, const struct pgc_catalog_entry *entry, const char *name) {
    pgc_buf_clear(out);
    pgc_buf_putf(out, "%s%s", entry->folder, name);
}

enum pgc_code pgc_catalog_pin(struct pgc_store *store, const struct pgc_catalog_entry *entry, bool pinned,
                              struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    key_of(&key, entry, PGC_BACKUP_PIN);
    return pinned ? pgc_store_save(store, key.data, "", 0, "text/plain", err) : pgc_store_erase(store, key.data, err);
}

static void put_time(struct pgc_buf *out, const char *key, int64_t us) {
    pgc_buf_putf(out, ", \"%s\": ", key);
    if (us > 0)
        pgc_buf_putc(out, '"');
    if (us > 0)
        pgc_text_rfc3339(out, us, false);
    pgc_buf_puts(out, us > 0 ? "\"" : "null");
}

enum pgc_code pgc_catalog_mark_verified(struct pgc_store *store, const struct pgc_catalog_entry *entry, int level,
                                        const char *failure, int64_t wall_us, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT, text = PGC_BUF_INIT;
    bool ok = failure == NULL;
    pgc_buf_puts(&text, "{\"schema\": \"pgc-verified/1\", \"id\": ");
    pgc_text_json(&text, entry->manifest.id);
    pgc_buf_putf(&text, ", \"manifest_sha256\": \"%s\", \"level\": %d", entry->manifest_sha256,
                 ok ? level : entry->level);
    put_time(&text, "verified", ok ? wall_us : entry->verified_us);
    put_time(&text, "restored", ok && level >= 2 ? wall_us : entry->restored_us);
    put_time(&text, "failed", ok ? 0 : wall_us);
    pgc_buf_puts(&text, ", \"error\": ");
    if (ok)
        pgc_buf_puts(&text, "null");
    else
        pgc_text_json(&text, failure);
    pgc_buf_puts(&text, "}\n");
    key_of(&key, entry, PGC_BACKUP_VERIFIED);
    enum pgc_code code = pgc_buf_check(&text, err);
    return code == PGC_OK ? pgc_store_save(store, key.data, text.data, text.len, "application/json", err) : code;
}

enum pgc_code pgc_catalog_erase(struct pgc_store *store, const struct pgc_catalog_entry *entry, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    static const char *const marks[] = { PGC_BACKUP_VERIFIED, PGC_BACKUP_PIN };
    key_of(&key, entry, PGC_BACKUP_MANIFEST);
    enum pgc_code code = pgc_store_erase(store, key.data, err);
    for (size_t i = 0; code == PGC_OK && i < entry->manifest.artefact_count; i++) {
        key_of(&key, entry, entry->manifest.artefacts[i].name);
        code = pgc_store_erase(store, key.data, err);
    }
    for (size_t i = 0; code == PGC_OK && i < 2; i++) {
        key_of(&key, entry, marks[i]);
        code = pgc_store_erase(store, key.data, err);
    }
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot delete backup '%s'", entry->manifest.id);
}

static enum pgc_code copy_artefact(struct pgc_store *from, const struct pgc_catalog_entry *entry,
                                   const struct pgc_manifest_artefact *artefact, struct pgc_store *to,
                                   const struct pgc_copy_watch *watch, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct pgc_store_put_options options = { pgc_manifest_stored(artefact)->bytes, "application/octet-stream" };
    key_of(&key, entry, artefact->name);
    enum pgc_code code = pgc_artefact_stored_source(from, entry->folder, artefact, &source, err);
    if (code == PGC_OK)
        code = pgc_store_put(to, key.data, &options, &sink, err);
    return code == PGC_OK ? pgc_copy(source, sink, watch, err) : code;
}

enum pgc_code pgc_catalog_copy(struct pgc_store *from, const struct pgc_catalog_entry *entry, struct pgc_store *to,
                               const struct pgc_copy_watch *watch, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT, text = PGC_BUF_INIT, there = PGC_BUF_INIT;
    const struct pgc_manifest *m = &entry->manifest;
    key_of(&key, entry, PGC_BACKUP_MANIFEST);
    enum pgc_code code = pgc_store_load(to, key.data, PGC_MANIFEST_MAX_BYTES, &there, err);
    if (code == PGC_OK)
        return pgc_fail(err, PGC_E_EXISTS, "backup '%s' is on the other store already", m->id);
    if (code == PGC_E_NOT_FOUND)
        code = pgc_store_load(from, key.data, PGC_MANIFEST_MAX_BYTES, &text, err);
    size_t done = 0;
    for (; code == PGC_OK && done < m->artefact_count; done++)
        code = copy_artefact(from, entry, &m->artefacts[done], to, watch, err);
    key_of(&key, entry, PGC_BACKUP_MANIFEST);
    if (code == PGC_OK)
        code = pgc_store_save(to, key.data, text.data, text.len, "application/json", err);
    for (size_t i = 0; code != PGC_OK && i < done; i++) {
        struct pgc_error ignored;
        key_of(&key, entry, m->artefacts[i].name);
        (void)!pgc_store_erase(to, key.data, &ignored);
    }
    return code;
}
