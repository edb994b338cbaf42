#ifndef PGC_BACKUP_STATUS_PAGE_H
#define PGC_BACKUP_STATUS_PAGE_H
/* What the scheduler tells over HTTP: texts from an agenda. Pure. */
#include "backup/agenda.h"

/* Prometheus text format: pgc_backup_last_success_timestamp_seconds{job="app"} and its kin. */
void pgc_status_metrics(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s);
/* The part of it that one run without a scheduler knows. last_success_s 0: nothing is said of successes. */
void pgc_status_metrics_once(struct pgc_buf *out, const struct pgc_agenda_job *job, const char *version);
/* What an earlier text of pgc_status_metrics_once says of the last success of job->name; 0 when it says nothing. */
void pgc_status_metrics_reread(const char *text, struct pgc_agenda_job *job);
/* A page that needs neither scripts nor anything else from the network. */
void pgc_status_html(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s);
void pgc_status_json(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s);
/* "ok\n", or a line per job that is late. True when all are healthy. */
bool pgc_status_health(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s);
#endif
