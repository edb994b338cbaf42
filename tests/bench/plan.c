/* CPU time of planning, part by part: plan FOLDER [ROUNDS]. Minima of ROUNDS (20), in ms, one "name value" a line:
 *   read    the files, into memory
 *   order   texts in memory to an ordered set: format, sections, hashes, versions, duplicates, requires
 *   plan    the set and an empty ledger to steps
 *   again   the set and a ledger that has them all to nothing to do
 * No server, nothing is changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "migrate/dialect.h"
#include "migrate/plan.h"

enum part { READ, ORDER, PLAN, AGAIN, PARTS };
static const char *const names[PARTS] = { "read", "order", "plan", "again" };

static double cpu_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* What the ledger says once all of the set is applied; borrows the texts. */
static bool all_applied(const struct pgc_migration_set *set, struct pgc_ledger *out) {
    *out = (struct pgc_ledger) { .rows = calloc(set->count + 1, sizeof *out->rows), .exists = true };
    for (size_t i = 0; out->rows != NULL && i < set->count; i++)
        out->rows[out->count++] = (struct pgc_ledger_row) { .version = set->items[i].version,
                                                            .name = set->items[i].name,
                                                            .checksum = (char *)set->items[i].checksum,
                                                            .state = PGC_LEDGER_APPLIED };
    return out->rows != NULL;
}

static enum pgc_code plan_for(const struct pgc_migration_set *set, const struct pgc_ledger *ledger, size_t wanted,
                              struct pgc_error *err) {
    struct pgc_plan_request request = { .verb = PGC_PLAN_UP };
    PGC_CLEANUP(pgc_plan_release) struct pgc_plan plan = PGC_PLAN_INIT;
    enum pgc_code code = pgc_plan_make(&plan, set, ledger, NULL, &request, err);
    if (code == PGC_OK && plan.step_count != wanted)
        return pgc_fail(err, PGC_E_FAILED, "%zu steps instead of %zu", plan.step_count, wanted);
    return code;
}

static enum pgc_code one_round(const char *dir, double spent[PARTS], struct pgc_error *err) {
    static const struct pgc_dialect_options options;
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder folder = PGC_FOLDER_INIT;
    PGC_CLEANUP(pgc_migration_set_release) struct pgc_migration_set set = PGC_MIGRATION_SET_INIT;
    struct pgc_ledger empty = { 0 }, full;
    const struct pgc_dialect *dialect = NULL;
    double at[PARTS + 1] = { cpu_ms() };
    enum pgc_code code = pgc_folder_read(&folder, dir, err);
    at[1] = cpu_ms();
    if (code == PGC_OK)
        code = pgc_dialect_detect(&folder, &dialect, err);
    if (code == PGC_OK)
        code = dialect->parse(&folder, &options, &set, err);
    at[2] = cpu_ms();
    if (code == PGC_OK)
        code = plan_for(&set, &empty, set.count, err);
    at[3] = cpu_ms();
    if (code == PGC_OK && !all_applied(&set, &full))
        code = pgc_fail_nomem(err);
    if (code != PGC_OK)
        return code;
    at[AGAIN] = cpu_ms();
    code = plan_for(&set, &full, 0, err);
    at[PARTS] = cpu_ms();
    free(full.rows);
    for (int i = 0; i < PARTS; i++)
        if (spent[i] <= 0 || at[i + 1] - at[i] < spent[i])
            spent[i] = at[i + 1] - at[i];
    return code;
}

int main(int argc, char **argv) {
    struct pgc_error err;
    double spent[PARTS] = { 0 };
    int rounds = argc > 2 ? atoi(argv[2]) : 20;
    if (argc < 2)
        return 64;
    for (int i = 0; i < rounds; i++) {
        if (one_round(argv[1], spent, &err) != PGC_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
    }
    for (int i = 0; i < PARTS; i++)
        printf("%s %.1f\n", names[i], spent[i]);
    return 0;
}
