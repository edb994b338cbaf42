/* Documents made from the option tables: man page (roff), markdown, shell completions. */
#include <stdlib.h>
#include <string.h>

#include "cli/internal.h"

static void put_roff(struct pgc_buf *out, const char *text) {
    bool line_start = true;
    for (const char *p = text; *p != '\0'; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            pgc_buf_puts(out, "\\&");
        if (*p == '\\')
            pgc_buf_puts(out, "\\e");
        else if (*p == '-')
            pgc_buf_puts(out, "\\-");
        else
            pgc_buf_putc(out, *p);
        line_start = *p == '\n';
    }
}

static void roff_options(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_option *rows,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (rows[i].help == NULL)
            continue;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf head = PGC_BUF_INIT, notes = PGC_BUF_INIT;
        pgc__option_head(&head, &rows[i]);
        pgc__option_notes(&notes, root, &rows[i]);
        pgc_buf_puts(out, ".TP\n\\fB");
        put_roff(out, head.data);
        pgc_buf_puts(out, "\\fR\n");
        put_roff(out, notes.data);
        pgc_buf_putc(out, '\n');
    }
}

static void roff_command(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_command *command,
                         const char *path) {
    if (command->hidden)
        return;
    if (command != root) {
        pgc_buf_puts(out, ".SS ");
        pgc__usage_line(out, path, command);
        pgc_buf_putf(out, "\n%s.\n", command->summary);
    }
    if (command->description != NULL) {
        pgc_buf_puts(out, ".PP\n");
        put_roff(out, command->description);
        pgc_buf_putc(out, '\n');
    }
    roff_options(out, root, command->options, command->option_count);
    if (command->examples != NULL) {
        pgc_buf_puts(out, ".PP\nExamples:\n.nf\n");
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        pgc__examples(&text, command);
        put_roff(out, text.data);
        pgc_buf_puts(out, ".fi\n");
    }
    for (size_t i = 0; command->commands != NULL && command->commands[i] != NULL; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf sub = PGC_BUF_INIT;
        pgc_buf_putf(&sub, "%s %s", path, command->commands[i]->name);
        roff_command(out, root, command->commands[i], sub.data);
    }
}

static void make_man(struct pgc_buf *out, const struct pgc_command *root) {
    pgc_buf_puts(out, ".TH ");
    for (const char *p = root->name; *p != '\0'; p++)
        pgc_buf_putc(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
    pgc_buf_putf(out, " 1 \"\" \"pgc %s\" \"pgc\"\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B ", PGC_VERSION, root->name,
                 root->summary);
    pgc__usage_line(out, root->name, root);
    pgc_buf_puts(out, "\n.SH DESCRIPTION\n");
    roff_command(out, root, root, root->name);
    size_t count;
    const struct pgc_option *globals = pgc__global_rows(&count);
    pgc_buf_puts(out, ".SH OPTIONS EVERYWHERE\n");
    roff_options(out, root, globals, count);
    pgc_buf_puts(out, ".SH EXIT STATUS\n.TP\n\\fB0\\fR\ndone, or nothing to do\n");
    for (int code = PGC_E_FAILED; strcmp(pgc_code_name((enum pgc_code)code), "TLS") != 0; code++)
        pgc_buf_putf(out, ".TP\n\\fB%d\\fR\n%s\n", pgc_code_exit_status((enum pgc_code)code),
                     pgc_code_meaning((enum pgc_code)code));
    pgc_buf_puts(out, ".TP\n\\fB128+n\\fR\nended by signal n\n.SH SEE ALSO\npgc(1)\n");
}

static void markdown_command(struct pgc_buf *out, const struct pgc_command *root, const struct pgc_command *command,
                             const char *path) {
    if (command->hidden)
        return;
    pgc_buf_putf(out, "%s %s\n\n%s.\n\n```\n", command == root ? "#" : "##", path, command->summary);
    pgc__usage_line(out, path, command);
    pgc_buf_puts(out, "\n```\n\n");
    if (command->description != NULL)
        pgc_buf_putf(out, "%s\n\n", command->description);
    if (command->option_count > 0)
        pgc_buf_puts(out, "| option | meaning |\n|---|---|\n");
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].help == NULL)
            continue;
        pgc_buf_puts(out, "| `");
        pgc__option_head(out, &command->options[i]);
        pgc_buf_puts(out, "` | ");
        pgc__option_notes(out, root, &command->options[i]);
        pgc_buf_puts(out, " |\n");
    }
    if (command->option_count > 0)
        pgc_buf_putc(out, '\n');
    if (command->examples != NULL) {
        pgc_buf_puts(out, "```\n");
        pgc__examples(out, command);
        pgc_buf_puts(out, "```\n\n");
    }
    for (size_t i = 0; command->commands != NULL && command->commands[i] != NULL; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf sub = PGC_BUF_INIT;
        pgc_buf_putf(&sub, "%s %s", path, command->commands[i]->name);
        markdown_command(out, root, command->commands[i], sub.data);
    }
}

static void put_words(struct pgc_buf *out, const struct pgc_command *command) {
    size_t count;
    const struct pgc_option *globals = pgc__global_rows(&count);
    for (size_t i = 0; command->commands != NULL && command->commands[i] != NULL; i++)
        if (!command->commands[i]->hidden)
            pgc_buf_putf(out, "%s ", command->commands[i]->name);
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].help != NULL && command->options[i].type != PGC_OPT_SECRET)
            pgc_buf_putf(out, "--%s ", command->options[i].name);
    for (size_t i = 0; i < count; i++)
        if (globals[i].help != NULL)
            pgc_buf_putf(out, "--%s ", globals[i].name);
}

/* One `case` on the first word: enough for two levels, which is what the programs have. */
static void make_bash(struct pgc_buf *out, const struct pgc_command *root) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    for (const char *p = root->name; *p != '\0'; p++)
        pgc_buf_putc(&name, *p == '-' ? '_' : *p);
    pgc_buf_putf(out, "_%s() {\n  local words\n  case ${COMP_WORDS[1]} in\n", name.data);
    for (size_t i = 0; root->commands != NULL && root->commands[i] != NULL; i++) {
        pgc_buf_putf(out, "  %s) words='", root->commands[i]->name);
        put_words(out, root->commands[i]);
        pgc_buf_puts(out, "' ;;\n");
    }
    pgc_buf_puts(out, "  *) words='");
    put_words(out, root);
    pgc_buf_putf(out,
                 "' ;;\n  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
                 "complete -o default -F _%s %s\n",
                 name.data, root->name);
}

static void make_zsh(struct pgc_buf *out, const struct pgc_command *root) {
    pgc_buf_putf(out, "#compdef %s\ncase $words[2] in\n", root->name);
    for (size_t i = 0; root->commands != NULL && root->commands[i] != NULL; i++) {
        pgc_buf_putf(out, "%s) compadd -- ", root->commands[i]->name);
        put_words(out, root->commands[i]);
        pgc_buf_puts(out, ";;\n");
    }
    pgc_buf_puts(out, "*) compadd -- ");
    put_words(out, root);
    pgc_buf_puts(out, ";;\nesac\n_files\n");
}

enum pgc_code pgc__generate(struct pgc_buf *out, const struct pgc_command *root, const char *what,
                            struct pgc_error *err) {
    if (strcmp(what, "man") == 0)
        make_man(out, root);
    else if (strcmp(what, "markdown") == 0)
        markdown_command(out, root, root, root->name);
    else if (strcmp(what, "bash") == 0)
        make_bash(out, root);
    else
        make_zsh(out, root);
    return pgc_buf_check(out, err);
}
