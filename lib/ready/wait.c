#include "ready/wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "ready/verdict.h"

struct waiter {
    const struct pgc_ready_spec *spec;
    const struct pgc_ready_target *target;
    const struct pgc_ready_wait *wait;
    const struct pgc_runtime *rt;
    struct pgc_ready_report *report;
    struct pgc_error err;
    enum pgc_code code;
    atomic_bool *hopeless; /* one of the targets has failed for good: the others need not go on */
    bool among_others;
    pthread_t thread;
    char last_reason[sizeof((struct pgc_ready_verdict *)0)->reason];
};

static bool is_final(const struct waiter *w) {
    const struct pgc_ready_verdict *verdict = &w->report->verdict;
    return verdict->status == PGC_READY_OK || (verdict->permanent && !w->spec->keep_trying) ||
           verdict->status == PGC_READY_NO_ATTEMPT;
}

static void say_why_waiting(struct waiter *w) {
    const char *reason = w->report->verdict.reason;
    if (w->wait->quiet || strcmp(reason, w->last_reason) == 0)
        return;
    snprintf(w->last_reason, sizeof w->last_reason, "%s", reason);
    char message[900];
    snprintf(message, sizeof message, "waiting for %s: %s", w->target->text, reason);
    pgc_log(w->rt, PGC_LOG_INFO, "waiting", message, PGC_LOG_TEXT("target", w->target->text),
            PGC_LOG_INT("status", w->report->verdict.status));
}

static void time_is_over(struct waiter *w) {
    struct pgc_ready_verdict *verdict = &w->report->verdict;
    char last[sizeof verdict->reason];
    snprintf(last, sizeof last, "%s", verdict->reason);
    verdict->status = PGC_READY_DEADLINE;
    snprintf(verdict->reason, sizeof verdict->reason, "not ready within %.1f s: %.500s",
             (double)w->wait->wait_ms / 1000, last);
}

/* Sleeps, but not past the deadline. False: there is no time left, or no sense in going on. */
static bool pause_for(const struct waiter *w, int64_t ms, int64_t deadline) {
    int64_t until = pgc_mono_ms(w->rt) + ms;
    if (until > deadline)
        until = deadline;
    for (int64_t left; (left = until - pgc_mono_ms(w->rt)) > 0;) {
        pgc_sleep_ms(w->rt, w->among_others && left > 100 ? 100 : left);
        if (pgc_cancelled(w->rt) != 0 || atomic_load(w->hopeless))
            return false;
    }
    return pgc_mono_ms(w->rt) < deadline;
}

/* Attempts until one is final. */
static enum pgc_code until_final(struct waiter *w, int64_t deadline, int64_t *attempts, bool *over) {
    struct pgc_backoff backoff;
    pgc_backoff_init(&backoff, w->wait->first_ms, w->wait->max_ms, (uint64_t)pgc_wall_us(w->rt));
    for (;;) {
        enum pgc_code code = pgc_ready_check(w->spec, w->target, w->rt, deadline, w->report, &w->err);
        ++*attempts;
        if (code != PGC_OK || is_final(w) || w->wait->wait_ms == 0)
            return code;
        say_why_waiting(w);
        if (!pause_for(w, pgc_backoff_next_ms(&backoff), deadline)) {
            *over = !atomic_load(w->hopeless);
            return pgc_check_cancelled(w->rt, &w->err);
        }
    }
}

