/* pgc backup: dump, compress, encrypt, upload, verify. */
#include "cli/command.h"
#include "parts/parts.h"

static const struct pgc_command *const commands[] = {
    &pgc_cmd_backup_run,
    &pgc_cmd_backup_list,
    &pgc_cmd_backup_show,
    &pgc_cmd_backup_pin,
    &pgc_cmd_backup_unpin,
    &pgc_cmd_backup_copy,
    &pgc_cmd_backup_verify,
    &pgc_cmd_backup_prune,
    &pgc_cmd_backup_encrypt,
    &pgc_cmd_backup_decrypt,
    &pgc_cmd_backup_keygen,
    &pgc_cmd_backup_schedule,
    &pgc_cmd_backup_next,
    &pgc_cmd_backup_keep,
    &pgc_cmd_backup_doctor,
    &pgc_cmd_backup_health,
    NULL,
};

static const struct pgc_command root = {
    .name = "pgc-backup",
    .summary = "backups of PostgreSQL that are proven",
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&root, argc, argv);
}
