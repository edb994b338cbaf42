/* Any bytes as the rest of a line behind a backslash: every kind of argument is read to its end; \copy is taken apart. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "script/lexer.h"
#include "script/slash_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(void *arg, const char *name) {
    (void)arg;
    return name[0] == 'n' ? NULL : name[0] == 'x' ? "it's \\ a \"value\";\nof :x two lines" : "";
}
static bool backtick(void *arg, const char *command, struct pgc_buf *out) {
    (void)arg;
    pgc_buf_puts(out, command);
    return command[0] != 'f';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    static const struct pgc_lexer_hooks hooks = { .variable = variable, .backtick = backtick };
    enum pgc_lex_argument type = (enum pgc_lex_argument)(data[0] % 5);
    PGC_CLEANUP(pgc_lexer_release) struct pgc_lexer lexer;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_lexer_init(&lexer, &hooks);
    lexer.encoding = (enum pgc_lex_encoding)(data[1] % 5);
    pgc_lexer_line(&lexer, (const char *)data + 2, size - 2);
    for (size_t turns = 0; pgc_lexer_position(&lexer) < size - 2; turns++) {
        if (turns > size)
            abort(); /* a command takes at least its backslash */
        pgc_lexer_command(&lexer, &text);
        char quote;
        while (pgc_lexer_argument(&lexer, type, data[0] & 8, data[0] & 16, &quote, &text))
            if (text.data[text.len] != '\0')
                abort();
        pgc_lexer_command_end(&lexer);
        size_t before = pgc_lexer_position(&lexer);
        while (pgc_lexer_position(&lexer) == before && before < size - 2) {
            enum pgc_lex verdict = pgc_lexer_next(&lexer, &text);
            if (verdict == PGC_LEX_EOL || verdict == PGC_LEX_INCOMPLETE)
                break;
        }
        if (pgc_lexer_position(&lexer) == before)
            break;
    }
    struct pgc_slash_copy copy;
    struct pgc_error err;
    char *line = strndup((const char *)data + 2, size - 2);
    if (line != NULL && pgc_slash_copy_parse(line, &copy, &err) == PGC_OK && copy.sql.len == 0)
        abort();
    if (line != NULL)
        pgc_slash_copy_release(&copy);
    free(line);
    return 0;
}
