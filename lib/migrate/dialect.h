#ifndef PGC_MIGRATE_DIALECT_H
#define PGC_MIGRATE_DIALECT_H
/* What differs between migration formats: one file, one vtable, one line in dialects[] (dialect.c).
 *
 * Recipe: a new format
 *   1. lib/migrate/dialect_<name>.c with `const struct pgc_dialect pgc_dialect_<name>`;
 *   2. one line in dialects[] of dialect.c;
 *   3. fixtures: tests/fixtures/migrate/<name>/ and a row in tests/it/migrate_foreign.sh.
 *
 * Everything is a pure function: a folder becomes a set, a ledger operation becomes SQL text. The engine sends that text
 * inside the migration's own transaction, always with the table's name qualified, whatever the migration did to search_path. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/buf.h"
#include "migrate/set.h"

struct pgc_dialect_options {
    const struct pgc_strings *variables; /* "name=value": placeholders, template data; NULL: none */
    /* Environment of formats that ask for it (goose's ENVSUB); NULL: every variable is unset. */
    const char *(*env)(void *arg, const char *name);
    void *env_arg;
    const char *database; /* for placeholders such as ${flyway:database}; NULL while not connected */
    const char *user;
    const char *schema;
};

/* Where a ledger is. */
struct pgc_ledger_place {
    const char *schema;    /* never NULL */
    const char *table;     /* never NULL */
    const char *qualified; /* both quoted: "public"."schema_migrations" */
    const char *database;  /* current_database() */
    const char *columns;   /* of the table as found, "version:bigint dirty:boolean "; "" while there is none */
};

/* What is written about a migration besides itself. Times and the user are the server's (clock_timestamp(), current_user). */
struct pgc_ledger_note {
    const char *tool_version; /* "pgc 0.1.0" */
    const char *who;          /* user name of the person or job */
    bool success;             /* false: a script outside a transaction that began and is not finished */
    bool faked;               /* recorded without being run (mark applied, baseline) */
};

struct pgc_dialect_ledger {
    const char *schema; /* usual place; schema NULL: current_schema() */
    const char *table;
    /* True when the ledger holds only the newest version: every older one counts as applied. */
    bool high_water;
    /* Is a table with these columns ("name:type " in order of definition, types as format_type shows them) this ledger? */
    bool (*recognise)(const char *columns);
    /* SQL that creates it, with schema, when it is not there; may be several statements. */
    void (*create)(struct pgc_buf *sql, const struct pgc_ledger_place *place);
    /* One select, in order of application, with exactly these columns:
     *   version text        as in the files; null for repeatable ones
     *   name text           description (repeatable ones are found by it), may be null
     *   file text           file name where the ledger has it, else null
     *   checksum text       in the form of pgc_migration.own_checksum, null when it has none
     *   state text          'applied', 'failed', 'baseline' or 'ignored' (rows that are no migrations)
     *   applied_at text     RFC 3339 UTC or null
     *   who text            or null
     *   duration_ms bigint  or null */
    void (*read)(struct pgc_buf *sql, const struct pgc_ledger_place *place);
    /* Statements that record the migration as applied / take it out again. `previous` is the version that is newest
     * afterwards (high-water ledgers; NULL: none is left). Each statement ends with a semicolon. */
    void (*record_up)(struct pgc_buf *sql, const struct pgc_ledger_place *place, const struct pgc_migration *migration,
                      const struct pgc_ledger_note *note);
    void (*record_down)(struct pgc_buf *sql, const struct pgc_ledger_place *place,
                        const struct pgc_migration *migration, const char *previous,
                        const struct pgc_ledger_note *note);
    /* The advisory lock that the old tool takes on this ledger; false: it takes none. `xact`: it takes a transaction's lock. */
    bool (*lock_key)(const struct pgc_ledger_place *place, int64_t *key);
};

struct pgc_dialect {
    const char *name; /* "dbmate": value of --format and in reports */
    /* How well the folder fits, by names and content: 0 not at all, 100 cannot be anything else. */
    int (*detect)(const struct pgc_folder *folder);
    /* Fills the set and finishes it. Malformed files are PGC_E_DATA with "path:line: what". */
    PGC_MUST_USE enum pgc_code (*parse)(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                                        struct pgc_migration_set *set, struct pgc_error *err);
    const struct pgc_dialect_ledger *ledger; /* NULL: it has only ours */
};

extern const struct pgc_dialect pgc_dialect_native;
extern const struct pgc_dialect pgc_dialect_dbmate;
extern const struct pgc_dialect pgc_dialect_golang;
extern const struct pgc_dialect pgc_dialect_goose;
extern const struct pgc_dialect pgc_dialect_flyway;
extern const struct pgc_dialect pgc_dialect_sqlx;
extern const struct pgc_dialect pgc_dialect_diesel;
extern const struct pgc_dialect pgc_dialect_refinery;
extern const struct pgc_dialect pgc_dialect_tern;
extern const struct pgc_dialect pgc_dialect_atlas;
extern const struct pgc_dialect pgc_dialect_graphile;
extern const struct pgc_dialect pgc_dialect_sqlmigrate;
extern const struct pgc_dialect pgc_dialect_supabase;

/* NULL-terminated; native first. */
const struct pgc_dialect *const *pgc_dialects(void);
/* PGC_E_USAGE with the list of names when unknown. */
PGC_MUST_USE enum pgc_code pgc_dialect_find(const char *name, const struct pgc_dialect **out, struct pgc_error *err);
/* The best fit; the native one for an empty folder. PGC_E_DATA when two fit equally well: "the folder looks like
 * 'a' and like 'b'; say which with --format". */
PGC_MUST_USE enum pgc_code pgc_dialect_detect(const struct pgc_folder *folder, const struct pgc_dialect **out,
                                              struct pgc_error *err);
/* The value of "name=value" in options->variables, NULL when there is none. */
const char *pgc_dialect_variable(const struct pgc_dialect_options *options, const char *name, size_t len);

/* For detect(): files of the folder itself whose name ends with `suffix`, and how many of them hold a line that begins
 * with `text` (leading blanks of the line are skipped; letters compare without case). */
size_t pgc_dialect_count_names(const struct pgc_folder *folder, const char *suffix);
size_t pgc_dialect_count_lines(const struct pgc_folder *folder, const char *suffix, const char *text);

/* SQL text without a server: 'it''s' (E'' with doubled backslashes where there is one; right for either setting of
 * standard_conforming_strings), NULL becomes null; "quo""ted". */
void pgc_sql_literal(struct pgc_buf *sql, const char *text);
void pgc_sql_ident(struct pgc_buf *sql, const char *name);
#endif
