/* From argument vector and environment to the fields of the settings struct. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cli/internal.h"
#include "os/secret.h"

/* --- rows ------------------------------------------------------------------------------------------- */

static const struct pgc_option global_rows[] = {
    { "help", '?', PGC_OPT_FLAG, offsetof(struct pgc__globals, help), NULL, "show this help and exit", .env = "" },
    { "version", 'V', PGC_OPT_FLAG, offsetof(struct pgc__globals, version), NULL, "print the version and exit",
      .env = "" },
    { "show-config", 0, PGC_OPT_FLAG, offsetof(struct pgc__globals, show_config), NULL,
      "print every setting with its origin (secrets masked) and exit", .env = "" },
    { "log-level", 0, PGC_OPT_CHOICE, offsetof(struct pgc__globals, log_level), "info", "what is logged",
      .env = "PGC_LOG_LEVEL", .choices = "debug info warn error" },
    { "log-format", 0, PGC_OPT_CHOICE, offsetof(struct pgc__globals, log_format), "text", "how it is logged",
      .env = "PGC_LOG_FORMAT", .choices = "text json" },
    { "generate", 0, PGC_OPT_CHOICE, offsetof(struct pgc__globals, generate), NULL, NULL, .env = "",
      .choices = "man markdown bash zsh" },
};

const struct pgc_option *pgc__global_rows(size_t *count) {
    *count = sizeof global_rows / sizeof global_rows[0];
    return global_rows;
}

size_t pgc__row_count(const struct pgc_command *command) {
    return command->option_count + sizeof global_rows / sizeof global_rows[0];
}

const struct pgc_option *pgc__row(const struct pgc__parse *parse, size_t index, void **base) {
    size_t own = parse->command->option_count;
    *base = index < own ? parse->settings : (void *)(size_t)&parse->globals;
    return index < own ? &parse->command->options[index] : &global_rows[index - own];
}

void pgc__env_name(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_option *option) {
    if (option->env != NULL) {
        pgc_buf_puts(out, option->env);
        return;
    }
    const char *verb = strncmp(root->name, "pgc-", 4) == 0 ? root->name + 4 : root->name;
    pgc_buf_puts(out, "PGC_");
    for (const char *p = verb; *p != '\0'; p++)
        pgc_buf_putc(out, *p == '-' ? '_' : (char)toupper((unsigned char)*p));
    pgc_buf_putc(out, '_');
    for (const char *p = option->name; *p != '\0'; p++)
        pgc_buf_putc(out, *p == '-' ? '_' : (char)toupper((unsigned char)*p));
}

const char *pgc__value_name(const struct pgc_option *option) {
    static const char *const names[] = { "", "TEXT", "WORD", "N", "TIME", "SIZE", "TEXT", "" };
    return option->value != NULL ? option->value : names[option->type];
}

/* --- one value -------------------------------------------------------------------------------------- */

static bool is_choice(const char *choices, const char *text) {
    size_t len = strlen(text);
    for (const char *p = choices; *p != '\0'; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        if (n == len && memcmp(p, text, n) == 0)
            return true;
        p += n;
    }
    return false;
}

static enum pgc_code assign_flag(bool *flag, const char *text, struct pgc_error *err) {
    if (is_choice("true 1 yes on", text))
        *flag = true;
    else if (is_choice("false 0 no off", text))
        *flag = false;
    else
        return pgc_fail(err, PGC_E_USAGE, "'%s' is neither true nor false", text);
    return PGC_OK;
}

static enum pgc_code assign_text(char **slot, const char *text, struct pgc_error *err) {
    char *copy = strdup(text);
    if (copy == NULL)
        return pgc_fail_nomem(err);
    free(*slot);
    *slot = copy;
    return PGC_OK;
}

