#include "ready/ledger.h"

#include <stdio.h>
#include <string.h>

#include "ready/verdict.h"
#include "sql_embedded.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_separator(char c) {
    return c == '.' || c == '_';
}

/* Compares the runs of digits at *a and *b (an empty one is 0) and moves behind them. */
static int compare_numbers(const char **a, const char **b) {
    const char *x = *a + strspn(*a, "0"), *y = *b + strspn(*b, "0");
    size_t n = strspn(x, "0123456789"), m = strspn(y, "0123456789");
    int order = n != m ? (n < m ? -1 : 1) : strncmp(x, y, n);
    *a = x + n;
    *b = y + m;
    return order;
}

/* Nothing but zeros and separators: adds nothing to a version. */
static bool is_nothing(const char *text) {
    return text[strspn(text, "0._")] == '\0';
}

int pgc_ready_version_compare(const char *a, const char *b) {
    while (*a != '\0' || *b != '\0') {
        if (*a == '\0')
            return is_nothing(b) ? 0 : -1;
        if (*b == '\0')
            return is_nothing(a) ? 0 : 1;
        if (is_digit(*a) && is_digit(*b)) {
            int order = compare_numbers(&a, &b);
            if (order != 0)
                return order;
        } else if (*a == *b || (is_separator(*a) && is_separator(*b))) {
            a++;
            b++;
        } else {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        }
    }
    return 0;
}

bool pgc_ready_version_reaches(const char *kind, const char *have, const char *wanted) {
    if (strcmp(kind, "alembic") == 0)
        return strcmp(have, wanted) == 0;
    if (strcmp(kind, "django") == 0) {
        size_t app = strcspn(wanted, ".");
        return strncmp(have, wanted, app + 1) == 0 && wanted[app] == '.' &&
               pgc_ready_version_compare(have + app + 1, wanted + app + 1) >= 0;
    }
    return pgc_ready_version_compare(have, wanted) >= 0;
}

struct ledger {
    char *kind, *name, *ask;
};

struct ledgers {
    struct ledger *items;
    size_t count;
};

static void ledgers_release(struct ledgers *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].kind);
        free(list->items[i].name);
        free(list->items[i].ask);
    }
    free(list->items);
}

static enum pgc_code find(struct pgc_probe *probe, int64_t deadline, const struct pgc_runtime *rt, struct ledgers *out,
                          struct pgc_error *err) {
    enum pgc_code code = pgc_probe_ask(probe, pgc_sql_ready_find_ledgers, NULL, 0, deadline, rt, err);
    if (code != PGC_OK)
        return code;
    size_t rows = pgc_probe_rows(probe);
    out->items = calloc(rows + 1, sizeof *out->items);
    if (out->items == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < rows; i++) {
        struct ledger *item = &out->items[out->count++];
        item->kind = strdup(pgc_probe_text(probe, i, 0));
        item->name = strdup(pgc_probe_text(probe, i, 1));
        item->ask = strdup(pgc_probe_text(probe, i, 2));
        if (item->kind == NULL || item->name == NULL || item->ask == NULL)
            return pgc_fail_nomem(err);
    }
    return PGC_OK;
}

/* Reads the rows of the last answer: the newest version, and whether one of them is not clean. */
static bool read_versions(const struct pgc_ready_spec *spec, struct pgc_probe *probe, const struct ledger *ledger,
                          struct pgc_ready_report *report) {
    bool reached = spec->min_version == NULL && pgc_probe_rows(probe) > 0;
    const char *newest = "";
    for (size_t i = 0; i < pgc_probe_rows(probe); i++) {
        const char *version = pgc_probe_text(probe, i, 0);
        if (!pgc_probe_null(probe, i, 1)) {
            pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false,
                             "repair it with the tool that wrote it, then migrate again",
                             "the migration '%s' in %s (%s) is not clean: %s", version, ledger->name, ledger->kind,
                             pgc_probe_text(probe, i, 1));
            return false;
        }
        if (newest[0] == '\0' || pgc_ready_version_compare(version, newest) > 0)
            newest = version;
        reached |= spec->min_version != NULL && pgc_ready_version_reaches(ledger->kind, version, spec->min_version);
    }
    if (report->server.ledger[0] == '\0' || reached) {
        snprintf(report->server.ledger, sizeof report->server.ledger, "%s", ledger->kind);
        snprintf(report->server.migration, sizeof report->server.migration, "%s", newest);
    }
    return reached;
}

/* Init scripts: none may be half done. *done: there are some, all finished. */
static enum pgc_code check_init(struct pgc_probe *probe, int64_t deadline, const struct pgc_runtime *rt,
                                struct pgc_ready_report *report, bool *done, struct pgc_error *err) {
    enum pgc_code code = pgc_probe_ask(probe, pgc_sql_ready_find_init, NULL, 0, deadline, rt, err);
    if (code != PGC_OK || pgc_probe_rows(probe) == 0 || pgc_probe_null(probe, 0, 0))
        return code;
    PGC_AUTO_FREE char *ask = strdup(pgc_probe_text(probe, 0, 0));
    if (ask == NULL)
        return pgc_fail_nomem(err);
    code = pgc_probe_ask(probe, ask, NULL, 0, deadline, rt, err);
    if (code != PGC_OK || pgc_probe_rows(probe) == 0)
        return code;
    *done = strcmp(pgc_probe_text(probe, 0, 1), "done") == 0;
    if (!*done)
        pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false, "run 'pgc init' again: it resumes there",
                         "the init script '%s' has %s and not finished", pgc_probe_text(probe, 0, 0),
                         pgc_probe_text(probe, 0, 1));
    return PGC_OK;
}

static void refuse_by(const struct pgc_ready_spec *spec, const struct pgc_probe *probe, const struct ledgers *list,
                      struct pgc_ready_report *report) {
    if (list->count == 0)
        pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false, "run the migrations",
                         "the database '%s' has no migration ledger that '%s' may read", pgc_probe_dbname(probe),
                         pgc_probe_user(probe));
    else if (spec->min_version == NULL)
        pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false, "run the migrations",
                         "the ledger %s (%s) holds no migration yet", list->items[0].name, list->items[0].kind);
    else
        pgc_ready_refuse(&report->verdict, PGC_READY_NOT_MIGRATED, false, "run the newer migrations",
                         "the newest migration is '%s' (%s), at least '%s' is asked for", report->server.migration,
                         report->server.ledger, spec->min_version);
}

enum pgc_code pgc_ready_check_ledgers(const struct pgc_ready_spec *spec, struct pgc_probe *probe, int64_t deadline,
                                      const struct pgc_runtime *rt, struct pgc_ready_report *report,
                                      struct pgc_error *err) {
    PGC_CLEANUP(ledgers_release) struct ledgers list = { 0 };
    bool init_done = false, reached = false;
    enum pgc_code code = check_init(probe, deadline, rt, report, &init_done, err);
    if (code != PGC_OK || report->verdict.status != PGC_READY_OK)
        return code;
    code = find(probe, deadline, rt, &list, err);
    if (code != PGC_OK)
        return code;
    for (size_t i = 0; i < list.count; i++) {
        code = pgc_probe_ask(probe, list.items[i].ask, NULL, 0, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        reached |= read_versions(spec, probe, &list.items[i], report);
        if (report->verdict.status != PGC_READY_OK)
            return PGC_OK;
    }
    /* A database that is set up by init scripts alone has been brought to where it belongs. */
    if (!reached && !(init_done && list.count == 0 && spec->min_version == NULL))
        refuse_by(spec, probe, &list, report);
    return PGC_OK;
}
