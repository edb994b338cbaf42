#ifndef PGC_BASE_SHA256_H
#define PGC_BASE_SHA256_H
/* SHA-256, HMAC-SHA-256 and PBKDF2 over them (FIPS 180-4, RFC 2104, RFC 8018), without libcrypto.
 *
 * For the probe's password exchange, where loading and relocating libcrypto costs more than a whole probe, and for signing
 * small texts. Bulk data goes through io/digest.h and io/tally.h, which are faster. Values on the stack, no errors, no memory. */
#include <stddef.h>
#include <stdint.h>

#define PGC_SHA256_SIZE 32

struct pgc_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
};
void pgc_sha256_init(struct pgc_sha256 *hash);
void pgc_sha256_add(struct pgc_sha256 *hash, const void *data, size_t len);
void pgc_sha256_end(struct pgc_sha256 *hash, unsigned char out[PGC_SHA256_SIZE]);

/* A key made ready once for many messages. */
struct pgc_hmac {
    struct pgc_sha256 inner, outer;
};
void pgc_hmac_init(struct pgc_hmac *key, const void *secret, size_t len);
void pgc_hmac_sign(const struct pgc_hmac *key, const void *data, size_t len, unsigned char out[PGC_SHA256_SIZE]);
/* One block (32 bytes) of PBKDF2-HMAC-SHA-256: what SCRAM calls Hi(). */
void pgc_pbkdf2(const void *password, size_t password_len, const void *salt, size_t salt_len, uint32_t iterations,
                unsigned char out[PGC_SHA256_SIZE]);
#endif
