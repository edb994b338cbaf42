#ifndef PGC_BACKUP_FACTS_H
#define PGC_BACKUP_FACTS_H
/* What is read from the server about a database: facts for the manifest, and the fingerprint of its content.
 *
 * The fingerprint is taken inside the snapshot that pg_dump uses too, so that it describes exactly what was dumped. It does not
 * depend on the order of rows: per table the number of rows and the sum of a 64-bit hash of each row as text. Numbers of
 * different majors of PostgreSQL may differ where the text form of a type differs; rows of floats are taken with
 * extra_float_digits, dates and intervals in ISO form, times in UTC. */
#include "backup/manifest.h"
#include "pg/conn.h"

enum pgc_fingerprint { PGC_FINGERPRINT_NONE, PGC_FINGERPRINT_COUNTS, PGC_FINGERPRINT_CONTENTS };
const char *pgc_fingerprint_name(enum pgc_fingerprint kind);
/* PGC_E_USAGE for any other text than "none", "counts", "contents". */
PGC_MUST_USE enum pgc_code pgc_fingerprint_parse(const char *text, enum pgc_fingerprint *out, struct pgc_error *err);

/* Sets the session up for long reads: no timeouts of the server's own, lock_wait_ms for locks, row security off (a
 * dump of the rows that a policy lets through would be a lie), text forms that do not depend on the server's settings. */
PGC_MUST_USE enum pgc_code pgc_facts_prepare(struct pgc_conn *conn, int64_t lock_wait_ms, struct pgc_error *err);

/* Fills the server's and the database's members of the manifest, and roles. *may_read_passwords: pg_authid is readable. */
PGC_MUST_USE enum pgc_code pgc_facts_read(struct pgc_conn *conn, struct pgc_manifest *out, bool *may_read_passwords,
                                          struct pgc_error *err);

struct pgc_table_print {
    char *name;   /* "schema.table", quoted as SQL */
    int64_t rows; /* -1: not counted */
    char *hash;   /* decimal sum, NULL: not taken */
};
struct pgc_prints {
    enum pgc_fingerprint kind;
    struct pgc_table_print *items; /* in byte order of schema and name */
    size_t count, cap;
};
#define PGC_PRINTS_INIT                                                                                                \
    { PGC_FINGERPRINT_NONE, NULL, 0, 0 }
void pgc_prints_release(struct pgc_prints *prints);
/* Locks every table that a dump reads against change of its form, as pg_dump does, in the transaction that is open on conn: what
 * makes a dump impossible (PGC_E_LOCKED after the lock timeout, PGC_E_AUTH) is known, with its table, before one begins. */
PGC_MUST_USE enum pgc_code pgc_facts_lock_tables(struct pgc_conn *conn, struct pgc_error *err);
/* In the transaction that is open on conn. NONE lists the tables only. */
PGC_MUST_USE enum pgc_code pgc_prints_take(struct pgc_conn *conn, enum pgc_fingerprint kind, struct pgc_prints *out,
                                           struct pgc_error *err);
/* As JSON, the content of the artefact "contents". */
void pgc_prints_write(const struct pgc_prints *prints, struct pgc_buf *out);
PGC_MUST_USE enum pgc_code pgc_prints_parse(const char *text, size_t len, struct pgc_prints *out,
                                            struct pgc_error *err);
/* One line per difference is appended to `out` ("public.t: 10 rows, the backup has 12"); their number is returned. */
size_t pgc_prints_compare(const struct pgc_prints *backup, const struct pgc_prints *restored, struct pgc_buf *out);
int64_t pgc_prints_rows(const struct pgc_prints *prints); /* -1: not counted */
#endif
