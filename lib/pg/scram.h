#ifndef PGC_PG_SCRAM_H
#define PGC_PG_SCRAM_H
/* The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it. Pure: messages in, messages out;
 * the nonce is given. Without channel binding; the user name is empty because the start-up packet has named it. */
#include "base/buf.h"
#include "base/sha256.h"

struct pgc_scram {
    char nonce[40]; /* printable, no comma */
    unsigned char server_key[PGC_SHA256_SIZE];
    struct pgc_buf auth_message; /* what both sides sign */
};

/* Passwords that need no normalisation (SASLprep): printable ASCII. */
bool pgc_scram_can(const char *password);
void pgc_scram_first(struct pgc_scram *scram, struct pgc_buf *out);
/* `data` is the server's first message. PGC_E_DATA when it is malformed or not an answer to our nonce. */
PGC_MUST_USE enum pgc_code pgc_scram_final(struct pgc_scram *scram, const char *password, const char *data, size_t len,
                                           struct pgc_buf *out, struct pgc_error *err);
/* Does the server know the password, too? PGC_E_AUTH when not. */
PGC_MUST_USE enum pgc_code pgc_scram_verify(const struct pgc_scram *scram, const char *data, size_t len,
                                            struct pgc_error *err);
void pgc_scram_release(struct pgc_scram *scram);
#endif
