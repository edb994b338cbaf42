#ifndef PGC_MIGRATE_SHAPE_H
#define PGC_MIGRATE_SHAPE_H
/* How a script has to be run, found by reading it. Pure.
 *
 *   TRANSACTION  one message: begin, script, ledger, commit
 *   STATEMENTS   it holds what cannot run in a transaction, or controls transactions itself, or is marked so:
 *                statement by statement, progress in the ledger
 *   PSQL         it holds psql's meta-commands or COPY data: through the script engine, in a transaction unless
 *                `outside` says otherwise */
#include "migrate/set.h"

enum pgc_shape_mode { PGC_SHAPE_TRANSACTION, PGC_SHAPE_STATEMENTS, PGC_SHAPE_PSQL };

enum pgc_statement_kind {
    PGC_STATEMENT_PLAIN,
    PGC_STATEMENT_OUTSIDE, /* PostgreSQL refuses it inside a transaction block */
    PGC_STATEMENT_BEGIN,
    PGC_STATEMENT_END,   /* commit, rollback, prepare transaction */
    PGC_STATEMENT_CALLS, /* call, do: may end transactions by itself */
};

struct pgc_shape_statement {
    size_t offset, end; /* bytes of the script's text */
    size_t line;        /* of the file */
    enum pgc_statement_kind kind;
};

struct pgc_shape {
    enum pgc_shape_mode mode;
    bool outside;  /* no transaction around it */
    bool settings; /* it may leave something in the session: settings, role, temporary tables, prepared statements */
    char why
        [160]; /* what made it so, with its line: "CREATE INDEX CONCURRENTLY in line 3 cannot run in a transaction"; or "" */
    struct pgc_shape_statement *statements;
    size_t count, cap;
};
#define PGC_SHAPE_INIT                                                                                                 \
    { 0 }

void pgc_shape_release(struct pgc_shape *shape);
/* PGC_E_DATA for a script marked transaction:true that ends the transaction itself. */
PGC_MUST_USE enum pgc_code pgc_shape_read(struct pgc_shape *shape, const struct pgc_migration_script *script,
                                          struct pgc_error *err);

/* Kind of one statement by its first keywords. `what` (may be NULL) gets the words that say so: "VACUUM". */
enum pgc_statement_kind pgc_statement_kind(const char *sql, size_t len, char what[64]);
struct pgc_statement_token {
    size_t offset, end; /* bytes of the statement */
    char word[64];      /* as pgc_statement_words gives it */
};
size_t pgc_statement_tokens(const char *sql, size_t len, struct pgc_statement_token *tokens, size_t max);
/* The words of a statement outside quotes and comments, upper case, at most `max` of them into rows of 64 bytes;
 * quoted identifiers keep their case and lose their quotes, other characters are words of their own. */
size_t pgc_statement_words(const char *sql, size_t len, char (*words)[64], size_t max);
#endif
