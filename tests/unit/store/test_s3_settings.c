#include "store/s3_settings.h"

#include <check.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

static struct pgc_error err;

/* Settings as pairs of name and value, ended by NULL. */
static const char *from_pairs(void *arg, const char *name) {
    for (const char *const *pair = arg; pair != NULL && *pair != NULL; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return NULL;
}

static enum pgc_code load(const char *url, const char *const *pairs, struct pgc_s3_settings *out) {
    void *arg = NULL;
    memcpy(&arg, &pairs, sizeof arg);
    const struct pgc_store_options options = { .url = url, .setting = from_pairs, .setting_arg = arg };
    return pgc_s3_settings_load(&options, out, &err);
}

START_TEST(defaults_are_aws)
{
    PGC_CLEANUP(pgc_s3_settings_release) struct pgc_s3_settings s = { 0 };
    ck_assert_int_eq(load("s3://my-bucket", NULL, &s), PGC_OK);
    ck_assert_str_eq(s.bucket, "my-bucket");
    ck_assert_str_eq(s.prefix, "");
    ck_assert_str_eq(s.host, "");
    ck_assert_str_eq(s.profile->name, "aws");
    ck_assert(s.tls && !s.path_style && s.checksum);
    ck_assert_uint_eq(s.max_parts, 10000);
    ck_assert_uint_eq(s.in_flight, 4);
    ck_assert_ptr_null(s.region);
}
END_TEST

START_TEST(url_and_environment)
{
    static const char *const pairs[] = {
        "PGC_S3_REGION", "from-env", "AWS_ENDPOINT_URL", "http://host:80/base/", "PGC_S3_IN_FLIGHT", "2", NULL
    };
    PGC_CLEANUP(pgc_s3_settings_release) struct pgc_s3_settings s = { 0 };
    ck_assert_int_eq(
        load("s3://bkt//a%20b/c/?region=from-url&style=virtual&part_size=64MB&sse_kms_key=k&stall=5s", pairs, &s),
        PGC_OK);
    ck_assert_str_eq(s.prefix, "a b/c/");
    ck_assert_str_eq(s.region, "from-url");
    ck_assert_str_eq(s.host, "host");
    ck_assert_str_eq(s.base_path, "/base");
    ck_assert_str_eq(s.sse, "aws:kms");
    ck_assert(!s.tls && !s.path_style);
    ck_assert_uint_eq(s.in_flight, 2);
    ck_assert_int_eq(s.stall_ms, 5000);
    ck_assert_uint_eq(pgc_s3_part_bytes(&s, 0), 64 * MIB);
}
END_TEST

START_TEST(providers_are_known_by_host)
{
    static const struct {
        const char *url, *profile;
        unsigned parts;
        bool path_style;
    } cases[] = {
        { "s3://bkt?endpoint=https://s3.fr-par.scw.cloud", "scaleway", 1000, false },
        { "s3://bkt?endpoint=https://x.r2.cloudflarestorage.com", "r2", 10000, true },
        { "s3://bkt?endpoint=https://storage.googleapis.com:443", "gcs", 10000, true },
        { "s3://bkt?endpoint=https://s3.eu-west-1.amazonaws.com", "aws", 10000, false },
        { "s3://b.k.t?endpoint=https://s3.eu-west-1.amazonaws.com", "aws", 10000, true },
        { "s3://bkt?endpoint=http://minio:9000", "other", 10000, true },
        { "s3://bkt?endpoint=http://minio:9000&provider=storj&max_parts=7", "storj", 7, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PGC_CLEANUP(pgc_s3_settings_release) struct pgc_s3_settings s = { 0 };
        ck_assert_int_eq(load(cases[i].url, NULL, &s), PGC_OK);
        ck_assert_str_eq(s.profile->name, cases[i].profile);
        ck_assert_uint_eq(s.max_parts, cases[i].parts);
        ck_assert_msg(s.path_style == cases[i].path_style, "%s", cases[i].url);
    }
}
END_TEST

START_TEST(bad_urls_are_refused)
{
    static const char *const bad[] = {
        "s3://",
        "s3://ab",
        "s3://Upper",
        "s3://key:secret@bucket/x",
        "s3://bkt?nonsense=1",
        "s3://bkt?endpoint=host:9000",
        "s3://bkt?endpoint=https://",
        "s3://bkt?endpoint=https://u:p@host",
        "s3://bkt?style=both",
        "s3://bkt?part_size=1kB",
        "s3://bkt?max_parts=0",
        "s3://bkt?max_parts=10001",
        "s3://bkt?lock_mode=GOVERNANCE",
        "s3://bkt?lock_mode=SOFT&lock_days=3",
        "s3://bkt?provider=floppy",
        "s3://bkt/%zz",
        "s3://bkt?list=3",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PGC_CLEANUP(pgc_s3_settings_release) struct pgc_s3_settings s = { 0 };
        ck_assert_msg(load(bad[i], NULL, &s) == PGC_E_USAGE, "%s", bad[i]);
        ck_assert_ptr_null(strstr(err.message, "secret"));
    }
}
END_TEST

START_TEST(parts_follow_the_size_hint)
{
    PGC_CLEANUP(pgc_s3_settings_release) struct pgc_s3_settings s = { 0 };
    ck_assert_int_eq(load("s3://bkt", NULL, &s), PGC_OK);
    ck_assert_uint_eq(pgc_s3_part_bytes(&s, 0), 8 * MIB);
    ck_assert_uint_eq(pgc_s3_part_bytes(&s, 1024 * MIB), 8 * MIB);
    uint64_t tib = pgc_s3_part_bytes(&s, (uint64_t)1 << 40);
    ck_assert_uint_eq(tib % MIB, 0);
    ck_assert(tib * 10000 > ((uint64_t)1 << 40) && tib < 200 * MIB); /* a TiB fits, with room to grow */
    ck_assert_uint_eq(pgc_s3_part_bytes(&s, (uint64_t)1 << 60), 5120 * MIB);
    ck_assert_uint_eq(pgc_s3_parts_in_flight(&s, 8 * MIB), 4);
    ck_assert_uint_eq(pgc_s3_parts_in_flight(&s, 24 * MIB), 2);
    ck_assert_uint_eq(pgc_s3_parts_in_flight(&s, 128 * MIB), 1);
    ck_assert_uint_eq(pgc_s3_parts_in_flight(&s, 5120 * MIB), 1);
}
END_TEST

Suite *s3_settings_suite(void);
Suite *s3_settings_suite(void) {
    Suite *suite = suite_create("s3_settings");
    TCase *tcase = tcase_create("s3_settings");
    tcase_add_test(tcase, defaults_are_aws);
    tcase_add_test(tcase, url_and_environment);
    tcase_add_test(tcase, providers_are_known_by_host);
    tcase_add_test(tcase, bad_urls_are_refused);
    tcase_add_test(tcase, parts_follow_the_size_hint);
    suite_add_tcase(suite, tcase);
    return suite;
}
