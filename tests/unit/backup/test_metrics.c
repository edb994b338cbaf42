#include "backup/metrics.h"

#include <check.h>
#include <string.h>

static struct pgc_agenda agenda;

static void parse(const char *text) {
    struct pgc_error err;
    agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
    ck_assert_msg(pgc_agenda_parse(text, strlen(text), "h", &agenda, &err) == PGC_OK, "%s", err.message);
}
#define HAS(text)     ck_assert_msg(strstr(out.data, text) != NULL, "no %s in %s", text, out.data)
#define HAS_NOT(text) ck_assert_msg(strstr(out.data, text) == NULL, "%s in %s", text, out.data)

START_TEST(kinds_have_names_of_their_own)
{
    parse("{\"jobs\":[{\"name\":\"<a\\\"&\\n\",\"schedule\":\"@daily\",\"verify\":{\"schedule\":\"@daily\"}},"
          "{\"name\":\"tidy\",\"command\":\"prune\",\"schedule\":\"@daily\"},"
          "{\"name\":\"proof\",\"command\":\"verify\",\"schedule\":\"@daily\"}]}");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_agenda_ended(&agenda.jobs[0], 1700000000, &(struct pgc_agenda_end) { .error = "x" });
    agenda.jobs[0].verified_s = 77;
    pgc_metrics_write(&out, &agenda, "1", 1700000000);
    HAS("pgc_backup_runs_total{job_name=\"<a\\\"&\\n\",result=\"failure\"} 1\n");
    HAS("pgc_backup_verified_timestamp_seconds{job_name=\"<a\\\"&\\n\"} 77\n");
    HAS("pgc_backup_verified_timestamp_seconds{job_name=\"proof\"} 0\n");
    HAS("pgc_backup_verify_last_success_timestamp_seconds{job_name=\"<a\\\"&\\n\"} 0\n");
    HAS("pgc_backup_task_last_success_timestamp_seconds{job_name=\"tidy\"} 0\n");
    HAS_NOT("pgc_backup_last_success_timestamp_seconds{job_name=\"tidy\"}");
    HAS_NOT("pgc_backup_verify_last_size_bytes");
    HAS_NOT(":verify");
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(earlier_texts_are_read_in_any_order_of_labels)
{
    static const char text[] =
        "pgc_backup_runs_total{instance=\"h\",job=\"pgc_backup\",job_name=\"a\",result=\"failure\"} 3\n"
        "pgc_backup_runs_total{instance=\"other\",job_name=\"a\",result=\"success\"} 99\n"
        "pgc_backup_runs_total{instance=\"h\",job_name=\"aa\",result=\"success\"} 98\n"
        "pgc_backup_runs_total{instance=\"h\",job_name=\"a\",result=\"success\"} 1.2e+01\n"
        "pgc_backup_last_success_timestamp_seconds{instance=\"h\",job_name=\"a\"} 1.700000000e+09\n";
    struct pgc_agenda_job job = { .name = (char[]) { "a" },
                                  .subject = (char[]) { "a" },
                                  .command = (char[]) { "run" } };
    pgc_metrics_reread(text, "instance=\"h\"", &job);
    ck_assert_uint_eq(job.failures, 3);
    ck_assert_uint_eq(job.successes, 12);
    ck_assert_int_eq(job.last_success_s, 1700000000);
}
END_TEST

Suite *metrics_suite(void);
Suite *metrics_suite(void) {
    Suite *suite = suite_create("metrics");
    TCase *cases = tcase_create("metrics");
    tcase_add_test(cases, kinds_have_names_of_their_own);
    tcase_add_test(cases, earlier_texts_are_read_in_any_order_of_labels);
    suite_add_tcase(suite, cases);
    return suite;
}
