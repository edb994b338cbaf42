/* pgc migrate split: the statements of one file as a format sees them. No server. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/file.h"
#include "migrate/atlas.h"
#include "parts/parts.h"

#define FILE_MAX ((size_t)64 << 20)

struct settings {
    char *format;
    bool json;
};

#define AT(field) offsetof(struct settings, field)
static const struct pgc_option options[] = {
    { "format", 0, PGC_OPT_CHOICE, AT(format), "goose", "format of the file", .choices = "goose sql-migrate atlas" },
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the result as JSON" },
};

static const char *from_environment(void *arg, const char *name) {
    (void)arg;
    return getenv(name);
}

static enum pgc_code split(const char *format, const struct pgc_folder_file *file, struct pgc_annotated *out,
                           struct pgc_error *err) {
    const struct pgc_dialect_options dialect = { .env = from_environment };
    bool delimited;
    if (strcmp(format, "atlas") != 0)
        return pgc_annotated_parse(
            file, strcmp(format, "goose") == 0 ? &pgc_annotated_goose : &pgc_annotated_sqlmigrate, &dialect, out, err);
    enum pgc_code code = pgc_atlas_statements(file, &delimited, out, err);
    if (code == PGC_OK && !delimited)
        return pgc_fail(err, PGC_E_DATA, "%s: there is no '-- atlas:delimiter'; see 'pgc sql split'", file->path);
    return code;
}

static void put_statements(struct pgc_buf *out, const struct pgc_annotated *annotated, bool down) {
    bool first = true;
    pgc_buf_putc(out, '[');
    for (size_t i = 0; i < annotated->count; i++) {
        const struct pgc_annotated_statement *s = &annotated->items[i];
        if (s->down != down)
            continue;
        pgc_buf_putf(out, "%s{\"line\":%zu,\"sql\":", first ? "" : ",", s->line);
        pgc_text_json(out, s->text);
        pgc_buf_putc(out, '}');
        first = false;
    }
    pgc_buf_putc(out, ']');
}

static void print(struct pgc_cli *cli, bool json, const struct pgc_annotated *annotated) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (json) {
        pgc_buf_puts(&out, "{\"up\":");
        put_statements(&out, annotated, false);
        pgc_buf_puts(&out, ",\"down\":");
        put_statements(&out, annotated, true);
        pgc_buf_putf(&out, ",\"up_in_transaction\":%s,\"down_in_transaction\":%s}\n",
                     annotated->up_no_tx ? "false" : "true", annotated->down_no_tx ? "false" : "true");
    }
    for (size_t i = 0; !json && i < annotated->count; i++)
        pgc_buf_putf(&out, "-- %s, line %zu\n%s\n", annotated->items[i].down ? "down" : "up", annotated->items[i].line,
                     annotated->items[i].text);
    fwrite(out.data, 1, out.len, cli->out);
}

static enum pgc_code run_split(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct settings *s = settings;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_annotated_release) struct pgc_annotated annotated = PGC_ANNOTATED_INIT;
    if (cli->args.count != 1)
        return pgc_fail(err, PGC_E_USAGE, "one file is wanted");
    enum pgc_code code = pgc_file_read(cli->args.items[0], FILE_MAX, &text, err);
    if (code != PGC_OK)
        return code;
    struct pgc_folder_file file = { cli->args.items[0], cli->args.items[0], text.data, text.len };
    code = split(s->format, &file, &annotated, err);
    if (code == PGC_OK)
        print(cli, s->json, &annotated);
    return code;
}

const struct pgc_command pgc_cmd_migrate_split = {
    .name = "split",
    .summary = "print the statements of one file as its format divides them",
    .args = "FILE",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct settings),
    .run = run_split,
};
