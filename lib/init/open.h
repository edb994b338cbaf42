#ifndef PGC_INIT_OPEN_H
#define PGC_INIT_OPEN_H
/* The SQL text of a step as a source: decompressed when the step is compressed. */
#include "init/step.h"
#include "io/stream.h"

PGC_MUST_USE enum pgc_code pgc_init_open_sql(const struct pgc_init_step *step, struct pgc_source **out,
                                             struct pgc_error *err);
bool pgc_init_is_sql(enum pgc_init_kind kind);
#endif
