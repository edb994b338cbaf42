#include "backup/agenda.h"

#include <check.h>
#include <string.h>

#include "backup/status_page.h"
#include "base/text.h"

static struct pgc_agenda agenda;
static struct pgc_error err;

static struct pgc_agenda_job *parse(const char *text) {
    agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
    ck_assert_msg(pgc_agenda_parse(text, strlen(text), "h", &agenda, &err) == PGC_OK, "%s", err.message);
    return &agenda.jobs[0];
}

#define T(text) time_of(text)
static int64_t time_of(const char *text) {
    int64_t us;
    ck_assert(pgc_text_parse_rfc3339(text, &us));
    return us / 1000000;
}

START_TEST(missed_runs_are_seen)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"a\",\"schedule\":\"0 3 * * *\"}]}");
    job->last_success_s = T("2026-01-10T03:05:00Z");
    ck_assert(!pgc_agenda_missed(job, T("2026-01-10T20:00:00Z")));
    ck_assert(!pgc_agenda_missed(job, T("2026-01-11T03:00:00Z")));
    ck_assert(pgc_agenda_missed(job, T("2026-01-11T03:00:01Z")));
    job->last_success_s = 0; /* a store without backups: nothing was missed, the first activation will come */
    ck_assert(!pgc_agenda_missed(job, T("2026-01-11T03:00:01Z")));
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(health_follows_schedule_and_grace)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"a\",\"schedule\":\"0 3 * * *\",\"grace\":\"30m\"}]}");
    job->started_s = T("2026-01-10T12:00:00Z");
    ck_assert(pgc_agenda_healthy(job, T("2026-01-11T03:30:00Z")));
    ck_assert(!pgc_agenda_healthy(job, T("2026-01-11T03:30:01Z")));
    pgc_agenda_ended(job, T("2026-01-11T03:40:00Z"), true, 10, 20, "");
    ck_assert(pgc_agenda_healthy(job, T("2026-01-12T03:00:00Z")));
    pgc_agenda_ended(job, T("2026-01-12T03:01:00Z"), false, 0, 0, "broke");
    ck_assert(!pgc_agenda_healthy(job, T("2026-01-12T04:00:00Z"))); /* a failure is no success */
    ck_assert_uint_eq(job->failures, 1);
    ck_assert_uint_eq(job->last_bytes, 10);
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(mistakes_are_named)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        { "{}", "there is no list \"jobs\" with a job in it" },
        { "{\"jobs\":[{\"schedule\":\"@daily\"}]}", "job 1 has no \"name\"" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"x\":1}]}", "job 'a': \"x\": is not known" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"args\":\"x\"}]}",
          "job 'a': \"args\": is not a list of texts" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\"},{\"name\":\"a\",\"schedule\":\"@daily\"}]}",
          "two jobs are named 'a'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
        ck_assert_int_eq(pgc_agenda_parse(rows[i].text, strlen(rows[i].text), "h", &agenda, &err), PGC_E_CONFIG);
        ck_assert_str_eq(err.message, rows[i].message);
        pgc_agenda_release(&agenda);
    }
}
END_TEST

START_TEST(texts_are_escaped)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"<a\\\"&\",\"schedule\":\"@daily\"}]}");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_agenda_ended(job, 1700000000, false, 0, 0, "<script>");
    pgc_status_html(&out, &agenda, "1", 1700000000);
    ck_assert_ptr_nonnull(strstr(out.data, "&lt;a&quot;&amp;"));
    ck_assert_ptr_null(strstr(out.data, "<script"));
    pgc_buf_clear(&out);
    pgc_status_metrics(&out, &agenda, "1", 1700000000);
    ck_assert_ptr_nonnull(strstr(out.data, "{job=\"<a\\\"&\",result=\"failure\"} 1\n"));
    pgc_agenda_release(&agenda);
}
END_TEST

Suite *agenda_suite(void);
Suite *agenda_suite(void) {
    Suite *suite = suite_create("agenda");
    TCase *cases = tcase_create("agenda");
    tcase_add_test(cases, missed_runs_are_seen);
    tcase_add_test(cases, health_follows_schedule_and_grace);
    tcase_add_test(cases, mistakes_are_named);
    tcase_add_test(cases, texts_are_escaped);
    suite_add_tcase(suite, cases);
    return suite;
}
