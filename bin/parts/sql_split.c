/* pgc sql split: what psql would send, without a server. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/fd.h"
#include "io/file.h"
#include "parts.h"
#include "script/split.h"
#include "script/vars.h"

struct split_settings {
    bool json;
    bool all;
    bool raw;
    char *encoding;
    struct pgc_strings set;
};

#define AT(field) offsetof(struct split_settings, field)
static const struct pgc_option split_options[] = {
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print a JSON array" },
    { "all", 'a', PGC_OPT_FLAG, AT(all), NULL, "also meta-commands and inline COPY data" },
    { "raw", 0, PGC_OPT_FLAG, AT(raw), NULL, "leave variables and \\if as they stand in the text" },
    { "set", 'v', PGC_OPT_LIST, AT(set), NULL, "set a variable", .value = "NAME=VALUE", .env = "" },
    { "client-encoding", 0, PGC_OPT_STRING, AT(encoding), "UTF8", "encoding of the file", .value = "NAME", .env = "" },
};

struct printer {
    const struct split_settings *settings;
    FILE *out;
    size_t count;
};

static const char *const kinds[] = { "statement", "meta", "copy_data" };

static void print_json(struct printer *p, const struct pgc_split_item *item) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_puts(&text, p->count == 0 ? "[\n" : ",\n");
    pgc_buf_putf(&text, "{\"line\":%lu,\"end_line\":%lu,\"offset\":%llu,\"length\":%llu", item->line, item->end_line,
                 (unsigned long long)item->offset, (unsigned long long)(item->end - item->offset));
    if (p->settings->all)
        pgc_buf_putf(&text, ",\"kind\":\"%s\"", kinds[item->kind]);
    if (item->kind == PGC_SPLIT_STATEMENT)
        pgc_buf_putf(&text, ",\"terminated\":%s,\"copy_from_stdin\":%zu", item->terminated ? "true" : "false",
                     item->copy_from_stdin);
    if (item->kind != PGC_SPLIT_COPY_DATA) {
        pgc_buf_puts(&text, item->kind == PGC_SPLIT_META ? ",\"command\":" : ",\"sql\":");
        pgc_text_json_n(&text, item->text, item->len);
    }
    pgc_buf_putc(&text, '}');
    fwrite(text.data, 1, text.len, p->out);
}

static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct printer *p = arg;
    if (item->kind != PGC_SPLIT_STATEMENT && !p->settings->all)
        return PGC_OK;
    if (p->settings->json) {
        print_json(p, item);
    } else if (item->kind == PGC_SPLIT_COPY_DATA) {
        fprintf(p->out, "-- line %lu: %lu lines of COPY data\n", item->line, item->end_line - item->line + 1);
    } else {
        fprintf(p->out, "-- line %lu\n%s", item->line, item->kind == PGC_SPLIT_META ? "\\" : "");
        fwrite(item->text, 1, item->len, p->out);
        fputc('\n', p->out);
    }
    p->count++;
    return ferror(p->out) ? pgc_fail_errno(err, PGC_E_IO, "cannot write the statements") : PGC_OK;
}

/* "NAME=VALUE" items as the NAME, VALUE, ..., NULL that the splitter takes. */
static enum pgc_code pairs(const struct pgc_strings *set, struct pgc_strings *out, struct pgc_error *err) {
    for (size_t i = 0; i < set->count; i++) {
        const char *equal = strchr(set->items[i], '=');
        size_t n = equal != NULL ? (size_t)(equal - set->items[i]) : strlen(set->items[i]);
        enum pgc_code code = pgc_strings_addf(out, err, "%.*s", (int)n, set->items[i]);
        if (code == PGC_OK)
            code = pgc_strings_add(out, equal != NULL ? equal + 1 : "", err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static void warn_of_open_ends(const char *file, const struct pgc_split_end *end) {
    if (end->open_line > 0)
        fprintf(stderr, "%s:%lu: %s is not closed\n", file, end->open_line, pgc_lex_state_name(end->state));
    else if (end->paren_depth > 0)
        fprintf(stderr, "%s:%lu: a parenthesis is not closed\n", file, end->lines);
    if (end->if_line > 0)
        fprintf(stderr, "%s:%lu: \\if without \\endif\n", file, end->if_line);
    if (end->error[0] != '\0')
        fprintf(stderr, "%s:%lu: %s\n", file, end->error_line, end->error);
}

static enum pgc_code run_split(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct split_settings *s = settings;
    if (cli->args.count != 1)
        return pgc_fail(err, PGC_E_USAGE, "one file is wanted (- for standard input)");
    const char *file = cli->args.items[0];
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings set = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = strcmp(file, "-") == 0 ? pgc_fd_source_watched(STDIN_FILENO, PGC_FD_BORROWED, "standard input",
                                                                        cli->rt, &source, err)
                                                : pgc_file_source(file, &source, err);
    if (code == PGC_OK)
        code = pairs(&s->set, &set, err);
    if (code != PGC_OK)
        return code;
    struct pgc_split_options options = { .variables = !s->raw,
                                         .set = set.count > 0 ? (const char *const *)set.items : NULL,
                                         .client_encoding = s->encoding };
    struct printer printer = { s, cli->out, 0 };
    struct pgc_split_end end;
    code = pgc_split_source(source, &options, each, &printer, &end, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "%s", file);
    if (s->json)
        fputs(printer.count == 0 ? "[]\n" : "\n]\n", cli->out);
    fflush(cli->out);
    warn_of_open_ends(file, &end);
    return PGC_OK;
}

const struct pgc_command pgc_cmd_sql_split = {
    .name = "split",
    .summary = "print the statements of a script, as psql would send them, with line numbers",
    .args = "FILE",
    .description = "Nothing is run and no server is needed. Variables set by \\set (and --set) are replaced and \\if "
                   "is followed as psql does, unless --raw is given. Backquoted commands are not run; \\gset sets "
                   "nothing; \\i reads nothing.\n"
                   "\n"
                   "Text output: each statement after a line `-- line N`. JSON output: an array of objects with line, "
                   "end_line, offset and length (bytes in the file), terminated (by a semicolon), copy_from_stdin (how "
                   "many COPY commands take their data from the file) and sql. With --all every object has a kind: "
                   "statement, meta (text in command) or copy_data.\n"
                   "\n"
                   "A quote, comment, parenthesis or \\if that is still open at the end is told on standard error.",
    .examples = "pgc sql split dump.sql                 # statements with line numbers\n"
                "pgc sql split --json --all dump.sql    # everything, for programs",
    .options = split_options,
    .option_count = sizeof split_options / sizeof split_options[0],
    .settings_size = sizeof(struct split_settings),
    .run = run_split,
};
