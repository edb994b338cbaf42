#include "backup/tee.h"

#include <stdlib.h>

struct tee {
    struct pgc_sink base;
    struct pgc_tee_branch *branches;
    size_t count;
};

static void fail_branch(struct pgc_tee_branch *branch, enum pgc_code code) {
    branch->code = code;
    pgc_sink_drop(branch->sink);
    branch->sink = NULL;
}

/* PGC_OK while one branch is left, else the error of the last one that failed. */
static enum pgc_code verdict(const struct tee *tee, struct pgc_error *err) {
    const struct pgc_tee_branch *last = NULL;
    for (size_t i = 0; i < tee->count; i++) {
        if (tee->branches[i].sink != NULL)
            return PGC_OK;
        if (tee->branches[i].code != PGC_OK)
            last = &tee->branches[i];
    }
    if (last == NULL)
        return pgc_fail(err, PGC_E_FAILED, "there is no target to write to");
    *err = last->err;
    return last->code;
}

static enum pgc_code tee_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct tee *tee = (struct tee *)sink;
    for (size_t i = 0; i < tee->count; i++) {
        struct pgc_tee_branch *branch = &tee->branches[i];
        if (branch->sink == NULL)
            continue;
        enum pgc_code code = pgc_sink_put(branch->sink, data, len, &branch->err);
        if (code != PGC_OK)
            fail_branch(branch, code);
    }
    return verdict(tee, err);
}

static enum pgc_code tee_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct tee *tee = (struct tee *)sink;
    for (size_t i = 0; i < tee->count; i++) {
        struct pgc_tee_branch *branch = &tee->branches[i];
        if (branch->sink == NULL)
            continue;
        enum pgc_code code = pgc_sink_commit(branch->sink, &branch->err);
        if (code != PGC_OK)
            fail_branch(branch, code);
    }
    return verdict(tee, err);
}

static void tee_drop(struct pgc_sink *sink) {
    struct tee *tee = (struct tee *)sink;
    for (size_t i = 0; i < tee->count; i++) {
        pgc_sink_drop(tee->branches[i].sink);
        tee->branches[i].sink = NULL;
    }
    free(tee);
}

enum pgc_code pgc_tee_sink(struct pgc_tee_branch *branches, size_t count, struct pgc_sink **out,
                           struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { tee_put, tee_commit, tee_drop };
    struct tee *tee = malloc(sizeof *tee);
    if (tee == NULL)
        return pgc_fail_nomem(err);
    *tee = (struct tee) { { &ops }, branches, count };
    *out = &tee->base;
    return PGC_OK;
}
