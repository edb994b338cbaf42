#include "backup/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "sql_embedded.h"

#define LOCKED_TABLES 500

static const char *const kind_names[] = { "none", "counts", "contents" };

const char *pgc_fingerprint_name(enum pgc_fingerprint kind) {
    return kind_names[kind];
}

enum pgc_code pgc_fingerprint_parse(const char *text, enum pgc_fingerprint *out, struct pgc_error *err) {
    for (size_t i = 0; i < 3; i++)
        if (strcmp(kind_names[i], text) == 0) {
            *out = (enum pgc_fingerprint)i;
            return PGC_OK;
        }
    return pgc_fail(err, PGC_E_USAGE, "'%s' is none of: none, counts, contents", text);
}

enum pgc_code pgc_facts_prepare(struct pgc_conn *conn, int64_t lock_wait_ms, struct pgc_error *err) {
    return pgc_conn_execf(
        conn, err,
        "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; "
        "set lock_timeout = '%lldms'; set row_security = off; set extra_float_digits = 1; "
        "set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601'; set timezone = 'UTC'; "
        "set bytea_output = 'hex'; set lc_monetary = 'C'; set xmloption = 'content'; set search_path = ''; "
        "set synchronize_seqscans = off",
        (long long)lock_wait_ms);
}

/* --- facts ------------------------------------------------------------------------------------------- */

static enum pgc_code copy_text(char **slot, const struct pgc_rows *rows, size_t column, struct pgc_error *err) {
    free(*slot);
    *slot = strdup(pgc_rows_text(rows, 0, column));
    return *slot == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

/* The first column, and the second one into `second` when that is wanted. */
static enum pgc_code read_lists(struct pgc_conn *conn, const char *sql, struct pgc_strings *first,
                                struct pgc_strings *second, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, sql, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++) {
        code = pgc_strings_add(first, pgc_rows_text(rows, i, 0), err);
        if (code == PGC_OK && second != NULL)
            code = pgc_strings_add(second, pgc_rows_text(rows, i, 1), err);
    }
    return code;
}

static enum pgc_code read_list(struct pgc_conn *conn, const char *sql, struct pgc_strings *out, struct pgc_error *err) {
    return read_lists(conn, sql, out, NULL, err);
}

enum pgc_code pgc_facts_read(struct pgc_conn *conn, struct pgc_manifest *out, bool *may_read_passwords,
                             struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_backup_read_facts, NULL, 0, &rows, err);
    if (code != PGC_OK)
        return code;
    if (pgc_rows_count(rows) != 1)
        return pgc_fail(err, PGC_E_FAILED, "the database is not in pg_database any more");
    char **slots[] = { &out->server_version, NULL, NULL, &out->encoding, &out->collate, &out->ctype, &out->owner };
    for (size_t i = 0; code == PGC_OK && i < sizeof slots / sizeof slots[0]; i++)
        if (slots[i] != NULL)
            code = copy_text(slots[i], rows, i, err);
    out->server_version_num = pgc_rows_int(rows, 0, 1);
    out->database_bytes = (uint64_t)pgc_rows_int(rows, 0, 2);
    *may_read_passwords = pgc_rows_bool(rows, 0, 8);
    if (code == PGC_OK && pgc_rows_bool(rows, 0, 7))
        code = pgc_conn_query_text(conn, pgc_sql_backup_read_system_identifier, NULL, 0, &out->system_identifier, err);
    if (code == PGC_OK)
        code = read_list(conn, pgc_sql_backup_list_roles, &out->roles, err);
    if (code == PGC_OK)
        code = read_list(conn, pgc_sql_backup_list_database_roles, &out->database_roles, err);
    if (code == PGC_OK)
        code = read_list(conn, pgc_sql_backup_list_tablespaces, &out->tablespaces, err);
    return code == PGC_OK
               ? read_lists(conn, pgc_sql_backup_list_extensions, &out->extensions, &out->extension_versions, err)
               : code;
}

/* --- fingerprint -------------------------------------------------------------------------------------- */

void pgc_prints_release(struct pgc_prints *prints) {
    for (size_t i = 0; i < prints->count; i++) {
        free(prints->items[i].name);
        free(prints->items[i].hash);
    }
    free(prints->items);
    *prints = (struct pgc_prints)PGC_PRINTS_INIT;
}

