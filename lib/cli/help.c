/* --help and --show-config, from the option table. */
#include <inttypes.h>
#include <string.h>

#include "cli/internal.h"

#define HELP_COLUMN 30
#define HELP_WIDTH  80

void pgc__usage_line(struct pgc_buf *out, const char *path, const struct pgc_command *command) {
    const char *word = command->commands == NULL ? "" : command->run != NULL ? " [COMMAND]" : " COMMAND";
    pgc_buf_putf(out, "%s%s", path, word);
    pgc_buf_puts(out, " [OPTION]...");
    if (command->args != NULL)
        pgc_buf_putf(out, " %s", command->args);
}

void pgc__option_head(struct pgc_buf *out, const struct pgc_option *option) {
    if (option->type == PGC_OPT_SECRET) {
        pgc_buf_putf(out, "(%s)", option->name);
        return;
    }
    if (option->letter != 0)
        pgc_buf_putf(out, "-%c, ", option->letter);
    pgc_buf_putf(out, "--%s", option->name);
    const char *value = pgc__value_name(option);
    if (value[0] != '\0')
        pgc_buf_putf(out, option->optional_value ? "[=%s]" : " %s", value);
}

void pgc__option_notes(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_option *option) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf env = PGC_BUF_INIT;
    pgc_buf_puts(out, option->help != NULL ? option->help : "");
    if (option->choices != NULL)
        pgc_buf_putf(out, "; one of: %s", option->choices);
    if (option->type == PGC_OPT_LIST)
        pgc_buf_puts(out, "; may be repeated");
    if (option->def != NULL && option->type != PGC_OPT_FLAG)
        pgc_buf_putf(out, " (default: %s)", option->def);
    pgc__env_name(&env, root, option);
    if (env.len > 0)
        pgc_buf_putf(out, option->type == PGC_OPT_SECRET ? " [%s or %s_FILE]" : " [%s]", env.data, env.data);
}

void pgc__examples(struct pgc_buf *out, const struct pgc_command *command) {
    size_t len = strlen(command->examples);
    pgc_buf_puts(out, command->examples);
    if (len > 0 && command->examples[len - 1] != '\n')
        pgc_buf_putc(out, '\n');
}

/* Text wrapped at words, every line but the first indented; no line ends in a blank. */
static void put_wrapped(struct pgc_buf *out, const char *text, size_t indent) {
    size_t column = indent, blanks = 0;
    for (const char *p = text; *p != '\0';) {
        size_t len = strcspn(p, " \n");
        bool breaks = column > indent && column + blanks + len > HELP_WIDTH;
        if (len > 0) {
            if (breaks)
                pgc_buf_putc(out, '\n');
            size_t before = breaks ? indent : blanks;
            pgc_buf_putf(out, "%*s%.*s", (int)before, "", (int)len, p);
            column = (breaks ? indent : column + blanks) + len;
            blanks = 0;
            p += len;
        }
        if (*p == ' ') {
            blanks++;
            p++;
        } else if (*p == '\n') {
            pgc_buf_putc(out, '\n');
            p++;
            column = 0;
            blanks = indent;
        }
    }
    pgc_buf_putc(out, '\n');
}

static void put_row(struct pgc_buf *out, const char *head, const char *notes) {
    pgc_buf_putf(out, "  %-*s", HELP_COLUMN - 3, head);
    if (strlen(head) > HELP_COLUMN - 4)
        pgc_buf_putf(out, "\n%*s", HELP_COLUMN - 1, "");
    pgc_buf_putc(out, ' ');
    put_wrapped(out, notes, HELP_COLUMN);
}

static void put_options(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_option *rows,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (rows[i].help == NULL)
            continue;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf head = PGC_BUF_INIT, notes = PGC_BUF_INIT;
        if (rows[i].letter == 0 && rows[i].type != PGC_OPT_SECRET)
            pgc_buf_puts(&head, "    ");
        pgc__option_head(&head, &rows[i]);
        pgc__option_notes(&notes, root, &rows[i]);
        put_row(out, head.data, notes.data);
    }
}

