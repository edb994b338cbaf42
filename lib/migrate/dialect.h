#ifndef PGC_MIGRATE_DIALECT_H
#define PGC_MIGRATE_DIALECT_H
/* What differs between migration formats: one file, one vtable, one line in dialects[] (dialect.c).
 *
 * Recipe: a new format
 *   1. lib/migrate/dialect_<name>.c with `const struct pgc_dialect pgc_dialect_<name>`;
 *   2. one line in dialects[] of dialect.c;
 *   3. a folder and the old tool's own SQL in tests/it/migrate_ledgers.py.
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
    /* What only a server knows, for placeholders such as ${flyway:database}. NULL while not connected: then they stay as they
     * are, and the set says so (wants_server). */
    const char *database, *owner, *user, *schema, *time;
    const char *table; /* the ledger's, when it is not the usual one */
};

/* Where a ledger is. */
struct pgc_ledger_place {
    const char *schema;    /* never NULL */
    const char *table;     /* never NULL */
    const char *qualified; /* both quoted: "public"."schema_migrations" */
    const char *database;  /* current_database() */
    const char *columns;   /* of the table as found, "version:bigint dirty:boolean "; "" while there is none */
    bool schema_exists;
};

/* Room for the advisory keys that an old tool takes on one ledger. */
#define PGC_LEDGER_KEYS_MAX ((size_t)2)

/* A ledger as data: what differs is SQL with words in braces (dialect_ledger.h has the list and puts the values in). */
struct pgc_dialect_ledger {
    const char *schema; /* usual place; schema NULL: current_schema() */
    const char *table;
    /* True when the ledger holds only the newest version: every older one counts as applied. */
    bool high_water;
    /* Is a table with these columns ("name:type " in order of definition, types as format_type shows them) this ledger? */
    bool (*recognise)(const char *columns);
    /* Makes the table when it is not there; may be several statements. The schema is made before. */
    const char *create;
    const char *upgrade; /* instead, when a table that is there lacks the column `newest` ("name:text ") */
    const char *newest;
    const char *create_int8; /* instead, when a version of the folder needs more than 32 bits; NULL: the same */
    /* How a row is read: SQL expressions, NULL where the ledger has nothing of the kind. */
    struct {
        const char *version;    /* as in the files; null for repeatable ones */
        const char *name;       /* description; repeatable ones are found by it */
        const char *file;       /* file name inside the folder */
        const char *checksum;   /* in the form of pgc_migration.own_checksum */
        const char *state;      /* 'applied', 'failed', 'baseline' or 'ignored' (no migration); NULL: 'applied' */
        const char *applied_at; /* RFC 3339 UTC: PGC_LEDGER_TIME(column) */
        const char *who;
        const char *duration_ms;
        const char *from;  /* with its condition; NULL: {table} */
        const char *order; /* of application; NULL: one row at most */
    } read;
    /* Statements that record a migration as applied, take it out again, and note its changed text as right (only where there
     * are checksums), each ended by a semicolon. down NULL: the row whose version is {version} is deleted. */
    const char *up, *down, *accept;
    /* The checksum that this table wants of a migration; NULL: its own_checksum. */
    const char *(*checksum)(const struct pgc_ledger_place *place, const struct pgc_migration *migration);
    int64_t lock_key; /* advisory lock that the old tool takes; 0: none, or lock_keys computes it */
    size_t (*lock_keys)(const struct pgc_ledger_place *place, int64_t keys[PGC_LEDGER_KEYS_MAX]);
};
/* A column of time as RFC 3339 in UTC; of times without a zone that of the session is meant. */
#define PGC_LEDGER_TIME(column)                                                                                        \
    "to_char((" column ")::timestamptz at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
/* How long the transaction under way has taken so far, in parts of a second. */
#define PGC_LEDGER_ELAPSED(parts) "greatest(0, (extract(epoch from clock_timestamp() - now()) * " parts ")::bigint)"

/* What is known when files for a new migration are made. */
struct pgc_fresh_request {
    const struct pgc_folder *folder;
    const char *dir;
    const char *name;     /* as said by a person */
    int64_t time_seconds; /* since 1970 */
};