static enum pgc_code add_print(struct pgc_prints *prints, const char *name, int64_t rows, const char *hash,
                               struct pgc_error *err) {
    if (!pgc_array_grow(&prints->items, &prints->cap, prints->count + 1, sizeof *prints->items))
        return pgc_fail_nomem(err);
    struct pgc_table_print *item = &prints->items[prints->count++];
    *item = (struct pgc_table_print) { strdup(name), rows, hash == NULL ? NULL : strdup(hash) };
    return item->name == NULL || (hash != NULL && item->hash == NULL) ? pgc_fail_nomem(err) : PGC_OK;
}

#define LOCKS_AT_ONCE ((size_t)500)

/* The next tables of the list, from row *at on, in one message. */
static enum pgc_code lock_some(struct pgc_conn *conn, const struct pgc_rows *rows, size_t *at, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    const char *names[LOCKS_AT_ONCE];
    size_t count = 0;
    for (; *at < pgc_rows_count(rows) && count < LOCKS_AT_ONCE; ++*at) {
        if (pgc_rows_bool(rows, *at, 2)) /* only tables can be locked */
            continue;
        names[count] = pgc_rows_text(rows, *at, 4);
        pgc_buf_putf(&sql, "lock table only %s in access share mode; ", names[count++]);
    }
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK && count > 0)
        code = pgc_conn_exec(conn, sql.data, err);
    if (code == PGC_OK || code == PGC_E_CANCELLED)
        return code;
    size_t finished = 0, position;
    pgc_conn_last_fault(conn, &finished, &position);
    return pgc_wrap(err, "cannot lock %s", finished < count ? names[finished] : "a table");
}

enum pgc_code pgc_facts_lock_tables(struct pgc_conn *conn, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_backup_list_tables, NULL, 0, &rows, err);
    for (size_t at = 0; code == PGC_OK && at < pgc_rows_count(rows);)
        code = lock_some(conn, rows, &at, err);
    return code;
}

/* The row is (alias.*): a column may have the name of its table, and would hide it. */
static enum pgc_code take_table(struct pgc_conn *conn, struct pgc_prints *out, const struct pgc_rows *tables, size_t at,
                                struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    const char *name = pgc_rows_text(tables, at, 4), *condition = pgc_rows_text(tables, at, 6);
    if (out->kind == PGC_FINGERPRINT_COUNTS)
        pgc_buf_putf(&sql, "select count(*) from only %s %s", name, condition);
    else
        pgc_buf_putf(&sql,
                     "select count(*), coalesce(sum(pg_catalog.hashtextextended((%s.*)::pg_catalog.text, 0)), 0) "
                     "from only %s %s",
                     pgc_rows_text(tables, at, 5), name, condition);
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, sql.data, NULL, 0, &rows, err);
    if (code != PGC_OK)
        return code == PGC_E_CANCELLED ? code : pgc_wrap(err, "cannot take the fingerprint of %s", name);
    return add_print(out, name, pgc_rows_int(rows, 0, 0),
                     out->kind == PGC_FINGERPRINT_CONTENTS ? pgc_rows_text(rows, 0, 1) : NULL, err);
}

/* Within a transaction every table that is read stays locked, with its indexes, and pg_dump is going to lock all tables once
 * more: of ten thousand tables that is too much for a server. Where there are many, a savepoint that is rolled back to lets them
 * go; the snapshot stays. */
static enum pgc_code let_locks_go(struct pgc_conn *conn, size_t at, struct pgc_error *err) {
    if (pgc_conn_tx_status(conn) != 'T' || at % LOCKED_TABLES != 0)
        return PGC_OK;
    return pgc_conn_exec(conn, at == 0 ? "savepoint pgc" : "rollback to savepoint pgc", err);
}

enum pgc_code pgc_prints_take(struct pgc_conn *conn, enum pgc_fingerprint kind, struct pgc_prints *out,
                              struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    out->kind = kind;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_backup_list_tables, NULL, 0, &rows, err);
    size_t taken = 0;
    bool many = code == PGC_OK && pgc_rows_count(rows) > LOCKED_TABLES;
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++) {
        bool made_anew = pgc_rows_bool(rows, i, 2), unread = pgc_rows_bool(rows, i, 3);
        if (kind == PGC_FINGERPRINT_NONE || made_anew || unread) {
            code = add_print(out, pgc_rows_text(rows, i, 4), kind == PGC_FINGERPRINT_NONE || made_anew ? -1 : 0, NULL,
                             err);
            continue;
        }
        code = many ? let_locks_go(conn, taken++, err) : PGC_OK;
        if (code == PGC_OK)
            code = take_table(conn, out, rows, i, err);
    }
    return code;
}

