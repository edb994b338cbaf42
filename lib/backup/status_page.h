#ifndef PGC_BACKUP_STATUS_PAGE_H
#define PGC_BACKUP_STATUS_PAGE_H
/* What the scheduler tells people, and health checks. Texts from an agenda. Pure. */
#include "backup/agenda.h"

/* A page that needs neither scripts nor anything else from the network. A verification is shown in the row of the job that it is
 * of; jobs that need somebody come first. */
void pgc_status_html(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s);
void pgc_status_json(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s);
/* "ok\n", or a line per job that is late or damaged. True when all are healthy. */
bool pgc_status_health(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s);
#endif
