#ifndef PGC_BACKUP_CLIENT_H
#define PGC_BACKUP_CLIENT_H
/* Which of the installed pg_dump, pg_dumpall and pg_restore is the right one.
 *
 * A pg_dump older than the server refuses to work; a newer one writes dumps that the same server may not be able to read
 * ("SET transaction_timeout" of 17 and later). So the client whose major version equals the server's is taken: from PATH, else
 * from the folders where distributions put them (/usr/lib/postgresql/N/bin, /usr/pgsql-N/bin, ...). Debian's wrapper
 * scripts in /usr/bin choose a version by their own rules and are passed over. */
#include <pgc/runtime.h>

#include "base/array.h"

struct pgc_client {
    char *folder;  /* where pg_dump and its siblings are */
    char *version; /* "pg_dump (PostgreSQL) 15.18 (Debian ...)" */
    int major;     /* 15; before 10 the first two numbers: 906 */
};
#define PGC_CLIENT_INIT                                                                                                \
    { NULL, NULL, 0 }
void pgc_client_release(struct pgc_client *client);

/* Major version as above: of server_version_num 150018, and of the text after "(PostgreSQL) ". 0 when there is none. */
int pgc_client_major_of_num(int version_num);
int pgc_client_major_of_text(const char *version);

/* Finds the program `tool` ("pg_dump", "pg_restore") of major version `major`. `folders`: where to look instead of PATH and
 * the usual places; NULL or empty: there. Without an equal one the nearest newer is taken when allow_newer.
 * Otherwise PGC_E_VERSION, whose message names what was found and what to install or which image to use. */
PGC_MUST_USE enum pgc_code pgc_client_find(const char *tool, int major, bool allow_newer,
                                           const struct pgc_strings *folders, const struct pgc_runtime *rt,
                                           struct pgc_client *out, struct pgc_error *err);
#endif
