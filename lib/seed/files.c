#include "seed/files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/text.h"
#include "io/file.h"
#include "io/tally.h"

#define HEADER_MAX ((size_t)1 << 20)

void pgc_seed_files_release(struct pgc_seed_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
        pgc_strings_release(&files->items[i].columns);
    }
    free(files->items);
    *files = (struct pgc_seed_files) { 0 };
}

static bool kind_of(const char *name, enum pgc_seed_kind *kind) {
    static const char *const endings[] = { [PGC_SEED_SQL] = ".sql", [PGC_SEED_CSV] = ".csv", [PGC_SEED_TSV] = ".tsv" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (name[0] != '.' && pgc_text_ends(name, endings[i])) {
            *kind = (enum pgc_seed_kind)i;
            return true;
        }
    return false;
}

bool pgc_seed_table_name(const char *name, bool strip, char *schema, char *table, size_t size) {
    const char *from = name, *end = strrchr(name, '.');
    if (strip) {
        while (isdigit((unsigned char)*from))
            from++;
        if (from == name || strchr("_-.", *from) == NULL)
            return false;
        from++;
    }
    if (end == NULL || end <= from)
        return false;
    const char *dot = memchr(from, '.', (size_t)(end - from));
    size_t schema_len = dot != NULL ? (size_t)(dot - from) : 0;
    const char *rest = dot != NULL ? dot + 1 : from;
    size_t table_len = (size_t)(end - rest);
    if (table_len == 0 || table_len >= size || schema_len >= size || (dot != NULL && schema_len == 0))
        return false;
    memcpy(schema, from, schema_len);
    schema[schema_len] = '\0';
    memcpy(table, rest, table_len);
    table[table_len] = '\0';
    return true;
}

static enum pgc_code read_file(struct pgc_seed_file *file, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    struct pgc_tally tally;
    enum pgc_code code = pgc_file_source(file->path, &source, err);
    if (code == PGC_OK)
        code = pgc_tally_pull(&source, &tally, err);
    PGC_AUTO_FREE char *block = malloc(HEADER_MAX);
    if (code == PGC_OK && block == NULL)
        code = pgc_fail_nomem(err);
    size_t len = 0;
    if (code == PGC_OK)
        code = pgc_source_fill(source, block, HEADER_MAX, &len, err);
    if (code == PGC_OK && file->kind != PGC_SEED_SQL)
        code =
            pgc_csv_header(block, len, len < HEADER_MAX, file->kind == PGC_SEED_TSV ? '\t' : ',', &file->columns, err);
    while (code == PGC_OK && len > 0)
        code = pgc_source_get(source, block, HEADER_MAX, &len, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "%s", file->path);
    file->bytes = tally.bytes;
    memcpy(file->sha256, tally.hex, sizeof file->sha256);
    return PGC_OK;
}

static enum pgc_code add_file(struct pgc_seed_files *out, const char *path, enum pgc_seed_kind kind,
                              struct pgc_error *err) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->items[i].name, name) == 0)
            return pgc_fail(err, PGC_E_USAGE, "'%s' and '%s' have the same name: the ledger could not tell them apart",
                            out->items[i].path, path);
    if (!pgc_array_grow(&out->items, &out->cap, out->count + 1, sizeof *out->items))
        return pgc_fail_nomem(err);
    struct pgc_seed_file *file = &out->items[out->count];
    *file = (struct pgc_seed_file) { .path = strdup(path), .kind = kind };
    if (file->path == NULL)
        return pgc_fail_nomem(err);
    out->count++;
    file->name = file->path + (name - path);
    return read_file(file, err);
}

static enum pgc_code add_folder(struct pgc_seed_files *out, const char *path, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings paths = PGC_STRINGS_INIT;
    enum pgc_seed_kind kind;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open the folder '%s'", path);
    enum pgc_code code = PGC_OK;
    const char *join = pgc_text_ends(path, "/") ? "" : "/";
    for (struct dirent *entry; code == PGC_OK && (entry = readdir(folder)) != NULL;)
        if (kind_of(entry->d_name, &kind))
            code = pgc_strings_addf(&paths, err, "%s%s%s", path, join, entry->d_name);
    closedir(folder);
    pgc_strings_sort(&paths);
    for (size_t i = 0; i < paths.count && code == PGC_OK; i++)
        if (kind_of(strrchr(paths.items[i], '/') + 1, &kind))
            code = add_file(out, paths.items[i], kind, err);
    return code;
}

enum pgc_code pgc_seed_files_collect(const struct pgc_strings *paths, struct pgc_seed_files *out,
                                     struct pgc_error *err) {
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i], *slash = strrchr(path, '/');
        struct stat st;
        enum pgc_seed_kind kind;
        enum pgc_code code = PGC_OK;
        if (stat(path, &st) != 0)
            code = pgc_fail_errno(err, PGC_E_IO, "cannot open '%s'", path);
        else if (S_ISDIR(st.st_mode))
            code = add_folder(out, path, err);
        else if (kind_of(slash != NULL ? slash + 1 : path, &kind))
            code = add_file(out, path, kind, err);
        else
            code = pgc_fail(err, PGC_E_USAGE, "'%s' is neither a folder nor a .sql, .csv or .tsv file", path);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}
