/* pgc backup next, keep: look before a schedule or a policy acts. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "backup/cron.h"
#include "base/text.h"
#include "io/fd.h"
#include "io/memory.h"
#include "parts/keep_settings.h"
#include "parts/parts.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* --- next --------------------------------------------------------------------------------------------- */

struct next_settings {
    char *schedule;
    char *tz;
    char *from;
    int64_t count;
    bool json;
};

static const struct pgc_option next_options[] = {
    { "schedule", 's', PGC_OPT_STRING, offsetof(struct next_settings, schedule), NULL,
      "cron expression: five fields, @daily ..., @every 90m", .value = "EXPR" },
    { "tz", 'z', PGC_OPT_STRING, offsetof(struct next_settings, tz), NULL,
      "time zone of the schedule (default UTC) and of the times printed", .value = "ZONE", .env = "TZ" },
    { "from", 0, PGC_OPT_STRING, offsetof(struct next_settings, from), NULL,
      "activations after this time (RFC 3339); default: now", .value = "TIME", .env = "" },
    { "count", 'n', PGC_OPT_INT, offsetof(struct next_settings, count), "5", "how many", .env = "" },
    { "json", 0, PGC_OPT_FLAG, offsetof(struct next_settings, json), NULL, "print one JSON object" },
};

/* Seconds since 1970; a fraction is dropped, which does not matter for what comes after whole minutes. */
static enum pgc_code parse_time(const char *option, const char *text, int64_t now_us, int64_t *out_us,
                                struct pgc_error *err) {
    *out_us = now_us;
    if (text != NULL && !pgc_text_parse_rfc3339(text, out_us))
        return pgc_fail(err, PGC_E_USAGE, "--%s '%s' is not an RFC 3339 time such as 2026-01-31T12:00:00Z", option,
                        text);
    return PGC_OK;
}

static enum pgc_code open_zones(const struct next_settings *s, const struct pgc_cron *cron, struct pgc_zone **schedule,
                                struct pgc_zone **shown, struct pgc_error *err) {
    bool given = s->tz != NULL && *s->tz != '\0';
    enum pgc_code code = pgc_zone_open(cron->zone[0] != '\0' ? cron->zone : s->tz, schedule, err);
    return code != PGC_OK ? code : pgc_zone_open(given ? s->tz : cron->zone, shown, err);
}

static void print_times(struct pgc_cli *cli, const struct next_settings *s, const struct pgc_strings *times) {
    if (!s->json) {
        for (size_t i = 0; i < times->count; i++)
            fprintf(cli->out, "%s\n", times->items[i]);
        return;
    }
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_puts(&text, "{\"schedule\":");
    pgc_text_json(&text, s->schedule);
    pgc_buf_puts(&text, ",\"next\":[");
    for (size_t i = 0; i < times->count; i++)
        pgc_buf_putf(&text, "%s\"%s\"", i == 0 ? "" : ",", times->items[i]);
    fprintf(cli->out, "%s]}\n", text.data);
}

static enum pgc_code run_next(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct next_settings *s = settings;
    struct pgc_cron cron;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *zone = NULL;
    PGC_AUTO(pgc_zone_free) struct pgc_zone *shown = NULL;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings times = PGC_STRINGS_INIT;
    int64_t from_us = 0;
    if (s->schedule == NULL)
        return pgc_fail(err, PGC_E_USAGE, "--schedule is missing");
    if (s->count < 1 || s->count > 100000)
        return pgc_fail(err, PGC_E_USAGE, "--count is out of range (1 to 100000)");
    enum pgc_code code = pgc_cron_parse(s->schedule, &cron, err);
    if (code == PGC_OK)
        code = open_zones(s, &cron, &zone, &shown, err);
    if (code == PGC_OK)
        code = parse_time("from", s->from, pgc_wall_us(cli->rt), &from_us, err);
    int64_t at = from_us / 1000000 - (from_us % 1000000 < 0);
    for (int64_t i = 0; i < s->count && code == PGC_OK && pgc_cron_next(&cron, zone, at, &at); i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        pgc_zone_rfc3339(&text, shown, at);
        code = pgc_strings_add(&times, text.data, err);
    }
    if (code != PGC_OK)
        return code;
    if (times.count == 0)
        fprintf(stderr, "pgc-backup next: '%s' never activates\n", s->schedule);
    print_times(cli, s, &times);
    return PGC_OK;
}

