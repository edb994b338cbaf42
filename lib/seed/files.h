#ifndef PGC_SEED_FILES_H
#define PGC_SEED_FILES_H
/* Which files a seed consists of.
 *
 * A folder stands for its .sql, .csv and .tsv files in the byte order of their names (sub-folders, hidden files and other
 * endings are not looked at); a file stands for itself. The name of a file is its base name: the ledger knows files
 * by it, so that the same seeds are recognised wherever they are mounted. */
#include <pgc/error.h>
#include <stdint.h>

#include "base/array.h"

enum pgc_seed_kind { PGC_SEED_SQL, PGC_SEED_CSV, PGC_SEED_TSV };

struct pgc_seed_file {
    char *path;
    const char *name; /* base name, inside path */
    enum pgc_seed_kind kind;
    uint64_t bytes;
    char sha256[65];
    struct pgc_strings columns; /* of CSV and TSV */
};
struct pgc_seed_files {
    struct pgc_seed_file *items;
    size_t count, cap;
};
void pgc_seed_files_release(struct pgc_seed_files *files);

/* Reads every file once: its hash and, of CSV, its header. PGC_E_USAGE for a file with another ending or two files of
 * the same name, PGC_E_NOT_FOUND, PGC_E_DATA for a bad header. */
PGC_MUST_USE enum pgc_code pgc_seed_files_collect(const struct pgc_strings *paths, struct pgc_seed_files *out,
                                                  struct pgc_error *err);

/* The table that a file name means: "orders.csv", "shop.orders.csv", "10_orders.csv" (a leading number with `_`, `-` or
 * `.` behind it is only for the order). `strip` takes the number off. *schema is "" when there is none.
 * False: no table name in it. Pure. */
bool pgc_seed_table_name(const char *name, bool strip, char *schema, char *table, size_t size);
#endif
