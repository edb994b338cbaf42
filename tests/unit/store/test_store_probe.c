/* One store operation, told by the environment, for shell tests that need exactly that (faults, orphans, volumes):
 *   PGC_PROBE_URL, PGC_PROBE = "put KEY BYTES" | "drop KEY BYTES" | "get KEY BYTES" | "list PREFIX" | "erase KEY" |
 *   "sweep PREFIX". Prints "result OK" or "result CODE: message", and for list one line per object.
 * The bytes of an object depend on their place only. Without PGC_PROBE nothing is done. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/process.h"
#include "store/store.h"

static unsigned char byte_at(uint64_t i) {
    return (unsigned char)((i * 2654435761U) >> 13 ^ i);
}

static enum pgc_code put(struct pgc_store *store, const char *key, uint64_t bytes, bool commit, struct pgc_error *err) {
    static unsigned char block[100003];
    struct pgc_store_put_options options = { .content_type = "application/octet-stream" };
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    enum pgc_code code = pgc_store_put(store, key, &options, &sink, err);
    for (uint64_t at = 0; code == PGC_OK && at < bytes;) {
        size_t n = bytes - at < sizeof block ? (size_t)(bytes - at) : sizeof block;
        for (size_t i = 0; i < n; i++)
            block[i] = byte_at(at + i);
        code = pgc_sink_put(sink, block, n, err);
        at += n;
    }
    if (code == PGC_OK && commit)
        code = pgc_sink_commit(sink, err);
    return code;
}

static enum pgc_code get(struct pgc_store *store, const char *key, uint64_t bytes, struct pgc_error *err) {
    static unsigned char block[65536];
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    size_t n = 0;
    uint64_t at = 0;
    enum pgc_code code = pgc_store_get(store, key, 0, UINT64_MAX, &source, err);
    while (code == PGC_OK) {
        code = pgc_source_get(source, block, sizeof block, &n, err);
        if (code != PGC_OK || n == 0)
            break;
        for (size_t i = 0; i < n; i++)
            if (block[i] != byte_at(at + i))
                return pgc_fail(err, PGC_E_DATA, "byte %llu differs", (unsigned long long)(at + i));
        at += n;
    }
    if (code == PGC_OK && at != bytes)
        return pgc_fail(err, PGC_E_DATA, "%llu bytes", (unsigned long long)at);
    return code == PGC_OK ? pgc_source_verify(source, err) : code;
}

static enum pgc_code show(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    (void)arg, (void)err;
    printf("object %s %llu\n", entry->key, (unsigned long long)entry->size_bytes);
    return PGC_OK;
}

static enum pgc_code operate(struct pgc_store *store, const char *what, struct pgc_error *err) {
    char verb[16] = "";
    char key[1100] = "";
    unsigned long long bytes = 0;
    size_t count = 0;
    (void)!sscanf(what, "%15s %1099s %llu", verb, key, &bytes);
    if (strcmp(verb, "put") == 0 || strcmp(verb, "drop") == 0)
        return put(store, key, bytes, strcmp(verb, "put") == 0, err);
    if (strcmp(verb, "get") == 0)
        return get(store, key, bytes, err);
    if (strcmp(verb, "list") == 0)
        return pgc_store_each(store, key, show, NULL, err);
    if (strcmp(verb, "erase") == 0)
        return pgc_store_erase(store, key, err);
    enum pgc_code code = pgc_store_sweep(store, key, 0, &count, err);
    printf("swept %zu\n", count);
    return code;
}

START_TEST(probe)
{
    static struct pgc_process process;
    struct pgc_error err;
    struct pgc_store *store = NULL;
    const char *what = getenv("PGC_PROBE");
    struct pgc_store_options options = { .url = getenv("PGC_PROBE_URL") };
    if (what == NULL)
        return;
    pgc_process_init(&process, "probe", PGC_LOG_DEBUG, PGC_LOG_FORMAT_TEXT);
    enum pgc_code code = pgc_store_attach(&options, pgc_process_runtime(&process), &store, &err);
    if (code == PGC_OK)
        code = operate(store, what, &err);
    pgc_store_drop(store);
    if (code == PGC_OK)
        printf("result OK\n");
    else
        printf("result %s: %s\n", pgc_code_name(code), err.message);
    fflush(stdout);
}
END_TEST

Suite *store_probe_suite(void);
Suite *store_probe_suite(void) {
    Suite *suite = suite_create("store_probe");
    TCase *tcase = tcase_create("probe");
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, probe);
    suite_add_tcase(suite, tcase);
    return suite;
}
