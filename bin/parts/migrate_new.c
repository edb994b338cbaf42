/* The commands that write files of a migrations folder: new, hash. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "io/file.h"
#include "migrate/atlas.h"
#include "migrate/fresh.h"
#include "parts/migrate_settings.h"
#include "parts/parts.h"

#define FOLDER_ROW                                                                                                     \
    {                                                                                                                  \
        "dir", 0, PGC_OPT_LIST, M_AT(dirs), NULL,                                                                      \
            "migrations folder (default: ./migrations, else ./db/migrations; made when it is not there)",              \
            .value = "FOLDER"                                                                                          \
    }
#define DRY_RUN_ROW                                                                                                    \
    { "dry-run", 'n', PGC_OPT_FLAG, M_AT(dry_run), NULL, "print the paths, write nothing" }

static const struct pgc_option new_options[] = {
    MIGRATE_JSON_ROW,
    FOLDER_ROW,
    { "format", 0, PGC_OPT_STRING, M_AT(format), NULL, "format of the files (default: found out by content)",
      .value = "NAME" },
    DRY_RUN_ROW,
};
static const struct pgc_option hash_options[] = { MIGRATE_JSON_ROW, FOLDER_ROW, DRY_RUN_ROW };
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

struct folder_job {
    const struct migrate_settings *settings;
    struct pgc_cli *cli;
    const char *dir;
    struct pgc_folder folder;  /* as it is */
    struct pgc_folder written; /* what is to be written */
};

static void folder_job_release(struct folder_job *job) {
    pgc_folder_release(&job->folder);
    pgc_folder_release(&job->written);
}

static enum pgc_code make_folder(const char *path, struct pgc_error *err) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return pgc_fail_errno(err, PGC_E_IO, "cannot make the folder '%s'", path);
    return PGC_OK;
}

static enum pgc_code open_folder(struct folder_job *job, struct pgc_error *err) {
    const struct migrate_settings *s = job->settings;
    struct stat st;
    job->dir = s->dirs.count > 0 ? s->dirs.items[0] : NULL;
    if (job->dir == NULL)
        job->dir = stat("migrations", &st) != 0 && stat("db/migrations", &st) == 0 ? "db/migrations" : "migrations";
    if (stat(job->dir, &st) != 0 && s->dry_run)
        return PGC_OK;
    enum pgc_code code = make_folder(job->dir, err);
    return code == PGC_OK ? pgc_folder_read(&job->folder, job->dir, err) : code;
}

/* The folder that a file lies in is made; what is there already is replaced only where the format says so (atlas.sum). */
static enum pgc_code write_one(const struct folder_job *job, const struct pgc_folder_file *file,
                               struct pgc_error *err) {
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    PGC_AUTO_FREE char *parent = strdup(file->path);
    if (parent == NULL)
        return pgc_fail_nomem(err);
    *strrchr(parent, '/') = '\0';
    enum pgc_code code = make_folder(parent, err);
    if (code == PGC_OK)
        code = pgc_folder_find(&job->folder, file->name) != NULL ? pgc_file_sink(file->path, 0644, &sink, err)
                                                                 : pgc_file_sink_new(file->path, 0644, &sink, err);
    if (code == PGC_OK)
        code = pgc_sink_put(sink, file->text, file->len, err);
    return code == PGC_OK ? pgc_sink_commit(sink, err) : code;
}

/* New files before those that are replaced: they name the new ones. */
static enum pgc_code write_all(const struct folder_job *job, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (int replaced = 0; replaced < 2; replaced++) {
        for (size_t i = 0; code == PGC_OK && i < job->written.count && !job->settings->dry_run; i++) {
            const struct pgc_folder_file *file = &job->written.files[i];
            if ((pgc_folder_find(&job->folder, file->name) != NULL) == (replaced == 1))
                code = write_one(job, file, err);
        }
    }
    return code;
}

