/* age: files, armor and keys as an attacker could write them; and round trips. The first byte selects what is tried. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/age.h"
#include "io/bech32.h"
#include "io/memory.h"

/* The test key of the public vectors, so that a corpus made of them gets past the header. */
static const char test_key[] = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
static const char test_recipient[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
static const char test_identity[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static void must(bool good) {
    if (!good)
        abort();
}

static enum pgc_code open_all(const void *data, size_t len, struct pgc_buf *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities keys = PGC_AGE_IDENTITIES_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    must(pgc_age_identities_add(&keys, test_key, err) == PGC_OK);
    must(pgc_age_identities_add(&keys, test_identity, err) == PGC_OK);
    must(pgc_memory_source(data, len, &source, err) == PGC_OK);
    must(pgc_memory_sink(out, &sink, err) == PGC_OK);
    must(pgc_age_pull(&source, &keys, err) == PGC_OK);
    return pgc_copy(source, sink, NULL, err);
}

static void round_trip(const uint8_t *data, size_t len, enum pgc_age_form form) {
    struct pgc_error err;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients to = PGC_AGE_RECIPIENTS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT, plain = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    must(pgc_age_recipients_add(&to, test_recipient, &err) == PGC_OK);
    must(pgc_memory_sink(&coded, &chain, &err) == PGC_OK);
    must(pgc_age_push(&chain, &to, form, &err) == PGC_OK);
    must(pgc_sink_put(chain, data, len, &err) == PGC_OK && pgc_sink_commit(chain, &err) == PGC_OK);
    must(open_all(coded.data, coded.len, &plain, &err) == PGC_OK);
    must(plain.len == len && memcmp(plain.data, data, len) == 0);
}

static void keys(const char *text, size_t len) {
    struct pgc_error err;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities ids = PGC_AGE_IDENTITIES_INIT;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients to = PGC_AGE_RECIPIENTS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf copy = PGC_BUF_INIT;
    pgc_buf_put(&copy, text, len);
    (void)(pgc_age_identities_add_text(&ids, copy.data, copy.len, "fuzz", &err) == PGC_OK);
    (void)(pgc_age_recipients_add_text(&to, copy.data, copy.len, "fuzz", &err) == PGC_OK);
}

/* What decodes encodes to the same text. */
static void bech32(const char *text, size_t len) {
    PGC_CLEANUP(pgc_buf_release)
    struct pgc_buf copy = PGC_BUF_INIT, hrp = PGC_BUF_INIT, data = PGC_BUF_INIT, again = PGC_BUF_INIT;
    pgc_buf_put(&copy, text, len);
    if (!pgc_bech32_decode(copy.data, &hrp, &data))
        return;
    pgc_bech32_encode(&again, hrp.data, (const unsigned char *)data.data, data.len);
    must(strcasecmp(again.data, copy.data) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pgc_error err;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf plain = PGC_BUF_INIT;
    if (len == 0)
        return 0;
    const uint8_t *rest = data + 1;
    switch (data[0]) {
    case 'r':
        round_trip(rest, len - 1, PGC_AGE_BINARY);
        break;
    case 'R':
        round_trip(rest, len - 1, PGC_AGE_ARMOR);
        break;
    case 'k':
        keys((const char *)rest, len - 1);
        break;
    case 'b':
        bech32((const char *)rest, len - 1);
        break;
    default: /* also whole files: they begin with 'a' or '-' */
        (void)(open_all(data, len, &plain, &err) == PGC_OK);
    }
    return 0;
}
