#include "backup/survey.h"

#include <string.h>

#include "base/buf.h"
#include "sql_embedded.h"

static const struct {
    const char *kind, *one, *many;
    const char *before, *behind; /* of "2 tables (public.a, public.b)" */
} remarks[] = {
    { "row security", "table", "tables", "row security is on for ", ": the dump holds all of their rows" },
    { "unlogged", "unlogged table", "unlogged tables", "",
      ": their rows are in the dump, but a crash of the server empties them" },
    { "unlogged away", "unlogged table", "unlogged tables", "", ": a standby has no rows of them, nor has the dump" },
    { "foreign", "foreign table", "foreign tables", "", ": their rows live on another server and are not in the dump" },
    { "prepared", "prepared transaction", "prepared transactions", "", ": what they changed is not in the dump" },
    { "event trigger", "event trigger", "event triggers", "", ": only a superuser can restore them" },
    { "subscription", "subscription", "subscriptions", "", ": they come back disabled, enable them by hand" },
    { "subscription away", "subscription", "subscriptions", "",
      ": they are not in the dump, only a superuser may read them" },
    { "extension", "extension", "extensions", "a restore needs ", "" },
    { "large object", "large object", "large objects", "",
      " are in the dump; a restore of single tables leaves them out" },
};

static void put_names(struct pgc_buf *out, const struct pgc_rows *rows, size_t row) {
    pgc_buf_puts(out, pgc_rows_text(rows, row, 2));
    if (pgc_rows_int(rows, row, 3) > 0)
        pgc_buf_putf(out, " and %lld more", (long long)pgc_rows_int(rows, row, 3));
}

static enum pgc_code refuse_hidden(struct pgc_conn *conn, const struct pgc_rows *rows, size_t row,
                                   struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf names = PGC_BUF_INIT;
    put_names(&names, rows, row);
    return pgc_fail(err, PGC_E_AUTH,
                    "row security hides rows of %s from role '%s': dump as a superuser, or give the role bypassrls",
                    names.data, pgc_conn_user(conn));
}

static enum pgc_code remark(const struct pgc_rows *rows, size_t row, struct pgc_strings *warnings,
                            struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf names = PGC_BUF_INIT;
    long long number = pgc_rows_int(rows, row, 1);
    put_names(&names, rows, row);
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (strcmp(remarks[i].kind, pgc_rows_text(rows, row, 0)) == 0)
            return pgc_strings_addf(warnings, err, "%s%lld %s (%s)%s", remarks[i].before, number,
                                    number == 1 ? remarks[i].one : remarks[i].many, names.data, remarks[i].behind);
    return PGC_OK;
}

enum pgc_code pgc_survey_take(struct pgc_conn *conn, struct pgc_strings *warnings, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_backup_survey_database, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        code = strcmp(pgc_rows_text(rows, i, 0), "hidden") == 0 ? refuse_hidden(conn, rows, i, err)
                                                                : remark(rows, i, warnings, err);
    return code;
}
