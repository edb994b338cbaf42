/* lint: any bytes as a file. Findings lie inside of the text, in order, and every chunk of options is tried: the first byte
 * chooses them. */
#include <stdint.h>
#include <stdlib.h>

#include "lint/report.h"

static void must(bool good) {
    if (!good)
        abort();
}

/* A server that knows every table, so that the paths behind a catalog are run as well. */
static struct pgc_lint_table table(void *arg, const char *schema, const char *name) {
    (void)arg;
    return (struct pgc_lint_table) { .exists = schema == NULL, .rows = -1, .bytes = name[0] * 100000 };
}

static const char *column_type(void *arg, const char *schema, const char *name, const char *column) {
    (void)arg;
    (void)schema;
    return column[0] > 'm' ? "numeric(10,2)" : name[0] > 'm' ? "character varying(10)" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    static const char *const naming[] = { "column=^[a-z]+$", "^[a-z_]+$", NULL };
    struct pgc_lint_catalog catalog = { .table = table, .column_type = column_type };
    struct pgc_lint_options options = {
        .pg_version = 10 + data[0] % 10,
        .transaction = (enum pgc_lint_transaction)(data[0] % 5),
        .catalog = data[0] % 2 == 0 ? &catalog : NULL,
        .naming = naming,
        .include_down = data[0] > 127,
    };
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    struct pgc_error err;
    must(pgc_lint_text(&options, "fuzz", (const char *)data + 1, size - 1, &found, &err) == PGC_OK);
    for (size_t i = 0; i < found.count; i++) {
        must(found.items[i].offset < size);
        must(found.items[i].line > 0 && found.items[i].column > 0);
        must(i == 0 || found.items[i - 1].offset <= found.items[i].offset);
    }
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_lint_report_text(&out, &found);
    pgc_lint_report_json(&out, &found);
    pgc_lint_report_github(&out, &found);
    must(pgc_buf_check(&out, &err) == PGC_OK);
    return 0;
}
