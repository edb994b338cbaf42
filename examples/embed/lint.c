/* Checks one migration inside a program: cc lint.c -lpgc && ./lint FILE. Exit status: 0 nothing worse than a warning, 1 errors. */
#include <pgc/lint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    static char sql[1 << 20];
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: lint FILE\n");
        return 64;
    }
    size_t len = fread(sql, 1, sizeof sql, file);
    fclose(file);

    const char *const exclude[] = { "require-timeout-settings", NULL };
    struct pgc_lint_options options = { .pg_version = 15, .exclude = exclude };
    struct pgc_lint_findings found = { 0 };
    struct pgc_error err;
    enum pgc_code code = pgc_lint_options_check(&options, &err);
    if (code == PGC_OK)
        code = pgc_lint_text(&options, argv[1], sql, len, &found, &err);
    if (code != PGC_OK) {
        fprintf(stderr, "%s\n", err.message);
        return pgc_code_exit_status(code);
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct pgc_lint_finding *one = &found.items[i];
        printf("%s:%zu:%zu: %s: %s\n  instead: %s\n", one->file, one->line, one->column,
               pgc_lint_severity_name(one->severity), one->message, one->rule->safe);
    }
    int status = pgc_lint_worst(&found) >= PGC_LINT_ERROR ? 1 : 0;
    pgc_lint_findings_release(&found);
    return status;
}
