#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/internal.h"
#include "os/process.h"

static enum pgc_log_level level_of(const char *name) {
    static const char *const names[] = { "debug", "info", "warn", "error" };
    for (size_t i = 0; name != NULL && i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum pgc_log_level)i;
    return PGC_LOG_INFO;
}

/* Walks down the subcommands; *argc and *argv end up behind the last command word. */
static enum pgc_code select_command(struct pgc__parse *parse, int *argc, char ***argv, struct pgc_error *err) {
    while (parse->command->commands != NULL && *argc > 0 && (*argv)[0][0] != '-') {
        const struct pgc_command *found = NULL;
        for (size_t i = 0; parse->command->commands[i] != NULL; i++)
            if (strcmp(parse->command->commands[i]->name, (*argv)[0]) == 0)
                found = parse->command->commands[i];
        if (found == NULL && parse->command->run != NULL)
            return PGC_OK; /* a command that both runs and has subcommands: the word is an argument */
        if (found == NULL)
            return pgc_fail(err, PGC_E_USAGE, "unknown command '%s'", (*argv)[0]);
        parse->command = found;
        pgc_buf_putf(&parse->path, " %s", found->name);
        (*argc)--, (*argv)++;
    }
    return PGC_OK;
}

static enum pgc_code parse_all(struct pgc__parse *parse, struct pgc_cli *cli, int argc, char **argv,
                               struct pgc_error *err) {
    enum pgc_code code = select_command(parse, &argc, &argv, err);
    if (code != PGC_OK)
        return code;
    parse->settings = calloc(1, parse->command->settings_size + 1);
    parse->origins = calloc(pgc__row_count(parse->command), sizeof *parse->origins);
    if (parse->settings == NULL || parse->origins == NULL)
        return pgc_fail_nomem(err);
    parse->row_count = pgc__row_count(parse->command);
    cli->command = parse->command;
    code = pgc__parse_args(parse, cli, argc, argv, err);
    if (code != PGC_OK || parse->globals.help || parse->globals.version || parse->globals.generate != NULL)
        return code;
    if (parse->command->run == NULL)
        return pgc_fail(err, PGC_E_USAGE, "a command is missing");
    return pgc__fill_from_environment(parse, err);
}

static enum pgc_code act(struct pgc__parse *parse, struct pgc_cli *cli, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = PGC_OK;
    if (parse->globals.generate != NULL)
        code = pgc__generate(&text, parse->root, parse->globals.generate, err);
    else if (parse->globals.help)
        pgc__help(&text, parse);
    else if (parse->globals.version)
        pgc_buf_putf(&text, "%s (pgc) %s\n", parse->root->name, PGC_VERSION);
    else if (parse->globals.show_config)
        pgc__show_config(&text, parse);
    else
        return parse->command->run(cli, parse->settings, err);
    fwrite(text.data, 1, text.len, cli->out);
    return code;
}

static void tell(const struct pgc__parse *parse, const struct pgc_process *process, const struct pgc_error *err) {
    if (process->format == PGC_LOG_FORMAT_JSON) {
        pgc_log(&process->runtime, PGC_LOG_ERROR, "failed", err->message,
                PGC_LOG_TEXT("error.type", pgc_code_name(err->code)),
                PGC_LOG_TEXT("error.code", err->sqlstate[0] != '\0' ? err->sqlstate : NULL));
        return;
    }
    fprintf(stderr, "%s: %s\n", parse->path.data, err->message);
    if (err->code == PGC_E_USAGE)
        fprintf(stderr, "Try '%s --help'.\n", parse->path.data);
}

/* What was asked for has not been delivered when stdout could not take it. */
static enum pgc_code finish_output(struct pgc_cli *cli, struct pgc_error *err) {
    if (fflush(cli->out) == 0 && !ferror(cli->out))
        return PGC_OK;
    return pgc_fail_errno(err, PGC_E_IO, "cannot write to standard output");
}

int pgc_cli_main(const struct pgc_command *root, int argc, char **argv) {
    struct pgc__parse parse = { .root = root, .command = root, .path = PGC_BUF_INIT };
    struct pgc_process process;
    struct pgc_cli cli = { .args = PGC_STRINGS_INIT, .out = stdout };
    struct pgc_error err;
    pgc_buf_puts(&parse.path, root->name);
    pgc_process_init(&process, root->name, PGC_LOG_INFO, PGC_LOG_FORMAT_AUTO);
    cli.rt = pgc_process_runtime(&process);
    enum pgc_code code = parse_all(&parse, &cli, argc - 1, argv + 1, &err);
    if (code == PGC_OK) {
        process.level = level_of(parse.globals.log_level);
        if (parse.globals.log_format != NULL)
            process.format = strcmp(parse.globals.log_format, "json") == 0 ? PGC_LOG_FORMAT_JSON : PGC_LOG_FORMAT_TEXT;
        code = act(&parse, &cli, &err);
    }
    if (code == PGC_OK)
        code = finish_output(&cli, &err);
    else
        fflush(cli.out);
    if (code != PGC_OK)
        tell(&parse, &process, &err);
    int status = code == PGC_OK ? cli.exit_status : pgc_code_exit_status(code);
    if (code == PGC_E_CANCELLED && pgc_cancelled(cli.rt) != 0)
        status = 128 + pgc_cancelled(cli.rt);
    pgc_strings_release(&cli.args);
    pgc__parse_release(&parse);
    return status;
}
