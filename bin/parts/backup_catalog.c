/* pgc backup list, show, pin, unpin, copy: what is in a store. */
#include <string.h>

#include "backup/layout.h"
#include "base/text.h"
#include "parts/backup_settings.h"
#include "parts/parts.h"

struct catalog_settings {
    struct store_settings store;
    struct store_settings to;
    char *cluster;
    char *database;
    bool json;
};
#define AT(field) offsetof(struct catalog_settings, field)
#define WHICH_ROWS                                                                                                     \
    STORE_ROW(struct catalog_settings, store),                                                                         \
        { "cluster", 0, PGC_OPT_STRING, AT(cluster), NULL, "only of this server", .value = "NAME", .env = "" }, {      \
        "database", 0, PGC_OPT_STRING, AT(database), NULL, "only of this database", .value = "NAME", .env = ""         \
    }
#define JSON_ROW                                                                                                       \
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print JSON" }

static const struct pgc_option list_options[] = { WHICH_ROWS, JSON_ROW };
static const struct pgc_option one_options[] = { WHICH_ROWS };
static const struct pgc_option copy_options[] = {
    WHICH_ROWS,
    { "to", 't', PGC_OPT_STRING, AT(to.url), NULL, "store to copy to", .value = "URL" },
    { "bandwidth-limit", 0, PGC_OPT_SIZE, AT(to.bytes_per_second), "0", "bytes per second; 0: none" },
};

static enum pgc_code open_catalog(struct pgc_cli *cli, const struct catalog_settings *s, struct pgc_store **store,
                                  struct pgc_catalog *catalog, struct pgc_error *err) {
    enum pgc_code code = settings_attach(cli, s->store.url, 0, store, err);
    return code == PGC_OK ? pgc_catalog_load(*store, s->cluster, s->database, catalog, err) : code;
}

/* --- list ------------------------------------------------------------------------------------------------ */

static const char *proof_of(const struct pgc_catalog_entry *entry) {
    if (!pgc_catalog_is_verified(entry))
        return "";
    return entry->restored_us > 0 ? "  restored  verified" : "  verified";
}

static void print_row(struct pgc_cli *cli, const struct pgc_catalog_entry *entry) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf size = PGC_BUF_INIT;
    pgc_text_bytes(&size, pgc_manifest_stored_bytes(&entry->manifest));
    fprintf(cli->out, "%-25s  %-10s  %10s  %s%s%s%s\n", entry->manifest.id, entry->manifest.cluster, size.data,
            entry->manifest.database, entry->pinned ? "  pinned" : "", proof_of(entry),
            entry->problem != NULL || entry->failed_us > 0 ? "  DAMAGED" : "");
}

static enum pgc_code run_list(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct catalog_settings *s = settings;
    PGC_AUTO(pgc_store_drop) struct pgc_store *store = NULL;
    PGC_CLEANUP(pgc_catalog_release) struct pgc_catalog catalog = PGC_CATALOG_INIT;
    enum pgc_code code = open_catalog(cli, s, &store, &catalog, err);
    if (code != PGC_OK)
        return code;
    if (!s->json) {
        for (size_t i = 0; i < catalog.count; i++)
            print_row(cli, &catalog.items[i]);
        return PGC_OK;
    }
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_buf_puts(&out, "{\"backups\": [");
    for (size_t i = 0; i < catalog.count; i++) {
        pgc_buf_puts(&out, i == 0 ? "\n" : ",\n");
        backup_entry_json(&out, &catalog.items[i]);
    }
    pgc_buf_puts(&out, "\n]}\n");
    fputs(out.data, cli->out);
    return pgc_buf_check(&out, err);
}

/* --- one backup ------------------------------------------------------------------------------------------ */

struct chosen {
    struct pgc_store *store;
    struct pgc_catalog catalog;
    const struct pgc_catalog_entry *entry;
};

static void chosen_release(struct chosen *chosen) {
    pgc_catalog_release(&chosen->catalog);
    pgc_store_drop(chosen->store);
}

static enum pgc_code choose(struct pgc_cli *cli, const struct catalog_settings *s, struct chosen *out,
                            struct pgc_error *err) {
    if (cli->args.count != 1)
        return pgc_fail(err, PGC_E_USAGE, "give one ID as 'pgc backup list' shows it, or 'latest'");
    struct pgc_catalog_query query = { .cluster = s->cluster, .database = s->database, .id = cli->args.items[0] };
    enum pgc_code code = open_catalog(cli, s, &out->store, &out->catalog, err);
    return code == PGC_OK ? pgc_catalog_find(&out->catalog, &query, &out->entry, err) : code;
}

