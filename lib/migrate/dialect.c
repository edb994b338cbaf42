#include "migrate/dialect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const struct pgc_dialect *const dialects[] = {
    &pgc_dialect_native,   &pgc_dialect_dbmate,
    &pgc_dialect_golang,   &pgc_dialect_goose,
    &pgc_dialect_flyway,   &pgc_dialect_sqlx,
    &pgc_dialect_diesel,   &pgc_dialect_refinery,
    &pgc_dialect_tern,     &pgc_dialect_atlas,
    &pgc_dialect_graphile, &pgc_dialect_sqlmigrate,
    &pgc_dialect_supabase, NULL,
};

const struct pgc_dialect *const *pgc_dialects(void) {
    return dialects;
}

enum pgc_code pgc_dialect_find(const char *name, const struct pgc_dialect **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf names = PGC_BUF_INIT;
    for (size_t i = 0; dialects[i] != NULL; i++) {
        if (strcmp(dialects[i]->name, name) == 0) {
            *out = dialects[i];
            return PGC_OK;
        }
        pgc_buf_putf(&names, "%s%s", i > 0 ? ", " : "", dialects[i]->name);
    }
    return pgc_fail(err, PGC_E_USAGE, "unknown migration format '%s'; known: %s", name, names.data);
}

static enum pgc_code best_fit(const struct pgc_folder *folder, const struct pgc_dialect **out, struct pgc_error *err) {
    const struct pgc_dialect *best = NULL, *equal = NULL;
    int best_score = 0;
    for (size_t i = 0; dialects[i] != NULL; i++) {
        int score = dialects[i]->detect(folder);
        if (score > best_score) {
            best = dialects[i];
            best_score = score;
            equal = NULL;
        } else if (score == best_score && score > 0 && best != &pgc_dialect_native) {
            equal = dialects[i];
        }
    }
    if (equal != NULL)
        return pgc_fail(err, PGC_E_DATA, "the folder looks like '%s' and like '%s'; say which with --format",
                        best->name, equal->name);
    *out = best == NULL ? &pgc_dialect_native : best;
    return PGC_OK;
}

/* Some files tell the format as well as ten thousand: of the .sql files the first and last hundred are looked at. */
#define SAMPLE ((size_t)100)

enum pgc_code pgc_dialect_detect(const struct pgc_folder *folder, const struct pgc_dialect **out,
                                 struct pgc_error *err) {
    if (folder->count <= 2 * SAMPLE)
        return best_fit(folder, out, err);
    struct pgc_folder view = { calloc(folder->count, sizeof *view.files), 0, folder->count };
    if (view.files == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < folder->count; i++) {
        if (i < SAMPLE || i + SAMPLE >= folder->count || !pgc_text_ends(folder->files[i].name, ".sql"))
            view.files[view.count++] = folder->files[i];
    }
    enum pgc_code code = best_fit(&view, out, err);
    free(view.files);
    return code;
}

/* From here on a folder is what it looks like; up to there it may well be something else. */
#define UNMISTAKABLE 85
#define POSSIBLE     40

enum pgc_code pgc_dialect_check(const struct pgc_dialect *dialect, const struct pgc_folder *folder,
                                struct pgc_error *err) {
    if (dialect->detect(folder) >= POSSIBLE)
        return PGC_OK;
    for (size_t i = 0; dialects[i] != NULL; i++)
        if (dialects[i]->detect(folder) >= UNMISTAKABLE)
            return pgc_fail(err, PGC_E_DATA, "the files are not of the format '%s' but of '%s'", dialect->name,
                            dialects[i]->name);
    return PGC_OK;
}

const char *pgc_dialect_variable(const struct pgc_dialect_options *options, const char *name, size_t len) {
    for (size_t i = 0; options->variables != NULL && i < options->variables->count; i++) {
        const char *item = options->variables->items[i];
        if (strncmp(item, name, len) == 0 && item[len] == '=')
            return item + len + 1;
    }
    return NULL;
}

size_t pgc_dialect_count_names(const struct pgc_folder *folder, const char *suffix) {
    size_t n = 0;
    for (size_t i = 0; i < folder->count; i++)
        n += pgc_folder_is_top(&folder->files[i]) && pgc_text_ends(folder->files[i].name, suffix);
    return n;
}

static bool holds_line(const struct pgc_folder_file *file, const char *text, size_t len) {
    for (const char *p = file->text; p != NULL && *p != '\0'; p++) {
        p += strspn(p, " \t\r\xEF\xBB\xBF");
        if (strncasecmp(p, text, len) == 0)
            return true;
        p = strchr(p, '\n');
        if (p == NULL)
            break;
    }
    return false;
}

size_t pgc_dialect_count_lines(const struct pgc_folder *folder, const char *suffix, const char *text) {
    size_t n = 0, len = strlen(text);
    for (size_t i = 0; i < folder->count; i++) {
        const struct pgc_folder_file *file = &folder->files[i];
        n += pgc_folder_is_top(file) && pgc_text_ends(file->name, suffix) && holds_line(file, text, len);
    }
    return n;
}

void pgc_dialect_put_lines(struct pgc_buf *out, const char *text, size_t len, const char *line_end) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
            continue;
        if (text[i] == '\n')
            pgc_buf_puts(out, line_end);
        else
            pgc_buf_putc(out, text[i]);
    }
}

enum pgc_code pgc_dialect_each_sql(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                                   struct pgc_migration_set *set, pgc_dialect_file_fn *each, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < folder->count; i++)
        if (pgc_folder_is_top(&folder->files[i]) && pgc_text_ends(folder->files[i].name, ".sql"))
            code = each(&folder->files[i], options, set, err);
    return code;
}

enum pgc_code pgc_dialect_new(const struct pgc_folder_file *file, size_t digits, struct pgc_migration_set *set,
                              struct pgc_migration **out, struct pgc_error *err) {
    enum pgc_code code = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, out, err);
    if (code != PGC_OK)
        return code;
    const char *name = file->name + digits + strspn(file->name + digits, "_-");
    (*out)->version = strndup(file->name, digits);
    const char *dot = strrchr(name, '.');
    (*out)->name = strndup(name, dot != NULL ? (size_t)(dot - name) : strlen(name));
    return (*out)->version != NULL && (*out)->name != NULL ? PGC_OK : pgc_fail_nomem(err);
}

void pgc_sql_literal(struct pgc_buf *sql, const char *text) {
    if (text == NULL) {
        pgc_buf_puts(sql, "null");
        return;
    }
    bool escape = strchr(text, '\\') != NULL;
    pgc_buf_puts(sql, escape ? " E'" : "'");
    for (; *text != '\0'; text++) {
        if (*text == '\'' || (*text == '\\' && escape))
            pgc_buf_putc(sql, *text);
        pgc_buf_putc(sql, *text);
    }
    pgc_buf_putc(sql, '\'');
}

void pgc_sql_ident(struct pgc_buf *sql, const char *name) {
    pgc_buf_putc(sql, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            pgc_buf_putc(sql, '"');
        pgc_buf_putc(sql, *name);
    }
    pgc_buf_putc(sql, '"');
}
