/* Atlas: <version>_<desc>.sql in order of file names, atlas.sum, directives in the comments at the head of a file (Atlas of
 * 2026-06: sql/migrate/dir.go, cmd/atlas/internal/migrate/ent). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/digest.h"
#include "migrate/atlas.h"
#include "migrate/pairs.h"
#include "migrate/version.h"

/* Atlas can keep its sum over folders of other tools (format=goose and so on): then the files say what they are. */
static bool is_of_another(const struct pgc_folder *folder) {
    return pgc_pairs_count(folder) > 0 || pgc_dialect_count_lines(folder, ".sql", "-- +goose ") > 0 ||
           pgc_dialect_count_lines(folder, ".sql", "-- migrate:up") > 0;
}

static int detect(const struct pgc_folder *folder) {
    if (pgc_folder_find(folder, "atlas.sum") != NULL)
        return is_of_another(folder) ? 45 : 95;
    return pgc_dialect_count_lines(folder, ".sql", "-- atlas:") > 0 ? 85 : 0;
}

/* --- directives ------------------------------------------------------------------------------------- */

/* The value of "-- atlas:KEY value" in the comments at the head of the file; they end with the first other line.
 * *line becomes its number. NULL: there is none. */
static char *directive(const struct pgc_folder_file *file, const char *key, size_t *line) {
    size_t n = strlen(key);
    *line = 0;
    for (const char *p = file->text; pgc_text_starts(p, "--");) {
        size_t len = strcspn(p, "\n");
        ++*line;
        const char *at = p + 2 + strspn(p + 2, " \t");
        if (strncmp(at, "atlas:", 6) == 0 && strncmp(at + 6, key, n) == 0 && strchr(" \t\r\n", at[6 + n]) != NULL) {
            const char *value = at + 6 + n, *end = p + len;
            value += strspn(value, " \t");
            while (end > value && strchr(" \t\r", end[-1]) != NULL)
                end--;
            return value < end ? strndup(value, (size_t)(end - value)) : strdup("");
        }
        p += len + (p[len] == '\n');
    }
    return NULL;
}

static bool has_directive(const struct pgc_folder_file *file, const char *key, const char *value) {
    size_t line;
    PGC_AUTO_FREE char *found = directive(file, key, &line);
    return found != NULL && (value == NULL || strcmp(found, value) == 0);
}

static void unescape(char *text) {
    char *to = text;
    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '\\' && strchr("nrt", p[1]) != NULL && p[1] != '\0') {
            *to++ = p[1] == 'n' ? '\n' : p[1] == 'r' ? '\r' : '\t';
            p++;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
}

/* --- statements by delimiter ------------------------------------------------------------------------ */

static enum pgc_code add_piece(struct pgc_annotated *out, const char *from, const char *to, const char *begin,
                               struct pgc_error *err) {
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (from == to)
        return PGC_OK;
    char *text = strndup(from, (size_t)(to - from));
    if (text == NULL || !pgc_array_grow(&out->items, &out->cap, out->count + 1, sizeof *out->items)) {
        free(text);
        return pgc_fail_nomem(err);
    }
    size_t line = 1;
    for (const char *p = begin; p < from; p++)
        line += *p == '\n';
    out->items[out->count++] =
        (struct pgc_annotated_statement) { .text = text, .line = line, .end_line = line, .block = true };
    return PGC_OK;
}

enum pgc_code pgc_atlas_statements(const struct pgc_folder_file *file, bool *delimited, struct pgc_annotated *out,
                                   struct pgc_error *err) {
    size_t line;
    PGC_AUTO_FREE char *delimiter = directive(file, "delimiter", &line);
    *delimited = delimiter != NULL;
    if (delimiter == NULL)
        return PGC_OK;
    unescape(delimiter);
    if (delimiter[0] == '\0')
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: the delimiter is empty", file->path, line);
    const char *p = file->text;
    while (pgc_text_starts(p, "--")) /* the directives' own lines */
        p += strcspn(p, "\n") + (strchr(p, '\n') != NULL);
    for (;;) {
        const char *at = strstr(p, delimiter);
        const char *end = at != NULL ? at : file->text + file->len;
        enum pgc_code code = add_piece(out, p, end, file->text, err);
        if (code != PGC_OK || at == NULL)
            return code;
        p = at + strlen(delimiter);
    }
}

/* --- atlas.sum -------------------------------------------------------------------------------------- */

static bool summed(const struct pgc_folder_file *file) {
    return pgc_folder_is_top(file) && pgc_text_ends(file->name, ".sql") && file->text != NULL &&
           !has_directive(file, "sum", "ignore");
}

