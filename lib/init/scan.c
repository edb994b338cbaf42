#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "init/step.h"
#include "io/digest.h"
#include "io/file.h"

#define BLOCK_BYTES ((size_t)65536)
#define DEPTH_MAX   16

const char *pgc_init_kind_how(enum pgc_init_kind kind) {
    static const char *const how[] = { "psql",    "psql",       "psql", "psql",   "executed",
                                       "sourced", "pg_restore", "copy", "ignored" };
    return how[kind];
}

static const char *const rerun_names[] = { "never", "changed", "always" };

const char *pgc_init_rerun_name(enum pgc_init_rerun rerun) {
    return rerun_names[rerun];
}

bool pgc_init_rerun_parse(const char *text, size_t len, enum pgc_init_rerun *rerun) {
    for (size_t i = 0; i < 3; i++)
        if (strlen(rerun_names[i]) == len && memcmp(rerun_names[i], text, len) == 0) {
            *rerun = (enum pgc_init_rerun)i;
            return true;
        }
    return false;
}

void pgc_init_steps_release(struct pgc_init_steps *steps) {
    for (size_t i = 0; i < steps->count; i++) {
        free(steps->items[i].path);
        free(steps->items[i].name);
    }
    free(steps->items);
    pgc_strings_release(&steps->warnings);
    *steps = (struct pgc_init_steps)PGC_INIT_STEPS_INIT;
}

/* --- kinds ------------------------------------------------------------------------------------------ */

static bool has_magic(const char *path) {
    char magic[5];
    PGC_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, magic, sizeof magic) == (ssize_t)sizeof magic && memcmp(magic, "PGDMP", 5) == 0;
}

static enum pgc_init_kind kind_of(const char *path, const struct stat *st) {
    static const struct {
        const char *suffix;
        enum pgc_init_kind kind;
    } rows[] = { { ".sql", PGC_INIT_SQL },
                 { ".sql.gz", PGC_INIT_SQL_GZ },
                 { ".sql.xz", PGC_INIT_SQL_XZ },
                 { ".sql.zst", PGC_INIT_SQL_ZST },
                 { ".csv", PGC_INIT_CSV } };
    if (pgc_text_ends(path, ".sh"))
        return (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0 ? PGC_INIT_SH_EXECUTED : PGC_INIT_SH_SOURCED;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (pgc_text_ends(path, rows[i].suffix))
            return rows[i].kind;
    return has_magic(path) ? PGC_INIT_ARCHIVE : PGC_INIT_IGNORED;
}

static bool is_archive_folder(const char *path) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf toc = PGC_BUF_INIT;
    pgc_buf_putf(&toc, "%s/toc.dat", path);
    return access(toc.data, F_OK) == 0;
}

/* "10.always_x.sql" and "always.x.sql": a word between the leading number and the rest. */
static enum pgc_init_rerun rerun_of(const char *name, enum pgc_init_rerun otherwise) {
    const char *word = name + strspn(name, "0123456789");
    if (word > name && *word != '.')
        return otherwise;
    word += word > name;
    enum pgc_init_rerun rerun;
    size_t len = strcspn(word, "._");
    return word[len] != '\0' && pgc_init_rerun_parse(word, len, &rerun) ? rerun : otherwise;
}

/* --- hashes ----------------------------------------------------------------------------------------- */

static enum pgc_code add_file(struct pgc_digest_run *run, const char *path, struct pgc_error *err) {
    PGC_AUTO_FREE char *block = malloc(BLOCK_BYTES);
    if (block == NULL)
        return pgc_fail_nomem(err);
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_file_source(path, &source, err);
    for (size_t n = 1; code == PGC_OK && n > 0;) {
        code = pgc_source_get(source, block, BLOCK_BYTES, &n, err);
        if (code == PGC_OK)
            pgc_digest_run_add(run, block, n);
    }
    return code;
}

