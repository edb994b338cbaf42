/* graphile-migrate: committed/NNNNNN[-slug].sql, a chain of SHA-1 hashes over previous hash and body, placeholders :NAME
 * (graphile-migrate 2.0 rc: migration.ts, hash.ts, header.ts, FORMATS.md). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/digest.h"
#include "migrate/dialect.h"
#include "migrate/version.h"

static bool is_committed(const struct pgc_folder_file *file) {
    return pgc_text_starts(file->name, "committed/") && pgc_version_digits(file->name + 10) > 0 &&
           pgc_text_ends(file->name, ".sql") && file->text != NULL;
}

static int detect(const struct pgc_folder *folder) {
    for (size_t i = 0; i < folder->count; i++)
        if (is_committed(&folder->files[i]) && strstr(folder->files[i].text, "--! Hash:") != NULL)
            return 95;
    return 0;
}

/* --- header ----------------------------------------------------------------------------------------- */

struct header {
    char *previous, *hash, *message;
    bool allow_invalid;
    const char *body; /* behind the header's lines */
    size_t body_line;
};

static void header_release(struct header *h) {
    free(h->previous);
    free(h->hash);
    free(h->message);
}

static char *value_after(const char *p, size_t len, const char *key) {
    size_t n = strlen(key);
    if (len < n || strncmp(p, key, n) != 0)
        return NULL;
    p += n, len -= n;
    while (len > 0 && isspace((unsigned char)*p))
        p++, len--;
    while (len > 0 && isspace((unsigned char)p[len - 1]))
        len--;
    return strndup(p, len);
}

static void read_header(const char *text, struct header *h) {
    const char *p = text;
    h->body_line = 1;
    while (pgc_text_starts(p, "--!") && !pgc_text_starts(p, "--! no-transaction") && !pgc_text_starts(p, "--! split")) {
        size_t len = strcspn(p, "\n");
        char *value;
        if ((value = value_after(p, len, "--! Previous:")) != NULL)
            free(h->previous), h->previous = value;
        else if ((value = value_after(p, len, "--! Hash:")) != NULL)
            free(h->hash), h->hash = value;
        else if ((value = value_after(p, len, "--! Message:")) != NULL)
            free(h->message), h->message = value;
        h->allow_invalid |= pgc_text_starts(p, "--! AllowInvalidHash");
        p += len + (p[len] == '\n');
        h->body_line++;
    }
    h->body = p;
}

/* "sha1:" + SHA-1(trim(previous + "\n" + trim(body)) + "\n") */
static char *hash_of(const char *previous, const char *body) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool first = strcmp(previous, "-") == 0;
    body += strspn(body, " \t\r\n\f\v");
    if (!first)
        pgc_buf_putf(&text, "%s\n", previous);
    pgc_buf_puts(&text, body);
    while (text.len > 0 && isspace((unsigned char)text.data[text.len - 1]))
        pgc_buf_truncate(&text, text.len - 1);
    pgc_buf_putc(&text, '\n');
    char hex[41];
    pgc_digest_hex(PGC_DIGEST_SHA1, text.data, text.len, hex);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf hash = PGC_BUF_INIT;
    pgc_buf_putf(&hash, "sha1:%s", hex);
    return pgc_buf_detach(&hash);
}

/* --- files ------------------------------------------------------------------------------------------ */

/* :NAME of a known variable; :DATABASE_NAME and :DATABASE_OWNER are the server's. */
static void put_replaced(struct pgc_buf *out, const char *text, const struct pgc_dialect_options *options,
                         bool *wants_server) {
    const struct {
        const char *name, *value;
    } rows[] = { { "DATABASE_NAME", options->database }, { "DATABASE_OWNER", options->owner } };
    for (const char *p = text; *p != '\0';) {
        size_t n = 0;
        while (p[0] == ':' &&
               (isupper((unsigned char)p[1 + n]) || p[1 + n] == '_' || (n > 0 && isdigit((unsigned char)p[1 + n]))))
            n++;
        bool name = n > 0 && (p == text || p[-1] != ':');
        const char *value = name ? pgc_dialect_variable(options, p + 1, n) : NULL;
        for (size_t i = 0; name && value == NULL && i < sizeof rows / sizeof rows[0]; i++)
            if (n == strlen(rows[i].name) && strncmp(p + 1, rows[i].name, n) == 0) {
                value = rows[i].value;
                *wants_server |= value == NULL;
            }
        if (value != NULL) {
            pgc_buf_puts(out, value);
            p += n + 1;
        } else {
            pgc_buf_putc(out, *p++);
        }
    }
}

