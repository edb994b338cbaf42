#ifndef PGC_MIGRATE_FOLDER_H
#define PGC_MIGRATE_FOLDER_H
/* A migrations folder as a value: names and bytes. Only pgc_folder_read touches the disk; everything that
 * interprets a folder (the dialects) is a pure function of this struct.
 *
 *     PGC_CLEANUP(pgc_folder_release) struct pgc_folder folder = PGC_FOLDER_INIT;
 *     code = pgc_folder_read(&folder, "db/migrations", err);   // once per --dir
 *
 * The whole tree is listed (names that begin with a dot are left out, symbolic links are followed); the text is read for
 * files that can be part of a migration (.sql, .conf, .toml, .sum, .yml, and names with .up. or .down. in them).
 * Files stay in byte order of `name`, and of `path` where two folders hold the same name. */
#include <pgc/error.h>
#include <stdbool.h>
#include <stddef.h>

struct pgc_folder_file {
    char *path; /* as it is opened: "db/migrations/0001_x/up.sql"; for messages */
    char *name; /* inside its folder: "0001_x/up.sql" */
    char *text; /* bytes of the file and a NUL after them; NULL: not read */
    size_t len;
};

struct pgc_folder {
    struct pgc_folder_file *files;
    size_t count;
    size_t cap;
};
#define PGC_FOLDER_INIT                                                                                                \
    { NULL, 0, 0 }

void pgc_folder_release(struct pgc_folder *folder);
/* Adds every file below `dir`. PGC_E_NOT_FOUND when there is no such folder. */
PGC_MUST_USE enum pgc_code pgc_folder_read(struct pgc_folder *folder, const char *dir, struct pgc_error *err);
/* Adds one file from memory; the bytes are copied. Keeps the order. */
PGC_MUST_USE enum pgc_code pgc_folder_add(struct pgc_folder *folder, const char *dir, const char *name,
                                          const void *text, size_t len, struct pgc_error *err);
/* The file of that name, NULL when there is none. */
const struct pgc_folder_file *pgc_folder_find(const struct pgc_folder *folder, const char *name);
/* The last component of the name ("up.sql"). */
const char *pgc_folder_base(const struct pgc_folder_file *file);
/* True when the name has no slash: the file lies in the folder itself. */
bool pgc_folder_is_top(const struct pgc_folder_file *file);
#endif
