/* Steps in a transaction: one message to the server holds begin, script, ledger and commit. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "migrate/run_internal.h"

/* A script inside the message. */
struct segment {
    const struct pgc_migration_script *script;
    const struct pgc_shape *shape;
    size_t step;
    size_t start, end; /* bytes of the message */
    size_t first;      /* statements of the message before it */
};

struct message {
    struct pgc_buf sql;
    size_t statements;
    struct segment *segments;
    size_t count, cap;
    struct pgc_shape *hook_shapes;
};

static void message_release(struct message *message) {
    pgc_buf_release(&message->sql);
    free(message->segments);
}

static void put(struct message *message, const char *sql, size_t statements) {
    pgc_buf_puts(&message->sql, sql);
    message->statements += statements;
}

static size_t count_semicolons(const char *text) {
    size_t n = 0;
    for (bool quoted = false; *text != '\0'; text++) {
        quoted ^= *text == '\'';
        n += *text == ';' && !quoted;
    }
    return n;
}

static enum pgc_code put_script(struct message *message, const struct pgc_migration_script *script,
                                const struct pgc_shape *shape, size_t step, struct pgc_error *err) {
    if (script->text == NULL)
        return PGC_OK;
    if (!pgc_array_grow(&message->segments, &message->cap, message->count + 1, sizeof *message->segments))
        return pgc_fail_nomem(err);
    size_t start = message->sql.len;
    pgc_buf_put(&message->sql, script->text, script->len);
    message->segments[message->count++] =
        (struct segment) { script, shape, step, start, message->sql.len, message->statements };
    message->statements += shape == NULL ? 0 : shape->count;
    /* A comment without a newline at the end must not swallow what follows. */
    pgc_buf_puts(&message->sql, "\n;");
    return PGC_OK;
}

static enum pgc_code put_hooks(struct message *message, const struct pgc_migration_set *set, enum pgc_hook_when when,
                               size_t step, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < set->hook_count; i++) {
        if (set->hooks[i].when != when)
            continue;
        PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
        code = pgc_shape_read(&shape, &set->hooks[i].script, err);
        if (code == PGC_OK)
            code = put_script(message, &set->hooks[i].script, NULL, step, err);
        message->statements += shape.count;
    }
    return code;
}

static bool spoils(const struct pgc__run *run, size_t index) {
    return run->shapes[index].settings || run->migrate->set.hook_count > 0;
}

/* SQL of our own; what it holds of semicolons outside quotes is its count of statements. */
static void put_ours(struct message *message, const char *sql) {
    put(message, sql, count_semicolons(sql));
}

static void put_session(struct pgc__run *run, struct message *message) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_puts(&sql, "");
    pgc__run_put_session(run, &sql);
    put_ours(message, sql.data);
}

static void put_reset(struct pgc__run *run, struct message *message, size_t from, size_t count) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    bool prepared = false;
    for (size_t i = 0; i < count; i++)
        prepared |= pgc__run_prepares(pgc_plan_step_script(&run->plan->steps[from + i]));
    pgc__run_put_reset(run, &sql, prepared);
    put_ours(message, sql.data);
    put_session(run, message);
}

static enum pgc_code put_step(struct pgc__run *run, struct message *message, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    const struct pgc_migration_set *set = &run->migrate->set;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf record = PGC_BUF_INIT;
    enum pgc_code code = put_hooks(message, set, PGC_HOOK_BEFORE_EACH, index, err);
    if (code == PGC_OK)
        code = put_script(message, pgc_plan_step_script(step), &run->shapes[index], index, err);
    if (code == PGC_OK)
        code = put_hooks(message, set, PGC_HOOK_AFTER_EACH, index, err);
    if (spoils(run, index))
        put_ours(message, "reset session authorization;reset role;");
    pgc__run_put_record(run, &record, step);
    put_ours(message, record.data);
    return code != PGC_OK ? code : pgc_buf_check(&record, err);
}

/* May a script of these give the session locks back? Behind a pooler every transaction looks at the row. */
static bool is_guarded(const struct pgc__run *run, size_t from, size_t count) {
    bool guarded = pgc_migrate_lock_is_row(run->lock);
    for (size_t i = 0; i < count; i++)
        guarded |= spoils(run, from + i);
    return guarded;
}

/* The guard is a query, which SET TRANSACTION does not allow in front of it: it stands in front of scripts that speak of
 * advisory locks, and behind the others. There a lock that somebody has taken meanwhile is an error, never a second time. */
static bool speaks_of_locks(const struct pgc__run *run, size_t from, size_t count) {
    const struct pgc_migration_set *set = &run->migrate->set;
    bool speaks = false;
    for (size_t i = 0; i < count && !speaks; i++)
        speaks = strcasestr(pgc_plan_step_script(&run->plan->steps[from + i])->text, "advisory") != NULL;
    for (size_t i = 0; i < set->hook_count && !speaks; i++)
        speaks = set->hooks[i].script.text != NULL && strcasestr(set->hooks[i].script.text, "advisory") != NULL;
    return speaks;
}