static enum pgc_code list_folder(const char *path, struct pgc_strings *names, struct pgc_error *err) {
    DIR *dir = opendir(path);
    if (dir == NULL)
        return pgc_fail_errno(err, errno == EACCES ? PGC_E_AUTH : PGC_E_IO, "cannot read the folder '%s'", path);
    enum pgc_code code = PGC_OK;
    struct dirent *entry;
    while (code == PGC_OK && (errno = 0, entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            code = pgc_strings_add(names, entry->d_name, err);
    if (code == PGC_OK && errno != 0)
        code = pgc_fail_errno(err, PGC_E_IO, "cannot read the folder '%s'", path);
    closedir(dir);
    pgc_strings_sort(names);
    return code;
}

static enum pgc_code add_archive_folder(struct pgc_digest_run *run, const char *path, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    enum pgc_code code = list_folder(path, &names, err);
    for (size_t i = 0; code == PGC_OK && i < names.count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf file = PGC_BUF_INIT;
        pgc_buf_putf(&file, "%s/%s", path, names.items[i]);
        pgc_digest_run_add(run, names.items[i], strlen(names.items[i]) + 1);
        code = add_file(run, file.data, err);
    }
    return code;
}

static enum pgc_code hash_step(struct pgc_init_step *step, bool folder, struct pgc_error *err) {
    struct pgc_digest_run *run = pgc_digest_run_new(PGC_DIGEST_SHA256);
    if (run == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = folder ? add_archive_folder(run, step->path, err) : add_file(run, step->path, err);
    unsigned char digest[PGC_DIGEST_MAX];
    pgc_digest_run_peek(run, digest);
    pgc_digest_run_free(run);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf hex = PGC_BUF_INIT;
    pgc_text_hex(&hex, digest, 32);
    memcpy(step->sha256, hex.data, hex.len);
    step->sha256[hex.len] = '\0';
    return code;
}

/* --- folders ---------------------------------------------------------------------------------------- */

struct walk {
    const struct pgc_init_scan *options;
    struct pgc_init_steps *steps;
};

static enum pgc_code add_step(const struct walk *walk, const char *path, const char *name, enum pgc_init_kind kind,
                              enum pgc_init_rerun rerun, bool folder, struct pgc_error *err) {
    struct pgc_init_steps *steps = walk->steps;
    if (!pgc_array_grow(&steps->items, &steps->cap, steps->count + 1, sizeof *steps->items))
        return pgc_fail_nomem(err);
    struct pgc_init_step *step = &steps->items[steps->count++];
    *step = (struct pgc_init_step) { strdup(path), strdup(name), "", kind, rerun };
    if (step->path == NULL || step->name == NULL)
        return pgc_fail_nomem(err);
    return kind == PGC_INIT_IGNORED ? PGC_OK : hash_step(step, folder, err);
}

/* A rough image of how en_US orders: punctuation is skipped and case ignored at first sight. */
static int locale_compare(const char *a, const char *b) {
    for (;; a++, b++) {
        while (*a != '\0' && !isalnum((unsigned char)*a) && (unsigned char)*a < 0x80)
            a++;
        while (*b != '\0' && !isalnum((unsigned char)*b) && (unsigned char)*b < 0x80)
            b++;
        int x = tolower((unsigned char)*a), y = tolower((unsigned char)*b);
        if (x != y || x == 0)
            return x - y;
    }
}

static enum pgc_code warn_of_order(const struct walk *walk, const struct pgc_strings *names, struct pgc_error *err) {
    for (size_t i = 1; i < names->count; i++)
        if (locale_compare(names->items[i - 1], names->items[i]) > 0)
            return pgc_strings_addf(
                &walk->steps->warnings, err,
                "'%s' runs before '%s': the order is by bytes, where a locale such as en_US.utf8 would "
                "turn them round",
                names->items[i - 1], names->items[i]);
    return PGC_OK;
}

static enum pgc_code walk_folder(const struct walk *walk, const char *folder, const char *below,
                                 enum pgc_init_rerun rerun, int depth, struct pgc_error *err);

static enum pgc_code walk_entry(const struct walk *walk, const char *path, const char *name, const char *below,
                                enum pgc_init_rerun rerun, int depth, struct pgc_error *err) {
    struct stat st;
    if (stat(path, &st) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot look at '%s'", path);
    enum pgc_init_rerun own = rerun_of(name, rerun);
    if (!S_ISDIR(st.st_mode)) {
        enum pgc_init_kind kind = S_ISREG(st.st_mode) ? kind_of(path, &st) : PGC_INIT_IGNORED;
        return add_step(walk, path, below, kind, own, false, err);
    }
    if (is_archive_folder(path))
        return add_step(walk, path, below, PGC_INIT_ARCHIVE, own, true, err);
    if (!walk->options->recursive)
        return add_step(walk, path, below, PGC_INIT_IGNORED, own, false, err);
    if (depth >= DEPTH_MAX)
        return pgc_fail(err, PGC_E_DATA, "'%s' is more than %d folders deep", path, DEPTH_MAX);
    if (!pgc_init_rerun_parse(name, strlen(name), &own))
        own = rerun;
    return walk_folder(walk, path, below, own, depth + 1, err);
}

static enum pgc_code walk_folder(const struct walk *walk, const char *folder, const char *below,
                                 enum pgc_init_rerun rerun, int depth, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    enum pgc_code code = list_folder(folder, &names, err);
    if (code == PGC_OK)
        code = warn_of_order(walk, &names, err);
    for (size_t i = 0; code == PGC_OK && i < names.count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
        pgc_buf_putf(&path, "%s%s%s", folder, pgc_text_ends(folder, "/") ? "" : "/", names.items[i]);
        pgc_buf_putf(&name, "%s%s%s", below, below[0] != '\0' ? "/" : "", names.items[i]);
        code = walk_entry(walk, path.data, names.items[i], name.data, rerun, depth, err);
    }
    return code;
}

enum pgc_code pgc_init_scan_folder(const char *folder, const struct pgc_init_scan *options,
                                   struct pgc_init_steps *steps, struct pgc_error *err) {
    struct walk walk = { options, steps };
    return walk_folder(&walk, folder, "", options->rerun, 0, err);
}
