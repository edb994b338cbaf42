/* What the probe reads from strangers: HTTP requests, libpq's messages, SCRAM, names and versions. The first byte
 * selects what is tried. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pg/scram.h"
#include "ready/http.h"
#include "ready/ledger.h"
#include "ready/objects.h"
#include "ready/target.h"

static void try_scram(const char *text, size_t len) {
    struct pgc_error err;
    PGC_CLEANUP(pgc_scram_release) struct pgc_scram scram = { .nonce = "n" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf first = PGC_BUF_INIT, final = PGC_BUF_INIT;
    pgc_scram_first(&scram, &first);
    /* Real work would make the fuzzer wait: only counts of one digit go through. */
    const char *count = strstr(text, "i=");
    if (count != NULL && strlen(count) > 3)
        return;
    if (pgc_scram_final(&scram, "secret", text, len, &final, &err) == PGC_OK)
        (void)!pgc_scram_verify(&scram, text, len, &err);
}

static void try_target(const char *text) {
    struct pgc_probe_options none = { .user = "u" };
    struct pgc_ready_target target;
    struct pgc_error err;
    if (pgc_ready_target_parse(text, &none, &target, &err) == PGC_OK)
        pgc_ready_target_release(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    char *text = strndup((const char *)data + 1, size - 1);
    if (text == NULL)
        return 0;
    struct pgc_ready_request request;
    struct pgc_probe_result result = { 0 };
    struct pgc_ready_name name;
    size_t half = strlen(text) / 2, used;
    switch (data[0] % 6) {
    case 0:
        used = pgc_ready_request_parse((const char *)data + 1, size - 1, &request);
        if (used > size - 1)
            abort();
        break;
    case 1:
        pgc_probe_classify(text, size % 2 == 0, &result);
        break;
    case 2:
        try_scram(text, strlen(text));
        break;
    case 3:
        (void)!pgc_ready_name_parse(text, &name);
        break;
    case 4:
        if (pgc_ready_version_compare(text, text) != 0)
            abort();
        (void)!pgc_ready_version_compare(text, text + half);
        break;
    default:
        try_target(text);
    }
    free(text);
    return 0;
}
