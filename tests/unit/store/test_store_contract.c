/* What every backend promises, run on a folder and on each URL in PGC_TEST_STORES (separated by blanks).
 * Tests use keys below a prefix of their own and leave nothing behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "os/process.h"
#include "store/store.h"

static struct pgc_process process;
static char urls[16][1024];
static int url_count;
static struct pgc_store *store;
static char prefix[64];
static struct pgc_error err;

static void find_urls(void) {
    const char *base = getenv("T") != NULL ? getenv("T") : "/tmp";
    snprintf(urls[0], sizeof urls[0], "file://%s/store with blank", base);
    url_count = 1;
    const char *more = getenv("PGC_TEST_STORES");
    char *copy = strdup(more == NULL ? "" : more);
    char *state = NULL;
    for (char *word = strtok_r(copy, " ", &state); word != NULL && url_count < 16; word = strtok_r(NULL, " ", &state))
        snprintf(urls[url_count++], sizeof urls[0], "%s", word);
    free(copy);
}

static void open_store(int index) {
    pgc_process_init(&process, "test", PGC_LOG_ERROR, PGC_LOG_FORMAT_TEXT);
    struct pgc_store_options options = { .url = urls[index] };
    ck_assert_msg(pgc_store_attach(&options, pgc_process_runtime(&process), &store, &err) == PGC_OK, "%s: %s",
                  urls[index], err.message);
    snprintf(prefix, sizeof prefix, "t%ld-%lld/", (long)getpid(), (long long)pgc_mono_ms(&process.runtime));
}

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        enum pgc_code ok_code = (call);                                                                                \
        ck_assert_msg(ok_code == PGC_OK, "%s: %s", #call, err.message);                                                \
    } while (0)

static char *key(const char *name) {
    static char keys[4][1200];
    static int turn;
    char *k = keys[turn++ % 4];
    snprintf(k, sizeof keys[0], "%s%s", prefix, name);
    return k;
}

static enum pgc_code collect(void *arg, const struct pgc_store_entry *entry, struct pgc_error *e) {
    return pgc_strings_addf(arg, e, "%s %llu", entry->key + strlen(prefix), (unsigned long long)entry->size_bytes);
}

static void list(const char *below, struct pgc_strings *out) {
    OK(pgc_store_each(store, key(below), collect, out, &err));
    pgc_strings_sort(out);
}

static void check_list(const char *below, const char *wanted) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    list(below, &names);
    for (size_t i = 0; i < names.count; i++)
        pgc_buf_putf(&text, "%s\n", names.items[i]);
    ck_assert_str_eq(text.data, wanted);
}

static void erase_all(void) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    list("", &names);
    for (size_t i = 0; i < names.count; i++) {
        *strrchr(names.items[i], ' ') = '\0';
        OK(pgc_store_erase(store, key(names.items[i]), &err));
    }
    check_list("", "");
    pgc_store_drop(store);
}

/* Byte i of a test object: never a period of two, so that swapped parts are noticed. */
static unsigned char byte_at(uint64_t i) {
    return (unsigned char)((i * 2654435761u) >> 13 ^ i);
}

static void put_bytes(struct pgc_sink *sink, uint64_t from, uint64_t to) {
    unsigned char block[70001];
    while (from < to) {
        size_t n = to - from < sizeof block ? (size_t)(to - from) : sizeof block;
        for (size_t i = 0; i < n; i++)
            block[i] = byte_at(from + i);
        OK(pgc_sink_put(sink, block, n, &err));
        from += n;
    }
}

static void check_bytes(const char *name, uint64_t offset, uint64_t length, uint64_t wanted) {
    struct pgc_source *source = NULL;
    OK(pgc_store_get(store, key(name), offset, length, &source, &err));
    unsigned char block[65536];
    uint64_t at = offset;
    for (;;) {
        size_t n = 0;
        OK(pgc_source_get(source, block, sizeof block, &n, &err));
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++)
            if (block[i] != byte_at(at + i))
                ck_abort_msg("byte %llu is wrong", (unsigned long long)(at + i));
        at += n;
    }
    OK(pgc_source_verify(source, &err));
    pgc_source_drop(source);
    ck_assert_uint_eq(at - offset, wanted);
}

START_TEST(sizes_come_back)
{
    open_store(_i);
    /* around the block of a copy and the smallest multipart part (5 and 8 MiB) */
    static const uint64_t sizes[] = { 0, 1, 131071, 131072, 5242880, 8388607, 8388608, 8388609, 20000003 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pgc_sink *sink = NULL;
        struct pgc_store_put_options options = { .size_hint_bytes = i % 2 ? sizes[i] : 0 };
        OK(pgc_store_put(store, key("sized"), &options, &sink, &err));
        put_bytes(sink, 0, sizes[i]);
        OK(pgc_sink_commit(sink, &err));
        pgc_sink_drop(sink);
        check_bytes("sized", 0, UINT64_MAX, sizes[i]);
    }
    erase_all();
}
END_TEST

