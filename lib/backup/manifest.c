#include "backup/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "backup/layout.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"

/* --- values ------------------------------------------------------------------------------------------ */

void pgc_manifest_release(struct pgc_manifest *m) {
    char *texts[] = { m->id,       m->cluster, m->database, m->pgc_version, m->server_version, m->system_identifier,
                      m->encoding, m->collate, m->ctype,    m->owner,       m->client_version, m->fingerprint,
                      m->recovery };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    for (size_t i = 0; i < m->artefact_count; i++) {
        free(m->artefacts[i].name);
        free(m->artefacts[i].kind);
    }
    free(m->artefacts);
    pgc_strings_release(&m->recipients);
    pgc_strings_release(&m->roles);
    pgc_strings_release(&m->database_roles);
    pgc_strings_release(&m->extensions);
    pgc_strings_release(&m->extension_versions);
    pgc_strings_release(&m->tablespaces);
    pgc_strings_release(&m->warnings);
    *m = (struct pgc_manifest)PGC_MANIFEST_INIT;
}

enum pgc_code pgc_manifest_add(struct pgc_manifest *m, const char *name, const char *kind,
                               struct pgc_manifest_artefact **out, struct pgc_error *err) {
    if (!pgc_array_grow(&m->artefacts, &m->artefact_cap, m->artefact_count + 1, sizeof *m->artefacts))
        return pgc_fail_nomem(err);
    struct pgc_manifest_artefact *artefact = &m->artefacts[m->artefact_count];
    *artefact = (struct pgc_manifest_artefact) { .name = strdup(name), .kind = strdup(kind) };
    m->artefact_count++;
    if (artefact->name == NULL || artefact->kind == NULL)
        return pgc_fail_nomem(err);
    *out = artefact;
    return PGC_OK;
}

const struct pgc_manifest_artefact *pgc_manifest_find(const struct pgc_manifest *m, const char *kind) {
    for (size_t i = 0; i < m->artefact_count; i++)
        if (strcmp(m->artefacts[i].kind, kind) == 0)
            return &m->artefacts[i];
    return NULL;
}

const struct pgc_manifest_stage *pgc_manifest_stored(const struct pgc_manifest_artefact *artefact) {
    return &artefact->stages[artefact->stage_count - 1];
}

uint64_t pgc_manifest_stored_bytes(const struct pgc_manifest *m) {
    uint64_t sum = 0;
    for (size_t i = 0; i < m->artefact_count; i++)
        sum += pgc_manifest_stored(&m->artefacts[i])->bytes;
    return sum;
}

char *pgc_manifest_recovery(const char *artefact, bool encrypted, const char *database) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
    if (encrypted)
        pgc_buf_putf(&line, "age -d -i key.txt %s | zstd -d | pg_restore -d ", artefact);
    else
        pgc_buf_putf(&line, "zstd -d < %s | pg_restore -d ", artefact);
    if (database[0] != '\0' &&
        strspn(database, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(database)) {
        pgc_buf_puts(&line, database);
        return pgc_buf_detach(&line);
    }
    /* A quoted conninfo value inside double quotes of the shell: pg_restore -d takes a name with '=' for a conninfo. */
    pgc_buf_puts(&line, "\"dbname='");
    for (const char *p = database; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\')
            pgc_buf_puts(&line, "\\\\"); /* a backslash for libpq, doubled for the shell */
        if (strchr("\"$`\\", *p) != NULL)
            pgc_buf_putc(&line, '\\');
        pgc_buf_putc(&line, *p);
    }
    pgc_buf_puts(&line, "'\"");
    return pgc_buf_detach(&line);
}

/* --- writing ----------------------------------------------------------------------------------------- */

static void put_text(struct pgc_buf *out, const char *indent, const char *key, const char *value) {
    pgc_buf_putf(out, ",\n%s\"%s\": ", indent, key);
    if (value == NULL)
        pgc_buf_puts(out, "null");
    else
        pgc_text_json(out, value);
}

static void put_number(struct pgc_buf *out, const char *indent, const char *key, int64_t value) {
    pgc_buf_putf(out, ",\n%s\"%s\": %lld", indent, key, (long long)value);
}

static void put_time(struct pgc_buf *out, const char *key, int64_t us) {
    pgc_buf_putf(out, ",\n  \"%s\": \"", key);
    pgc_text_rfc3339(out, us, true);
    pgc_buf_putc(out, '"');
}

