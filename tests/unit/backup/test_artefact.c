/* Artefacts on a folder: what is written comes back; every cut and every flipped byte is refused at the end at the latest. */
#include "backup/artefact.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/memory.h"
#include "support/runtime.h"

#define KEY "main/app/20260131T120000Z-1f3a9c0b/"

static struct pgc_error err;
static struct pgc_store *store;
static struct pgc_age_identities identities = PGC_AGE_IDENTITIES_INIT;
static struct pgc_age_recipients recipients = PGC_AGE_RECIPIENTS_INIT;
static char folder[32];

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        enum pgc_code ok_code = (call);                                                                                \
        ck_assert_msg(ok_code == PGC_OK, "%s: %s", #call, err.message);                                                \
    } while (0)

static void set_up(void) {
    strcpy(folder, "/tmp/pgc-artefact-XXXXXX"); /* anew: without fork the tests share it */
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct pgc_store_options options = { .url = folder };
    OK(pgc_store_attach(&options, test_runtime_real(), &store, &err));
    struct pgc_age_keypair pair;
    OK(pgc_age_keygen(PGC_AGE_X25519, &pair, &err));
    OK(pgc_age_recipients_add(&recipients, pair.recipient, &err));
    OK(pgc_age_identities_add(&identities, pair.identity, &err));
}

static void tear_down(void) {
    pgc_store_drop(store);
    pgc_age_recipients_release(&recipients);
    pgc_age_identities_release(&identities);
    rmdir(folder);
}

static void write_artefact(const char *text, size_t len, bool encrypted, struct pgc_manifest_artefact *out) {
    struct pgc_backup_target target = { .store = store, .label = folder };
    struct pgc_artefact_options options = { encrypted ? &recipients : NULL, 1, 0 };
    struct pgc_artefact *artefact = NULL;
    struct pgc_source *source = NULL;
    OK(pgc_artefact_open(&options, &target, 1, KEY "x", 0, &artefact, &err));
    OK(pgc_memory_source(text, len, &source, &err));
    OK(pgc_pump(source, pgc_artefact_sink(artefact), NULL, &err));
    ck_assert(!pgc_artefact_is_on(artefact, 0));
    OK(pgc_artefact_commit(artefact, &err));
    ck_assert(pgc_artefact_is_on(artefact, 0));
    static char name[] = "x", kind[] = "dump";
    *out = (struct pgc_manifest_artefact) { .name = name, .kind = kind };
    pgc_artefact_stages(artefact, out);
    pgc_source_drop(source);
    pgc_artefact_free(artefact);
}

static enum pgc_code read_artefact(const struct pgc_manifest_artefact *artefact, struct pgc_buf *out) {
    struct pgc_source *source = NULL;
    struct pgc_sink *sink = NULL;
    enum pgc_code code = pgc_artefact_source(store, KEY, artefact, &identities, &source, &err);
    if (code == PGC_OK)
        code = pgc_memory_sink(out, &sink, &err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, NULL, &err);
    pgc_source_drop(source);
    pgc_sink_drop(sink);
    return code;
}

START_TEST(comes_back)
{
    char text[200000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 2654435761u >> 11);
    static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };
    for (size_t i = 0; i < 12; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf back = PGC_BUF_INIT;
        struct pgc_manifest_artefact artefact;
        size_t len = sizes[i % 6];
        write_artefact(text, len, i < 6, &artefact);
        ck_assert_uint_eq(artefact.stage_count, i < 6 ? 3 : 2);
        ck_assert_uint_eq(artefact.stages[0].bytes, len);
        OK(pgc_artefact_check(store, KEY, &artefact, NULL, &err));
        OK(read_artefact(&artefact, &back));
        ck_assert_uint_eq(back.len, len);
        ck_assert(memcmp(back.data, text, len) == 0);
    }
    OK(pgc_store_erase(store, KEY "x", &err));
}
END_TEST

/* _i: 0 encrypted, 1 not. */
START_TEST(damage_is_refused)
{
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sound = PGC_BUF_INIT, back = PGC_BUF_INIT;
    struct pgc_manifest_artefact artefact;
    write_artefact("some text that is short", 23, _i == 0, &artefact);
    OK(pgc_store_load(store, KEY "x", 10000, &sound, &err));
    for (size_t n = 0; n < sound.len; n++) {
        OK(pgc_store_save(store, KEY "x", sound.data, n, NULL, &err));
        ck_assert_int_eq(pgc_artefact_check(store, KEY, &artefact, NULL, &err), PGC_E_DATA);
        ck_assert_int_eq(read_artefact(&artefact, &back), PGC_E_DATA);
        ck_assert_uint_eq(back.len, 0);
    }
    for (size_t n = 0; n < sound.len; n++) {
        sound.data[n] ^= 0x40;
        OK(pgc_store_save(store, KEY "x", sound.data, sound.len, NULL, &err));
        sound.data[n] ^= 0x40;
        ck_assert_int_eq(pgc_artefact_check(store, KEY, &artefact, NULL, &err), PGC_E_DATA);
        enum pgc_code code = read_artefact(&artefact, &back);
        ck_assert_msg(code == PGC_E_DATA || code == PGC_E_NO_KEY, "byte %zu: %s", n, pgc_code_name(code));
        ck_assert_uint_eq(back.len, 0);
    }
    pgc_buf_puts(&sound, "x");
    OK(pgc_store_save(store, KEY "x", sound.data, sound.len, NULL, &err));
    ck_assert_int_eq(read_artefact(&artefact, &back), PGC_E_DATA);
    OK(pgc_store_erase(store, KEY "x", &err));
    ck_assert_int_eq(read_artefact(&artefact, &back), PGC_E_DATA);
}
END_TEST

START_TEST(nothing_without_commit)
{
    struct pgc_backup_target targets[2] = { { .store = store, .label = "a" }, { .store = store, .label = "b" } };
    struct pgc_artefact_options options = { &recipients, 1, 0 };
    struct pgc_artefact *artefact = NULL;
    struct pgc_source *source = NULL;
    OK(pgc_artefact_open(&options, targets, 2, KEY "x", 0, &artefact, &err));
    OK(pgc_sink_put(pgc_artefact_sink(artefact), "abc", 3, &err));
    pgc_artefact_free(artefact);
    ck_assert_int_eq(pgc_store_get(store, KEY "x", 0, 1, &source, &err), PGC_E_NOT_FOUND);
    /* A target that was given up meanwhile gets nothing, and all given up is a failure. */
    OK(pgc_artefact_open(&options, targets, 1, KEY "x", 0, &artefact, &err));
    pgc_fail(&targets[0].err, PGC_E_IO, "given up");
    targets[0].code = PGC_E_IO;
    ck_assert_int_eq(pgc_artefact_commit(artefact, &err), PGC_E_IO);
    ck_assert(!pgc_artefact_is_on(artefact, 0));
    pgc_artefact_free(artefact);
    ck_assert_int_eq(pgc_store_get(store, KEY "x", 0, 1, &source, &err), PGC_E_NOT_FOUND);
}
END_TEST

Suite *artefact_suite(void);
Suite *artefact_suite(void) {
    Suite *s = suite_create("artefact");
    TCase *tc = tcase_create("artefact");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, comes_back);
    tcase_add_loop_test(tc, damage_is_refused, 0, 2);
    tcase_add_test(tc, nothing_without_commit);
    suite_add_tcase(s, tc);
    return s;
}