/* Every line of atlas.sum as it should be. The hash of a file runs over all files up to it. */
enum pgc_code pgc_atlas_sum(const struct pgc_folder *folder, struct pgc_strings *lines, struct pgc_error *err) {
    struct pgc_digest_run *run = pgc_digest_run_new(PGC_DIGEST_SHA256);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf whole = PGC_BUF_INIT;
    enum pgc_code code = run != NULL ? pgc_strings_add(lines, "", err) : pgc_fail_nomem(err);
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++) {
        const struct pgc_folder_file *file = &folder->files[i];
        if (!summed(file))
            continue;
        unsigned char digest[PGC_DIGEST_MAX];
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf hash = PGC_BUF_INIT;
        pgc_digest_run_add(run, file->name, strlen(file->name));
        pgc_digest_run_add(run, file->text, file->len);
        pgc_digest_run_peek(run, digest);
        pgc_text_base64(&hash, digest, 32, true);
        pgc_buf_putf(&whole, "%s%s", file->name, hash.data);
        code = pgc_strings_addf(lines, err, "%s h1:%s", file->name, hash.data);
    }
    pgc_digest_run_free(run);
    if (code != PGC_OK)
        return code;
    unsigned char digest[PGC_DIGEST_MAX];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf first = PGC_BUF_INIT;
    pgc_digest(PGC_DIGEST_SHA256, whole.data, whole.len, digest);
    pgc_buf_puts(&first, "h1:");
    pgc_text_base64(&first, digest, 32, true);
    free(lines->items[0]);
    lines->items[0] = pgc_buf_detach(&first);
    return lines->items[0] != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code mismatch(const struct pgc_folder_file *sum, const char *name, size_t len, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA,
                    "%s: checksum mismatch at '%.*s': a file was added, removed or edited after the sum was written; "
                    "'pgc migrate hash' writes it anew",
                    sum->path, (int)len, name);
}

/* The line of a file that differs says more than the first one, which is about all of them and is looked at last. */
static enum pgc_code check_sum(const struct pgc_folder *folder, const struct pgc_strings *lines,
                               struct pgc_error *err) {
    const struct pgc_folder_file *sum = pgc_folder_find(folder, "atlas.sum");
    const char *p = sum != NULL ? sum->text : NULL, *first = p;
    if (p == NULL)
        return PGC_OK;
    for (size_t i = 0;; i++) {
        p += strspn(p, "\r\n");
        size_t len = strcspn(p, "\r\n");
        const char *want = i < lines->count ? lines->items[i] : NULL;
        if (len == 0 && want == NULL)
            break;
        bool same = want != NULL && strlen(want) == len && strncmp(want, p, len) == 0;
        if (!same && (i > 0 || len == 0)) {
            const char *name = want != NULL ? want : p;
            return mismatch(sum, name, strcspn(name, " \r\n"), err);
        }
        p += len;
    }
    size_t len = strcspn(first, "\r\n");
    bool same = strlen(lines->items[0]) == len && strncmp(lines->items[0], first, len) == 0;
    return same ? PGC_OK : mismatch(sum, first, len, err);
}

static enum pgc_code add_all(struct pgc_folder *to, const struct pgc_folder *from, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < from->count; i++)
        if (summed(&from->files[i]))
            code = pgc_folder_add(to, "", from->files[i].name, from->files[i].text, from->files[i].len, err);
    return code;
}

enum pgc_code pgc_atlas_put_sum(const struct pgc_folder *folder, const char *dir, struct pgc_folder *out,
                                struct pgc_error *err) {
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder all = PGC_FOLDER_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings lines = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = add_all(&all, folder, err);
    if (code == PGC_OK)
        code = add_all(&all, out, err);
    if (code == PGC_OK)
        code = pgc_atlas_sum(&all, &lines, err);
    for (size_t i = 0; i < lines.count; i++)
        pgc_buf_putf(&text, "%s\n", lines.items[i]);
    if (code == PGC_OK)
        code = pgc_buf_check(&text, err);
    return code == PGC_OK ? pgc_folder_add(out, dir, "atlas.sum", text.data, text.len, err) : code;
}

/* --- files ------------------------------------------------------------------------------------------ */

static const char *hash_in(const struct pgc_strings *lines, const char *name) {
    size_t len = strlen(name);
    for (size_t i = 1; i < lines->count; i++)
        if (strncmp(lines->items[i], name, len) == 0 && strncmp(lines->items[i] + len, " h1:", 4) == 0)
            return lines->items[i] + len + 4;
    return "";
}

static enum pgc_code fill_script(const struct pgc_folder_file *file, struct pgc_migration *m, struct pgc_error *err) {
    PGC_CLEANUP(pgc_annotated_release) struct pgc_annotated statements = PGC_ANNOTATED_INIT;
    bool delimited;
    enum pgc_code code = pgc_atlas_statements(file, &delimited, &statements, err);
    if (code != PGC_OK)
        return code;
    code = delimited ? pgc_annotated_script(&statements, file, false, &m->up, err)
                     : pgc_migration_cut(&m->up, file, 0, file->len, err);
    PGC_AUTO_FREE char *mode = directive(file, "txmode", &m->up.tx_line);
    if (mode == NULL)
        m->up.tx_line = 0;
    m->up.tx = mode == NULL                ? PGC_MIGRATION_TX_AUTO
               : strcmp(mode, "none") == 0 ? PGC_MIGRATION_TX_OFF
                                           : PGC_MIGRATION_TX_ON;
    return code;
}