void pgc__help(struct pgc_buf *out, const struct pgc__parse *parse) {
    const struct pgc_command *command = parse->command;
    pgc_buf_puts(out, "Usage: ");
    pgc__usage_line(out, parse->path.data, command);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf title = PGC_BUF_INIT;
    pgc_buf_putf(&title, "%s: %s.", parse->path.data, command->summary);
    pgc_buf_puts(out, "\n\n");
    put_wrapped(out, title.data, 0);
    if (command->description != NULL) {
        pgc_buf_putc(out, '\n');
        put_wrapped(out, command->description, 0);
    }
    if (command->commands != NULL) {
        pgc_buf_puts(out, "\nCommands:\n");
        for (size_t i = 0; command->commands[i] != NULL; i++)
            if (!command->commands[i]->hidden)
                put_row(out, command->commands[i]->name, command->commands[i]->summary);
    }
    if (command->option_count > 0) {
        pgc_buf_puts(out, "\nOptions:\n");
        put_options(out, parse->root, command->options, command->option_count);
    }
    size_t count;
    const struct pgc_option *globals = pgc__global_rows(&count);
    pgc_buf_puts(out, "\nEverywhere:\n");
    put_options(out, parse->root, globals, count);
    if (command->examples != NULL) {
        pgc_buf_puts(out, "\nExamples:\n");
        pgc__examples(out, command);
    }
}

#define MASK "********"

/* A URL or conninfo string without its password; of one that is a secret as a whole only scheme and host. */
static void put_masked(struct pgc_buf *out, const struct pgc_option *option, const char *text) {
    const char *mark = strstr(text, "://"), *host = mark != NULL ? mark + 3 : text;
    size_t len = mark != NULL ? strcspn(host, "/?#") : 0;
    const char *at = memrchr(host, '@', len), *colon = at != NULL ? memchr(host, ':', (size_t)(at - host)) : NULL;
    if (mark != NULL && option->secret_url) {
        const char *name = at != NULL ? at + 1 : host;
        pgc_buf_putf(out, "%.*s%.*s%s", (int)(host - text), text, (int)(host + len - name), name,
                     host[len] != '\0' ? "/" MASK : "");
        return;
    }
    if (colon != NULL) {
        pgc_buf_put(out, text, (size_t)(colon + 1 - text));
        pgc_buf_puts(out, MASK);
        text = at;
    }
    for (const char *word; (word = strstr(text, "password=")) != NULL;) {
        const char *value = word + strlen("password=");
        pgc_buf_put(out, text, (size_t)(value - text));
        pgc_buf_puts(out, MASK);
        text = value[0] == '\'' ? value + strlen(value) : value + strcspn(value, " &\t\n");
    }
    pgc_buf_puts(out, text);
}

static void put_value(struct pgc_buf *out, const struct pgc_option *option, const void *slot) {
    const char *text =
        option->type == PGC_OPT_STRING || option->type == PGC_OPT_CHOICE || option->type == PGC_OPT_SECRET
            ? *(char *const *)slot
            : NULL;
    switch (option->type) {
    case PGC_OPT_FLAG:
        pgc_buf_puts(out, *(const bool *)slot ? "true" : "false");
        break;
    case PGC_OPT_INT:
        pgc_buf_putf(out, "%" PRId64, *(const int64_t *)slot);
        break;
    case PGC_OPT_DURATION:
        pgc_buf_putf(out, "%" PRId64 "ms", *(const int64_t *)slot);
        break;
    case PGC_OPT_SIZE:
        pgc_buf_putf(out, "%" PRIu64, *(const uint64_t *)slot);
        break;
    case PGC_OPT_LIST: {
        const struct pgc_strings *list = slot;
        for (size_t i = 0; i < list->count; i++) {
            pgc_buf_puts(out, i > 0 ? "," : "");
            put_masked(out, option, list->items[i]);
        }
        break;
    }
    case PGC_OPT_SECRET:
        pgc_buf_puts(out, text != NULL ? MASK : "");
        break;
    default:
        put_masked(out, option, text != NULL ? text : "");
    }
}

void pgc__show_config(struct pgc_buf *out, const struct pgc__parse *parse) {
    for (size_t i = 0; i < parse->row_count; i++) {
        void *base;
        const struct pgc_option *row = pgc__row(parse, i, &base);
        if (row->help == NULL || base == (const void *)&parse->globals)
            if (strncmp(row->name, "log-", 4) != 0)
                continue;
        pgc_buf_putf(out, "%s = ", row->name);
        put_value(out, row, (char *)base + row->offset);
        pgc_buf_putf(out, "  # %s\n", parse->origins[i] != NULL ? parse->origins[i] : "not set");
    }
}
