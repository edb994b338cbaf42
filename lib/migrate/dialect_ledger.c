#include "migrate/dialect_ledger.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "migrate/shape.h"
#include "migrate/version.h"

/* The statements of a script without the semicolons and blanks around them: how many, and as an array. The script has been
 * read before; what is wrong with it has been said. */
static size_t put_statements(struct pgc_buf *sql, const struct pgc_migration_script *script) {
    PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
    struct pgc_error ignored;
    size_t count = 0;
    pgc_buf_puts(sql, "array[");
    if (script->text == NULL || pgc_shape_read(&shape, script, &ignored) != PGC_OK)
        shape.count = 0;
    for (size_t i = 0; i < shape.count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf one = PGC_BUF_INIT;
        const char *from = script->text + shape.statements[i].offset, *to = script->text + shape.statements[i].end;
        while (from < to && (isspace((unsigned char)*from) || *from == ';'))
            from++;
        while (to > from && (isspace((unsigned char)to[-1]) || to[-1] == ';'))
            to--;
        if (from == to)
            continue;
        pgc_buf_put(&one, from, (size_t)(to - from));
        pgc_buf_puts(sql, count++ > 0 ? "," : "");
        pgc_sql_literal(sql, one.data);
    }
    pgc_buf_puts(sql, "]::text[]");
    return count;
}

static void put_count(struct pgc_buf *sql, const struct pgc_migration_script *script) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf unused = PGC_BUF_INIT;
    pgc_buf_putf(sql, "%zu", put_statements(&unused, script));
}

static bool put_place(struct pgc_buf *sql, const struct pgc_ledger_place *place, const char *word, size_t len) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    if (len == strlen("table") && strncmp(word, "table", len) == 0) {
        pgc_buf_puts(sql, place->qualified);
    } else if (len == strlen("schema") && strncmp(word, "schema", len) == 0) {
        pgc_sql_ident(sql, place->schema);
    } else if (strncmp(word, "table_", strlen("table_")) == 0) {
        pgc_buf_puts(&name, place->table);
        pgc_buf_put(&name, word + strlen("table"), len - strlen("table"));
        pgc_sql_ident(sql, name.data);
    } else {
        return false;
    }
    return true;
}

static void put_value(struct pgc_buf *sql, const struct pgc_ledger_entry *entry, const char *word, size_t len) {
    static const char *const kinds[] = { "versioned", "repeatable", "baseline" };
    const struct pgc_migration *m = entry->migration;
    const char *file = m->file != NULL && pgc_text_starts(m->file, "committed/") ? strchr(m->file, '/') + 1 : m->file;
    const struct {
        const char *word, *value;
    } rows[] = {
        { "version", m->version },
        { "name", m->name },
        { "file", file },
        { "header", m->header },
        { "kind", kinds[m->kind] },
        { "previous", entry->previous },
        { "tool", entry->tool_version },
        { "checksum", entry->ledger->checksum != NULL ? entry->ledger->checksum(entry->place, m) : m->own_checksum },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].word) == len && strncmp(rows[i].word, word, len) == 0) {
            pgc_sql_literal(sql, rows[i].value);
            return;
        }
    if (len == strlen("count") && strncmp(word, "count", len) == 0)
        put_count(sql, &m->up);
    else if (len == strlen("statements") && strncmp(word, "statements", len) == 0)
        (void)put_statements(sql, &m->up);
    else
        pgc_buf_putf(sql, "{%.*s}", (int)len, word);
}

/* `entry` NULL: the template is about the table alone. */
static void expand(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_ledger_entry *entry,
                   const char *template) {
    for (const char *p = template; *p != '\0';) {
        size_t plain = strcspn(p, "{");
        pgc_buf_put(sql, p, plain);
        p += plain;
        if (*p == '\0')
            return;
        size_t len = strcspn(p + 1, "}");
        if (!put_place(sql, place, p + 1, len) && entry != NULL)
            put_value(sql, entry, p + 1, len);
        p += len + 2;
    }
}

static bool needs_int8(const struct pgc_migration_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].version != NULL && pgc_version_compare(set->items[i].version, "2147483647") > 0)
            return true;
    return false;
}

/* "if not exists" asks for the right to create schemas even where it is there. */
void pgc_ledger_foreign_create(struct pgc_buf *sql, const struct pgc_dialect_ledger *ledger,
                               const struct pgc_ledger_place *place, const struct pgc_migration_set *set) {
    if (!place->schema_exists)
        expand(sql, place, NULL, "create schema if not exists {schema};");
    expand(sql, place, NULL, ledger->create_int8 != NULL && needs_int8(set) ? ledger->create_int8 : ledger->create);
}

void pgc_ledger_foreign_upgrade(struct pgc_buf *sql, const struct pgc_dialect_ledger *ledger,
                                const struct pgc_ledger_place *place) {
    if (ledger->upgrade != NULL && place->columns[0] != '\0' && strstr(place->columns, ledger->newest) == NULL)
        expand(sql, place, NULL, ledger->upgrade);
}

void pgc_ledger_foreign_read(struct pgc_buf *sql, const struct pgc_dialect_ledger *ledger,
                             const struct pgc_ledger_place *place) {
    const char *const columns[] = { ledger->read.version,  ledger->read.name,       ledger->read.file,
                                    ledger->read.checksum, ledger->read.state,      ledger->read.applied_at,
                                    ledger->read.who,      ledger->read.duration_ms };
    static const char *const otherwise[] = { "null", "null", "null", "null", "'applied'", "null", "null", "null" };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        pgc_buf_puts(sql, i == 0 ? "select (" : ", (");
        pgc_buf_puts(sql, columns[i] != NULL ? columns[i] : otherwise[i]);
        /* A name of its own: "order by version" is to mean the table's column. */
        pgc_buf_putf(sql, ")::%s as c%zu", i < 7 ? "text" : "bigint", i);
    }
    pgc_buf_puts(sql, " from ");
    expand(sql, place, NULL, ledger->read.from != NULL ? ledger->read.from : "{table}");
    if (ledger->read.order != NULL)
        pgc_buf_putf(sql, " order by %s", ledger->read.order);
}

void pgc_ledger_foreign_up(struct pgc_buf *sql, const struct pgc_ledger_entry *entry) {
    expand(sql, entry->place, entry, entry->ledger->up);
}

void pgc_ledger_foreign_down(struct pgc_buf *sql, const struct pgc_ledger_entry *entry) {
    if (entry->ledger->down != NULL) {
        expand(sql, entry->place, entry, entry->ledger->down);
        return;
    }
    expand(sql, entry->place, entry, "delete from {table} where ");
    pgc_buf_puts(sql, entry->ledger->read.version);
    expand(sql, entry->place, entry, " = {version};");
}

void pgc_ledger_foreign_accept(struct pgc_buf *sql, const struct pgc_ledger_entry *entry) {
    if (entry->ledger->accept != NULL)
        expand(sql, entry->place, entry, entry->ledger->accept);
}

size_t pgc_ledger_foreign_keys(const struct pgc_dialect_ledger *ledger, const struct pgc_ledger_place *place,
                               int64_t keys[PGC_LEDGER_KEYS_MAX]) {
    if (ledger->lock_keys != NULL)
        return ledger->lock_keys(place, keys);
    keys[0] = ledger->lock_key;
    return ledger->lock_key != 0;
}
