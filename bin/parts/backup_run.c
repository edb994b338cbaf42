/* pgc backup run: dump now. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/job.h"
#include "base/text.h"
#include "os/secret.h"
#include "parts/backup_hooks.h"
#include "parts/backup_settings.h"
#include "parts/backup_tell.h"
#include "parts/parts.h"

struct run_settings {
    struct pgc_connection_settings connection;
    struct pgc_strings stores;
    struct pgc_strings recipients;
    struct pgc_strings recipient_files;
    char *passphrase;
    char *passphrase_file;
    bool no_encryption;
    struct pgc_strings databases;
    bool all;
    struct pgc_strings include;
    struct pgc_strings exclude;
    char *cluster;
    int64_t level;
    int64_t workers;
    char *fingerprint;
    bool globals;
    bool allow_newer_client;
    struct pgc_strings client_folders;
    int64_t lock_wait_ms;
    int64_t idle_ms;
    int64_t sweep_after_ms;
    uint64_t bytes_per_second;
    struct progress_settings progress;
    struct hook_settings hooks;
    struct tell_settings tell;
    bool json;
    bool plan;
};
#define AT(field) offsetof(struct run_settings, field)

static const struct pgc_option options[] = {
    PGC_CONNECTION_OPTIONS(struct run_settings, connection),
    { "store", 's', PGC_OPT_LIST, AT(stores), NULL,
      "where to: a folder, file://, s3://bucket/prefix, sftp://, davs://, one dump goes to all", .value = "URL",
      .env = "PGC_BACKUP_STORE" },
    { "recipient", 'r', PGC_OPT_LIST, AT(recipients), NULL, "public key to encrypt for (age1... or ssh-ed25519 ...)",
      .value = "KEY" },
    { "recipients-file", 'R', PGC_OPT_LIST, AT(recipient_files), NULL, "file with public keys, one per line",
      .value = "FILE" },
    { "passphrase-file", 0, PGC_OPT_STRING, AT(passphrase_file), NULL, "encrypt by the passphrase in FILE",
      .value = "FILE", .env = "" },
    { "passphrase", 0, PGC_OPT_SECRET, AT(passphrase), NULL, "encrypt by a passphrase" },
    { "no-encryption", 0, PGC_OPT_FLAG, AT(no_encryption), NULL, "store the dump readable for everybody who gets it" },
    { "database", 0, PGC_OPT_LIST, AT(databases), NULL, "database to back up; default: that of the connection",
      .value = "NAME" },
    { "all", 'a', PGC_OPT_FLAG, AT(all), NULL, "every database that is no template and lets us connect" },
    { "include", 0, PGC_OPT_LIST, AT(include), NULL, "of all databases only those that match", .value = "GLOB" },
    { "exclude", 0, PGC_OPT_LIST, AT(exclude), NULL, "with --all or --include: not those that match", .value = "GLOB" },
    { "cluster", 0, PGC_OPT_STRING, AT(cluster), "main", "name of the server in the layout of the store",
      .value = "NAME" },
    { "level", 0, PGC_OPT_INT, AT(level), "1", "compression level of zstd, -7 to 19" },
    { "workers", 0, PGC_OPT_INT, AT(workers), "0", "compression threads; 0: one per processor, 3 at most" },
    { "fingerprint", 0, PGC_OPT_CHOICE, AT(fingerprint), "counts",
      "what verify --level 2 can compare: nothing, rows per table, or a hash of all rows (reads every table twice)",
      .choices = "none counts contents" },
    { "globals", 0, PGC_OPT_FLAG, AT(globals), "true", "store roles and tablespaces too (--no-globals: not)" },
    { "allow-newer-client", 0, PGC_OPT_FLAG, AT(allow_newer_client), NULL,
      "take a pg_dump newer than the server when there is none of its version" },
    { "client-dir", 0, PGC_OPT_LIST, AT(client_folders), NULL,
      "look for pg_dump only here; default: PATH and /usr/lib/postgresql/*/bin", .value = "DIR" },
    { "lock-wait-timeout", 0, PGC_OPT_DURATION, AT(lock_wait_ms), "60s", "give up when a table stays locked so long" },
    { "idle-timeout", 0, PGC_OPT_DURATION, AT(idle_ms), "15m", "give up when pg_dump sends nothing for so long" },
    SWEEP_ROW(AT(sweep_after_ms)),
    { "bandwidth-limit", 0, PGC_OPT_SIZE, AT(bytes_per_second), "0", "bytes per second and store; 0: none" },
    PROGRESS_ROWS(AT(progress)),
    HOOK_ROWS(struct run_settings, hooks),
    TELL_ROWS(struct run_settings, tell),
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the result as JSON" },
    { "plan", 0, PGC_OPT_FLAG, AT(plan), NULL, NULL, .env = "" }, /* for the scheduler */
};

