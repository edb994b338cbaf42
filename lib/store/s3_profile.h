#ifndef PGC_STORE_S3_PROFILE_H
#define PGC_STORE_S3_PROFILE_H
/* One profile of AWS's shared files, ~/.aws/credentials and ~/.aws/config (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE).
 *
 *     PGC_CLEANUP(pgc_aws_profile_release) struct pgc_aws_profile profile = { 0 };
 *     code = pgc_aws_profile_load(options, "default", &profile, err);      // absent files and sections are no error
 *
 * A value of the credentials file wins over one of the config file. */
#include "store/store.h"

enum pgc_aws_value {
    PGC_AWS_ACCESS_KEY,
    PGC_AWS_SECRET_KEY,
    PGC_AWS_TOKEN,
    PGC_AWS_REGION,
    PGC_AWS_ROLE,
    PGC_AWS_SOURCE_PROFILE,
    PGC_AWS_CREDENTIAL_SOURCE,
    PGC_AWS_WEB_TOKEN_FILE,
    PGC_AWS_SESSION_NAME,
    PGC_AWS_EXTERNAL_ID,
    PGC_AWS_DURATION,
    PGC_AWS_MFA_SERIAL,
    PGC_AWS_PROCESS,
    PGC_AWS_SSO_SESSION,
    PGC_AWS_SSO_URL,
    PGC_AWS_VALUES
};

struct pgc_aws_profile {
    char *values[PGC_AWS_VALUES]; /* NULL: not there */
    bool found;                   /* the section is in one of the files */
};

PGC_MUST_USE enum pgc_code pgc_aws_profile_load(const struct pgc_store_options *options, const char *name,
                                                struct pgc_aws_profile *out, struct pgc_error *err);
void pgc_aws_profile_release(struct pgc_aws_profile *profile); /* overwrites the secrets */
/* Takes the value out of the profile; NULL when it is not there. */
char *pgc_aws_profile_take(struct pgc_aws_profile *profile, enum pgc_aws_value which);

/* For tests: the value of `key` in `[section]` of a text, malloc'ed; NULL when absent. *found is set when the section is there. */
char *pgc_aws_ini_value(const char *text, const char *section, const char *key, bool *found);
#endif
