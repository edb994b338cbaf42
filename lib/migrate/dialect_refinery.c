/* refinery: V<int>__name.sql and U<int>__name.sql (unversioned: may come late), recursive; checksum SipHash-1-3 over name, version
 * and text (refinery of 2026-05: refinery_core/src/util.rs, runner.rs, traits). */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "migrate/dialect.h"
#include "migrate/siphash.h"
#include "migrate/version.h"

/* ^[UV](\d+)__(\w+)\.(sql|rs)$ */
static bool is_migration(const char *base, size_t *digits, size_t *name_len) {
    if (base[0] != 'V' && base[0] != 'U')
        return false;
    *digits = pgc_version_digits(base + 1);
    const char *name = base + 1 + *digits;
    if (*digits == 0 || strncmp(name, "__", 2) != 0)
        return false;
    name += 2;
    *name_len = 0;
    while (isalnum((unsigned char)name[*name_len]) || name[*name_len] == '_' || (unsigned char)name[*name_len] >= 0x80)
        ++*name_len;
    return *name_len > 0 && (strcmp(name + *name_len, ".sql") == 0 || strcmp(name + *name_len, ".rs") == 0);
}

/* Flyway's names too. Rust files or U without the V of the same number (Flyway's undo) tell the two apart. */
static int detect(const struct pgc_folder *folder) {
    size_t digits, len, v = 0, u = 0, rust = 0, other = 0;
    for (size_t i = 0; i < folder->count; i++) {
        const char *base = pgc_folder_base(&folder->files[i]);
        if (!is_migration(base, &digits, &len)) {
            other += pgc_text_ends(base, ".sql");
            continue;
        }
        v += base[0] == 'V';
        u += base[0] == 'U';
        rust += pgc_text_ends(base, ".rs");
    }
    if (v + u == 0)
        return 0;
    return rust > 0 || (u > 0 && v == 0) ? 85 : other == 0 ? 69 : 20;
}

static char *checksum(const char *name, size_t name_len, int64_t version, size_t width, const char *text, size_t len) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf bytes = PGC_BUF_INIT;
    pgc_buf_put(&bytes, name, name_len);
    pgc_buf_putc(&bytes, '\xff');
    for (size_t i = 0; i < width; i++)
        pgc_buf_putc(&bytes, (char)(version >> (8 * i) & 255));
    pgc_buf_put(&bytes, text, len);
    pgc_buf_putc(&bytes, '\xff');
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, pgc_siphash13(bytes.data, bytes.len));
    return bytes.failed ? NULL : strdup(number);
}

/* Every value that counts as equal: either width, either kind of line ends. */
static char *all_checksums(const char *name, size_t name_len, int64_t version, const struct pgc_folder_file *file) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf all = PGC_BUF_INIT;
    static const char *const ends[] = { NULL, "\n", "\r\n" };
    for (size_t i = 0; i < 6; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        if (ends[i / 2] == NULL)
            pgc_buf_put(&text, file->text, file->len);
        else
            pgc_dialect_put_lines(&text, file->text, file->len, ends[i / 2]);
        PGC_AUTO_FREE char *one = checksum(name, name_len, version, i % 2 == 0 ? 4 : 8, text.data, text.len);
        if (one == NULL)
            return NULL;
        pgc_buf_putf(&all, "%s ", one);
    }
    return pgc_buf_detach(&all);
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, struct pgc_migration_set *set,
                                struct pgc_error *err) {
    size_t digits, len;
    const char *base = pgc_folder_base(file);
    if (!is_migration(base, &digits, &len))
        return pgc_text_ends(base, ".sql") || pgc_text_ends(base, ".rs")
                   ? pgc_strings_add(&set->ignored, file->path, err)
                   : PGC_OK;
    if (digits > 18)
        return pgc_fail(err, PGC_E_DATA, "%s: the version is too large", file->path);
    struct pgc_migration *m;
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code != PGC_OK)
        return code;
    const char *name = base + 1 + digits + 2;
    int64_t version = strtoll(base + 1, NULL, 10);
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, version);
    m->version = strdup(number);
    m->name = strndup(name, len);
    m->may_be_late = base[0] == 'U';
    if (m->version == NULL || m->name == NULL)
        return pgc_fail_nomem(err);
    if (pgc_text_ends(base, ".rs")) {
        m->unrunnable = "it is written in Rust";
        return PGC_OK;
    }
    /* The header is for ledgers of the feature int8-versions. */
    m->header = checksum(name, len, version, 8, file->text, file->len);
    m->own_checksum = checksum(name, len, version, version <= INT32_MAX ? 4 : 8, file->text, file->len);
    m->other_checksums = all_checksums(name, len, version, file);
    if (m->header == NULL || m->own_checksum == NULL || m->other_checksums == NULL)
        return pgc_fail_nomem(err);
    return pgc_migration_cut(&m->up, file, 0, file->len, err);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    (void)options;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        code = parse_file(&folder->files[i], set, err);
    return code == PGC_OK ? pgc_migration_set_finish(set, NULL, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strstr(columns, "name:character varying applied_on:character varying checksum:character varying ") != NULL;
}

/* Of the two checksums the one that fits the ledger's width. */
static const char *checksum_for(const struct pgc_ledger_place *place, const struct pgc_migration *m) {
    return m->header == NULL || pgc_text_starts(place->columns, "version:integer ") ? m->own_checksum : m->header;
}

#define CREATE(type)                                                                                                   \
    "create table if not exists {table} (version " type                                                                \
    " primary key, name varchar(255), applied_on varchar(255), checksum varchar(255));"

static const struct pgc_dialect_ledger ledger = {
    .table = "refinery_schema_history",
    .recognise = recognise,
    .create = CREATE("int4"),
    .create_int8 = CREATE("int8"),
    .read = { .version = "version",
              .name = "name",
              .checksum = "checksum",
              .applied_at = "applied_on",
              .order = "version" },
    .up = "insert into {table} (version, name, applied_on, checksum) values ({version}, {name}, "
          "to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), {checksum});",
    .accept = "update {table} set name = {name}, checksum = {checksum} where version = {version};",
    .checksum = checksum_for,
};

static const struct pgc_dialect_fresh fresh = {
    .first = "1",
    .letters = "VU",
    .recursive = true,
    .plain = true,
    .files = { { "V{version}__{name}.sql", "" } },
};

const struct pgc_dialect pgc_dialect_refinery = { "refinery", detect, parse, &ledger, &fresh };