/* One path a line; as JSON with the version (NULL: none). */
static enum pgc_code report(const struct folder_job *job, const char *version, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    bool json = job->settings->json;
    if (json && version != NULL) {
        pgc_buf_putc(&out, '{');
        migrate_put_text(&out, "version", version);
        pgc_buf_putc(&out, ',');
        migrate_put_text(&out, "path", job->written.files[0].path);
        pgc_buf_puts(&out, ",\"paths\":[");
    } else if (json) {
        pgc_buf_puts(&out, "{\"paths\":[");
    }
    for (size_t i = 0; i < job->written.count; i++) {
        if (!json) {
            pgc_buf_putf(&out, "%s\n", job->written.files[i].path);
            continue;
        }
        pgc_buf_puts(&out, i > 0 ? "," : "");
        pgc_text_json(&out, job->written.files[i].path);
    }
    pgc_buf_puts(&out, json ? "]}\n" : "");
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

static enum pgc_code check_name(const struct pgc_cli *cli, struct pgc_error *err) {
    enum pgc_code code = migrate_args(cli, 1, "the name", err);
    if (code != PGC_OK)
        return code;
    if (cli->args.items[0][0] == '\0')
        return pgc_fail(err, PGC_E_USAGE, "the name is empty");
    if (strpbrk(cli->args.items[0], "\r\n") != NULL)
        return pgc_fail(err, PGC_E_USAGE, "the name has more than one line");
    return PGC_OK;
}

static enum pgc_code run_new(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    PGC_CLEANUP(folder_job_release) struct folder_job job = { .settings = settings, .cli = cli };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf version = PGC_BUF_INIT;
    const struct pgc_dialect *dialect = NULL;
    enum pgc_code code = check_name(cli, err);
    if (code == PGC_OK)
        code = open_folder(&job, err);
    if (code == PGC_OK && job.settings->format != NULL)
        code = pgc_dialect_find(job.settings->format, &dialect, err);
    if (code == PGC_OK)
        code = dialect == NULL ? pgc_dialect_detect(&job.folder, &dialect, err)
                               : pgc_dialect_check(dialect, &job.folder, err);
    struct pgc_fresh_request request = { &job.folder, job.dir, cli->args.count > 0 ? cli->args.items[0] : "",
                                         pgc_wall_us(cli->rt) / 1000000 };
    if (code == PGC_OK)
        code = pgc_migration_fresh(dialect, &request, &version, &job.written, err);
    if (code == PGC_OK)
        code = write_all(&job, err);
    return code == PGC_OK ? report(&job, version.data, err) : code;
}

static enum pgc_code run_hash(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    PGC_CLEANUP(folder_job_release) struct folder_job job = { .settings = settings, .cli = cli };
    const struct pgc_dialect *dialect;
    enum pgc_code code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = open_folder(&job, err);
    if (code == PGC_OK)
        code = pgc_dialect_detect(&job.folder, &dialect, err);
    if (code == PGC_OK && dialect != &pgc_dialect_atlas)
        code = pgc_fail(err, PGC_E_USAGE, "only folders of the format 'atlas' have a sum, this is '%s'", dialect->name);
    if (code == PGC_OK)
        code = pgc_atlas_put_sum(&job.folder, job.dir, &job.written, err);
    if (code == PGC_OK)
        code = write_all(&job, err);
    return code == PGC_OK ? report(&job, NULL, err) : code;
}

const struct pgc_command pgc_cmd_migrate_new = {
    .name = "new",
    .summary = "make the files of a new migration",
    .args = "NAME",
    .description = "In the format of the folder: one file or a pair, with the words between which the SQL goes, and a "
                   "version that follows the newest one there (a time stays a time, a number gets the next one). "
                   "Prints the paths. A folder of Atlas gets its atlas.sum written too; of graphile-migrate the file "
                   "current.sql is committed under that name.",
    .options = new_options,
    .option_count = COUNT(new_options),
    .settings_size = sizeof(struct migrate_settings),
    .run = run_new,
};

const struct pgc_command pgc_cmd_migrate_hash = {
    .name = "hash",
    .summary = "write atlas.sum anew",
    .description = "After files of a folder of Atlas were edited on purpose. Prints the path.",
    .options = hash_options,
    .option_count = COUNT(hash_options),
    .settings_size = sizeof(struct migrate_settings),
    .run = run_hash,
};