/* Everything a run holds besides the job that points into it. */
struct held {
    struct pgc_backup_target *targets;
    size_t target_count;
    struct pgc_shield shield;
    struct pgc_age_recipients recipients;
    struct pgc_strings names;
    struct progress_state progress;
};

static void held_release(struct held *held) {
    for (size_t i = 0; i < held->target_count; i++) {
        pgc_store_drop(held->targets[i].store);
        free((char *)(size_t)held->targets[i].label);
    }
    free(held->targets);
    pgc_age_recipients_release(&held->recipients);
    pgc_strings_release(&held->names);
}

/* --- settings -> job ------------------------------------------------------------------------------------ */

static enum pgc_code attach_targets(struct pgc_cli *cli, const struct run_settings *s, struct held *held,
                                    struct pgc_error *err) {
    struct pgc_cli shielded = *cli;
    pgc_shield_init(&held->shield, cli->rt);
    shielded.rt = &held->shield.rt;
    held->targets = calloc(s->stores.count, sizeof *held->targets);
    if (held->targets == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < s->stores.count; i++) {
        struct pgc_backup_target *target = &held->targets[i];
        enum pgc_code code = settings_attach(&shielded, s->stores.items[i], s->bytes_per_second, &target->store, err);
        if (code != PGC_OK)
            return code;
        held->target_count++;
        target->label = settings_label(s->stores.items[i]);
        if (target->label == NULL)
            return pgc_fail_nomem(err);
    }
    return PGC_OK;
}

/* The names of the keys in a file go into the manifest too: one line each, without comments. */
static enum pgc_code add_names_of_file(const char *path, struct pgc_strings *names, struct pgc_error *err) {
    PGC_AUTO(pgc_secret_free) char *text = NULL;
    enum pgc_code code = pgc_secret_file(path, &text, err);
    char *state = NULL;
    for (char *line = code == PGC_OK ? strtok_r(text, "\r\n", &state) : NULL; code == PGC_OK && line != NULL;
         line = strtok_r(NULL, "\r\n", &state))
        if (line[0] != '#' && line[strspn(line, " \t")] != '\0')
            code = pgc_strings_add(names, line, err);
    return code;
}

static enum pgc_code read_recipients(const struct run_settings *s, struct held *held, struct pgc_error *err) {
    PGC_AUTO(pgc_secret_free) char *passphrase = NULL;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < s->recipients.count; i++) {
        code = pgc_age_recipients_add(&held->recipients, s->recipients.items[i], err);
        if (code != PGC_OK)
            return pgc_wrap(err, "--recipient '%s'", s->recipients.items[i]);
        code = pgc_strings_add(&held->names, s->recipients.items[i], err);
    }
    for (size_t i = 0; code == PGC_OK && i < s->recipient_files.count; i++) {
        code = pgc_age_recipients_add_file(&held->recipients, s->recipient_files.items[i], err);
        if (code == PGC_OK)
            code = add_names_of_file(s->recipient_files.items[i], &held->names, err);
    }
    if (code == PGC_OK)
        code = settings_passphrase(s->passphrase_file, s->passphrase, &passphrase, err);
    if (code == PGC_OK && passphrase != NULL) {
        code = pgc_age_recipients_add_passphrase(&held->recipients, passphrase, err);
        if (code == PGC_OK)
            code = pgc_strings_add(&held->names, "passphrase", err);
    }
    if (code == PGC_OK && held->recipients.count == 0 && !s->no_encryption)
        return pgc_fail(err, PGC_E_USAGE,
                        "a backup is encrypted: give --recipient (see 'pgc backup keygen'), or say --no-encryption");
    if (code == PGC_OK && held->recipients.count > 0 && s->no_encryption)
        return pgc_fail(err, PGC_E_USAGE, "--no-encryption and a recipient exclude each other");
    return code;
}

static void on_progress(void *arg, const struct pgc_backup_progress *p) {
    progress_tell(arg, p->database, p->raw_bytes, p->database_bytes, p->stored_bytes, p->elapsed_ms);
}

static int default_workers(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 3 ? 3 : (int)n;
}

/* What is wrong whatever the server and the stores say. */
static enum pgc_code check_settings(const struct run_settings *s, struct pgc_error *err) {
    if (s->stores.count == 0)
        return pgc_fail(err, PGC_E_USAGE, "no store given: use --store or PGC_BACKUP_STORE");
    if (s->level < -7 || s->level > 19)
        return pgc_fail(err, PGC_E_USAGE, "--level: %lld is not between -7 and 19", (long long)s->level);
    if (s->workers < 0 || s->workers > 64)
        return pgc_fail(err, PGC_E_USAGE, "--workers: %lld is not between 0 and 64", (long long)s->workers);
    if (s->all && s->databases.count > 0)
        return pgc_fail(err, PGC_E_USAGE, "--all and --database exclude each other");
    enum pgc_code code = tell_check(&s->tell, err);
    return code == PGC_OK ? hooks_check(&s->hooks, err) : code;
}

