#include "backup/client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "support/runtime.h"

static struct pgc_error err;

START_TEST(majors)
{
    ck_assert_int_eq(pgc_client_major_of_num(150018), 15);
    ck_assert_int_eq(pgc_client_major_of_num(100000), 10);
    ck_assert_int_eq(pgc_client_major_of_num(90624), 906);
    ck_assert_int_eq(pgc_client_major_of_text("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), 15);
    ck_assert_int_eq(pgc_client_major_of_text("pg_dump (PostgreSQL) 20devel"), 20);
    ck_assert_int_eq(pgc_client_major_of_text("pg_dump (PostgreSQL) 9.6.24"), 906);
    ck_assert_int_eq(pgc_client_major_of_text("something else 15"), 0);
    ck_assert_int_eq(pgc_client_major_of_text(""), 0);
}
END_TEST

/* A folder with a pg_dump that says it is of this version. */
static void add_folder(struct pgc_strings *folders, const char *version) {
    char folder[] = "/tmp/pgc-client-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pg_dump", folder);
    FILE *f = fopen(path, "w");
    fprintf(f, "#!/bin/sh\necho 'pg_dump (PostgreSQL) %s'\n", version);
    fclose(f);
    chmod(path, 0700);
    ck_assert_int_eq(pgc_strings_add(folders, folder, &err), PGC_OK);
}

static void remove_folders(struct pgc_strings *folders) {
    for (size_t i = 0; i < folders->count; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/pg_dump", folders->items[i]);
        remove(path);
        remove(folders->items[i]);
    }
    pgc_strings_release(folders);
}

START_TEST(equal_before_newer_before_none)
{
    PGC_CLEANUP(remove_folders) struct pgc_strings folders = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_client_release) struct pgc_client client = PGC_CLIENT_INIT;
    const struct pgc_runtime *rt = test_runtime_real();
    ck_assert_int_eq(pgc_strings_add(&folders, "/nonexistent", &err), PGC_OK);
    add_folder(&folders, "14.2");
    add_folder(&folders, "18.1");
    add_folder(&folders, "17.5");
    ck_assert_int_eq(pgc_client_find("pg_dump", 16, false, &folders, rt, &client, &err), PGC_E_VERSION);
    ck_assert_ptr_nonnull(strstr(err.message, "pgc-backup:pg16"));
    ck_assert_ptr_nonnull(strstr(err.message, "--allow-newer-client"));
    ck_assert_int_eq(pgc_client_find("pg_dump", 16, true, &folders, rt, &client, &err), PGC_OK);
    ck_assert_int_eq(client.major, 17);
    pgc_client_release(&client);
    ck_assert_int_eq(pgc_client_find("pg_dump", 14, true, &folders, rt, &client, &err), PGC_OK);
    ck_assert_int_eq(client.major, 14);
    ck_assert_str_eq(client.folder, folders.items[1]);
    pgc_client_release(&client);
    ck_assert_int_eq(pgc_client_find("pg_dump", 19, true, &folders, rt, &client, &err), PGC_E_VERSION);
    ck_assert_ptr_null(strstr(err.message, "--allow-newer-client"));
}
END_TEST

Suite *client_suite(void);
Suite *client_suite(void) {
    Suite *s = suite_create("client");
    TCase *tc = tcase_create("client");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, majors);
    tcase_add_test(tc, equal_before_newer_before_none);
    suite_add_tcase(s, tc);
    return s;
}
