#ifndef PGC_SCRIPT_PRINT_H
#define PGC_SCRIPT_PRINT_H
/* Query results as psql shows them: aligned, unaligned, CSV; with or without headers, one line per row or per field. */
#include "base/buf.h"
#include "pg/raw.h"

enum pgc_print_format { PGC_PRINT_ALIGNED, PGC_PRINT_UNALIGNED, PGC_PRINT_CSV };

struct pgc_print {
    enum pgc_print_format format;
    bool expanded;
    bool tuples_only;
    bool footer; /* "(2 rows)" */
    int border;  /* 0, 1, 2 */
    char field_separator[32];
    char record_separator[32];
    char csv_separator;
    char null_text[64];
    char title[256];
};
#define PGC_PRINT_INIT                                                                                                 \
    { PGC_PRINT_ALIGNED, false, false, true, 1, "|", "\n", ',', "", "" }

/* Appends the whole table. */
void pgc_print_rows(struct pgc_buf *out, const struct pgc_conn *conn, const struct pgc_raw_result *result,
                    const struct pgc_print *style);
#endif