static enum pgc_code check_chain(const struct pgc_folder_file *file, const struct header *h, const char *before,
                                 struct pgc_error *err) {
    if (h->previous == NULL || h->hash == NULL)
        return pgc_fail(err, PGC_E_DATA, "%s: the lines '--! Previous:' and '--! Hash:' are missing", file->path);
    if (strcmp(h->previous, before) != 0)
        return pgc_fail(err, PGC_E_DATA, "%s: follows '%s', but the migration before it is '%s'", file->path,
                        h->previous, before);
    PGC_AUTO_FREE char *hash = hash_of(h->previous, h->body);
    if (hash == NULL)
        return pgc_fail_nomem(err);
    if (strcmp(hash, h->hash) != 0 && !h->allow_invalid)
        return pgc_fail(err, PGC_E_DATA, "%s: hash does not match the body: the file was edited after it was committed",
                        file->path);
    return PGC_OK;
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, const struct pgc_dialect_options *options,
                                char **before, struct pgc_migration_set *set, struct pgc_error *err) {
    PGC_CLEANUP(header_release) struct header h = { 0 };
    struct pgc_migration *m;
    read_header(file->text, &h);
    enum pgc_code code = check_chain(file, &h, *before != NULL ? *before : "-", err);
    if (code == PGC_OK)
        code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code != PGC_OK)
        return code;
    const char *base = file->name + strlen("committed/");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    put_replaced(&text, h.body, options, &set->wants_server);
    m->version = strndup(base, pgc_version_digits(base));
    m->name = strdup(h.message != NULL ? h.message : "");
    m->own_checksum = strdup(h.hash);
    m->header = strdup(h.previous);
    m->up.len = text.len;
    m->up.text = pgc_buf_detach(&text);
    m->up.path = strdup(file->path);
    m->up.line = h.body_line;
    const char *first = h.body + strspn(h.body, " \t\r\n");
    m->up.tx = pgc_text_starts(first, "--! no-transaction") ? PGC_MIGRATION_TX_OFF : PGC_MIGRATION_TX_ON;
    free(*before);
    *before = strdup(h.hash);
    bool whole = m->version != NULL && m->name != NULL && m->own_checksum != NULL && m->header != NULL &&
                 m->up.text != NULL && m->up.path != NULL && *before != NULL;
    return whole ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    PGC_AUTO_FREE char *before = NULL;
    for (size_t i = 0; code == PGC_OK && i < folder->count;
         i++) /* byte order is numeric order: the numbers are padded */
        if (is_committed(&folder->files[i]))
            code = parse_file(&folder->files[i], options, &before, set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return pgc_text_starts(columns, "hash:text previous_hash:text filename:text date:timestamp with time zone ");
}

static const struct pgc_dialect_ledger ledger = {
    .schema = "graphile_migrate",
    .table = "migrations",
    .recognise = recognise,
    .create = "create table if not exists {table} (hash text primary key, previous_hash text references {table}, "
              "filename text not null, date timestamptz not null default now()); create table if not exists "
              "{schema}.current (filename text primary key default 'current.sql', content text not null, "
              "date timestamptz not null default now());",
    .read = { .version = "substring(filename from '^[0-9]+')",
              .file = "'committed/' || filename",
              .checksum = "hash",
              .applied_at = PGC_LEDGER_TIME("date"),
              .order = "filename collate \"C\"" },
    .up = "insert into {table} (hash, previous_hash, filename) values ({checksum}, nullif({header}, '-'), {file});",
    .accept = "update {table} set hash = {checksum} where filename = {file};",
    .lock_key = INT64_C(4727445306447283),
};

/* --- a new one ---------------------------------------------------------------------------------------- */

static const char blank[] = "-- Enter migration here\n";

static bool says_nothing(const char *text) {
    for (const char *p = text; *p != '\0'; p += strspn(p, "\r\n")) {
        p += strspn(p, " \t");
        size_t len = strcspn(p, "\r\n");
        if (len > 0 && strncmp(p, "--", 2) != 0)
            return false;
        p += len;
    }
    return true;
}

/* Hash of the newest committed one, "-": there is none. */
static char *newest_hash(const struct pgc_folder *folder) {
    char *hash = strdup("-");
    for (size_t i = 0; i < folder->count; i++) {
        PGC_CLEANUP(header_release) struct header h = { 0 };
        if (!is_committed(&folder->files[i]))
            continue;
        read_header(folder->files[i].text, &h);
        if (h.hash != NULL) {
            free(hash);
            hash = h.hash;
            h.hash = NULL;
        }
    }
    return hash;
}

static enum pgc_code check_current(const struct pgc_folder *folder, const struct pgc_folder_file *current,
                                   struct pgc_error *err) {
    for (size_t i = 0; i < folder->count; i++)
        if (pgc_text_starts(folder->files[i].name, "current/"))
            return pgc_fail(err, PGC_E_DATA, "%s: only one file 'current.sql' can be committed", folder->files[i].path);
    if (current == NULL || says_nothing(current->text))
        return pgc_fail(err, PGC_E_DATA,
                        "current.sql holds no SQL: the next migration is written there, and 'new NAME' commits it");
    if (strstr(current->text, "--!include") != NULL)
        return pgc_fail(err, PGC_E_DATA, "%s: '--!include' is not supported", current->path);
    return PGC_OK;
}

/* This format's migrations are written in current.sql: making a new one is to commit that, with its place in the chain. */
static enum pgc_code commit_current(const struct pgc_fresh_request *request, struct pgc_folder *out,
                                    struct pgc_error *err) {
    const struct pgc_folder_file *current = pgc_folder_find(request->folder, "current.sql");
    enum pgc_code code = check_current(request->folder, current, err);
    if (code != PGC_OK)
        return code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    const char *body = current->text + strspn(current->text, " \t\r\n");
    size_t len = strlen(body);
    while (len > 0 && isspace((unsigned char)body[len - 1]))
        len--;
    PGC_AUTO_FREE char *previous = newest_hash(request->folder);
    PGC_AUTO_FREE char *hash = previous != NULL ? hash_of(previous, body) : NULL;
    if (hash == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_putf(&text, "--! Previous: %s\n--! Hash: %s\n--! Message: %s\n\n%.*s\n", previous, hash, request->name,
                 (int)len, body);
    PGC_AUTO_FREE char *name = strdup(out->files[0].name);
    pgc_folder_release(out);
    code = name == NULL ? pgc_fail_nomem(err) : pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_folder_add(out, request->dir, name, text.data, text.len, err);
    return code == PGC_OK ? pgc_folder_add(out, request->dir, "current.sql", blank, strlen(blank), err) : code;
}

static const struct pgc_dialect_fresh fresh = {
    .first = "000001",
    .files = { { "committed/{version}-{name}.sql", "" } },
    .finish = commit_current,
};

const struct pgc_dialect pgc_dialect_graphile = { "graphile-migrate", detect, parse, &ledger, &fresh };
