#ifndef PGC_STORE_S3_KEYS_H
#define PGC_STORE_S3_KEYS_H
/* The places that give out temporary keys: token service, container endpoint, instance metadata, a program. Which one is
 * asked, and when, is decided in s3_credentials.c.
 *
 *     code = pgc_s3_keys_fetch(&source, &fresh, err);      // PGC_E_AUTH: refused; PGC_E_TEMPORARY: perhaps later */
#include "store/s3_credentials.h"

enum pgc_s3_key_kind {
    PGC_S3_KEYS_NONE,
    PGC_S3_KEYS_FIXED,        /* nothing to fetch */
    PGC_S3_KEYS_WEB_IDENTITY, /* role by the token in a file, which is read anew each time */
    PGC_S3_KEYS_ROLE,         /* role by the keys of `base` */
    PGC_S3_KEYS_PROCESS,      /* what a program prints */
    PGC_S3_KEYS_CONTAINER,
    PGC_S3_KEYS_METADATA
};

struct pgc_s3_key_source {
    enum pgc_s3_key_kind kind;
    const struct pgc_runtime *rt;
    char *region;  /* of the token service, NULL: the global one */
    char *sts;     /* its URL instead of AWS's */
    char *ca_file; /* NULL: as usual */
    char *role, *session, *external_id, *duration;
    char *token_file; /* of web identity */
    struct pgc_s3_identity *base;
    char *process;
    char *container_url, *container_token, *container_token_file;
    char *metadata; /* base URL */
};
void pgc_s3_key_source_release(struct pgc_s3_key_source *source);

PGC_MUST_USE enum pgc_code pgc_s3_keys_fetch(struct pgc_s3_key_source *source, struct pgc_s3_credentials *out,
                                             struct pgc_error *err);

/* "prog 'a b' \"c d\" e" as an argument vector, quotes as a shell knows them but nothing else; false: a quote is open or nothing is there. */
struct pgc_strings;
PGC_MUST_USE bool pgc_s3_split_command(const char *text, struct pgc_strings *out);
#endif