START_TEST(ranges_come_back)
{
    open_store(_i);
    struct pgc_sink *sink = NULL;
    OK(pgc_store_put(store, key("r"), NULL, &sink, &err));
    put_bytes(sink, 0, 100000);
    OK(pgc_sink_commit(sink, &err));
    pgc_sink_drop(sink);
    check_bytes("r", 0, 1, 1);
    check_bytes("r", 99999, UINT64_MAX, 1);
    check_bytes("r", 100000, UINT64_MAX, 0);
    check_bytes("r", 200000, 5, 0);
    check_bytes("r", 500, 65536, 65536);
    check_bytes("r", 500, UINT64_MAX, 99500);
    check_bytes("r", 99990, 100, 10);
    check_bytes("r", 7, 0, 0);
    erase_all();
}
END_TEST

START_TEST(nothing_is_seen_before_commit)
{
    open_store(_i);
    OK(pgc_store_save(store, key("a/old"), "old", 3, NULL, &err));
    struct pgc_sink *sink = NULL;
    OK(pgc_store_put(store, key("a/new"), NULL, &sink, &err));
    put_bytes(sink, 0, 9000000);
    check_list("", "a/old 3\n");
    struct pgc_source *source = NULL;
    ck_assert_int_eq(pgc_store_get(store, key("a/new"), 0, UINT64_MAX, &source, &err), PGC_E_NOT_FOUND);
    pgc_sink_drop(sink);
    check_list("", "a/old 3\n");
    OK(pgc_store_put(store, key("a/old"), NULL, &sink, &err)); /* a replacement is not seen while it is written, */
    put_bytes(sink, 0, 9000000);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    OK(pgc_store_load(store, key("a/old"), 100, &text, &err));
    ck_assert_str_eq(text.data, "old");
    pgc_sink_drop(sink); /* and an aborted one leaves the old object */
    pgc_buf_clear(&text);
    OK(pgc_store_load(store, key("a/old"), 100, &text, &err));
    ck_assert_str_eq(text.data, "old");
    OK(pgc_store_save(store, key("a/old"), "newer", 5, "text/plain", &err));
    pgc_buf_clear(&text);
    OK(pgc_store_load(store, key("a/old"), 5, &text, &err));
    ck_assert_str_eq(text.data, "newer");
    pgc_buf_clear(&text);
    ck_assert_int_eq(pgc_store_load(store, key("a/old"), 4, &text, &err), PGC_E_DATA);
    erase_all();
}
END_TEST

#define TEN          "0123456789"
#define FIFTY        TEN TEN TEN TEN TEN
#define LONG_SEGMENT FIFTY FIFTY FIFTY FIFTY /* file systems allow 255 bytes */

static const char *const odd_names[] = {
    "plain",
    "with blank",
    " leading",
    "trailing ",
    "quote'\"`",
    "a..b",
    "..a",
    "a..",
    "...",
    ".hidden",
    "per%cent%2Fcent",
    "plus+and&amp;<x>",
    "ques?tion#hash",
    "b\\ack",
    "semi;colon=,:@$!*()[]{}|^~",
    "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80",
    "e\xcc\x81",
    "-dash",
    "star*",
    "x/y z/%20/q",
    "UPPER",
    "upper",
    "~tilde",
    "100%",
    "a%",
    "+",
    "#",
    "?",
    "a=b&c=d",
    "tab-less\xc2\xa0nbsp",
    LONG_SEGMENT,
    LONG_SEGMENT "1/" LONG_SEGMENT "2/" LONG_SEGMENT "3/" LONG_SEGMENT "4",
};
#define ODD_COUNT (sizeof odd_names / sizeof odd_names[0])

static void check_prefix(const char *name) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
    list(name, &names);
    pgc_buf_putf(&line, "%s %zu", name, strlen(name));
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.items[i], line.data) == 0)
            return;
    ck_abort_msg("'%s' is not listed below its own name", name);
}

START_TEST(odd_names_survive)
{
    open_store(_i);
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings wanted = PGC_STRINGS_INIT;
    for (size_t i = 0; i < ODD_COUNT; i++) {
        OK(pgc_store_save(store, key(odd_names[i]), odd_names[i], strlen(odd_names[i]), NULL, &err));
        OK(pgc_strings_addf(&wanted, &err, "%s %zu", odd_names[i], strlen(odd_names[i])));
    }
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    list("", &names);
    pgc_strings_sort(&wanted);
    ck_assert_uint_eq(names.count, wanted.count);
    for (size_t i = 0; i < names.count; i++)
        ck_assert_str_eq(names.items[i], wanted.items[i]);
    for (size_t i = 0; i < ODD_COUNT; i++) { /* each is listed by its whole name, and read back */
        check_prefix(odd_names[i]);
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        OK(pgc_store_load(store, key(odd_names[i]), 1000, &text, &err));
        ck_assert_str_eq(text.data, odd_names[i]);
    }
    erase_all();
}
END_TEST

