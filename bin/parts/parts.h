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
/* backup_schedule.c: the long-running scheduler. */
extern const struct pgc_command pgc_cmd_backup_schedule;
extern const struct pgc_command pgc_cmd_backup_keep;

/* backup_doctor.c: what is wrong with a store. */
extern const struct pgc_command pgc_cmd_backup_doctor;
extern const struct pgc_command pgc_cmd_backup_health;

/* backup_run.c, backup_catalog.c, backup_verify.c, backup_prune.c: dump now; what is in a store. */
extern const struct pgc_command pgc_cmd_backup_run;
extern const struct pgc_command pgc_cmd_backup_list;
extern const struct pgc_command pgc_cmd_backup_show;
extern const struct pgc_command pgc_cmd_backup_pin;
extern const struct pgc_command pgc_cmd_backup_unpin;
extern const struct pgc_command pgc_cmd_backup_copy;
extern const struct pgc_command pgc_cmd_backup_verify;
extern const struct pgc_command pgc_cmd_backup_prune;

/* sql_split.c: look at a script without a server. */
extern const struct pgc_command pgc_cmd_sql_split;
/* migrate_run.c, migrate_files.c, migrate_new.c, migrate_admin.c: schema migrations. */
extern const struct pgc_command pgc_cmd_migrate_up;
extern const struct pgc_command pgc_cmd_migrate_down;
extern const struct pgc_command pgc_cmd_migrate_redo;
extern const struct pgc_command pgc_cmd_migrate_goto;
extern const struct pgc_command pgc_cmd_migrate_plan;
extern const struct pgc_command pgc_cmd_migrate_status;
extern const struct pgc_command pgc_cmd_migrate_new;
extern const struct pgc_command pgc_cmd_migrate_hash;
extern const struct pgc_command pgc_cmd_migrate_validate;
extern const struct pgc_command pgc_cmd_migrate_repair;
extern const struct pgc_command pgc_cmd_migrate_baseline;
extern const struct pgc_command pgc_cmd_migrate_mark;
extern const struct pgc_command pgc_cmd_migrate_history;
extern const struct pgc_command pgc_cmd_migrate_split;
extern const struct pgc_command pgc_cmd_migrate_adopt;
extern const struct pgc_command pgc_cmd_migrate_dump;
extern const struct pgc_command pgc_cmd_migrate_squash;
extern const struct pgc_command pgc_cmd_migrate_create;
extern const struct pgc_command pgc_cmd_migrate_drop;

/* sql_run.c: psql's command line; argv[0] is its name. */
extern const struct pgc_command pgc_cmd_sql_run;
int pgc_psql_main(int argc, char **argv, bool applet);
#endif
