#include "migrate/fresh.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "migrate/version.h"

/* --- versions that are there ---------------------------------------------------------------------------------------- */

/* The part of a file's name that begins with its version: the name itself, or that of the folder around up.sql. */
static const char *named_part(const struct pgc_dialect_fresh *fresh, const struct pgc_folder_file *file) {
    const char *slash = strchr(file->name, '/');
    if (slash == NULL || pgc_text_starts(fresh->files[0].name, "{version}_{name}/"))
        return file->name;
    const char *folder = strchr(fresh->files[0].name, '/');
    if (folder != NULL && strncmp(file->name, fresh->files[0].name, (size_t)(folder + 1 - fresh->files[0].name)) == 0)
        return slash + 1;
    return fresh->recursive ? pgc_folder_base(file) : NULL;
}

/* Length of the version as written; *version points into the name. */
static size_t version_in(const struct pgc_dialect_fresh *fresh, const struct pgc_folder_file *file,
                         const char **version) {
    const char *p = file->text != NULL ? named_part(fresh, file) : NULL;
    if (p == NULL || (fresh->letters != NULL && strchr(fresh->letters, *p) == NULL))
        return 0;
    p += fresh->letters != NULL;
    size_t len = pgc_version_digits(p);
    while (len > 0 && p[len] != '\0' && fresh->separators != NULL && strchr(fresh->separators, p[len]) != NULL &&
           isdigit((unsigned char)p[len + 1]))
        len += 1 + pgc_version_digits(p + len + 1);
    *version = p;
    return len;
}

static void find_newest(const struct pgc_dialect_fresh *fresh, const struct pgc_folder *folder,
                        struct pgc_buf *newest) {
    for (size_t i = 0; i < folder->count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf version = PGC_BUF_INIT;
        const char *at = "";
        size_t len = version_in(fresh, &folder->files[i], &at);
        pgc_buf_put(&version, at, len);
        if (len > 0 && pgc_version_compare(version.data, newest->data) > 0) {
            pgc_buf_clear(newest);
            pgc_buf_puts(newest, version.data);
        }
    }
}

/* --- the next one ------------------------------------------------------------------------------------------------------ */

static void put_time(struct pgc_buf *out, int64_t seconds) {
    int64_t year;
    int month, day;
    pgc_civil_from_days(seconds / 86400, &year, &month, &day);
    int64_t rest = seconds % 86400;
    pgc_buf_putf(out, "%04lld%02d%02d%02d%02d%02d", (long long)year, month, day, (int)(rest / 3600),
                 (int)(rest / 60 % 60), (int)(rest % 60));
}

/* The time with as many digits and the same separators as the pattern; false: that does not look like a time. */
static bool put_time_like(struct pgc_buf *out, const char *pattern, int64_t seconds) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf time = PGC_BUF_INIT;
    size_t digits = 0, used = 0;
    for (const char *p = pattern; *p != '\0'; p++)
        digits += isdigit((unsigned char)*p) != 0;
    bool century = pgc_text_starts(pattern, "19") || pgc_text_starts(pattern, "20");
    bool nothing = pattern[strspn(pattern, "0-")] == '\0';
    if (digits == 10 && pattern[0] == '1' && pgc_version_digits(pattern) == 10)
        pgc_buf_putf(&time, "%lld", (long long)seconds);
    else if (digits >= 12 && digits <= 20 && (century || nothing))
        put_time(&time, seconds);
    else
        return false;
    for (const char *p = pattern; *p != '\0'; p++) {
        bool digit = isdigit((unsigned char)*p) != 0;
        pgc_buf_putc(out, !digit ? *p : used < time.len ? time.data[used] : '0');
        used += digit;
    }
    return true;
}

/* Adds one to the last group of digits. */
static void count_up(struct pgc_buf *version) {
    size_t at = version->len;
    while (at > 0 && isdigit((unsigned char)version->data[at - 1])) {
        at--;
        if (version->data[at] != '9') {
            version->data[at]++;
            return;
        }
        version->data[at] = '0';
    }
    /* All of them were nines. */
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf tail = PGC_BUF_INIT;
    pgc_buf_puts(&tail, version->data + at);
    pgc_buf_truncate(version, at);
    pgc_buf_putf(version, "1%s", tail.data);
}