static enum pgc_code check_directives(const struct pgc_folder_file *file, struct pgc_error *err) {
    static const char *const unknown[] = { "import", "txtar" };
    size_t line;
    PGC_AUTO_FREE char *mode = directive(file, "txmode", &line);
    if (mode != NULL && strcmp(mode, "none") != 0 && strcmp(mode, "file") != 0 && strcmp(mode, "all") != 0)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: unknown txmode '%s'; known: none, file, all", file->path, line, mode);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        if (has_directive(file, unknown[i], NULL))
            return pgc_fail(err, PGC_E_DATA, "%s: '-- atlas:%s' is not supported", file->path, unknown[i]);
    return PGC_OK;
}

static enum pgc_code parse_file(const struct pgc_folder_file *file, const struct pgc_strings *lines,
                                struct pgc_migration_set *set, struct pgc_error *err) {
    struct pgc_migration *m;
    bool checkpoint = has_directive(file, "checkpoint", NULL);
    enum pgc_code code = check_directives(file, err);
    if (code == PGC_OK)
        code = pgc_migration_set_new(set, checkpoint ? PGC_MIGRATION_BASELINE : PGC_MIGRATION_VERSIONED, file, &m, err);
    if (code != PGC_OK)
        return code;
    size_t stem = strlen(file->name) - strlen(".sql");
    const char *line = memchr(file->name, '_', stem);
    size_t version = line != NULL ? (size_t)(line - file->name) : stem;
    m->version = strndup(file->name, version);
    m->name = line != NULL ? strndup(line + 1, stem - version - 1) : strdup("");
    m->own_checksum = strdup(hash_in(lines, file->name));
    if (m->version == NULL || m->name == NULL || m->own_checksum == NULL)
        return pgc_fail_nomem(err);
    return fill_script(file, m, err);
}

static int by_file(const struct pgc_migration *a, const struct pgc_migration *b) {
    return strcmp(a->file, b->file);
}

static enum pgc_code parse(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                           struct pgc_migration_set *set, struct pgc_error *err) {
    (void)options;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings lines = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_atlas_sum(folder, &lines, err);
    if (code == PGC_OK)
        code = check_sum(folder, &lines, err);
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++) {
        const struct pgc_folder_file *file = &folder->files[i];
        if (pgc_folder_is_top(file) && pgc_text_ends(file->name, ".sql") && file->text != NULL)
            code = parse_file(file, &lines, set, err);
    }
    return code == PGC_OK ? pgc_migration_set_finish(set, by_file, err) : code;
}

/* --- ledger ----------------------------------------------------------------------------------------- */

static bool recognise(const char *columns) {
    return strstr(columns, "partial_hashes:jsonb ") != NULL && strstr(columns, "operator_version:") != NULL;
}

/* Types: 1 baseline, 2 executed, 4 resolved by hand. Names that begin with a dot are Atlas's own notes. The lock is FNV-1, 32
 * bits, of "atlas_migrate_execute". */
static const struct pgc_dialect_ledger ledger = {
    .schema = "atlas_schema_revisions",
    .table = "atlas_schema_revisions",
    .recognise = recognise,
    .create = "create table if not exists {table} (version varchar not null primary key, description varchar not null, "
              "type bigint not null default 2, applied bigint not null default 0, total bigint not null default 0, "
              "executed_at timestamptz not null, execution_time bigint not null, error text, error_stmt text, "
              "hash varchar not null, partial_hashes jsonb, operator_version varchar not null);",
    .read = { .version = "version",
              .name = "description",
              .checksum = "nullif(hash, '')",
              .state = "case when version like '.%' then 'ignored' when type = 1 then 'baseline' "
                       "when error <> '' or applied < total then 'failed' else 'applied' end",
              .applied_at = PGC_LEDGER_TIME("executed_at"),
              .duration_ms = "execution_time / 1000000",
              .order = "version collate \"C\"" },
    .up = "insert into {table} (version, description, applied, total, executed_at, execution_time, error, error_stmt, "
          "hash, operator_version) values ({version}, {name}, {count}, {count}, now(), " PGC_LEDGER_ELAPSED(
              "1000000000") ", '', '', {checksum}, {tool});",
    .accept = "update {table} set hash = {checksum} where version = {version};",
    .lock_key = INT64_C(2686470616),
};

/* The sum goes on over the new files, unless what it says of the old ones is wrong. */
static enum pgc_code put_sum(const struct pgc_fresh_request *request, struct pgc_folder *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings before = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_atlas_sum(request->folder, &before, err);
    if (code == PGC_OK)
        code = check_sum(request->folder, &before, err);
    return code == PGC_OK ? pgc_atlas_put_sum(request->folder, request->dir, out, err) : code;
}

static const struct pgc_dialect_fresh fresh = {
    .files = { { "{version}_{name}.sql", "" } },
    .finish = put_sum,
};

const struct pgc_dialect pgc_dialect_atlas = { "atlas", detect, parse, &ledger, &fresh };
