#include "backup/status_page.h"

#include <check.h>
#include <string.h>

#define NOW 1700000000

static struct pgc_agenda agenda;

static struct pgc_agenda_job *parse(const char *text) {
    struct pgc_error err;
    agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
    ck_assert_msg(pgc_agenda_parse(text, strlen(text), "h", &agenda, &err) == PGC_OK, "%s", err.message);
    return &agenda.jobs[0];
}

static void page(struct pgc_buf *out) {
    pgc_buf_clear(out);
    pgc_status_html(out, &agenda, "1", NOW);
}
#define HAS(text)     ck_assert_msg(strstr(out.data, text) != NULL, "no %s in %s", text, out.data)
#define HAS_NOT(text) ck_assert_msg(strstr(out.data, text) == NULL, "%s in %s", text, out.data)

START_TEST(texts_are_escaped)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"<a\\\"&\",\"schedule\":\"@daily\"}]}");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_agenda_ended(job, NOW, &(struct pgc_agenda_end) { .error = "<script>" });
    page(&out);
    HAS("&lt;a&quot;&amp;");
    HAS("&lt;script&gt;");
    HAS_NOT("<script");
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(states)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@hourly\","
                                       "\"verify\":{\"schedule\":\"@weekly\"}}]}");
    struct pgc_agenda_job *proof = &agenda.jobs[1];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    job->started_s = proof->started_s = NOW;
    page(&out);
    HAS("> waiting<");
    HAS("not verified");
    HAS("1 never verified");
    pgc_agenda_ended(job, NOW - 60, &(struct pgc_agenda_end) { .success = true, .bytes = 2048 });
    page(&out);
    HAS("> ok<");
    HAS("60&nbsp;s ago");
    HAS("2.0 KiB");
    HAS("Backups are in time");
    job->verified_s = NOW - 30;
    page(&out);
    HAS("> verified<");
    HAS_NOT("never verified");
    HAS_NOT("an older one");
    job->verified_s = job->restored_s = NOW - 90;
    page(&out);
    HAS("> restored<");
    HAS("an older one");
    proof->last_success_s = NOW - 30 * 86400;
    page(&out);
    HAS("needs attention");
    HAS("</span> late</span>");
    proof->last_success_s = 0;
    pgc_agenda_ended(proof, NOW, &(struct pgc_agenda_end) { .damaged = true, .error = "hash differs" });
    page(&out);
    HAS("> damaged<");
    HAS("Verification:</b> <code>hash differs");
    HAS("1 of 1 job needs attention");
    HAS_NOT("a:verify"); /* it is shown in the row of its job */
    job->last_success_s = NOW - 86400;
    page(&out);
    HAS("> late<");
    job->running = true;
    page(&out);
    HAS("> running, late<");
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(who_needs_somebody_comes_first)
{
    parse("{\"jobs\":[{\"name\":\"fine\",\"schedule\":\"@hourly\"},{\"name\":\"broken\",\"schedule\":\"@hourly\"}]}");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    for (size_t i = 0; i < 2; i++)
        pgc_agenda_ended(&agenda.jobs[i], NOW, &(struct pgc_agenda_end) { .success = i == 0, .error = "x" });
    agenda.jobs[1].started_s = NOW;
    page(&out);
    ck_assert_ptr_nonnull(strstr(out.data, "row>broken"));
    ck_assert(strstr(out.data, "row>broken") < strstr(out.data, "row>fine"));
    HAS("aria-label=\"1 runs, 1 failed");
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(health)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@hourly\",\"grace\":\"1m\"}]}");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    job->started_s = NOW;
    ck_assert(pgc_status_health(&out, &agenda, NOW));
    ck_assert_str_eq(out.data, "ok\n");
    pgc_buf_clear(&out);
    ck_assert(!pgc_status_health(&out, &agenda, NOW + 7200));
    ck_assert_str_eq(out.data, "job a: no success yet\n");
    pgc_buf_clear(&out);
    job->last_success_s = NOW;
    job->damaged = true;
    ck_assert(!pgc_status_health(&out, &agenda, NOW));
    ck_assert_str_eq(out.data, "job a: a backup is damaged\n");
    pgc_agenda_release(&agenda);
}
END_TEST

Suite *status_page_suite(void);
Suite *status_page_suite(void) {
    Suite *suite = suite_create("status_page");
    TCase *cases = tcase_create("status_page");
    tcase_add_test(cases, texts_are_escaped);
    tcase_add_test(cases, states);
    tcase_add_test(cases, who_needs_somebody_comes_first);
    tcase_add_test(cases, health);
    suite_add_tcase(suite, cases);
    return suite;
}
