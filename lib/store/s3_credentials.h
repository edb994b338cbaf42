#ifndef PGC_STORE_S3_CREDENTIALS_H
#define PGC_STORE_S3_CREDENTIALS_H
/* Where the keys for S3 come from, in the order in which AWS's own tools look; the first that is configured is used:
 *
 *   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (each also as NAME_FILE);
 *   2. web identity (Kubernetes): AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, exchanged at STS;
 *   3. the shared files ~/.aws/credentials and ~/.aws/config (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE), section
 *      AWS_PROFILE or "default": role_arn with web_identity_token_file, source_profile or credential_source; keys;
 *      credential_process (run as an argument vector, never by a shell); region;
 *   4. the container's endpoint: AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI;
 *   5. instance metadata, version 2 only (AWS_EC2_METADATA_DISABLED=true switches it off).
 *
 *     code = pgc_s3_identity_open(options, rt, &identity, err);            // reads settings, asks nobody
 *     code = pgc_s3_identity_get(identity, false, &credentials, err);      // a copy; asks when needed
 *
 * Temporary keys are fetched again five minutes before they end; when that fails, they serve until they have ended. The endpoints
 * of 4 and 5 are never asked through a proxy. Several threads may ask at once. */
#include "store/store.h"

struct pgc_s3_credentials {
    char *access_key;
    char *secret_key;
    char *token;        /* NULL: long-lived keys */
    int64_t expires_us; /* 0: never */
};
void pgc_s3_credentials_release(struct pgc_s3_credentials *credentials); /* overwrites the secrets */

/* AWS_CA_BUNDLE, unless PGC_CA_FILE says otherwise; malloc'ed into *out, NULL: as usual. */
PGC_MUST_USE enum pgc_code pgc_s3_ca_file(const struct pgc_store_options *options, char **out, struct pgc_error *err);

struct pgc_s3_identity;
PGC_MUST_USE enum pgc_code pgc_s3_identity_open(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                                struct pgc_s3_identity **out, struct pgc_error *err);
void pgc_s3_identity_free(struct pgc_s3_identity *identity);
/* The region of the shared files' profile, NULL when it names none. */
const char *pgc_s3_identity_region(const struct pgc_s3_identity *identity);
/* `refresh`: the server said that the keys have expired. Nothing configured, or a source refuses: PGC_E_AUTH. */
PGC_MUST_USE enum pgc_code pgc_s3_identity_get(struct pgc_s3_identity *identity, bool refresh,
                                               struct pgc_s3_credentials *out, struct pgc_error *err);
#endif