/* Ready now; is it the same server some time later? The temporary server of an initialising container is not. */
static enum pgc_code until_stable(struct waiter *w, int64_t deadline, int64_t *attempts, bool *over) {
    for (;;) {
        char before[sizeof w->report->server.started];
        memcpy(before, w->report->server.started, sizeof before);
        bool have_time = deadline == PGC_PROBE_NO_DEADLINE || pgc_mono_ms(w->rt) + w->wait->stable_ms < deadline;
        pgc_sleep_ms(w->rt, have_time ? w->wait->stable_ms : deadline - pgc_mono_ms(w->rt));
        enum pgc_code code = pgc_check_cancelled(w->rt, &w->err);
        if (code != PGC_OK)
            return code;
        if (!have_time) {
            pgc_ready_refuse(&w->report->verdict, PGC_READY_REJECTING, false, "give --wait more time than --stable",
                             "it was ready, but not for %.1f s", (double)w->wait->stable_ms / 1000);
            *over = true;
            return PGC_OK;
        }
        code = pgc_ready_check(w->spec, w->target, w->rt, deadline, w->report, &w->err);
        ++*attempts;
        if (code != PGC_OK)
            return code;
        bool same = strcmp(before, w->report->server.started) == 0;
        if (w->report->verdict.status == PGC_READY_OK && same)
            return PGC_OK;
        if (w->report->verdict.status == PGC_READY_OK) {
            pgc_log(w->rt, PGC_LOG_INFO, "restarted", "the server was started anew; waiting until it stays",
                    PGC_LOG_TEXT("target", w->target->text));
            if (w->wait->wait_ms == 0) {
                pgc_ready_refuse(&w->report->verdict, PGC_READY_REJECTING, false, "wait (--wait) until it stays",
                                 "the server was started anew between two checks");
                return PGC_OK;
            }
            continue;
        }
        if (w->wait->wait_ms == 0)
            return PGC_OK;
        say_why_waiting(w);
        code = until_final(w, deadline, attempts, over);
        if (code != PGC_OK || *over || w->report->verdict.status != PGC_READY_OK)
            return code;
    }
}

static void *wait_for_one(void *arg) {
    struct waiter *w = arg;
    int64_t began = pgc_mono_ms(w->rt), attempts = 0;
    int64_t deadline = w->wait->wait_ms > 0 ? began + w->wait->wait_ms : PGC_PROBE_NO_DEADLINE;
    bool over = false;
    w->code = until_final(w, deadline, &attempts, &over);
    if (w->code == PGC_OK && !over && w->report->verdict.status == PGC_READY_OK && w->wait->stable_ms > 0)
        w->code = until_stable(w, deadline, &attempts, &over);
    if (w->code == PGC_OK && over)
        time_is_over(w);
    if (w->code != PGC_OK || (w->report->verdict.status != PGC_READY_OK && !over))
        atomic_store(w->hopeless, true);
    w->report->attempts = attempts;
    w->report->elapsed_ms = pgc_mono_ms(w->rt) - began;
    return NULL;
}

enum pgc_code pgc_ready_wait_all(const struct pgc_ready_spec *spec, const struct pgc_ready_target *targets,
                                 size_t count, const struct pgc_ready_wait *wait, const struct pgc_runtime *rt,
                                 struct pgc_ready_report *reports, struct pgc_error *err) {
    atomic_bool hopeless = false;
    PGC_AUTO_FREE struct waiter *waiters = calloc(count + 1, sizeof *waiters);
    if (waiters == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < count; i++)
        waiters[i] = (struct waiter) { .spec = spec,
                                       .target = &targets[i],
                                       .wait = wait,
                                       .rt = rt,
                                       .report = &reports[i],
                                       .hopeless = &hopeless,
                                       .among_others = count > 1 };
    size_t started = 0;
    for (; count > 1 && started < count; started++)
        if (pthread_create(&waiters[started].thread, NULL, wait_for_one, &waiters[started]) != 0)
            break;
    for (size_t i = started; i < count; i++)
        wait_for_one(&waiters[i]);
    for (size_t i = 0; i < started; i++)
        pthread_join(waiters[i].thread, NULL);
    for (size_t i = 0; i < count; i++)
        if (waiters[i].code != PGC_OK) {
            *err = waiters[i].err;
            return waiters[i].code;
        }
    return PGC_OK;
}

enum pgc_ready_status pgc_ready_overall(const struct pgc_ready_report *reports, size_t count) {
    enum pgc_ready_status first = PGC_READY_OK;
    for (size_t i = 0; i < count; i++) {
        if (reports[i].verdict.status != PGC_READY_OK && reports[i].verdict.permanent &&
            reports[i].verdict.status != PGC_READY_DEADLINE)
            return reports[i].verdict.status;
        if (first == PGC_READY_OK)
            first = reports[i].verdict.status;
    }
    return first;
}