const struct pgc_command pgc_cmd_backup_next = {
    .name = "next",
    .summary = "print when a schedule activates next",
    .description =
        "One RFC 3339 time a line, in the time zone of the schedule. A job at a fixed time that daylight saving skips "
        "runs once at the first minute behind the gap, and only in the first pass of an hour that comes twice (the "
        "rule of cronie). A bad expression ends with exit status 64; one that never activates prints nothing.",
    .examples = "pgc backup next --schedule '30 2 * * mon-fri' --tz Europe/Berlin --count 3  # when will it run?\n"
                "pgc backup next --schedule '0 3 L * *'  # the last day of each month",
    .options = next_options,
    .option_count = COUNT(next_options),
    .settings_size = sizeof(struct next_settings),
    .run = run_next,
};

/* --- keep --------------------------------------------------------------------------------------------- */

struct preview_settings {
    struct keep_settings keep;
    struct pgc_strings tags;
    char *now;
    bool json;
};

static const struct pgc_option keep_options[] = {
    KEEP_ROWS(offsetof(struct preview_settings, keep), "never go below N; 0: no floor"),
    { "keep-tag", 0, PGC_OPT_LIST, offsetof(struct preview_settings, tags), NULL,
      "keep what has these tags (comma-separated, second column of the input)", .value = "TAGS" },
    { "now", 0, PGC_OPT_STRING, offsetof(struct preview_settings, now), NULL,
      "the present (RFC 3339): later times are not the newest that spans count from", .value = "TIME", .env = "" },
    { "json", 0, PGC_OPT_FLAG, offsetof(struct preview_settings, json), NULL, "print one JSON object per line" },
};

/* One line of the input: the time as it was written, and its tags. */
struct line {
    char *time;
    char *tags;   /* "" without any; comma-separated */
    char *reason; /* why it is pinned; malloc'ed or NULL */
};
struct input {
    struct pgc_buf text; /* lines point into it */
    struct line *lines;
    struct pgc_keep_item *items;
    size_t count, line_cap, item_cap;
};

static void input_release(struct input *input) {
    for (size_t i = 0; i < input->count; i++)
        free(input->lines[i].reason);
    pgc_keep_items_release(input->items, input->count);
    free(input->items);
    free(input->lines);
    pgc_buf_release(&input->text);
}

static enum pgc_code add_line(struct input *input, char *text, size_t number, struct pgc_error *err) {
    if (!pgc_array_grow(&input->lines, &input->line_cap, input->count + 1, sizeof *input->lines) ||
        !pgc_array_grow(&input->items, &input->item_cap, input->count + 1, sizeof *input->items))
        return pgc_fail_nomem(err);
    struct line line = { .time = text, .tags = text + strlen(text) };
    char *tab = strpbrk(text, "\t ");
    if (tab != NULL) {
        *tab = '\0';
        line.tags = tab + 1 + strspn(tab + 1, "\t ");
    }
    struct pgc_keep_item item = { 0 };
    if (!pgc_text_parse_rfc3339(line.time, &item.time_us))
        return pgc_fail(err, PGC_E_DATA, "line %zu: '%.60s' is not an RFC 3339 time", number, line.time);
    input->lines[input->count] = line;
    input->items[input->count++] = item;
    return PGC_OK;
}

static enum pgc_code read_input(const struct pgc_cli *cli, struct input *input, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    enum pgc_code code = pgc_fd_source_watched(STDIN_FILENO, PGC_FD_BORROWED, "standard input", cli->rt, &source, err);
    if (code == PGC_OK)
        code = pgc_memory_sink(&input->text, &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, NULL, err);
    if (code == PGC_OK && memchr(input->text.data, '\0', input->text.len) != NULL)
        return pgc_fail(err, PGC_E_DATA, "standard input is not text");
    size_t number = 0;
    for (char *at = input->text.data; code == PGC_OK && *at != '\0';) {
        char *eol = strchr(at, '\n'), *next = eol == NULL ? at + strlen(at) : eol + 1;
        if (eol != NULL)
            *eol = '\0';
        at[strcspn(at, "\r")] = '\0';
        number++;
        if (*at != '\0' && *at != '#')
            code = add_line(input, at, number, err);
        at = next;
    }
    return code;
}