static enum pgc_code make_job(const struct run_settings *s, struct held *held, struct pgc_backup_job *job,
                              struct pgc_error *err) {
    *job = (struct pgc_backup_job)PGC_BACKUP_JOB_DEFAULTS;
    job->server = settings_conn(&s->connection);
    job->select = (struct pgc_backup_select) { &s->databases, s->all, &s->include, &s->exclude };
    job->cluster = s->cluster;
    job->targets = held->targets;
    job->target_count = held->target_count;
    job->shield = &held->shield;
    job->recipients = s->no_encryption ? NULL : &held->recipients;
    job->recipient_names = &held->names;
    job->level = (int)s->level;
    job->workers = s->workers == 0 ? default_workers() : (int)s->workers;
    job->globals = s->globals;
    job->allow_newer_client = s->allow_newer_client;
    job->client_folders = &s->client_folders;
    job->lock_wait_ms = s->lock_wait_ms;
    job->idle_ms = s->idle_ms;
    job->sweep_after_ms = s->sweep_after_ms;
    job->progress = on_progress;
    job->progress_arg = &held->progress;
    return pgc_fingerprint_parse(s->fingerprint, &job->fingerprint, err);
}

/* --- output ---------------------------------------------------------------------------------------------- */

static void put_result(struct pgc_buf *out, const char *cluster, const struct pgc_backup_result *r) {
    pgc_buf_puts(out, "{\"database\": ");
    pgc_text_json(out, r->database);
    pgc_buf_puts(out, ", \"cluster\": ");
    pgc_text_json(out, cluster);
    pgc_buf_puts(out, ", \"id\": ");
    if (r->id[0] != '\0' && r->stored)
        pgc_text_json(out, r->id);
    else
        pgc_buf_puts(out, "null");
    pgc_buf_putf(out, ", \"ok\": %s, \"raw_bytes\": %llu, \"stored_bytes\": %llu, \"duration_ms\": %lld",
                 r->code == PGC_OK ? "true" : "false", (unsigned long long)r->raw_bytes,
                 (unsigned long long)r->stored_bytes, (long long)r->duration_ms);
    pgc_buf_puts(out, ", \"error\": ");
    if (r->code != PGC_OK)
        pgc_text_json(out, r->err.message);
    else
        pgc_buf_puts(out, "null");
    pgc_buf_puts(out, ", \"warnings\": [");
    for (size_t i = 0; i < r->warnings.count; i++) {
        pgc_buf_puts(out, i == 0 ? "" : ", ");
        pgc_text_json(out, r->warnings.items[i]);
    }
    pgc_buf_puts(out, "]}");
}

static void put_results(struct pgc_buf *out, const char *cluster, const struct pgc_backup_results *results) {
    pgc_buf_puts(out, "{\"backups\": [");
    for (size_t i = 0; i < results->count; i++) {
        pgc_buf_puts(out, i == 0 ? "\n" : ",\n");
        put_result(out, cluster, &results->items[i]);
    }
    pgc_buf_puts(out, "\n]}\n");
}

static void print_text(struct pgc_cli *cli, const struct pgc_backup_results *results) {
    for (size_t i = 0; i < results->count; i++) {
        const struct pgc_backup_result *r = &results->items[i];
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
        if (!r->stored)
            continue;
        pgc_buf_putf(&line, "%s %s: ", r->database, r->id);
        pgc_text_bytes(&line, r->raw_bytes);
        pgc_buf_puts(&line, " -> ");
        pgc_text_bytes(&line, r->stored_bytes);
        fprintf(cli->out, "%s in %lld.%lld s\n", line.data, (long long)(r->duration_ms / 1000),
                (long long)(r->duration_ms % 1000 / 100));
    }
}

static enum pgc_code back_up(struct pgc_cli *cli, struct run_settings *s, struct held *held,
                             struct pgc_backup_results *results, struct pgc_error *err) {
    struct pgc_backup_job job;
    enum pgc_code code = attach_targets(cli, s, held, err);
    if (code == PGC_OK)
        code = make_job(s, held, &job, err);
    if (code != PGC_OK)
        return code;
    progress_init(&held->progress, cli->rt, &s->progress);
    code = pgc_backup_job_run(&job, cli->rt, results, err);
    progress_end(&held->progress);
    return code;
}

/* The one database that is asked for, NULL: several, or those that are found. malloc'ed. */
static char *only_database(const struct run_settings *s) {
    struct pgc_conn_options server = settings_conn(&s->connection);
    if (s->all || s->include.count > 0 || s->databases.count > 1)
        return NULL;
    return s->databases.count == 1 ? strdup(s->databases.items[0]) : pgc_conn_options_dbname(&server);
}

