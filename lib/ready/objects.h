#ifndef PGC_READY_OBJECTS_H
#define PGC_READY_OBJECTS_H
/* Extensions and tables that must exist. Names go to the server as parameters, never into SQL text. */
#include "ready/ready.h"

PGC_MUST_USE enum pgc_code pgc_ready_check_extensions(const struct pgc_ready_spec *spec, struct pgc_probe *probe,
                                                      int64_t deadline, const struct pgc_runtime *rt,
                                                      struct pgc_ready_report *report, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_ready_check_tables(const struct pgc_ready_spec *spec, struct pgc_probe *probe,
                                                  int64_t deadline, const struct pgc_runtime *rt,
                                                  struct pgc_ready_report *report, struct pgc_error *err);

/* Pure: 'schema.table' or 'table', each part as it is or in double quotes ("" inside is one quote). `folded` tells
 * whether a part was unquoted and may be compared in lower case, too. false: empty part or unbalanced quote. */
struct pgc_ready_name {
    char schema[160]; /* "" when none was given */
    char table[160];
    char schema_folded[160]; /* lower case when unquoted, the same as above else */
    char table_folded[160];
};
bool pgc_ready_name_parse(const char *text, struct pgc_ready_name *out);
#endif
