#ifndef PGC_BACKUP_SURVEY_H
#define PGC_BACKUP_SURVEY_H
/* What a dump of a database does not say by itself: what is left out of it, and what a restore will need.
 *
 *     code = pgc_survey_take(conn, &manifest.warnings, err);      // in the transaction of the snapshot
 *
 * One warning for each of: row security, large objects, extensions, foreign and unlogged tables, prepared transactions,
 * event triggers, subscriptions. None for a database without them. */
#include "base/array.h"
#include "pg/conn.h"

/* PGC_E_AUTH names the tables of which row security hides rows from the connected role: pg_dump would refuse them half way, and
 * a dump of the visible part would be a lie. */
PGC_MUST_USE enum pgc_code pgc_survey_take(struct pgc_conn *conn, struct pgc_strings *warnings, struct pgc_error *err);
#endif