static void put_list(struct pgc_buf *out, const char *indent, const char *key, const struct pgc_strings *list) {
    pgc_buf_putf(out, ",\n%s\"%s\": [", indent, key);
    for (size_t i = 0; i < list->count; i++) {
        pgc_buf_puts(out, i == 0 ? "" : ", ");
        pgc_text_json(out, list->items[i]);
    }
    pgc_buf_putc(out, ']');
}

static void put_artefact(struct pgc_buf *out, const struct pgc_manifest_artefact *artefact) {
    pgc_buf_puts(out, "    {\n      \"name\": ");
    pgc_text_json(out, artefact->name);
    put_text(out, "      ", "kind", artefact->kind);
    pgc_buf_puts(out, ",\n      \"stages\": [");
    for (size_t i = 0; i < artefact->stage_count; i++)
        pgc_buf_putf(out, "%s\n        { \"after\": \"%s\", \"bytes\": %llu, \"sha256\": \"%s\" }", i == 0 ? "" : ",",
                     artefact->stages[i].name, (unsigned long long)artefact->stages[i].bytes,
                     artefact->stages[i].sha256);
    pgc_buf_puts(out, "\n      ]\n    }");
}

static void put_server(struct pgc_buf *out, const struct pgc_manifest *m) {
    pgc_buf_puts(out, ",\n  \"server\": {\n    \"version\": ");
    pgc_text_json(out, m->server_version == NULL ? "" : m->server_version);
    put_number(out, "    ", "version_num", m->server_version_num);
    put_text(out, "    ", "system_identifier", m->system_identifier);
    pgc_buf_puts(out, "\n  }");
    put_number(out, "  ", "database_bytes", (int64_t)m->database_bytes);
    put_text(out, "  ", "encoding", m->encoding);
    put_text(out, "  ", "collate", m->collate);
    put_text(out, "  ", "ctype", m->ctype);
    put_text(out, "  ", "owner", m->owner);
    put_text(out, "  ", "client_version", m->client_version);
}

static void put_body(const struct pgc_manifest *m, struct pgc_buf *out) {
    put_text(out, "  ", "id", m->id);
    put_text(out, "  ", "cluster", m->cluster);
    put_text(out, "  ", "database", m->database);
    put_time(out, "started", m->started_us);
    put_time(out, "finished", m->finished_us);
    put_text(out, "  ", "recovery", m->recovery);
    put_text(out, "  ", "pgc_version", m->pgc_version);
    put_server(out, m);
    pgc_buf_putf(out, ",\n  \"compression\": { \"format\": \"zstd\", \"level\": %d }", m->compression_level);
    pgc_buf_puts(out, ",\n  \"encryption\": ");
    if (m->encrypted) {
        pgc_buf_puts(out, "{\n    \"format\": \"age-encryption.org/v1\"");
        put_list(out, "    ", "recipients", &m->recipients);
        pgc_buf_puts(out, "\n  }");
    } else {
        pgc_buf_puts(out, "null");
    }
    pgc_buf_puts(out, ",\n  \"artefacts\": [\n");
    for (size_t i = 0; i < m->artefact_count; i++) {
        put_artefact(out, &m->artefacts[i]);
        pgc_buf_puts(out, i + 1 < m->artefact_count ? ",\n" : "\n");
    }
    pgc_buf_puts(out, "  ]");
    put_list(out, "  ", "roles", &m->roles);
    put_list(out, "  ", "database_roles", &m->database_roles);
    put_list(out, "  ", "extensions", &m->extensions);
    put_list(out, "  ", "extension_versions", &m->extension_versions);
    put_list(out, "  ", "tablespaces", &m->tablespaces);
    put_text(out, "  ", "fingerprint", m->fingerprint);
    if (m->table_count >= 0)
        put_number(out, "  ", "tables", m->table_count);
    if (m->row_count >= 0)
        put_number(out, "  ", "rows", m->row_count);
    put_list(out, "  ", "warnings", &m->warnings);
    pgc_buf_puts(out, "\n}\n");
}

/* SHA-256 in hex of two pieces of text: what stands before and behind the line of the checksum. */
static void put_checksum(struct pgc_buf *out, const char *before, size_t before_len, const char *behind,
                         size_t behind_len) {
    unsigned char digest[PGC_SHA256_SIZE];
    struct pgc_sha256 hash;
    pgc_sha256_init(&hash);
    pgc_sha256_add(&hash, before, before_len);
    pgc_sha256_add(&hash, behind, behind_len);
    pgc_sha256_end(&hash, digest);
    pgc_text_hex(out, digest, sizeof digest);
}

