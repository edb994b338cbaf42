#ifndef PGC_BASE_CSV_H
#define PGC_BASE_CSV_H
/* The first record of a CSV file: its column names. Pure.
 *
 *     code = pgc_csv_header("id,\"full name\"\n1,Ann\n", 22, true, ',', &columns, err);   // "id", "full name"
 *
 * A byte order mark is skipped, CR LF and LF end the record, quotes double inside quotes, a quoted name may hold line
 * breaks. What comes after the record is not looked at. */
#include "base/array.h"

/* `whole` tells that text is all there is: without it a record that does not end is not complete yet.
 * PGC_E_DATA for no header, an empty or repeated name, an open quote, or a record that does not end within len. */
PGC_MUST_USE enum pgc_code pgc_csv_header(const char *text, size_t len, bool whole, char delimiter,
                                          struct pgc_strings *out, struct pgc_error *err);
#endif