START_TEST(bad_keys_are_refused)
{
    open_store(_i);
    static const char *const bad[] = { "", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\nb", "a\x7f" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pgc_sink *sink = NULL;
        struct pgc_source *source = NULL;
        ck_assert_int_eq(pgc_store_put(store, bad[i], NULL, &sink, &err), PGC_E_USAGE);
        ck_assert_int_eq(pgc_store_get(store, bad[i], 0, 1, &source, &err), PGC_E_USAGE);
        ck_assert_int_eq(pgc_store_erase(store, bad[i], &err), PGC_E_USAGE);
    }
    erase_all();
}
END_TEST

START_TEST(prefixes_are_bytes)
{
    open_store(_i);
    static const char *const names[] = { "app/1", "app/2", "app_staging/1", "app", "b/app/1" };
    for (size_t i = 0; i < 5; i++)
        if (strcmp(names[i], "app") != 0) /* a folder cannot hold an object and a folder of one name */
            OK(pgc_store_save(store, key(names[i]), "x", 1, NULL, &err));
    check_list("app/", "app/1 1\napp/2 1\n");
    check_list("app", "app/1 1\napp/2 1\napp_staging/1 1\n");
    check_list("app_", "app_staging/1 1\n");
    check_list("b/app/1", "b/app/1 1\n");
    check_list("none", "");
    check_list("app/1/x", "");
    erase_all();
}
END_TEST

START_TEST(erasing_is_idempotent)
{
    open_store(_i);
    OK(pgc_store_erase(store, key("never/was"), &err));
    OK(pgc_store_save(store, key("d/e/f"), "x", 1, NULL, &err));
    OK(pgc_store_erase(store, key("d/e/f"), &err));
    OK(pgc_store_erase(store, key("d/e/f"), &err));
    OK(pgc_store_save(store, key("d"), "x", 1, NULL, &err)); /* the name is free again */
    check_list("", "d 1\n");
    erase_all();
}
END_TEST

static enum pgc_code stop_at_second(void *arg, const struct pgc_store_entry *entry, struct pgc_error *e) {
    (void)entry;
    return ++*(int *)arg == 2 ? pgc_fail(e, PGC_E_LOCKED, "enough") : PGC_OK;
}

static enum pgc_code erase_it(void *arg, const struct pgc_store_entry *entry, struct pgc_error *e) {
    ++*(int *)arg;
    return pgc_store_erase(store, entry->key, e);
}

START_TEST(listing_ends_when_asked_and_may_erase)
{
    open_store(_i);
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "l%d/x", i);
        OK(pgc_store_save(store, key(name), "x", 1, NULL, &err));
    }
    int seen = 0;
    ck_assert_int_eq(pgc_store_each(store, prefix, stop_at_second, &seen, &err), PGC_E_LOCKED);
    ck_assert_int_eq(seen, 2);
    seen = 0;
    OK(pgc_store_each(store, prefix, erase_it, &seen, &err));
    ck_assert_int_eq(seen, 5);
    erase_all();
}
END_TEST

START_TEST(two_writers_do_not_meet)
{
    open_store(_i);
    struct pgc_sink *a = NULL, *b = NULL;
    OK(pgc_store_put(store, key("two/a"), NULL, &a, &err));
    OK(pgc_store_put(store, key("two/b"), NULL, &b, &err));
    put_bytes(a, 0, 10);
    put_bytes(b, 0, 20);
    pgc_sink_drop(a);
    put_bytes(b, 20, 30);
    OK(pgc_sink_commit(b, &err));
    pgc_sink_drop(b);
    check_list("", "two/b 30\n");
    erase_all();
}
END_TEST

Suite *store_contract_suite(void);
Suite *store_contract_suite(void) {
    find_urls();
    Suite *s = suite_create("store_contract");
    TCase *tc = tcase_create("contract");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, sizes_come_back, 0, url_count);
    tcase_add_loop_test(tc, ranges_come_back, 0, url_count);
    tcase_add_loop_test(tc, nothing_is_seen_before_commit, 0, url_count);
    tcase_add_loop_test(tc, odd_names_survive, 0, url_count);
    tcase_add_loop_test(tc, bad_keys_are_refused, 0, url_count);
    tcase_add_loop_test(tc, prefixes_are_bytes, 0, url_count);
    tcase_add_loop_test(tc, erasing_is_idempotent, 0, url_count);
    tcase_add_loop_test(tc, listing_ends_when_asked_and_may_erase, 0, url_count);
    tcase_add_loop_test(tc, two_writers_do_not_meet, 0, url_count);
    suite_add_tcase(s, tc);
    return s;
}
