#ifndef PGC_BACKUP_METRICS_H
#define PGC_BACKUP_METRICS_H
/* Metrics of jobs in Prometheus' text format. Pure.
 *
 * Every sample has the label job_name (`job` belongs to Prometheus and to Pushgateways). pgc_backup_... is of backups,
 * pgc_backup_verify_... of verifications, with the name of the job whose backups they verify, pgc_backup_task_... of other commands:
 *     ..._last_success_timestamp_seconds, ..._last_attempt_timestamp_seconds, ..._last_duration_seconds, ..._runs_total{result},
 *     ..._next_run_timestamp_seconds, ..._running, ..._healthy
 * and for backups pgc_backup_last_size_bytes and pgc_backup_verified_timestamp_seconds. 0 is never. */
#include "backup/agenda.h"

/* What a scheduler knows. */
void pgc_metrics_write(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s);
/* What one run without a scheduler knows of its job (name, command). last_success_s 0: nothing is said of successes;
 * no runs: nothing is said of their number. */
void pgc_metrics_write_once(struct pgc_buf *out, const struct pgc_agenda_job *job, const char *version);
/* What an earlier text (of pgc_metrics_write_once, or as a Pushgateway shows it) says of the job: its numbers of runs, and its last
 * success. `also`: a label that must stand beside it ("instance=\"db1\""), or "". Nothing found changes nothing. */
void pgc_metrics_reread(const char *text, const char *also, struct pgc_agenda_job *job);
#endif
