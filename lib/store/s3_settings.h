#ifndef PGC_STORE_S3_SETTINGS_H
#define PGC_STORE_S3_SETTINGS_H
/* What an S3 store is told: the URL, the environment, and what is known of the provider behind the endpoint.
 *
 *     s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-1&style=path
 *
 * Parameters (or the setting PGC_S3_<NAME> in upper case; the URL wins):
 *   endpoint        http(s)://host[:port][/path]; also AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. Without it: AWS
 *   region          also AWS_REGION, AWS_DEFAULT_REGION, the profile; default by provider, else us-east-1
 *   style           path | virtual: bucket in the path or in the host name
 *   provider        aws r2 gcs b2 scaleway storj minio swift ceph wasabi digitalocean other: instead of
 *                   guessing by host name
 *   part_size       bytes of a part; default by the size hint, at least 8 MiB
 *   max_parts       parts per object before it goes on in a volume (KEY.001, KEY.002 ...)
 *   in_flight       parts uploaded at the same time (4); memory is (in_flight + 1) x part_size
 *   attempts        tries per request (8)
 *   stall           how long a transfer may stand still (60s)
 *   checksum        yes | no: x-amz-checksum-sha256 per part, and in Complete when the server echoes it
 *   storage_class   STANDARD_IA, GLACIER_IR, ...
 *   sse, sse_kms_key   AES256 | aws:kms, and the key's name
 *   lock_mode, lock_days   GOVERNANCE | COMPLIANCE, days of retention from the moment of the upload
 *   legal_hold      yes | no: locked until somebody with the right to do so takes the hold away
 *   list            1 | 2: version of the list interface
 *
 * PGC_S3_CUSTOMER_KEY (or _FILE): base64 of the 32 bytes with which the server encrypts and forgets (SSE-C; https only).
 * Credentials never stand in the URL (it is logged): see s3_credentials.h. */
#include "store/store.h"

/* What differs between those who speak S3. Facts, not guesses: others are "other" and get the conservative values. */
struct pgc_s3_profile {
    const char *name;
    const char *host_suffix; /* of the endpoint's host; NULL: never guessed */
    const char *region;      /* default; NULL: us-east-1 */
    bool path_style;
    bool checksum; /* takes x-amz-checksum-sha256 */
    unsigned max_parts;
    uint64_t part_min_bytes;
};

struct pgc_s3_settings {
    char *bucket;
    char *prefix; /* "" or ending in '/': in front of every key */
    bool tls;
    char *host;      /* of the endpoint, with its port unless it is the scheme's; "" : AWS, by region */
    char *base_path; /* of the endpoint: "" or "/storage/v1/s3" */
    char *region;    /* NULL: not told */
    bool path_style;
    bool checksum;
    const struct pgc_s3_profile *profile;
    uint64_t part_bytes; /* 0: by the size hint */
    unsigned max_parts;
    unsigned in_flight;
    unsigned attempts;
    int list_version;
    int64_t stall_ms;
    char *storage_class;
    char *sse;
    char *sse_kms_key;
    char *lock_mode;
    int lock_days;
    bool legal_hold;
    char *customer_key; /* base64, and the base64 of its MD5; NULL: none */
    char *customer_key_md5;
};

/* Release is fine after a failure too. */
PGC_MUST_USE enum pgc_code pgc_s3_settings_load(const struct pgc_store_options *options, struct pgc_s3_settings *out,
                                                struct pgc_error *err);
void pgc_s3_settings_release(struct pgc_s3_settings *settings);

/* Bytes per part for an object of up to `size_hint_bytes` (0: unknown): the given part_size, else 1.2 times the hint over
 * 90 % of the parts, rounded up to MiB, from 8 MiB (or the provider's minimum) to 5 GiB. */
uint64_t pgc_s3_part_bytes(const struct pgc_s3_settings *settings, uint64_t size_hint_bytes);
/* Parts in flight for that part size: as told, fewer when they would need more than 80 MiB (320 with a part size of the user's own),
 * at least one. */
unsigned pgc_s3_parts_in_flight(const struct pgc_s3_settings *settings, uint64_t part_bytes);
#endif
