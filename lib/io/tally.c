#include "io/tally.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct tally_stage {
    union {
        struct pgc_sink sink;
        struct pgc_source source;
    };
    struct pgc_sink *next;
    struct pgc_source *inner;
    struct pgc_tally *tally;
    EVP_MD_CTX *md;
};

static enum pgc_code add(struct tally_stage *s, const void *data, size_t len, struct pgc_error *err) {
    if (EVP_DigestUpdate(s->md, data, len) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot compute SHA-256");
    s->tally->bytes += len;
    return PGC_OK;
}

static enum pgc_code finish(struct tally_stage *s, struct pgc_error *err) {
    if (s->tally->complete)
        return PGC_OK;
    if (EVP_DigestFinal_ex(s->md, s->tally->sha256, NULL) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot compute SHA-256");
    for (int i = 0; i < PGC_SHA256_BYTES; i++)
        snprintf(s->tally->hex + 2 * i, 3, "%02x", s->tally->sha256[i]);
    s->tally->complete = true;
    return PGC_OK;
}

static enum pgc_code tally_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct tally_stage *s = (struct tally_stage *)sink;
    enum pgc_code code = add(s, data, len, err);
    return code != PGC_OK ? code : pgc_sink_put(s->next, data, len, err);
}

static enum pgc_code tally_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct tally_stage *s = (struct tally_stage *)sink;
    enum pgc_code code = finish(s, err);
    return code != PGC_OK ? code : pgc_sink_commit(s->next, err);
}

static void tally_drop(struct pgc_sink *sink) {
    struct tally_stage *s = (struct tally_stage *)sink;
    pgc_sink_drop(s->next);
    EVP_MD_CTX_free(s->md);
    free(s);
}

static enum pgc_code tally_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct tally_stage *s = (struct tally_stage *)source;
    enum pgc_code code = pgc_source_get(s->inner, buf, cap, len, err);
    if (code != PGC_OK)
        return code;
    return *len == 0 ? finish(s, err) : add(s, buf, *len, err);
}

static enum pgc_code tally_verify(struct pgc_source *source, struct pgc_error *err) {
    return pgc_source_verify(((struct tally_stage *)source)->inner, err);
}

static void tally_source_drop(struct pgc_source *source) {
    struct tally_stage *s = (struct tally_stage *)source;
    pgc_source_drop(s->inner);
    EVP_MD_CTX_free(s->md);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { tally_put, tally_commit, tally_drop };
static const struct pgc_source_ops source_ops = { tally_get, tally_verify, tally_source_drop };

static enum pgc_code stage_new(struct pgc_tally *tally, struct tally_stage **out, struct pgc_error *err) {
    *tally = (struct pgc_tally) { 0 };
    struct tally_stage *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->tally = tally;
    s->md = EVP_MD_CTX_new();
    if (s->md == NULL || EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(s->md);
        free(s);
        return pgc_fail(err, PGC_E_FAILED, "cannot start SHA-256");
    }
    *out = s;
    return PGC_OK;
}

enum pgc_code pgc_tally_push(struct pgc_sink **chain, struct pgc_tally *tally, struct pgc_error *err) {
    struct tally_stage *s = NULL;
    enum pgc_code code = stage_new(tally, &s, err);
    if (code != PGC_OK)
        return code;
    s->sink.ops = &sink_ops;
    s->next = *chain;
    *chain = &s->sink;
    return PGC_OK;
}

enum pgc_code pgc_tally_pull(struct pgc_source **source, struct pgc_tally *tally, struct pgc_error *err) {
    struct tally_stage *s = NULL;
    enum pgc_code code = stage_new(tally, &s, err);
    if (code != PGC_OK)
        return code;
    s->source.ops = &source_ops;
    s->inner = *source;
    *source = &s->source;
    return PGC_OK;
}
