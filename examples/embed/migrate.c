/* Migrates a database from inside a program.
 *   cc migrate.c $(pkg-config --cflags --libs pgc) -o migrate && ./migrate migrations postgres://localhost/app */
#include <pgc/migrate.h>
#include <stdio.h>

static void applied(void *arg, const char *version, const char *path, int64_t duration_ms) {
    (void)arg;
    printf("applied %s from %s in %lld ms\n", version != NULL ? version : "(repeatable)", path, (long long)duration_ms);
}

int main(int argc, char **argv) {
    const char *dirs[] = { argc > 1 ? argv[1] : "migrations", NULL };
    struct pgc_migrate_settings settings = { .dirs = dirs, .conninfo = argc > 2 ? argv[2] : NULL, .applied = applied };
    struct pgc_migrate_handle *migrate = NULL;
    const struct pgc_migrate_step *steps;
    struct pgc_error err;
    size_t count = 0, done = 0;
    enum pgc_code code = pgc_migrate_open(&settings, NULL, &migrate, &err);
    if (code == PGC_OK)
        code = pgc_migrate_preview(migrate, NULL, &steps, &count, &err);
    for (size_t i = 0; code == PGC_OK && i < count; i++)
        printf("will %s %s%s\n", steps[i].action, steps[i].path, steps[i].transaction ? "" : " (no transaction)");
    if (code == PGC_OK)
        code = pgc_migrate_up(migrate, NULL, &done, &err);
    if (code != PGC_OK)
        fprintf(stderr, "%s\n", err.message);
    pgc_migrate_close(migrate);
    return pgc_code_exit_status(code);
}
