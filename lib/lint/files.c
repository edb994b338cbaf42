#include "lint/files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

#define DEPTH_MAX 32

static void close_dir(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}

static bool undoes(const char *name) {
    return pgc_text_ends(name, ".down.sql") || strcmp(name, "down.sql") == 0 ||
           (name[0] == 'U' && isdigit((unsigned char)name[1]) && strstr(name, "__") != NULL);
}

static enum pgc_code add_folder(const char *folder, bool include_down, int depth, struct pgc_strings *out,
                                struct pgc_error *err);

static enum pgc_code add_entry(const char *folder, const char *name, bool include_down, int depth,
                               struct pgc_strings *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    pgc_buf_putf(&path, "%s%s%s", folder, pgc_text_ends(folder, "/") ? "" : "/", name);
    enum pgc_code code = pgc_buf_check(&path, err);
    struct stat st;
    if (code != PGC_OK || stat(path.data, &st) != 0)
        return code; /* a dangling link: nothing to read */
    if (S_ISDIR(st.st_mode))
        return depth < DEPTH_MAX ? add_folder(path.data, include_down, depth + 1, out, err) : PGC_OK;
    if (!S_ISREG(st.st_mode) || !pgc_text_ends(name, ".sql") || (undoes(name) && !include_down))
        return PGC_OK;
    return pgc_strings_add(out, path.data, err);
}

static enum pgc_code add_folder(const char *folder, bool include_down, int depth, struct pgc_strings *out,
                                struct pgc_error *err) {
    __attribute__((cleanup(close_dir))) DIR *dir = opendir(folder);
    if (dir == NULL)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open folder '%s'", folder);
    enum pgc_code code = PGC_OK;
    for (struct dirent *entry; code == PGC_OK && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            code = add_entry(folder, entry->d_name, include_down, depth, out, err);
    return code;
}

enum pgc_code pgc_lint_files(const struct pgc_strings *paths, bool include_down, struct pgc_strings *out,
                             struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < paths->count; i++) {
        struct stat st;
        if (strcmp(paths->items[i], "-") != 0 && stat(paths->items[i], &st) != 0)
            return pgc_fail_errno(err, PGC_E_IO, "cannot read '%s'", paths->items[i]);
        if (strcmp(paths->items[i], "-") == 0 || !S_ISDIR(st.st_mode)) {
            code = pgc_strings_add(out, paths->items[i], err);
            continue;
        }
        PGC_CLEANUP(pgc_strings_release) struct pgc_strings below = PGC_STRINGS_INIT;
        code = add_folder(paths->items[i], include_down, 0, &below, err);
        pgc_strings_sort(&below);
        for (size_t f = 0; code == PGC_OK && f < below.count; f++)
            code = pgc_strings_add(out, below.items[f], err);
    }
    return code;
}

bool pgc_lint_is_migration(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    size_t digits = strspn(name, "0123456789");
    if (digits > 0 && (name[digits] == '_' || name[digits] == '-'))
        return true;
    return (name[0] == 'V' && isdigit((unsigned char)name[1]) && strstr(name, "__") != NULL) ||
           strncmp(name, "R__", 3) == 0 || pgc_text_ends(name, ".up.sql") || strcmp(name, "up.sql") == 0;
}