enum pgc_code pgc__assign(const struct pgc_option *option, void *base, const char *text, struct pgc_error *err) {
    void *slot = (char *)base + option->offset;
    switch (option->type) {
    case PGC_OPT_FLAG:
        return assign_flag(slot, text, err);
    case PGC_OPT_CHOICE:
        if (!is_choice(option->choices, text))
            return pgc_fail(err, PGC_E_USAGE, "'%s' is not one of: %s", text, option->choices);
        return assign_text(slot, text, err);
    case PGC_OPT_STRING:
    case PGC_OPT_SECRET:
        return assign_text(slot, text, err);
    case PGC_OPT_INT:
        return pgc_parse_int(text, INT64_MIN, INT64_MAX, slot, err);
    case PGC_OPT_DURATION:
        return pgc_parse_duration_ms(text, slot, err);
    case PGC_OPT_SIZE:
        return pgc_parse_size(text, slot, err);
    case PGC_OPT_LIST:
        return pgc_strings_add(slot, text, err);
    }
    return PGC_OK;
}

static enum pgc_code set_origin(struct pgc__parse *parse, size_t index, const char *origin, struct pgc_error *err) {
    return assign_text(&parse->origins[index], origin, err);
}

/* --- command line ----------------------------------------------------------------------------------- */

