#include "io/tally.h"

#include <check.h>
#include <stdlib.h>

#include "io/memory.h"
#include "support/sink_contract.h"

static struct pgc_tally tally;

static enum pgc_code push(struct pgc_sink **chain, void *arg, struct pgc_error *err) {
    return pgc_tally_push(chain, arg, err);
}

static enum pgc_code pull(struct pgc_source **source, void *arg, struct pgc_error *err) {
    return pgc_tally_pull(source, arg, err);
}

START_TEST(contract_of_the_stages)
{
    static const size_t sizes[] = { 0, 1, 100000 };
    const struct filter_contract filter = { push, pull, &tally, sizes, 3 };
    check_filter_contract(&filter);
}
END_TEST

START_TEST(counts_and_hashes)
{
    struct pgc_error err;
    struct pgc_tally in, out;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf bytes = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    ck_assert_int_eq(pgc_memory_sink(&bytes, &chain, &err), PGC_OK);
    ck_assert_int_eq(pgc_tally_push(&chain, &out, &err), PGC_OK);
    ck_assert_int_eq(pgc_memory_source("abc", 3, &source, &err), PGC_OK);
    ck_assert_int_eq(pgc_tally_pull(&source, &in, &err), PGC_OK);
    ck_assert_int_eq(pgc_pump(source, chain, NULL, &err), PGC_OK);
    ck_assert(in.complete && !out.complete);
    ck_assert_uint_eq(out.bytes, 3);
    ck_assert_int_eq(pgc_sink_commit(chain, &err), PGC_OK);
    ck_assert_str_eq(out.hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(in.hex, out.hex);
    ck_assert_uint_eq(out.sha256[31], 0xad);
}
END_TEST

Suite *tally_suite(void);
Suite *tally_suite(void) {
    Suite *suite = suite_create("tally");
    TCase *tcase = tcase_create("tally");
    tcase_add_test(tcase, contract_of_the_stages);
    tcase_add_test(tcase, counts_and_hashes);
    suite_add_tcase(suite, tcase);
    return suite;
}
