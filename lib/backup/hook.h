#ifndef PGC_BACKUP_HOOK_H
#define PGC_BACKUP_HOOK_H
/* A program of other people's that runs before or after a run of backups: an argument vector, never a shell.
 *
 *     PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
 *     code = pgc_hook_parse("[\"/usr/local/bin/freeze\", \"on\"]", &argv, err);
 *     struct pgc_hook_call call = { .vars = &vars, .limit_ms = 60000 };
 *     code = pgc_hook_run(&argv, &call, rt, err);
 *
 * What it prints, on stdout or stderr, goes to the log line by line ("backup.hook"). Its environment is made anew, so that no
 * secret of ours leaks into it: what every program wants (PATH, HOME, LANG, TZ, ...), where the server is (PGHOST, PGPORT, PGUSER,
 * PGDATABASE), `vars`, and what `pass` asks for by name. */
#include <pgc/runtime.h>

#include "base/array.h"

/* A JSON array of texts, the first one the program. Anything else is PGC_E_USAGE. */
PGC_MUST_USE enum pgc_code pgc_hook_parse(const char *json, struct pgc_strings *out, struct pgc_error *err);

struct pgc_hook_call {
    const struct pgc_strings *vars; /* "PGC_JOB=nightly", ... */
    const struct pgc_strings *pass; /* names of variables of our own that it gets too; may be NULL */
    const char *input;              /* what it finds on stdin; NULL: nothing */
    int64_t limit_ms;               /* how long it may run; 0: no limit */
};
/* PGC_OK only for exit status 0. PGC_E_CHILD tells the status and its last words, PGC_E_TIMEOUT that it was ended;
 * PGC_E_CANCELLED when asked to stop (an undisturbed runtime lets it finish). */
PGC_MUST_USE enum pgc_code pgc_hook_run(const struct pgc_strings *argv, const struct pgc_hook_call *call,
                                        const struct pgc_runtime *rt, struct pgc_error *err);
#endif