#define HEAD          "{\n  \"schema\": \"" PGC_MANIFEST_SCHEMA "\",\n"
#define CHECKSUM_LINE "  \"checksum\": \""

void pgc_manifest_write(const struct pgc_manifest *m, struct pgc_buf *out) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT;
    put_body(m, &body);
    pgc_buf_puts(out, HEAD CHECKSUM_LINE);
    const char *behind = body.data + 2; /* the body begins with the comma and the line end behind the schema */
    put_checksum(out, HEAD, strlen(HEAD), behind, body.len - 2);
    pgc_buf_puts(out, "\",\n");
    pgc_buf_put(out, behind, body.len - 2);
}

/* --- reading ----------------------------------------------------------------------------------------- */

/* Carries the first problem through the readers below, so that they need no result. */
struct reader {
    const char *missing; /* member that is absent or of a wrong type; NULL: none so far */
    bool nomem;
};

static void read_text(struct reader *r, const struct pgc_json *object, const char *key, char **out, bool required) {
    const char *value = pgc_json_text(pgc_json_get(object, key));
    if (value != NULL) {
        free(*out);
        *out = strdup(value);
        r->nomem |= *out == NULL;
    } else if (required && r->missing == NULL) {
        r->missing = key;
    }
}

static int64_t read_number(struct reader *r, const struct pgc_json *object, const char *key, int64_t absent,
                           bool required) {
    const struct pgc_json *value = pgc_json_get(object, key);
    if (pgc_json_kind(value) == PGC_JSON_NUMBER)
        return pgc_json_int(value, absent);
    if (required && r->missing == NULL)
        r->missing = key;
    return absent;
}

static int64_t read_time(struct reader *r, const struct pgc_json *object, const char *key) {
    const char *text = pgc_json_text(pgc_json_get(object, key));
    int64_t us = 0;
    if ((text == NULL || !pgc_text_parse_rfc3339(text, &us)) && r->missing == NULL)
        r->missing = key;
    return us;
}

static void read_list(struct reader *r, const struct pgc_json *object, const char *key, struct pgc_strings *out) {
    const struct pgc_json *array = pgc_json_get(object, key);
    struct pgc_error ignored;
    for (size_t i = 0; i < pgc_json_count(array); i++) {
        const char *text = pgc_json_text(pgc_json_at(array, i));
        if (text != NULL)
            r->nomem |= pgc_strings_add(out, text, &ignored) != PGC_OK;
    }
}