int64_t pgc_prints_rows(const struct pgc_prints *prints) {
    int64_t sum = 0;
    if (prints->kind == PGC_FINGERPRINT_NONE)
        return -1;
    for (size_t i = 0; i < prints->count; i++)
        sum += prints->items[i].rows > 0 ? prints->items[i].rows : 0;
    return sum;
}

void pgc_prints_write(const struct pgc_prints *prints, struct pgc_buf *out) {
    pgc_buf_putf(out, "{\"schema\": \"pgc-contents/1\", \"fingerprint\": \"%s\", \"tables\": [",
                 pgc_fingerprint_name(prints->kind));
    for (size_t i = 0; i < prints->count; i++) {
        const struct pgc_table_print *item = &prints->items[i];
        pgc_buf_puts(out, i == 0 ? "\n{\"table\": " : ",\n{\"table\": ");
        pgc_text_json(out, item->name);
        if (item->rows >= 0)
            pgc_buf_putf(out, ", \"rows\": %lld", (long long)item->rows);
        if (item->hash != NULL)
            pgc_buf_putf(out, ", \"hash\": \"%s\"", item->hash);
        pgc_buf_putc(out, '}');
    }
    pgc_buf_puts(out, "\n]}\n");
}

enum pgc_code pgc_prints_parse(const char *text, size_t len, struct pgc_prints *out, struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *root = NULL;
    enum pgc_code code = pgc_json_parse(text, len, &root, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "the artefact 'contents' is malformed");
    const char *schema = pgc_json_text(pgc_json_get(root, "schema"));
    const char *kind = pgc_json_text(pgc_json_get(root, "fingerprint"));
    if (schema == NULL || strcmp(schema, "pgc-contents/1") != 0 || kind == NULL ||
        pgc_fingerprint_parse(kind, &out->kind, err) != PGC_OK)
        return pgc_fail(err, PGC_E_DATA, "the artefact 'contents' is of an unknown form");
    const struct pgc_json *tables = pgc_json_get(root, "tables");
    for (size_t i = 0; code == PGC_OK && i < pgc_json_count(tables); i++) {
        const struct pgc_json *table = pgc_json_at(tables, i);
        const char *name = pgc_json_text(pgc_json_get(table, "table"));
        if (name == NULL)
            return pgc_fail(err, PGC_E_DATA, "the artefact 'contents' has a table without a name");
        code = add_print(out, name, pgc_json_int(pgc_json_get(table, "rows"), -1),
                         pgc_json_text(pgc_json_get(table, "hash")), err);
    }
    return code;
}

static const struct pgc_table_print *find_print(const struct pgc_prints *prints, const char *name) {
    for (size_t i = 0; i < prints->count; i++)
        if (strcmp(prints->items[i].name, name) == 0)
            return &prints->items[i];
    return NULL;
}

/* The print of that name. Both lists have one order, so the next one (*cursor) is nearly always the right one. */
static const struct pgc_table_print *next_print(const struct pgc_prints *prints, size_t *cursor, const char *name) {
    const struct pgc_table_print *found = *cursor < prints->count && strcmp(prints->items[*cursor].name, name) == 0
                                              ? &prints->items[*cursor]
                                              : find_print(prints, name);
    if (found != NULL)
        *cursor = (size_t)(found - prints->items) + 1;
    return found;
}

size_t pgc_prints_compare(const struct pgc_prints *backup, const struct pgc_prints *restored, struct pgc_buf *out) {
    size_t differences = 0, cursor = 0;
    for (size_t i = 0; i < backup->count; i++) {
        const struct pgc_table_print *a = &backup->items[i], *b = next_print(restored, &cursor, a->name);
        if (b == NULL) {
            pgc_buf_putf(out, "%s: is not there\n", a->name);
            differences++;
        } else if (a->rows >= 0 && b->rows >= 0 && a->rows != b->rows) {
            pgc_buf_putf(out, "%s: %lld rows, the backup has %lld\n", a->name, (long long)b->rows, (long long)a->rows);
            differences++;
        } else if (a->hash != NULL && b->hash != NULL && strcmp(a->hash, b->hash) != 0) {
            pgc_buf_putf(out, "%s: the content differs\n", a->name);
            differences++;
        }
    }
    cursor = 0;
    for (size_t i = 0; i < restored->count; i++)
        if (next_print(backup, &cursor, restored->items[i].name) == NULL) {
            pgc_buf_putf(out, "%s: is not in the backup\n", restored->items[i].name);
            differences++;
        }
    return differences;
}
