#include "backup/artefact.h"

#include <stdlib.h>
#include <string.h>

#include "backup/tee.h"
#include "io/tally.h"
#include "io/zstd.h"

struct pgc_artefact {
    struct pgc_backup_target *targets;
    size_t target_count;
    struct pgc_tee_branch *branches; /* one per target, borrowed by the tee */
    struct pgc_sink *chain;
    struct pgc_tally raw, packed, sealed;
    bool encrypted;
    bool committed; /* on those branches whose code is PGC_OK */
};

/* --- writing ----------------------------------------------------------------------------------------- */

static void give_up(struct pgc_backup_target *target, const struct pgc_error *err) {
    target->code = err->code;
    target->err = *err;
}

/* A sink of every target that still works; a target that refuses is given up. */
static enum pgc_code open_branches(struct pgc_artefact *a, const char *key, uint64_t hint, struct pgc_error *err) {
    struct pgc_store_put_options options = { .size_hint_bytes = hint, .content_type = "application/octet-stream" };
    size_t alive = 0;
    *err = (struct pgc_error) { .code = PGC_E_FAILED };
    for (size_t i = 0; i < a->target_count; i++) {
        struct pgc_backup_target *target = &a->targets[i];
        if (target->code != PGC_OK)
            continue;
        if (pgc_store_put(target->store, key, &options, &a->branches[i].sink, &target->err) == PGC_OK)
            alive++;
        else
            give_up(target, &target->err);
    }
    for (size_t i = 0; alive == 0 && i < a->target_count; i++)
        *err = a->targets[i].err;
    return alive > 0 ? PGC_OK : err->code;
}

static enum pgc_code push_filters(struct pgc_artefact *a, const struct pgc_artefact_options *options,
                                  struct pgc_error *err) {
    struct pgc_zstd_options zstd = PGC_ZSTD_DEFAULTS;
    zstd.level = options->level;
    zstd.workers = options->workers;
    enum pgc_code code = PGC_OK;
    if (a->encrypted)
        code = pgc_tally_push(&a->chain, &a->sealed, err);
    if (code == PGC_OK && a->encrypted)
        code = pgc_age_push(&a->chain, options->recipients, PGC_AGE_BINARY, err);
    if (code == PGC_OK)
        code = pgc_tally_push(&a->chain, &a->packed, err);
    if (code == PGC_OK)
        code = pgc_zstd_push(&a->chain, &zstd, err);
    return code == PGC_OK ? pgc_tally_push(&a->chain, &a->raw, err) : code;
}

enum pgc_code pgc_artefact_open(const struct pgc_artefact_options *options, struct pgc_backup_target *targets,
                                size_t target_count, const char *key, uint64_t size_hint_bytes,
                                struct pgc_artefact **out, struct pgc_error *err) {
    PGC_AUTO(pgc_artefact_free) struct pgc_artefact *a = calloc(1, sizeof *a);
    if (a == NULL)
        return pgc_fail_nomem(err);
    *a = (struct pgc_artefact) { .targets = targets, .target_count = target_count };
    a->encrypted = options->recipients != NULL;
    a->branches = calloc(target_count + 1, sizeof *a->branches);
    if (a->branches == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = open_branches(a, key, size_hint_bytes, err);
    if (code == PGC_OK)
        code = pgc_tee_sink(a->branches, target_count, &a->chain, err);
    if (code == PGC_OK)
        code = push_filters(a, options, err);
    if (code != PGC_OK)
        return code;
    *out = a;
    a = NULL;
    return PGC_OK;
}

struct pgc_sink *pgc_artefact_sink(struct pgc_artefact *artefact) {
    return artefact->chain;
}

enum pgc_code pgc_artefact_commit(struct pgc_artefact *a, struct pgc_error *err) {
    /* What a target lost while other artefacts were written is lost for all: this one must not appear there. */
    for (size_t i = 0; i < a->target_count; i++)
        if (a->targets[i].code != PGC_OK && a->branches[i].sink != NULL) {
            pgc_sink_drop(a->branches[i].sink);
            a->branches[i] = (struct pgc_tee_branch) { NULL, a->targets[i].code, a->targets[i].err };
        }
    for (size_t i = 0; i < a->target_count; i++) /* these took no part from the start */
        if (a->branches[i].sink == NULL && a->branches[i].code == PGC_OK)
            a->branches[i] = (struct pgc_tee_branch) { NULL, a->targets[i].code, a->targets[i].err };
    enum pgc_code code = pgc_sink_commit(a->chain, err);
    a->committed = true;
    for (size_t i = 0; i < a->target_count; i++)
        if (a->branches[i].code != PGC_OK && a->targets[i].code == PGC_OK)
            give_up(&a->targets[i], &a->branches[i].err);
    return code;
}

bool pgc_artefact_is_on(const struct pgc_artefact *a, size_t target) {
    return a->committed && a->branches[target].code == PGC_OK;
}

void pgc_artefact_progress(const struct pgc_artefact *a, uint64_t *raw_bytes, uint64_t *stored_bytes) {
    *raw_bytes = a->raw.bytes;
    *stored_bytes = a->encrypted ? a->sealed.bytes : a->packed.bytes;
}

static void set_stage(struct pgc_manifest_artefact *out, const char *name, const struct pgc_tally *tally) {
    struct pgc_manifest_stage *stage = &out->stages[out->stage_count++];
    strcpy(stage->name, name);
    stage->bytes = tally->bytes;
    memcpy(stage->sha256, tally->hex, sizeof stage->sha256);
}

void pgc_artefact_stages(const struct pgc_artefact *a, struct pgc_manifest_artefact *out) {
    out->stage_count = 0;
    set_stage(out, "raw", &a->raw);
    set_stage(out, "zstd", &a->packed);
    if (a->encrypted)
        set_stage(out, "age", &a->sealed);
}

void pgc_artefact_free(struct pgc_artefact *artefact) {
    if (artefact == NULL)
        return;
    if (artefact->chain != NULL)
        pgc_sink_drop(artefact->chain);
    else
        for (size_t i = 0; artefact->branches != NULL && i < artefact->target_count; i++)
            pgc_sink_drop(artefact->branches[i].sink);
    free(artefact->branches);
    free(artefact);
}

/* --- reading ----------------------------------------------------------------------------------------- */

/* A source that knows what its bytes must be. */
struct checked {
    struct pgc_source base;
    struct pgc_source *inner; /* counts and hashes into tally */
    struct pgc_tally tally;
    struct pgc_manifest_stage wanted;
    char *name;
};

static enum pgc_code compare(const struct checked *c, struct pgc_error *err) {
    if (c->tally.bytes != c->wanted.bytes)
        return pgc_fail(err, PGC_E_DATA, "'%s' has %llu bytes, its manifest says %llu: the artefact is damaged",
                        c->name, (unsigned long long)c->tally.bytes, (unsigned long long)c->wanted.bytes);
    if (strcmp(c->tally.hex, c->wanted.sha256) != 0)
        return pgc_fail(err, PGC_E_DATA, "'%s' has SHA-256 %s, its manifest says %s: the artefact is damaged", c->name,
                        c->tally.hex, c->wanted.sha256);
    return PGC_OK;
}

static enum pgc_code checked_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct checked *c = (struct checked *)source;
    enum pgc_code code = pgc_source_get(c->inner, buf, cap, len, err);
    if (code != PGC_OK)
        return code;
    /* The end is told only when the bytes were the right ones: a filter behind us cannot take it for a good one. */
    if (*len == 0)
        return compare(c, err);
    if (c->tally.bytes > c->wanted.bytes)
        return pgc_fail(err, PGC_E_DATA, "'%s' has more bytes than its manifest says: the artefact is damaged",
                        c->name);
    return PGC_OK;
}

