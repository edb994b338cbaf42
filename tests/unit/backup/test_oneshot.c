#include "backup/oneshot.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"

START_TEST(addresses)
{
    static const struct {
        const char *url, *job, *want;
    } rows[] = {
        { "http://gw:9091", "app", "http://gw:9091/metrics/job/pgc_backup/instance/a%2Fb/job_name/app" },
        { "http://gw:9091/sub/", "a b", "http://gw:9091/sub/metrics/job/pgc_backup/instance/a%2Fb/job_name/a%20b" },
        { "http://gw", "a/b?>", "http://gw/metrics/job/pgc_backup/instance/a%2Fb/job_name@base64/YS9iPz4=" },
        { "http://gw/metrics/job/x/instance/y", "app", "http://gw/metrics/job/x/instance/y" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        struct pgc_oneshot run = { .job = rows[i].job, .host = "a/b" };
        pgc_oneshot_address(&out, rows[i].url, &run);
        ck_assert_str_eq(out.data, rows[i].want);
    }
}
END_TEST

START_TEST(failure_keeps_the_last_success)
{
    char path[200];
    struct pgc_error err;
    struct stat st;
    snprintf(path, sizeof path, "%s/oneshot.prom", getenv("T") != NULL ? getenv("T") : "/tmp");
    struct pgc_oneshot run = { "a\"b", "host", "run", 100, 160, 60500, 4096, true };
    ck_assert_int_eq(pgc_oneshot_write(&run, path, &err), PGC_OK);
    run = (struct pgc_oneshot) { "a\"b", "host", "run", 200, 201, 1000, 0, false };
    ck_assert_int_eq(pgc_oneshot_write(&run, path, &err), PGC_OK);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_file_read(path, 65536, &text, &err), PGC_OK);
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_last_success_timestamp_seconds{job_name=\"a\\\"b\"} 160\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_last_size_bytes{job_name=\"a\\\"b\"} 4096\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_last_attempt_timestamp_seconds{job_name=\"a\\\"b\"} 200\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_last_duration_seconds{job_name=\"a\\\"b\"} 1.000\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_runs_total{job_name=\"a\\\"b\",result=\"success\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_runs_total{job_name=\"a\\\"b\",result=\"failure\"} 1\n"));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0644);
    run.job = "other";
    ck_assert_int_eq(pgc_oneshot_write(&run, path, &err), PGC_OK);
    pgc_buf_clear(&text);
    ck_assert_int_eq(pgc_file_read(path, 65536, &text, &err), PGC_OK);
    ck_assert_ptr_null(strstr(text.data, "last_success"));
    remove(path);
}
END_TEST

START_TEST(verifications_have_names_of_their_own)
{
    char path[200];
    struct pgc_error err;
    snprintf(path, sizeof path, "%s/oneshot-verify.prom", getenv("T") != NULL ? getenv("T") : "/tmp");
    struct pgc_oneshot run = { "app", "host", "verify", 100, 160, 60500, 0, true };
    ck_assert_int_eq(pgc_oneshot_write(&run, path, &err), PGC_OK);
    run.success = false;
    ck_assert_int_eq(pgc_oneshot_write(&run, path, &err), PGC_OK);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    ck_assert_int_eq(pgc_file_read(path, 65536, &text, &err), PGC_OK);
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_verified_timestamp_seconds{job_name=\"app\"} 160\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "\npgc_backup_verify_runs_total{job_name=\"app\",result=\"failure\"} 1\n"));
    ck_assert_ptr_null(strstr(text.data, "\npgc_backup_last_"));
    remove(path);
}
END_TEST

Suite *oneshot_suite(void);
Suite *oneshot_suite(void) {
    Suite *suite = suite_create("oneshot");
    TCase *cases = tcase_create("oneshot");
    tcase_add_test(cases, addresses);
    tcase_add_test(cases, failure_keeps_the_last_success);
    tcase_add_test(cases, verifications_have_names_of_their_own);
    suite_add_tcase(suite, cases);
    return suite;
}
