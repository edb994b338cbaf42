#ifndef PGC_INIT_PREFLIGHT_H
#define PGC_INIT_PREFLIGHT_H
/* What can be known to go wrong before anything is done to the database.
 *
 * Fatal: a file that cannot be read, CR LF line ends in a shell script, an interpreter that is not there, a byte order mark in a
 * shell script, an executable script of unknown make, compressed data that does not decompress, a quote, comment or \if that is
 * still open at the end of an SQL file. Warnings: unknown types, a sourced script with the first line of another language. */
#include "init/shell.h"
#include "init/step.h"

struct pgc_init_finding {
    bool fatal;
    const struct pgc_init_step *step;
    unsigned long line; /* 0: the file as a whole */
    char *message;
};

struct pgc_init_findings {
    struct pgc_init_finding *items;
    size_t count, cap;
    size_t fatal_count;
};
#define PGC_INIT_FINDINGS_INIT                                                                                         \
    { NULL, 0, 0, 0 }

/* Looks at one step; `shell` tells which interpreters are in PATH. Findings point at `step`: keep it as long as them. */
PGC_MUST_USE enum pgc_code pgc_init_preflight(const struct pgc_init_step *step, const struct pgc_init_shell *shell,
                                              struct pgc_init_findings *findings, struct pgc_error *err);
void pgc_init_findings_release(struct pgc_init_findings *findings);

/* True when an SQL step can run inside one transaction: no \connect, no transaction commands of its own, no statement that
 * refuses to run in a transaction block. */
PGC_MUST_USE enum pgc_code pgc_init_fits_transaction(const struct pgc_init_step *step, bool *fits,
                                                     struct pgc_error *err);
#endif