/* A file for a new migration; {version} and {name} in its name become those. */
struct pgc_fresh_file {
    const char *name, *text;
};

/* How new files look (fresh.h). */
struct pgc_dialect_fresh {
    const char *first;      /* version in an empty folder; one of 14 digits stands for the time, so does NULL */
    const char *separators; /* that may stand between digits of a version; NULL: none */
    const char *letters;    /* one of which stands before a version; NULL: none */
    bool recursive;         /* files in folders below count */
    bool plain;             /* the name holds letters, digits and underscores only */
    struct pgc_fresh_file files[2];
    struct pgc_fresh_file pair[2]; /* instead, in folders that are `paired` */
    bool (*paired)(const struct pgc_folder *folder);
    /* A file that stands for everything up to {version}, and what it begins with; name NULL: the format has none. */
    struct pgc_fresh_file baseline;
    /* Beside a baseline whose text holds "${", so that nothing is replaced there; NULL: nothing is needed. */
    const char *baseline_conf;
    /* Last word on the files in `out`, which may become more; those that are in the folder already are replaced. */
    enum pgc_code (*finish)(const struct pgc_fresh_request *request, struct pgc_folder *out, struct pgc_error *err);
};

struct pgc_dialect {
    const char *name; /* "dbmate": value of --format and in reports */
    /* How well the folder fits, by names and content: 0 not at all, 100 cannot be anything else. */
    int (*detect)(const struct pgc_folder *folder);
    /* Fills the set and finishes it. Malformed files are PGC_E_DATA with "path:line: what". */
    PGC_MUST_USE enum pgc_code (*parse)(const struct pgc_folder *folder, const struct pgc_dialect_options *options,
                                        struct pgc_migration_set *set, struct pgc_error *err);
    const struct pgc_dialect_ledger *ledger; /* NULL: it has only ours */
    const struct pgc_dialect_fresh *fresh;
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
/* PGC_E_DATA when the folder cannot be of that format: its content is unmistakably that of another one. */
PGC_MUST_USE enum pgc_code pgc_dialect_check(const struct pgc_dialect *dialect, const struct pgc_folder *folder,
                                             struct pgc_error *err);
/* The value of "name=value" in options->variables, NULL when there is none. */
const char *pgc_dialect_variable(const struct pgc_dialect_options *options, const char *name, size_t len);

/* For detect(): files of the folder itself whose name ends with `suffix`, and how many of them hold a line that begins
 * with `text` (leading blanks of the line are skipped; letters compare without case). */
size_t pgc_dialect_count_names(const struct pgc_folder *folder, const char *suffix);
size_t pgc_dialect_count_lines(const struct pgc_folder *folder, const char *suffix, const char *text);

/* The text with the line ends "\n" or "\r\n": a file that only changed them counts as unchanged, though the checksum of its
 * format says otherwise. */
void pgc_dialect_put_lines(struct pgc_buf *out, const char *text, size_t len, const char *line_end);

/* For parse(): calls `each` for every .sql file of the folder itself. */
typedef enum pgc_code pgc_dialect_file_fn(const struct pgc_folder_file *file, const struct pgc_dialect_options *options,
                                          struct pgc_migration_set *set, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_dialect_each_sql(const struct pgc_folder *folder,
                                                const struct pgc_dialect_options *options,
                                                struct pgc_migration_set *set, pgc_dialect_file_fn *each,
                                                struct pgc_error *err);
/* A new entry for a file "VERSION_name.sql": the version is its first `digits` bytes. */
PGC_MUST_USE enum pgc_code pgc_dialect_new(const struct pgc_folder_file *file, size_t digits,
                                           struct pgc_migration_set *set, struct pgc_migration **out,
                                           struct pgc_error *err);

/* SQL text without a server: 'it''s' (E'' with doubled backslashes where there is one; right for either setting of
 * standard_conforming_strings), NULL becomes null; "quo""ted". */
void pgc_sql_literal(struct pgc_buf *sql, const char *text);
void pgc_sql_ident(struct pgc_buf *sql, const char *name);
#endif