static bool find_long(const struct pgc__parse *parse, const char *name, size_t len, size_t *index) {
    void *base;
    for (size_t i = 0; i < parse->row_count; i++) {
        const struct pgc_option *row = pgc__row(parse, i, &base);
        if (strlen(row->name) == len && memcmp(row->name, name, len) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool find_letter(const struct pgc__parse *parse, char letter, size_t *index) {
    void *base;
    for (size_t i = 0; i < parse->row_count; i++)
        if (pgc__row(parse, i, &base)->letter == letter) {
            *index = i;
            return true;
        }
    return false;
}

static enum pgc_code assign_row(struct pgc__parse *parse, size_t index, const char *text, struct pgc_error *err) {
    void *base;
    const struct pgc_option *row = pgc__row(parse, index, &base);
    if (row->type == PGC_OPT_SECRET) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf env = PGC_BUF_INIT;
        pgc__env_name(&env, parse->root, row);
        return pgc_fail(err, PGC_E_USAGE, "--%s is a secret and not accepted on the command line; use %s or %s_FILE",
                        row->name, env.data, env.data);
    }
    enum pgc_code code = pgc__assign(row, base, text, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "--%s", row->name);
    return set_origin(parse, index, "command line", err);
}

static enum pgc_code long_option(struct pgc__parse *parse, int argc, char **argv, int *at, struct pgc_error *err) {
    const char *name = argv[*at] + 2;
    size_t len = strcspn(name, "="), index;
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    void *base;
    if (!find_long(parse, name, len, &index)) {
        if (value == NULL && strncmp(name, "no-", 3) == 0 && find_long(parse, name + 3, len - 3, &index) &&
            pgc__row(parse, index, &base)->type == PGC_OPT_FLAG)
            return assign_row(parse, index, "false", err);
        return pgc_fail(err, PGC_E_USAGE, "unknown option '--%.*s'", (int)len, name);
    }
    const struct pgc_option *row = pgc__row(parse, index, &base);
    if (row->type == PGC_OPT_FLAG)
        return assign_row(parse, index, value != NULL ? value : "true", err);
    if (value == NULL && row->optional_value)
        return assign_row(parse, index, row->implied, err);
    if (value == NULL && row->type != PGC_OPT_SECRET) {
        if (*at + 1 >= argc)
            return pgc_fail(err, PGC_E_USAGE, "option '--%s' wants a value", row->name);
        value = argv[++*at];
    }
    return assign_row(parse, index, value, err);
}

static enum pgc_code letters(struct pgc__parse *parse, int argc, char **argv, int *at, struct pgc_error *err) {
    for (const char *p = argv[*at] + 1; *p != '\0'; p++) {
        size_t index;
        void *base;
        if (!find_letter(parse, *p, &index))
            return pgc_fail(err, PGC_E_USAGE, "unknown option '-%c'", *p);
        const struct pgc_option *row = pgc__row(parse, index, &base);
        if (row->type == PGC_OPT_FLAG || (row->optional_value && p[1] == '\0')) {
            enum pgc_code code = assign_row(parse, index, row->type == PGC_OPT_FLAG ? "true" : row->implied, err);
            if (code != PGC_OK)
                return code;
            continue;
        }
        if (p[1] == '\0' && *at + 1 >= argc)
            return pgc_fail(err, PGC_E_USAGE, "option '-%c' wants a value", *p);
        return assign_row(parse, index, p[1] != '\0' ? p + 1 : argv[++*at], err);
    }
    return PGC_OK;
}

enum pgc_code pgc__parse_args(struct pgc__parse *parse, struct pgc_cli *cli, int argc, char **argv,
                              struct pgc_error *err) {
    for (int at = 0; at < argc; at++) {
        enum pgc_code code;
        if (strcmp(argv[at], "--") == 0) {
            cli->has_separator = true;
            cli->separator_at = cli->args.count;
            for (at++; at < argc; at++)
                if ((code = pgc_strings_add(&cli->args, argv[at], err)) != PGC_OK)
                    return code;
            break;
        }
        if (strncmp(argv[at], "--", 2) == 0)
            code = long_option(parse, argc, argv, &at, err);
        else if (argv[at][0] == '-' && argv[at][1] != '\0')
            code = letters(parse, argc, argv, &at, err);
        else if (parse->command->args == NULL)
            code = pgc_fail(err, PGC_E_USAGE, "unexpected argument '%s'", argv[at]);
        else
            code = pgc_strings_add(&cli->args, argv[at], err);
        if (code != PGC_OK)
            return code;
    }
    if (parse->command->args == NULL && cli->args.count > 0)
        return pgc_fail(err, PGC_E_USAGE, "unexpected argument '%s'", cli->args.items[0]);
    return PGC_OK;
}

/* --- environment and defaults ----------------------------------------------------------------------- */

static enum pgc_code assign_list(const struct pgc_option *row, void *base, char *text, struct pgc_error *err) {
    char *rest = NULL;
    for (char *item = strtok_r(text, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
        enum pgc_code code = pgc__assign(row, base, item, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code from_environment(struct pgc__parse *parse, size_t index, struct pgc_error *err) {
    void *base;
    const struct pgc_option *row = pgc__row(parse, index, &base);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    pgc__env_name(&name, parse->root, row);
    if (name.len == 0)
        return PGC_OK;
    char *value = NULL;
    enum pgc_code code = pgc_env_value(name.data, &value, err);
    if (code != PGC_OK || value == NULL)
        return code;
    code = row->type == PGC_OPT_LIST ? assign_list(row, base, value, err) : pgc__assign(row, base, value, err);
    pgc_secret_free(value);
    if (code != PGC_OK)
        return pgc_wrap(err, "%s", name.data);
    const char *plain = getenv(name.data);
    if (plain == NULL || plain[0] == '\0')
        pgc_buf_puts(&name, "_FILE");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf origin = PGC_BUF_INIT;
    pgc_buf_putf(&origin, "environment %s", name.data);
    return set_origin(parse, index, origin.data, err);
}

enum pgc_code pgc__fill_from_environment(struct pgc__parse *parse, struct pgc_error *err) {
    for (size_t i = 0; i < parse->row_count; i++) {
        if (parse->origins[i] != NULL)
            continue;
        enum pgc_code code = from_environment(parse, i, err);
        void *base;
        const struct pgc_option *row = pgc__row(parse, i, &base);
        if (code == PGC_OK && parse->origins[i] == NULL && row->def != NULL) {
            code = pgc__assign(row, base, row->def, err);
            if (code == PGC_OK)
                code = set_origin(parse, i, "default", err);
        }
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

void pgc__parse_release(struct pgc__parse *parse) {
    for (size_t i = 0; i < parse->row_count; i++) {
        void *base;
        const struct pgc_option *row = pgc__row(parse, i, &base);
        void *slot = (char *)base + row->offset;
        if (row->type == PGC_OPT_SECRET)
            pgc_secret_free(*(char **)slot);
        else if (row->type == PGC_OPT_STRING || row->type == PGC_OPT_CHOICE)
            free(*(char **)slot);
        else if (row->type == PGC_OPT_LIST)
            pgc_strings_release(slot);
        if (parse->origins != NULL)
            free(parse->origins[i]);
    }
    free(parse->origins);
    free(parse->settings);
    pgc_buf_release(&parse->path);
}