static enum pgc_code build(struct pgc__run *run, struct message *message, size_t from, size_t count,
                           struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    bool guarded = is_guarded(run, from, count);
    bool early = pgc_migrate_lock_is_row(run->lock) || speaks_of_locks(run, from, count);
    put_ours(message, "begin;");
    if (guarded && early)
        put_ours(message, pgc_migrate_lock_guard(run->lock));
    if (run->migrate->pooled) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf limits = PGC_BUF_INIT;
        pgc_buf_puts(&limits, "");
        pgc__run_put_limits(run, &limits, true, true);
        put_ours(message, limits.data);
    }
    for (size_t i = 0; code == PGC_OK && i < count; i++) {
        if (i > 0 && spoils(run, from + i - 1)) {
            put_ours(message, PGC__RUN_RESET);
            put_session(run, message);
        }
        code = put_step(run, message, from + i, err);
    }
    if (guarded && !early)
        put_ours(message, pgc_migrate_lock_guard(run->lock));
    if (guarded)
        put_ours(message, pgc_migrate_lock_keep(run->lock));
    put_ours(message, "commit;");
    if (guarded)
        put_reset(run, message, from, count);
    return code != PGC_OK ? code : pgc_buf_check(&message->sql, err);
}

/* --- where it broke -------------------------------------------------------------------------------------------- */

static size_t byte_of_character(const char *text, size_t len, size_t character) {
    size_t at = 0;
    for (size_t n = 1; at < len && n < character; n++) {
        at++;
        while (at < len && ((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static size_t skip_blank(const char *text, size_t at, size_t end) {
    while (at < end && isspace((unsigned char)text[at]))
        at++;
    return at;
}

/* Puts "file:line:column" in front of the message: where the server points, else where the statement begins. */
static void place_fault(const struct pgc__run *run, const struct message *message, size_t *failed,
                        struct pgc_error *err) {
    size_t finished, position, line, column;
    pgc_conn_last_fault(run->migrate->conn, &finished, &position);
    size_t at = position == 0 ? 0 : byte_of_character(message->sql.data, message->sql.len, position);
    for (size_t i = 0; i < message->count; i++) {
        const struct segment *s = &message->segments[i];
        bool pointed = position > 0 && at >= s->start && at < s->end;
        bool counted =
            position == 0 && s->shape != NULL && finished >= s->first && finished < s->first + s->shape->count;
        if (!pointed && !counted)
            continue;
        size_t offset =
            pointed ? at - s->start
                    : skip_blank(s->script->text, s->shape->statements[finished - s->first].offset, s->script->len);
        *failed = s->step;
        pgc_migration_position(s->script, offset, &line, &column);
        (void)!pgc_wrap(err, "%s:%zu:%zu", s->script->path, line, column);
        return;
    }
    for (size_t i = 0; i < message->count && message->segments[i].first <= finished; i++)
        *failed = message->segments[i].step;
    const struct pgc_plan_step *step = &run->plan->steps[*failed];
    (void)!pgc_wrap(err, "%s", step->migration->path);
}

/* What cannot be known from the text alone: a function or procedure that ends transactions, a command of a newer server. */
static void hint(const struct pgc__run *run, struct pgc_error *err) {
    bool refused = strcmp(err->sqlstate, "2D000") == 0 || strcmp(err->sqlstate, "25001") == 0;
    if (refused && run->migrate->dialect == &pgc_dialect_native)
        pgc__run_say_more(err, "mark the file '-- migrate:up transaction:false' to run it outside a transaction");
}

/* A message that failed may have left what no rollback takes back: prepared statements, locks given away. */
static enum pgc_code refresh(struct pgc__run *run, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc__run_put_reset(run, &sql, false);
    pgc__run_put_session(run, &sql);
    return pgc__run_exec(run, &sql, err);
}

enum pgc_code pgc__run_transaction(struct pgc__run *run, size_t from, size_t count, size_t *failed,
                                   struct pgc_error *err) {
    PGC_CLEANUP(message_release) struct message message = { .sql = PGC_BUF_INIT };
    *failed = from;
    enum pgc_code code = build(run, &message, from, count, err);
    if (code != PGC_OK)
        return code;
    for (int64_t tries = 0;;) {
        code = pgc__run_exec(run, &message.sql, err);
        if (code == PGC_OK)
            return code;
        if (code != PGC_E_CANCELLED && err->sqlstate[0] != '\0') {
            place_fault(run, &message, failed, err);
            hint(run, err);
        }
        pgc__run_roll_back(run);
        if (!pgc__run_try_again(run, &run->plan->steps[*failed], &tries, err))
            return code;
        code = pgc_check_cancelled(run->migrate->rt, err);
        if (code == PGC_OK)
            code = refresh(run, err);
        if (code != PGC_OK)
            return code;
    }
}
