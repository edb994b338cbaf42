#include "parts/lint_mode.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lint/files.h"

enum pgc_code lint_modes_add(struct lint_modes *modes, const char *dir, struct pgc_error *err) {
    if (!pgc_array_grow(&modes->items, &modes->cap, modes->count + 1, sizeof *modes->items))
        return pgc_fail_nomem(err);
    struct lint_mode_folder *one = &modes->items[modes->count++];
    *one = (struct lint_mode_folder) { .dir = dir, .folder = PGC_FOLDER_INIT, .dialect = &pgc_dialect_native };
    enum pgc_code code = pgc_folder_read(&one->folder, dir, err);
    struct pgc_error ignored;
    if (code == PGC_OK && pgc_dialect_detect(&one->folder, &one->dialect, &ignored) != PGC_OK)
        one->dialect = &pgc_dialect_native;
    return code;
}

void lint_modes_release(struct lint_modes *modes) {
    for (size_t i = 0; i < modes->count; i++)
        pgc_folder_release(&modes->items[i].folder);
    free(modes->items);
}

/* The dialect itself reads what stands beside the file, in a folder with nothing else; the file's text does not matter, so that
 * placeholders without a value and gaps in the numbers do not either. */
static enum pgc_migration_tx mode_beside(const struct lint_mode_folder *in, const struct pgc_folder_file *file) {
    static const char text[] = "select 1;";
    static const struct pgc_dialect_options options;
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder alone = PGC_FOLDER_INIT;
    PGC_CLEANUP(pgc_migration_set_release) struct pgc_migration_set set = PGC_MIGRATION_SET_INIT;
    struct pgc_error ignored;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf conf = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf toml = PGC_BUF_INIT;
    const char *slash = strrchr(file->name, '/');
    pgc_buf_putf(&conf, "%s.conf", file->name);
    pgc_buf_putf(&toml, "%.*smetadata.toml", slash == NULL ? 0 : (int)(slash - file->name) + 1, file->name);
    enum pgc_code code = pgc_folder_add(&alone, "", file->name, text, strlen(text), &ignored);
    const struct pgc_folder_file *beside[] = { pgc_folder_find(&in->folder, conf.data),
                                               pgc_folder_find(&in->folder, toml.data) };
    for (size_t i = 0; code == PGC_OK && i < 2; i++)
        if (beside[i] != NULL && beside[i]->text != NULL)
            code = pgc_folder_add(&alone, "", beside[i]->name, beside[i]->text, beside[i]->len, &ignored);
    if (code == PGC_OK)
        code = in->dialect->parse(&alone, &options, &set, &ignored);
    if (code != PGC_OK || set.count + set.hook_count != 1)
        return PGC_MIGRATION_TX_AUTO;
    return set.count == 1 ? set.items[0].up.tx : set.hooks[0].script.tx;
}

static enum pgc_lint_transaction mode_in(const struct lint_mode_folder *in, const struct pgc_folder_file *file) {
    if (in->dialect == &pgc_dialect_golang && pgc_lint_is_migration(file->name))
        return PGC_LINT_TX_IMPLICIT;
    bool beside = in->dialect == &pgc_dialect_flyway || in->dialect == &pgc_dialect_diesel;
    enum pgc_migration_tx tx = beside ? mode_beside(in, file) : PGC_MIGRATION_TX_AUTO;
    if (tx != PGC_MIGRATION_TX_AUTO)
        return tx == PGC_MIGRATION_TX_ON ? PGC_LINT_TX_YES : PGC_LINT_TX_NO;
    return pgc_lint_is_migration(file->name) ? PGC_LINT_TX_LIKELY : PGC_LINT_TX_AUTO;
}

static const char *without_dot(const char *path) {
    return pgc_text_starts(path, "./") ? path + 2 + strspn(path + 2, "/") : path;
}

enum pgc_lint_transaction lint_mode_of(const struct lint_modes *modes, const char *path) {
    path = without_dot(path);
    for (size_t i = 0; i < modes->count; i++) {
        const char *dir = without_dot(modes->items[i].dir);
        if (!pgc_text_starts(path, dir))
            continue;
        const char *name = path + strlen(dir) + strspn(path + strlen(dir), "/");
        const struct pgc_folder_file *file = pgc_folder_find(&modes->items[i].folder, name);
        if (file != NULL)
            return mode_in(&modes->items[i], file);
    }
    return PGC_LINT_TX_AUTO;
}
