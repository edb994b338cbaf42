#ifndef PGC_CLI_INTERNAL_H
#define PGC_CLI_INTERNAL_H
/* What the files of lib/cli share. */
#include "base/buf.h"
#include "cli/command.h"

/* Settings that every command has. */
struct pgc__globals {
    bool help;
    bool version;
    bool show_config;
    char *log_level;
    char *log_format;
    char *generate; /* man, markdown, bash, zsh: for the build and for packagers */
};

/* One command as invoked: its own options and the global ones as one sequence of rows with a value each. */
struct pgc__parse {
    const struct pgc_command *root;
    const struct pgc_command *command;
    struct pgc_buf path; /* "pgc-backup run" */
    struct pgc__globals globals;
    void *settings;
    char **origins; /* where each row's value comes from; malloc'ed, count = row_count */
    size_t row_count;
};

size_t pgc__row_count(const struct pgc_command *command);
const struct pgc_option *pgc__row(const struct pgc__parse *parse, size_t index, void **base);
const struct pgc_option *pgc__global_rows(size_t *count);
/* Environment name of an option, "" when it has none. */
void pgc__env_name(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_option *option);
const char *pgc__value_name(const struct pgc_option *option);

PGC_MUST_USE enum pgc_code pgc__assign(const struct pgc_option *option, void *base, const char *text,
                                       struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__parse_args(struct pgc__parse *parse, struct pgc_cli *cli, int argc, char **argv,
                                           struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__fill_from_environment(struct pgc__parse *parse, struct pgc_error *err);
void pgc__parse_release(struct pgc__parse *parse);

void pgc__help(struct pgc_buf *out, const struct pgc__parse *parse);
void pgc__show_config(struct pgc_buf *out, const struct pgc__parse *parse);
PGC_MUST_USE enum pgc_code pgc__generate(struct pgc_buf *out, const struct pgc_command *root, const char *what,
                                         struct pgc_error *err);
/* The rows of a command as a definition list, for help and for the documents. */
void pgc__usage_line(struct pgc_buf *out, const char *path, const struct pgc_command *command);
void pgc__option_head(struct pgc_buf *out, const struct pgc_option *option);
void pgc__option_notes(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_option *option);
/* The examples of a command that has some, ended by a line feed. */
void pgc__examples(struct pgc_buf *out, const struct pgc_command *command);
#endif
