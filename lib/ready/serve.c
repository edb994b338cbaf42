#include "ready/serve.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "os/process.h"
#include "ready/http.h"
#include "ready/state.h"

/* Shared by the prober and the server. On the heap: a prober that hangs in name resolution may outlive the call. */
struct shared {
    pthread_mutex_t lock;
    struct pgc_ready_state state;
    struct pgc_ready_spec spec;
    const struct pgc_ready_target *target;
    const struct pgc_runtime *rt;
    int64_t interval_ms;
};

static void publish(struct shared *shared, const struct pgc_ready_report *report, bool connected) {
    pthread_mutex_lock(&shared->lock);
    shared->state.connects += connected;
    bool changed = pgc_ready_state_feed(&shared->state, report, pgc_mono_ms(shared->rt));
    bool ready = shared->state.ready;
    pthread_mutex_unlock(&shared->lock);
    if (!changed)
        return;
    pgc_log(shared->rt, ready ? PGC_LOG_INFO : PGC_LOG_WARN, ready ? "ready" : "not_ready",
            ready ? "the server is ready" : report->verdict.reason, PGC_LOG_TEXT("target", shared->target->text),
            PGC_LOG_INT("status", report->verdict.status));
}

static void *probe_forever(void *arg) {
    struct shared *shared = arg;
    PGC_AUTO(pgc_probe_free) struct pgc_probe *probe = NULL;
    while (pgc_cancelled(shared->rt) == 0) {
        struct pgc_ready_report report;
        struct pgc_error err;
        bool had = probe != NULL;
        enum pgc_code code = pgc_ready_check_kept(&shared->spec, shared->target, shared->rt, PGC_PROBE_NO_DEADLINE,
                                                  &probe, &report, &err);
        if (code == PGC_OK && had && probe == NULL) { /* the kept connection broke: is the server there anew? */
            had = false;
            code = pgc_ready_check_kept(&shared->spec, shared->target, shared->rt, PGC_PROBE_NO_DEADLINE, &probe,
                                        &report, &err);
        }
        if (code == PGC_E_CANCELLED)
            break;
        if (code == PGC_OK)
            publish(shared, &report, !had && probe != NULL);
        bool good = code == PGC_OK && report.verdict.status == PGC_READY_OK;
        int64_t pause = good || shared->interval_ms < 500 ? shared->interval_ms : 500;
        pgc_sleep_ms(shared->rt, pause);
        (void)pgc_process_reload_asked(); /* SIGHUP: check now; the flag would end every later pause at once */
    }
    return NULL;
}

static void answer(void *arg, const char *path, struct pgc_ready_answer *out) {
    struct shared *shared = arg;
    pthread_mutex_lock(&shared->lock);
    pgc_ready_state_answer(&shared->state, path, pgc_mono_ms(shared->rt), out);
    pthread_mutex_unlock(&shared->lock);
}

/* Half a second for the prober to notice the signal. True: it ended. */
static bool join(pthread_t thread) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 500000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return true;
    pthread_detach(thread);
    return false;
}

enum pgc_code pgc_ready_serve(const struct pgc_ready_serve *serve, const struct pgc_ready_spec *spec,
                              const struct pgc_ready_target *target, const struct pgc_runtime *rt,
                              struct pgc_error *err) {
    PGC_AUTO(pgc_ready_http_free) struct pgc_ready_http *http = NULL;
    int port = 0;
    enum pgc_code code = pgc_ready_http_open(serve->listen, &http, &port, err);
    if (code != PGC_OK)
        return code;
    struct shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return pgc_fail_nomem(err);
    pthread_mutex_init(&shared->lock, NULL);
    shared->spec = *spec;
    shared->spec.read_lag = true;
    shared->target = target;
    shared->rt = rt;
    shared->interval_ms = serve->interval_ms > 0 ? serve->interval_ms : 1;
    shared->state = (struct pgc_ready_state) {
        .target = target,
        .rise = serve->rise > 0 ? serve->rise : 1,
        .fall = serve->fall > 0 ? serve->fall : 1,
        .stale_ms = 3 * (shared->interval_ms + (spec->timeout_ms > 0 ? spec->timeout_ms : 5000)) + 1000,
    };
    pthread_t thread;
    if (pthread_create(&thread, NULL, probe_forever, shared) != 0) {
        free(shared);
        return pgc_fail(err, PGC_E_FAILED, "cannot start the probing thread");
    }
    if (serve->listening != NULL)
        serve->listening(serve->arg, port);
    code = pgc_ready_http_run(http, answer, shared, rt, err);
    if (join(thread)) {
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
    return code;
}
