#ifndef PGC_PARTS_H
#define PGC_PARTS_H
/* Subcommands that live beside their program: bin/parts/<program>_<group>.c exports them, bin/pgc-<program>.c lists them. */
#include "cli/command.h"

/* backup_crypt.c: age as filters. */
extern const struct pgc_command pgc_cmd_backup_encrypt;
extern const struct pgc_command pgc_cmd_backup_decrypt;
extern const struct pgc_command pgc_cmd_backup_keygen;

/* backup_preview.c: what a schedule and a retention policy would do. */
extern const struct pgc_command pgc_cmd_backup_next;
extern const struct pgc_command pgc_cmd_backup_keep;

/* backup_run.c, backup_catalog.c: dump now; what is in a store. */
extern const struct pgc_command pgc_cmd_backup_run;
extern const struct pgc_command pgc_cmd_backup_list;
extern const struct pgc_command pgc_cmd_backup_show;
extern const struct pgc_command pgc_cmd_backup_pin;
extern const struct pgc_command pgc_cmd_backup_unpin;
extern const struct pgc_command pgc_cmd_backup_copy;

/* sql_split.c: look at a script without a server. */
extern const struct pgc_command pgc_cmd_sql_split;
#endif