static void print_results(struct pgc_cli *cli, const struct run_settings *s, const struct pgc_backup_results *results,
                          const char *json) {
    if (s->json)
        fputs(json, cli->out);
    else
        print_text(cli, results);
    fflush(cli->out); /* hooks may print too */
}

/* The hook before, the backups, the hook after. */
static enum pgc_code run_hooked(struct pgc_cli *cli, struct run_settings *s, struct held *held,
                                struct pgc_backup_results *results, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings stores = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf json = PGC_BUF_INIT;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < s->stores.count; i++)
        code = pgc_strings_take(&stores, settings_label(s->stores.items[i]), err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE char *database = only_database(s);
    struct hook_run hooked = { s->tell.job, s->cluster, database, &stores, pgc_wall_us(cli->rt) };
    code = hooks_before(&s->hooks, &hooked, cli->rt, err);
    if (code == PGC_OK)
        code = back_up(cli, s, held, results, err);
    put_results(&json, s->cluster, results);
    print_results(cli, s, results, json.data);
    return hooks_after(&s->hooks, &hooked, code, results, json.data, cli->rt, err);
}

static void put_list(struct pgc_buf *out, const char *key, const struct pgc_strings *list) {
    pgc_buf_putf(out, "\"%s\": [", key);
    for (size_t i = 0; i < list->count; i++) {
        pgc_buf_puts(out, i > 0 ? ", " : "");
        pgc_text_json(out, list->items[i]);
    }
    pgc_buf_puts(out, "], ");
}

/* What these settings are about, and whether they can be meant, without asking a server or a store. */
static enum pgc_code print_plan(struct pgc_cli *cli, struct run_settings *s, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    bool encrypts =
        s->recipients.count + s->recipient_files.count > 0 || s->passphrase != NULL || s->passphrase_file != NULL;
    if (encrypts == s->no_encryption)
        return pgc_fail(err, PGC_E_USAGE, "either a recipient (or passphrase) or --no-encryption is wanted");
    enum pgc_code code = check_settings(s, err);
    if (code == PGC_OK)
        code = pgc_connection_resolve(&s->connection, err);
    PGC_AUTO_FREE char *own = s->databases.count == 0 ? only_database(s) : NULL;
    if (code == PGC_OK && own != NULL)
        code = pgc_strings_add(&s->databases, own, err);
    pgc_buf_putc(&out, '{');
    put_list(&out, "stores", &s->stores);
    put_list(&out, "databases", &s->databases);
    pgc_buf_puts(&out, "\"cluster\": ");
    pgc_text_json(&out, s->cluster);
    pgc_buf_puts(&out, "}\n");
    if (code == PGC_OK)
        code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, cli->out);
    return code;
}

static enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct run_settings *s = settings;
    if (s->plan)
        return print_plan(cli, s, err);
    PGC_CLEANUP(held_release) struct held held = { .recipients = PGC_AGE_RECIPIENTS_INIT };
    PGC_CLEANUP(pgc_backup_results_release) struct pgc_backup_results results = PGC_BACKUP_RESULTS_INIT;
    struct tell tell;
    uint64_t bytes = 0;
    enum pgc_code code = check_settings(s, err);
    if (code != PGC_OK)
        return code;
    const struct pgc_runtime *rt = cli->rt;
    tell_started(&tell, "run", &s->tell, rt);
    cli->rt = &tell.log.rt;
    code = read_recipients(s, &held, err);
    if (code == PGC_OK)
        code = pgc_connection_resolve(&s->connection, err);
    if (code == PGC_OK)
        code = run_hooked(cli, s, &held, &results, err);
    cli->rt = rt;
    for (size_t i = 0; i < results.count; i++)
        bytes += results.items[i].stored ? results.items[i].stored_bytes : 0;
    tell_ended(&tell, code, code == PGC_OK ? "" : err->message, bytes);
    return code;
}

const struct pgc_command pgc_cmd_backup_run = {
    .name = "run",
    .summary = "back up databases now",
    .description =
        "Dumps each database with pg_dump (custom format), compresses with zstd, encrypts with age and writes the "
        "stream to every store; nothing touches a local disk on the way. A backup becomes visible only when pg_dump "
        "has ended well and all bytes are stored: a failed one leaves nothing and makes the exit status non-zero.\n\n"
        "The pg_dump whose major version is the server's is taken from those installed. Roles and tablespaces are "
        "stored beside each dump. While it runs a shared advisory lock keeps 'pgc migrate' waiting.",
    .examples =
        "pgc backup run -d app --store /srv/backups --recipient age1...  # one database to a folder\n"
        "pgc backup run --all --exclude 'test_*' --store s3://bucket/pg --recipients-file keys.txt  # all but some",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct run_settings),
    .run = run,
};
