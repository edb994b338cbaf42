#include "io/zstd.h"

#include <check.h>
#include <string.h>

#include "io/memory.h"
#include "support/sink_contract.h"

static enum pgc_code push(struct pgc_sink **chain, void *arg, struct pgc_error *err) {
    return pgc_zstd_push(chain, arg, err);
}

static enum pgc_code pull(struct pgc_source **source, void *arg, struct pgc_error *err) {
    (void)arg;
    return pgc_zstd_pull(source, err);
}

static const size_t sizes[] = { 0, 1, 65536, 131071, 131072, 131073, 1000000 };
static struct pgc_zstd_options variants[] = { { .level = 3 },
                                              { .level = 1, .workers = 2, .job_bytes = 1 << 20 },
                                              { .level = -5 } };
static const struct filter_contract filters[] = {
    { push, pull, NULL, sizes, 7 },
    { push, pull, &variants[0], sizes, 7 },
    { push, pull, &variants[1], sizes, 7 },
    { push, pull, &variants[2], sizes, 7 },
};

START_TEST(contract_of_the_stages)
{ check_filter_contract(&filters[_i]); }
END_TEST

START_TEST(cut_and_altered_data_never_commit)
{
    static const long positions[] = { 0, 1, 2, 3, 1000, 65535, 65536, 65537, -8, -7, -5, -4, -3, -2, -1 };
    check_tampering(&filters[1], 150000, positions, 4);
    /* A bit flip in the middle is caught by the checksum at the latest. */
    check_tampering(&filters[1], 150000, positions + 4, 11);
}
END_TEST

static enum pgc_code expand(const void *data, size_t len, struct pgc_buf *out, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    ck_assert_int_eq(pgc_memory_source(data, len, &source, err), PGC_OK);
    ck_assert_int_eq(pgc_zstd_pull(&source, err), PGC_OK);
    ck_assert_int_eq(pgc_memory_sink(out, &sink, err), PGC_OK);
    return pgc_copy(source, sink, NULL, err);
}

START_TEST(frames_follow_each_other)
{
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT, out = PGC_BUF_INIT;
    for (int i = 0; i < 3; i++) {
        PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
        ck_assert_int_eq(pgc_memory_sink(&coded, &chain, &err), PGC_OK);
        ck_assert_int_eq(pgc_zstd_push(&chain, NULL, &err), PGC_OK);
        ck_assert_int_eq(pgc_sink_put(chain, "abc", 3, &err), PGC_OK);
        ck_assert_int_eq(pgc_sink_commit(chain, &err), PGC_OK);
        pgc_buf_put(&coded, "\x50\x2a\x4d\x18\x02\0\0\0hi", 10); /* a skippable frame */
    }
    ck_assert_int_eq(expand(coded.data, coded.len, &out, &err), PGC_OK);
    ck_assert_str_eq(out.data, "abcabcabc");
    pgc_buf_clear(&out);
    ck_assert_int_eq(expand(coded.data, coded.len - 1, &out, &err), PGC_E_DATA);
    ck_assert_uint_eq(out.len, 0);
    pgc_buf_put(&coded, "foreign bytes", 13);
    ck_assert_int_eq(expand(coded.data, coded.len, &out, &err), PGC_E_DATA);
    ck_assert_int_eq(expand("", 0, &out, &err), PGC_E_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "empty"));
    ck_assert_int_eq(expand("not zstd", 8, &out, &err), PGC_E_DATA);
}
END_TEST

/* A few bytes that become many: the decoder holds output that needs no more input. */
START_TEST(much_out_of_little)
{
    static char zeros[3000000];
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT, out = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    ck_assert_int_eq(pgc_memory_sink(&coded, &chain, &err), PGC_OK);
    ck_assert_int_eq(pgc_zstd_push(&chain, NULL, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_put(chain, zeros, sizeof zeros, &err), PGC_OK);
    ck_assert_int_eq(pgc_sink_commit(chain, &err), PGC_OK);
    ck_assert_uint_lt(coded.len, 1000);
    ck_assert_int_eq(expand(coded.data, coded.len, &out, &err), PGC_OK);
    ck_assert_uint_eq(out.len, sizeof zeros);
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    ck_assert_int_eq(pgc_memory_source(coded.data, coded.len, &source, &err), PGC_OK);
    ck_assert_int_eq(pgc_zstd_pull(&source, &err), PGC_OK);
    size_t total = 0, len = 0;
    char small[1000];
    do {
        ck_assert_int_eq(pgc_source_get(source, small, sizeof small, &len, &err), PGC_OK);
        total += len;
    } while (len > 0);
    ck_assert_uint_eq(total, sizeof zeros);
}
END_TEST

/* `zstd --no-check` of 300,000 zero bytes: nothing follows the last block, whose output does not fit at once. */
START_TEST(frames_without_checksum)
{
    static const unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x54, 0x00, 0x00,
                                           0x10, 0x00, 0x00, 0x01, 0x00, 0xfb, 0xff, 0x39, 0xc0,
                                           0x02, 0x02, 0x00, 0x10, 0x00, 0x03, 0x9f, 0x04, 0x00 };
    for (size_t cap = 1; cap < 40000; cap = cap * 3 + 1) {
        struct pgc_error err;
        PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
        static char out[40000];
        size_t total = 0, len = 0;
        ck_assert_int_eq(pgc_memory_source(frame, sizeof frame, &source, &err), PGC_OK);
        ck_assert_int_eq(pgc_zstd_pull(&source, &err), PGC_OK);
        do {
            ck_assert_int_eq(pgc_source_get(source, out, cap, &len, &err), PGC_OK);
            total += len;
        } while (len > 0);
        ck_assert_uint_eq(total, 300000);
    }
}
END_TEST

START_TEST(options_out_of_range)
{
    static const struct pgc_zstd_options bad[] = {
        { .level = 99 },
        { .level = 3, .workers = -1 },
        { .level = 3, .workers = 100000 },
        { .level = 3, .window_log = 28 },
        { .level = 3, .window_log = 1 },
        { .level = 3, .job_bytes = (uint64_t)1 << 40 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_error err;
        struct probe_sink probe;
        probe_sink_init(&probe);
        struct pgc_sink *chain = &probe.sink;
        ck_assert_int_eq(pgc_zstd_push(&chain, &bad[i], &err), PGC_E_USAGE);
        ck_assert_ptr_eq(chain, &probe.sink);
        ck_assert_int_eq(probe.drops, 0);
    }
}
END_TEST

Suite *zstd_suite(void);
Suite *zstd_suite(void) {
    Suite *suite = suite_create("zstd");
    TCase *tcase = tcase_create("zstd");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, contract_of_the_stages, 0, 4);
    tcase_add_test(tcase, cut_and_altered_data_never_commit);
    tcase_add_test(tcase, frames_follow_each_other);
    tcase_add_test(tcase, much_out_of_little);
    tcase_add_test(tcase, frames_without_checksum);
    tcase_add_test(tcase, options_out_of_range);
    suite_add_tcase(suite, tcase);
    return suite;
}