static bool is_sha256(const char *text) {
    return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void read_stage(struct reader *r, const struct pgc_json *object, struct pgc_manifest_stage *out) {
    const char *name = pgc_json_text(pgc_json_get(object, "after"));
    const char *hash = pgc_json_text(pgc_json_get(object, "sha256"));
    int64_t bytes = read_number(r, object, "bytes", -1, true);
    if (name == NULL || strlen(name) >= sizeof out->name || !is_sha256(hash) || bytes < 0) {
        if (r->missing == NULL)
            r->missing = "stages";
        return;
    }
    memcpy(out->name, name, strlen(name) + 1);
    memcpy(out->sha256, hash, sizeof out->sha256);
    out->bytes = (uint64_t)bytes;
}

/* Names of objects are used as the end of keys: one that reaches out of its backup is refused. */
static bool is_object_name(const char *name) {
    return name != NULL && name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
           strcmp(name, PGC_BACKUP_MANIFEST) != 0;
}

static void read_artefact(struct reader *r, struct pgc_manifest *m, const struct pgc_json *object) {
    const char *name = pgc_json_text(pgc_json_get(object, "name"));
    const char *kind = pgc_json_text(pgc_json_get(object, "kind"));
    const struct pgc_json *stages = pgc_json_get(object, "stages");
    size_t count = pgc_json_count(stages);
    struct pgc_manifest_artefact *artefact = NULL;
    struct pgc_error ignored;
    if (!is_object_name(name) || kind == NULL || count == 0 || count > PGC_MANIFEST_STAGES) {
        if (r->missing == NULL)
            r->missing = "artefacts";
    } else if (pgc_manifest_add(m, name, kind, &artefact, &ignored) != PGC_OK) {
        r->nomem = true;
    } else {
        artefact->stage_count = count;
        for (size_t i = 0; i < count; i++)
            read_stage(r, pgc_json_at(stages, i), &artefact->stages[i]);
    }
}

static void read_all(struct reader *r, const struct pgc_json *root, struct pgc_manifest *m) {
    read_text(r, root, "id", &m->id, true);
    read_text(r, root, "cluster", &m->cluster, true);
    read_text(r, root, "database", &m->database, true);
    read_text(r, root, "pgc_version", &m->pgc_version, false);
    read_text(r, root, "encoding", &m->encoding, false);
    read_text(r, root, "collate", &m->collate, false);
    read_text(r, root, "ctype", &m->ctype, false);
    read_text(r, root, "owner", &m->owner, false);
    read_text(r, root, "client_version", &m->client_version, false);
    read_text(r, root, "fingerprint", &m->fingerprint, false);
    read_text(r, root, "recovery", &m->recovery, false);
    m->started_us = read_time(r, root, "started");
    m->finished_us = read_time(r, root, "finished");
    m->database_bytes = (uint64_t)read_number(r, root, "database_bytes", 0, false);
    m->table_count = read_number(r, root, "tables", -1, false);
    m->row_count = read_number(r, root, "rows", -1, false);
    const struct pgc_json *server = pgc_json_get(root, "server");
    read_text(r, server, "version", &m->server_version, true);
    read_text(r, server, "system_identifier", &m->system_identifier, false);
    m->server_version_num = read_number(r, server, "version_num", 0, true);
    m->compression_level = (int)read_number(r, pgc_json_get(root, "compression"), "level", 0, false);
    const struct pgc_json *encryption = pgc_json_get(root, "encryption");
    m->encrypted = pgc_json_kind(encryption) == PGC_JSON_OBJECT;
    read_list(r, encryption, "recipients", &m->recipients);
    read_list(r, root, "roles", &m->roles);
    read_list(r, root, "database_roles", &m->database_roles);
    read_list(r, root, "extensions", &m->extensions);
    read_list(r, root, "extension_versions", &m->extension_versions);
    read_list(r, root, "tablespaces", &m->tablespaces);
    read_list(r, root, "warnings", &m->warnings);
    const struct pgc_json *artefacts = pgc_json_get(root, "artefacts");
    for (size_t i = 0; i < pgc_json_count(artefacts); i++)
        read_artefact(r, m, pgc_json_at(artefacts, i));
    if (m->artefact_count == 0 && r->missing == NULL)
        r->missing = "artefacts";
    if (m->id != NULL && !pgc_backup_parse_name(m->id, NULL) && r->missing == NULL)
        r->missing = "id";
}

/* A manifest without the line is one of an earlier time, or one that somebody edited and took it out of. */
static bool is_own_checksum(const char *text, size_t len, const struct pgc_json *root) {
    const char *wanted = pgc_json_text(pgc_json_get(root, "checksum"));
    if (pgc_json_get(root, "checksum") == NULL)
        return true;
    const char *line = memmem(text, len, CHECKSUM_LINE, strlen(CHECKSUM_LINE));
    const char *end = line == NULL ? NULL : memchr(line, '\n', len - (size_t)(line - text));
    if (wanted == NULL || end == NULL)
        return false;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf own = PGC_BUF_INIT;
    end++;
    put_checksum(&own, text, (size_t)(line - text), end, len - (size_t)(end - text));
    return own.data != NULL && strcmp(own.data, wanted) == 0;
}

enum pgc_code pgc_manifest_parse(const char *text, size_t len, struct pgc_manifest *out, struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *root = NULL;
    if (pgc_json_parse(text, len, &root, err) != PGC_OK)
        return pgc_wrap(err, "the manifest is malformed");
    const char *schema = pgc_json_text(pgc_json_get(root, "schema"));
    if (schema == NULL || strcmp(schema, PGC_MANIFEST_SCHEMA) != 0)
        return pgc_fail(err, PGC_E_DATA, "the manifest has schema '%.40s', this program reads '%s'",
                        schema == NULL ? "" : schema, PGC_MANIFEST_SCHEMA);
    if (!is_own_checksum(text, len, root))
        return pgc_fail(err, PGC_E_DATA, "the manifest is damaged: its checksum is that of another text");
    struct reader r = { NULL, false };
    pgc_manifest_release(out);
    read_all(&r, root, out);
    if (r.nomem)
        return pgc_fail_nomem(err);
    if (r.missing != NULL)
        return pgc_fail(err, PGC_E_DATA, "the manifest's member '%s' is absent or malformed", r.missing);
    return PGC_OK;
}