static bool has_tag(const char *tags, const char *tag, size_t len) {
    for (const char *p = tags; *p != '\0'; p += strspn(p, ",")) {
        size_t n = strcspn(p, ",");
        if (n == len && memcmp(p, tag, n) == 0)
            return true;
        p += n;
    }
    return false;
}

/* All tags of one option; several options: any of them. */
static bool has_tags(const char *tags, const char *wanted) {
    for (const char *p = wanted; *p != '\0'; p += strspn(p, ",")) {
        size_t n = strcspn(p, ",");
        if (!has_tag(tags, p, n))
            return false;
        p += n;
    }
    return *wanted != '\0';
}

static enum pgc_code pin_tagged(const struct preview_settings *s, struct input *input, struct pgc_error *err) {
    for (size_t i = 0; i < input->count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf reason = PGC_BUF_INIT;
        for (size_t k = 0; k < s->tags.count; k++)
            if (has_tags(input->lines[i].tags, s->tags.items[k]))
                pgc_buf_putf(&reason, "%shas tags [%s]", reason.len > 0 ? ", " : "", s->tags.items[k]);
        if (reason.len == 0)
            continue;
        input->lines[i].reason = pgc_buf_detach(&reason);
        if (input->lines[i].reason == NULL)
            return pgc_fail_nomem(err);
        input->items[i].pinned = input->lines[i].reason;
    }
    for (size_t i = 0; i < input->count; i++)
        input->items[i].arg = &input->lines[i];
    return PGC_OK;
}

static void print_item(struct pgc_cli *cli, const struct pgc_keep_item *item, bool json) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    const char *verdict = item->keep ? "keep" : "remove", *time = ((const struct line *)item->arg)->time;
    if (json)
        pgc_buf_putf(&text, "{\"action\":\"%s\",\"time\":\"%s\",\"reasons\":[", verdict, time);
    else
        pgc_buf_putf(&text, "%s\t%s", verdict, time);
    for (size_t i = 0; i < item->reasons.count; i++) {
        pgc_buf_puts(&text, json ? (i == 0 ? "" : ",") : (i == 0 ? "\t" : ", "));
        if (json)
            pgc_text_json(&text, item->reasons.items[i]);
        else
            pgc_buf_puts(&text, item->reasons.items[i]);
    }
    fprintf(cli->out, "%s%s\n", text.data, json ? "]}" : "");
}

static enum pgc_code run_keep(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct preview_settings *s = settings;
    PGC_CLEANUP(input_release) struct input input = { .text = PGC_BUF_INIT };
    struct pgc_keep_policy policy;
    int64_t now_us = 0;
    enum pgc_code code = settings_keep_policy(&s->keep, &policy, err);
    policy.pins_count = s->tags.count > 0;
    if (code == PGC_OK)
        code = parse_time("now", s->now, pgc_wall_us(cli->rt), &now_us, err);
    if (code == PGC_OK)
        code = read_input(cli, &input, err);
    if (code == PGC_OK)
        code = pin_tagged(s, &input, err);
    if (code == PGC_OK)
        code = pgc_keep_apply(&policy, input.items, input.count, now_us, err);
    if (code != PGC_OK)
        return code;
    for (size_t i = 0; i < input.count; i++)
        print_item(cli, &input.items[i], s->json);
    return PGC_OK;
}

const struct pgc_command pgc_cmd_backup_keep = {
    .name = "keep",
    .summary = "preview what a retention policy keeps",
    .description = "Reads RFC 3339 times from standard input, one a line, and prints them newest first: keep or "
                   "remove, the time, the reasons, separated by tabs. Hours, days, weeks, months and years are those "
                   "of UTC. Without a policy everything is kept.",
    .examples = "pgc backup list --json | jq -r '.backups[].started' | pgc backup keep --keep-daily 7 --keep-weekly 4  "
                "# what would go?",
    .options = keep_options,
    .option_count = COUNT(keep_options),
    .settings_size = sizeof(struct preview_settings),
    .run = run_keep,
};
