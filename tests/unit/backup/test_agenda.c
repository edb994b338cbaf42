#include "backup/agenda.h"

#include <check.h>
#include <string.h>

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
    pgc_agenda_ended(job, T("2026-01-11T03:40:00Z"), &(struct pgc_agenda_end) { .success = true, .bytes = 10 });
    ck_assert(pgc_agenda_healthy(job, T("2026-01-12T03:00:00Z")));
    pgc_agenda_ended(job, T("2026-01-12T03:01:00Z"), &(struct pgc_agenda_end) { .error = "broke" });
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
          "job 'a': two jobs have this name" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"level\":1}]}", "job 'a': \"level\": is not known" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"verify\":{\"level\":1}}]}",
          "job 'a': \"verify\": has no \"schedule\"" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"verify\":{\"schedule\":\"@daily\",\"level\":3}}]}",
          "job 'a': \"verify\": \"level\": is neither 1 nor 2" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"command\":\"prune\",\"verify\":{\"schedule\":\"@"
          "daily\"}}]}",
          "job 'a': \"verify\": is for jobs that back up" },
        { "{\"jobs\":[{\"name\":\"a\",\"schedule\":\"@daily\",\"environment\":{\"A\":1}}]}",
          "job 'a': \"environment\": 'A' is neither a text nor null" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
        ck_assert_int_eq(pgc_agenda_parse(rows[i].text, strlen(rows[i].text), "h", &agenda, &err), PGC_E_CONFIG);
        ck_assert_str_eq(err.message, rows[i].message);
        pgc_agenda_release(&agenda);
    }
}
END_TEST

START_TEST(verification_is_a_job_of_its_own)
{
    struct pgc_agenda_job *job =
        parse("{\"jobs\":[{\"name\":\"a\",\"schedule\":\"0 3 * * *\",\"timezone\":\"Europe/Berlin\","
              "\"environment\":{\"PGHOST\":\"db\",\"GONE\":null},"
              "\"verify\":{\"schedule\":\"0 6 * * sun\",\"level\":2,\"args\":[\"-i\",\"key\"],"
              "\"environment\":{\"PGHOST\":\"scratch\"}}},"
              "{\"name\":\"b\",\"schedule\":\"@daily\"}]}");
    ck_assert_uint_eq(agenda.count, 3);
    ck_assert(pgc_agenda_is_backup(job) && !pgc_agenda_is_proof(job));
    const struct pgc_agenda_job *proof = pgc_agenda_find(&agenda, "a:verify");
    ck_assert_ptr_nonnull(proof);
    ck_assert(pgc_agenda_is_verify(proof) && pgc_agenda_is_proof(proof));
    ck_assert_str_eq(proof->subject, "a");
    ck_assert_str_eq(proof->timezone, "Europe/Berlin");
    ck_assert_int_eq(proof->level, 2);
    ck_assert_uint_eq(proof->environment.count, 3);
    ck_assert_str_eq(proof->environment.items[1], "GONE");
    ck_assert_str_eq(proof->environment.items[2], "PGHOST=scratch");
    ck_assert(!pgc_agenda_is_proof(pgc_agenda_find(&agenda, "b")));
    pgc_agenda_release(&agenda);
}
END_TEST

/* Damage is an alarm whatever the schedule says, until something is proven; a stored backup counts although pruning failed. */
START_TEST(damage_and_half_successes)
{
    struct pgc_agenda_job *job = parse("{\"jobs\":[{\"name\":\"a\",\"schedule\":\"0 3 * * *\"}]}");
    int64_t now = T("2026-01-11T03:01:00Z");
    pgc_agenda_ended(job, now, &(struct pgc_agenda_end) { .stored = true, .bytes = 7, .error = "no pruning" });
    ck_assert_int_eq(job->last_success_s, now);
    ck_assert_uint_eq(job->failures, 1);
    ck_assert_str_eq(job->last_error, "no pruning");
    ck_assert(pgc_agenda_healthy(job, now));
    pgc_agenda_ended(job, now, &(struct pgc_agenda_end) { .damaged = true, .error = "bits" });
    ck_assert(pgc_agenda_in_time(job, now) && !pgc_agenda_healthy(job, now));
    pgc_agenda_ended(job, now, &(struct pgc_agenda_end) { .error = "no network" });
    ck_assert(!pgc_agenda_healthy(job, now));
    pgc_agenda_ended(job, now, &(struct pgc_agenda_end) { .success = true });
    ck_assert(pgc_agenda_healthy(job, now));
    pgc_agenda_release(&agenda);
}
END_TEST

START_TEST(one_job_from_settings)
{
    struct pgc_agenda_setting setting = {
        .schedule = "@daily", .prunes = true, .verify_schedule = "@weekly", .verify_level = 2
    };
    agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
    ck_assert_int_eq(pgc_agenda_single(&setting, "h", &agenda, &err), PGC_OK);
    ck_assert_uint_eq(agenda.count, 2);
    ck_assert(agenda.jobs[0].prunes);
    ck_assert_str_eq(agenda.jobs[1].subject, "backup");
    ck_assert_int_eq(agenda.jobs[1].level, 2);
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
    tcase_add_test(cases, verification_is_a_job_of_its_own);
    tcase_add_test(cases, damage_and_half_successes);
    tcase_add_test(cases, one_job_from_settings);
    suite_add_tcase(suite, cases);
    return suite;
}
