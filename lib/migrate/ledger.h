#ifndef PGC_MIGRATE_LEDGER_H
#define PGC_MIGRATE_LEDGER_H
/* What a database says about which migrations it has. The value is pure; reading and the SQL that writes are below.
 *
 * Our own ledger is the table pgc.migrations (the schema is a choice): one row per migration that is in the database,
 * written in the migration's own transaction. Rows that leave it (down, a repeatable one run again, repair, mark) move
 * to pgc.migration_history. Foreign ledgers are read and written through the dialect. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/buf.h"
#include "migrate/dialect.h"

enum pgc_ledger_state {
    PGC_LEDGER_APPLIED,
    PGC_LEDGER_BASELINE,  /* recorded by `baseline`: this version and everything older counts as applied */
    PGC_LEDGER_APPLYING,  /* a script outside a transaction is half through: see done */
    PGC_LEDGER_REVERTING, /* the same for its down script */
    PGC_LEDGER_FAILED,    /* another tool says that it broke here */
    PGC_LEDGER_IGNORED,
};

struct pgc_ledger_row {
    char *version; /* NULL for repeatable ones */
    char *name;
    char *file;     /* NULL when the ledger does not know it */
    char *checksum; /* SHA-256 for ours, the format's own for foreign ones; NULL when it has none */
    enum pgc_ledger_state state;
    char *applied_at; /* RFC 3339 UTC; these may be NULL */
    char *started_at;
    char *who;
    char *tool;
    int64_t duration_ms; /* -1 unknown */
    size_t done;         /* APPLYING, REVERTING: statements that are finished */
    char *done_checksum; /* SHA-256 over the text of those statements */
    bool in_flight;      /* the statement after `done` was started; it may or may not have happened */
    char *error;         /* why it stopped, when it could say so */
};

struct pgc_ledger {
    struct pgc_ledger_row *rows; /* in order of application */
    size_t count, cap;
    bool exists;     /* the table is there */
    int backend_pid; /* of the connection that read it, as the server says it; 0 unknown */
};
#define PGC_LEDGER_INIT                                                                                                \
    { 0 }
void pgc_ledger_release(struct pgc_ledger *ledger);
/* An empty row at the end (duration_ms -1), valid until the next call. NULL: no memory. */
struct pgc_ledger_row *pgc_ledger_add(struct pgc_ledger *ledger);
/* Does a row say anything about a migration? */
bool pgc_ledger_counts(const struct pgc_ledger *ledger);
const char *pgc_ledger_state_name(enum pgc_ledger_state state);
PGC_MUST_USE bool pgc_ledger_state_parse(const char *text, enum pgc_ledger_state *state);

/* The key under which our ledger keeps a migration: its version without leading zeros ("7", "1.10"), or "R:name". */
void pgc_ledger_key(struct pgc_buf *out, const struct pgc_migration *migration);
/* The version part alone: leading zeros and trailing groups of zero are gone ("1.0" is "1", "0" stays "0"). */
void pgc_ledger_version_key(struct pgc_buf *out, const char *version);

/* SQL of our own ledger, with its schema put in (the files in sql/ name it pgc). Pure. */
struct pgc_ledger_native {
    const char *schema;       /* "pgc" */
    const char *tool_version; /* "pgc 0.1.0" */
    const char *who;          /* NULL: session_user */
};
/* Appends an embedded statement, every `pgc.` in it replaced by the quoted schema. */
void pgc_ledger_sql(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const char *embedded);
/* Insert of a migration that ran in the transaction under way (its start is the transaction's). */
void pgc_ledger_sql_up(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                       enum pgc_ledger_state state);
/* Insert of a migration that another tool has applied: with the row's time, user and duration as far as it has them. */
void pgc_ledger_sql_copy(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                         const struct pgc_ledger_row *row);
/* The same in two parts for many migrations in one session: parsed and planned once. */
void pgc_ledger_sql_prepare(struct pgc_buf *sql, const struct pgc_ledger_native *ledger);
void pgc_ledger_sql_execute(struct pgc_buf *sql, const struct pgc_migration *m);
/* Moves the row to the history: action "down", "rerun", "repair", "mark". */
void pgc_ledger_sql_remove(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const char *key,
                           const char *action);
/* Progress of a script outside a transaction. begin makes the row (or turns an applied one into 'reverting'),
 * progress sets done and its checksum, finish turns it into 'applied' (removes it for down). */
void pgc_ledger_sql_begin(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                          bool down);
struct pgc_ledger_progress {
    size_t done;
    bool in_flight;
};
/* Fails with PGC_LEDGER_LOST in its message unless the row says `from`: two runs never both go on. */
void pgc_ledger_sql_progress(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                             struct pgc_ledger_progress from, struct pgc_ledger_progress to, const char *done_checksum);
/* `settled`: what failed is known to have had no effect; else in_flight stays as it is. */
void pgc_ledger_sql_error(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                          const char *message, bool settled);
#define PGC_LEDGER_LOST "the migration lock is lost: another run has taken over"
void pgc_ledger_sql_finish(struct pgc_buf *sql, const struct pgc_ledger_native *ledger, const struct pgc_migration *m,
                           bool down);
#endif
