#ifndef PGC_BACKUP_PRINTS_RUN_H
#define PGC_BACKUP_PRINTS_RUN_H
/* The fingerprint taken in a thread of its own, while the caller streams the dump of the same snapshot.
 *
 *     PGC_AUTO(pgc_prints_run_free) struct pgc_prints_run *run = NULL;
 *     code = pgc_prints_run_start(conn, &stop, kind, &prints, &run, err);
 *     ... in between: if (pgc_prints_run_failed(run)) there is no point in going on ...
 *     code = pgc_prints_run_end(run, err);      // waits
 *
 * Until the end (or free, which stops it first) connection and prints belong to the thread. The connection must have been
 * opened with &stop->rt as its runtime: so the query under way can be stopped. */
#include "backup/facts.h"
#include "os/stop.h"

struct pgc_prints_run;
PGC_MUST_USE enum pgc_code pgc_prints_run_start(struct pgc_conn *conn, struct pgc_stop *stop, enum pgc_fingerprint kind,
                                                struct pgc_prints *prints, struct pgc_prints_run **out,
                                                struct pgc_error *err);
/* True once the thread has ended with an error, which pgc_prints_run_end tells. */
bool pgc_prints_run_failed(const struct pgc_prints_run *run);
PGC_MUST_USE enum pgc_code pgc_prints_run_end(struct pgc_prints_run *run, struct pgc_error *err);
/* NULL is fine. */
void pgc_prints_run_free(struct pgc_prints_run *run);
PGC_DEFINE_AUTO(pgc_prints_run_free, struct pgc_prints_run *)
#endif