static void choose_version(const struct pgc_dialect_fresh *fresh, const struct pgc_fresh_request *request,
                           struct pgc_buf *version) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf newest = PGC_BUF_INIT;
    const char *first = fresh->first != NULL ? fresh->first : "00000000000000";
    find_newest(fresh, request->folder, &newest);
    bool any = newest.len > 0;
    /* A first one that is all zeros (diesel's setup) says nothing about the style. */
    bool styled = any && newest.data[strspn(newest.data, "0-")] != '\0';
    if (!put_time_like(version, styled ? newest.data : first, request->time_seconds) && !any)
        pgc_buf_puts(version, first);
    if (any && pgc_version_compare(version->data, newest.data) <= 0) {
        pgc_buf_clear(version);
        pgc_buf_puts(version, newest.data);
        count_up(version);
    }
}

/* --- files --------------------------------------------------------------------------------------------------------------- */

static void put_name(struct pgc_buf *out, const char *name, bool plain) {
    for (; *name != '\0'; name++) {
        bool fits = isalnum((unsigned char)*name) || *name == '_' || (!plain && (*name == '-' || *name == '.')) ||
                    (*name & 0x80) != 0;
        pgc_buf_putc(out, fits ? *name : '_');
    }
}

static void put_path(struct pgc_buf *out, const char *template, const char *version, const char *name, bool plain) {
    for (const char *p = template; *p != '\0';) {
        if (pgc_text_starts(p, "{version}")) {
            pgc_buf_puts(out, version);
            p += strlen("{version}");
        } else if (pgc_text_starts(p, "{name}")) {
            put_name(out, name, plain);
            p += strlen("{name}");
        } else {
            pgc_buf_putc(out, *p++);
        }
    }
}

enum pgc_code pgc_migration_fresh(const struct pgc_dialect *dialect, const struct pgc_fresh_request *request,
                                  struct pgc_buf *version, struct pgc_folder *out, struct pgc_error *err) {
    const struct pgc_dialect_fresh *fresh = dialect->fresh;
    bool paired = fresh->paired != NULL && fresh->paired(request->folder);
    const struct pgc_fresh_file *files = paired ? fresh->pair : fresh->files;
    choose_version(fresh, request, version);
    enum pgc_code code = pgc_buf_check(version, err);
    for (size_t i = 0; code == PGC_OK && i < 2 && files[i].name != NULL; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
        put_path(&name, files[i].name, version->data, request->name, fresh->plain);
        code = pgc_buf_check(&name, err);
        if (code == PGC_OK)
            code = pgc_folder_add(out, request->dir, name.data, files[i].text, strlen(files[i].text), err);
    }
    return code == PGC_OK && fresh->finish != NULL ? fresh->finish(request, out, err) : code;
}

static enum pgc_code refuse_baseline(const struct pgc_dialect *dialect, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf names = PGC_BUF_INIT;
    for (const struct pgc_dialect *const *d = pgc_dialects(); *d != NULL; d++)
        if ((*d)->fresh->baseline.name != NULL)
            pgc_buf_putf(&names, "%s'%s'", names.len > 0 ? ", " : "", (*d)->name);
    return pgc_fail(
        err, PGC_E_USAGE,
        "the format '%s' has no file that could stand for older migrations, so there is nothing to squash them "
        "into; formats that have one: %s",
        dialect->name, names.data);
}

enum pgc_code pgc_migration_baseline(const struct pgc_dialect *dialect, const char *dir, const char *version,
                                     const char *schema, struct pgc_folder *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    const struct pgc_dialect_fresh *fresh = dialect->fresh;
    if (fresh->baseline.name == NULL)
        return refuse_baseline(dialect, err);
    put_path(&name, fresh->baseline.name, version, "", false);
    put_path(&text, fresh->baseline.text, version, "", false);
    pgc_buf_puts(&text, schema);
    enum pgc_code code = pgc_buf_check(&name, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_folder_add(out, dir, name.data, text.data, text.len, err);
    if (code != PGC_OK || fresh->baseline_conf == NULL || strstr(schema, "${") == NULL)
        return code;
    pgc_buf_puts(&name, ".conf");
    return pgc_folder_add(out, dir, name.data, fresh->baseline_conf, strlen(fresh->baseline_conf), err);
}
