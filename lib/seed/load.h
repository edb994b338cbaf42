#ifndef PGC_SEED_LOAD_H
#define PGC_SEED_LOAD_H
/* Loads seed files into a database: all of them or none.
 *
 *     PGC_CLEANUP(pgc_seed_files_release) struct pgc_seed_files files = { 0 };
 *     code = pgc_seed_files_collect(&paths, &files, err);
 *     PGC_CLEANUP(pgc_seed_report_release) struct pgc_seed_report report = { 0 };
 *     code = pgc_seed_load(conn, &files, &options, rt, &report, err);
 *
 * One transaction holds everything, the ledger pgc.seed(name, sha256, rows, loaded_at) too. A file that the ledger knows
 * with the same hash is left out; a changed one runs again. A second load waits for the first one (advisory lock).
 *
 * .sql files run as psql would run them (variables, \\i, COPY with its data; no shell); they must neither end the
 * transaction nor connect elsewhere. .csv and .tsv files go by COPY into the table that the
 * file name means, columns by header; neighbours among them are ordered so that referenced tables come first. Afterwards
 * the sequences of every table that got rows (serial and identity columns) go on behind the highest value. */
#include <pgc/runtime.h>

#include "pg/conn.h"
#include "seed/files.h"

struct pgc_seed_options {
    bool truncate; /* empty the tables of the CSV files first (one TRUNCATE, restart identity), then load all of them */
    bool force;    /* load also what the ledger knows */
};

struct pgc_seed_table {
    char *name; /* as the server prints it */
    uint64_t rows;
};
struct pgc_seed_result {
    char *name;  /* of the file */
    bool loaded; /* false: unchanged since it was loaded */
    uint64_t rows;
    int64_t ms;
    struct pgc_seed_table *tables; /* tables that got rows */
    size_t count, cap;
};
struct pgc_seed_report {
    struct pgc_seed_result *items; /* in the order of loading */
    size_t count, cap;
    uint64_t rows;
    size_t sequences; /* reset */
};
void pgc_seed_report_release(struct pgc_seed_report *report);

PGC_MUST_USE enum pgc_code pgc_seed_load(struct pgc_conn *conn, const struct pgc_seed_files *files,
                                         const struct pgc_seed_options *options, const struct pgc_runtime *rt,
                                         struct pgc_seed_report *report, struct pgc_error *err);
#endif
