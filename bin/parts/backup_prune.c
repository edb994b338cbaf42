/* pgc backup prune: delete what a policy does not keep. */
#include <string.h>

#include "backup/prune.h"
#include "backup/sweep.h"
#include "base/text.h"
#include "parts/backup_settings.h"
#include "parts/keep_settings.h"
#include "parts/parts.h"

struct prune_settings {
    struct store_settings store;
    char *cluster;
    char *database;
    struct keep_settings keep;
    int64_t sweep_after_ms;
    bool dry_run;
    bool json;
};
#define AT(field) offsetof(struct prune_settings, field)

static const struct pgc_option options[] = {
    STORE_ROW(struct prune_settings, store),
    { "cluster", 0, PGC_OPT_STRING, AT(cluster), NULL, "only of this server", .value = "NAME", .env = "" },
    { "database", 0, PGC_OPT_STRING, AT(database), NULL, "only of this database", .value = "NAME", .env = "" },
    KEEP_ROWS(AT(keep), "never go below N per database; 0: below 1"),
    SWEEP_ROW(AT(sweep_after_ms)),
    { "dry-run", 'n', PGC_OPT_FLAG, AT(dry_run), NULL, "only tell what would be done, and why" },
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print JSON" },
};

static void print_text(struct pgc_cli *cli, const struct pgc_prune_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        const struct pgc_prune_item *item = &plan->items[i];
        fprintf(cli->out, "%-6s  %s  %s%s%s\n", item->keep ? "keep" : "remove", item->entry->manifest.id,
                item->entry->manifest.database, item->reasons[0] != '\0' ? "  " : "", item->reasons);
    }
}

static void print_json(struct pgc_cli *cli, const struct pgc_prune_plan *plan, size_t deleted) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_buf_puts(&out, "{\"backups\": [");
    for (size_t i = 0; i < plan->count; i++) {
        const struct pgc_prune_item *item = &plan->items[i];
        pgc_buf_puts(&out, i == 0 ? "\n{\"id\": " : ",\n{\"id\": ");
        pgc_text_json(&out, item->entry->manifest.id);
        pgc_buf_puts(&out, ", \"cluster\": ");
        pgc_text_json(&out, item->entry->manifest.cluster);
        pgc_buf_puts(&out, ", \"database\": ");
        pgc_text_json(&out, item->entry->manifest.database);
        pgc_buf_putf(&out, ", \"keep\": %s, \"reasons\": ", item->keep ? "true" : "false");
        pgc_text_json(&out, item->reasons);
        pgc_buf_putc(&out, '}');
    }
    pgc_buf_putf(&out, "\n], \"deleted\": %zu}\n", deleted);
    fputs(out.data, cli->out);
}

static enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct prune_settings *s = settings;
    PGC_AUTO(pgc_store_drop) struct pgc_store *store = NULL;
    PGC_CLEANUP(pgc_catalog_release) struct pgc_catalog catalog = PGC_CATALOG_INIT;
    PGC_CLEANUP(pgc_prune_plan_release) struct pgc_prune_plan plan = PGC_PRUNE_PLAN_INIT;
    struct pgc_keep_policy policy;
    size_t deleted = 0, swept = 0;
    enum pgc_code code = settings_keep_policy(&s->keep, &policy, err);
    if (code == PGC_OK)
        code = settings_attach(cli, s->store.url, 0, &store, err);
    if (code == PGC_OK)
        code = pgc_catalog_load(store, s->cluster, s->database, &catalog, err);
    if (code == PGC_OK)
        code = pgc_prune_plan_make(&catalog, &policy, pgc_wall_us(cli->rt), &plan, err);
    if (code != PGC_OK)
        return code;
    if (!s->dry_run)
        code = pgc_prune_run(store, &plan, cli->rt, &deleted, err);
    if (s->json)
        print_json(cli, &plan, deleted);
    else
        print_text(cli, &plan);
    if (code == PGC_OK && !s->dry_run && s->sweep_after_ms > 0)
        code = pgc_backup_sweep(store, s->cluster, s->database, s->sweep_after_ms, cli->rt, &swept, err);
    return code;
}

const struct pgc_command pgc_cmd_backup_prune = {
    .name = "prune",
    .summary = "delete the backups that a policy does not keep",
    .description = "The words and the behaviour are those of restic, for each database by itself, over good backups "
                   "only; 'pgc backup keep' shows a policy on times alone. Spans count back from the newest good "
                   "backup, not from now: when backups fail, nothing expires. At least --keep-min backups stay, never "
                   "none; pinned and damaged ones stay too. Only what manifests name is deleted, the manifest first; "
                   "what killed runs left is removed after --sweep-after.",
    .examples = "pgc backup prune --store /srv/backups --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run  # "
                "look first",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct prune_settings),
    .run = run,
};
