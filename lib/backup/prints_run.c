#include "backup/prints_run.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pgc_prints_run {
    struct pgc_conn *conn;
    struct pgc_stop *stop;
    enum pgc_fingerprint kind;
    struct pgc_prints *prints;
    pthread_t thread;
    bool joined;
    atomic_bool failed;
    enum pgc_code code; /* these two are the thread's until it is joined */
    struct pgc_error err;
};

static void *take(void *arg) {
    struct pgc_prints_run *run = arg;
    run->code = pgc_prints_take(run->conn, run->kind, run->prints, &run->err);
    atomic_store(&run->failed, run->code != PGC_OK);
    return NULL;
}

enum pgc_code pgc_prints_run_start(struct pgc_conn *conn, struct pgc_stop *stop, enum pgc_fingerprint kind,
                                   struct pgc_prints *prints, struct pgc_prints_run **out, struct pgc_error *err) {
    struct pgc_prints_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return pgc_fail_nomem(err);
    *run = (struct pgc_prints_run) { .conn = conn, .stop = stop, .kind = kind, .prints = prints };
    int rc = pthread_create(&run->thread, NULL, take, run);
    if (rc != 0) {
        free(run);
        return pgc_fail(err, PGC_E_NOMEM, "cannot start a thread: %s", strerror(rc));
    }
    *out = run;
    return PGC_OK;
}

bool pgc_prints_run_failed(const struct pgc_prints_run *run) {
    return atomic_load(&run->failed);
}

enum pgc_code pgc_prints_run_end(struct pgc_prints_run *run, struct pgc_error *err) {
    if (!run->joined)
        pthread_join(run->thread, NULL);
    run->joined = true;
    if (run->code != PGC_OK)
        *err = run->err;
    return run->code;
}

void pgc_prints_run_free(struct pgc_prints_run *run) {
    struct pgc_error ignored;
    if (run == NULL)
        return;
    if (!run->joined)
        pgc_stop_ask(run->stop);
    (void)!pgc_prints_run_end(run, &ignored);
    free(run);
}