/* The marks are no part of the manifest, which never changes; they are shown as its last member. */
static enum pgc_code add_marks(const struct pgc_catalog_entry *entry, struct pgc_buf *text, struct pgc_error *err) {
    const char *end = memrchr(text->data, '}', text->len);
    if (end == NULL)
        return pgc_fail(err, PGC_E_DATA, "the manifest is no JSON object");
    pgc_buf_truncate(text, (size_t)(end - text->data));
    while (text->len > 0 && strchr(" \n", text->data[text->len - 1]) != NULL)
        pgc_buf_truncate(text, text->len - 1);
    pgc_buf_puts(text, ",\n  \"marks\": ");
    backup_marks_json(text, entry);
    pgc_buf_puts(text, "\n}\n");
    return pgc_buf_check(text, err);
}

static enum pgc_code run_show(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    PGC_CLEANUP(chosen_release) struct chosen chosen = { .catalog = PGC_CATALOG_INIT };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT, text = PGC_BUF_INIT;
    enum pgc_code code = choose(cli, settings, &chosen, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_putf(&key, "%s%s", chosen.entry->folder, PGC_BACKUP_MANIFEST);
    code = pgc_store_load(chosen.store, key.data, PGC_MANIFEST_MAX_BYTES, &text, err);
    if (code == PGC_OK)
        code = add_marks(chosen.entry, &text, err);
    if (code == PGC_OK)
        fwrite(text.data, 1, text.len, cli->out);
    return code;
}

static enum pgc_code set_pin(struct pgc_cli *cli, void *settings, bool pinned, struct pgc_error *err) {
    PGC_CLEANUP(chosen_release) struct chosen chosen = { .catalog = PGC_CATALOG_INIT };
    enum pgc_code code = choose(cli, settings, &chosen, err);
    return code == PGC_OK ? pgc_catalog_pin(chosen.store, chosen.entry, pinned, err) : code;
}

static enum pgc_code run_pin(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    return set_pin(cli, settings, true, err);
}

static enum pgc_code run_unpin(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    return set_pin(cli, settings, false, err);
}

static enum pgc_code stop_when_cancelled(void *arg, uint64_t bytes, struct pgc_error *err) {
    (void)bytes;
    return pgc_check_cancelled(arg, err);
}

static enum pgc_code run_copy(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct catalog_settings *s = settings;
    PGC_CLEANUP(chosen_release) struct chosen chosen = { .catalog = PGC_CATALOG_INIT };
    PGC_AUTO(pgc_store_drop) struct pgc_store *to = NULL;
    if (s->to.url == NULL)
        return pgc_fail(err, PGC_E_USAGE, "no store to copy to given: use --to");
    enum pgc_code code = choose(cli, s, &chosen, err);
    if (code == PGC_OK)
        code = settings_attach(cli, s->to.url, s->to.bytes_per_second, &to, err);
    const struct pgc_copy_watch watch = { stop_when_cancelled, (void *)(size_t)cli->rt };
    return code == PGC_OK ? pgc_catalog_copy(chosen.store, chosen.entry, to, &watch, err) : code;
}

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

const struct pgc_command pgc_cmd_backup_list = {
    .name = "list",
    .summary = "list the backups in a store, oldest first",
    .description = "Columns: ID, cluster, bytes stored, database, marks. verified: the last verification proved it "
                   "(restored: by a restore, once at least). DAMAGED: the manifest cannot be read, an artefact is "
                   "missing or has a wrong size, or the last verification failed; 'list --json' says which.",
    .examples = "pgc backup list --store /srv/backups --database app  # those of one database",
    .options = list_options,
    .option_count = COUNT(list_options),
    .settings_size = sizeof(struct catalog_settings),
    .run = run_list,
};

const struct pgc_command pgc_cmd_backup_show = {
    .name = "show",
    .summary = "print the manifest of a backup",
    .args = "ID",
    .description = "Its member 'recovery' is the command that brings the data back without pgc. 'marks' is added here: "
                   "whether it is pinned, when it was verified and restored, when a verification failed.",
    .options = one_options,
    .option_count = COUNT(one_options),
    .settings_size = sizeof(struct catalog_settings),
    .run = run_show,
};

const struct pgc_command pgc_cmd_backup_pin = {
    .name = "pin",
    .summary = "keep a backup from being pruned",
    .args = "ID",
    .options = one_options,
    .option_count = COUNT(one_options),
    .settings_size = sizeof(struct catalog_settings),
    .run = run_pin,
};

const struct pgc_command pgc_cmd_backup_unpin = {
    .name = "unpin",
    .summary = "let a pinned backup be pruned again",
    .args = "ID",
    .options = one_options,
    .option_count = COUNT(one_options),
    .settings_size = sizeof(struct catalog_settings),
    .run = run_unpin,
};

const struct pgc_command pgc_cmd_backup_copy = {
    .name = "copy",
    .summary = "copy a backup to another store",
    .args = "ID",
    .description = "The artefacts are compared with their SHA-256 on the way; the manifest is written last.",
    .options = copy_options,
    .option_count = COUNT(copy_options),
    .settings_size = sizeof(struct catalog_settings),
    .run = run_copy,
};