static enum pgc_code checked_verify(struct pgc_source *source, struct pgc_error *err) {
    struct checked *c = (struct checked *)source;
    enum pgc_code code = pgc_source_verify(c->inner, err);
    if (code != PGC_OK || c->tally.complete)
        return code == PGC_OK ? compare(c, err) : code;
    /* A filter stopped before our end: there is more than it needed. */
    return pgc_fail(err, PGC_E_DATA, "'%s' goes on behind the end of its content", c->name);
}

static void checked_drop(struct pgc_source *source) {
    struct checked *c = (struct checked *)source;
    pgc_source_drop(c->inner);
    free(c->name);
    free(c);
}

enum pgc_code pgc_artefact_stored_source(struct pgc_store *store, const char *folder_key,
                                         const struct pgc_manifest_artefact *artefact, struct pgc_source **out,
                                         struct pgc_error *err) {
    static const struct pgc_source_ops ops = { checked_get, checked_verify, checked_drop };
    struct checked *c = calloc(1, sizeof *c);
    if (c == NULL)
        return pgc_fail_nomem(err);
    c->base.ops = &ops;
    c->wanted = *pgc_manifest_stored(artefact);
    PGC_AUTO(pgc_source_drop) struct pgc_source *owner = &c->base;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    pgc_buf_putf(&key, "%s%s", folder_key, artefact->name);
    c->name = pgc_buf_detach(&key);
    if (c->name == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_store_get(store, c->name, 0, UINT64_MAX, &c->inner, err);
    if (code == PGC_OK)
        code = pgc_tally_pull(&c->inner, &c->tally, err);
    if (code != PGC_OK)
        return code == PGC_E_NOT_FOUND ? pgc_fail(err, PGC_E_DATA, "the artefact '%s' is missing", c->name) : code;
    *out = owner;
    owner = NULL;
    return PGC_OK;
}

enum pgc_code pgc_artefact_source(struct pgc_store *store, const char *folder_key,
                                  const struct pgc_manifest_artefact *artefact,
                                  const struct pgc_age_identities *identities, struct pgc_source **out,
                                  struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    bool encrypted = strcmp(pgc_manifest_stored(artefact)->name, "age") == 0;
    if (encrypted && (identities == NULL || identities->count == 0))
        return pgc_fail(err, PGC_E_NO_KEY, "the backup is encrypted: give the key by --identity-file");
    enum pgc_code code = pgc_artefact_stored_source(store, folder_key, artefact, &source, err);
    if (code == PGC_OK && encrypted)
        code = pgc_age_pull(&source, identities, err);
    if (code == PGC_OK)
        code = pgc_zstd_pull(&source, err);
    if (code != PGC_OK)
        return code;
    *out = source;
    source = NULL;
    return PGC_OK;
}

enum pgc_code pgc_artefact_check(struct pgc_store *store, const char *folder_key,
                                 const struct pgc_manifest_artefact *artefact, const struct pgc_copy_watch *watch,
                                 struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_artefact_stored_source(store, folder_key, artefact, &source, err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE unsigned char *block = malloc(65536);
    if (block == NULL)
        return pgc_fail_nomem(err);
    uint64_t total = 0;
    for (;;) {
        size_t len = 0;
        code = pgc_source_get(source, block, 65536, &len, err);
        if (code != PGC_OK || len == 0)
            return code == PGC_OK ? pgc_source_verify(source, err) : code;
        total += len;
        if (watch != NULL)
            code = watch->tick(watch->arg, total, err);
        if (code != PGC_OK)
            return code;
    }
}
