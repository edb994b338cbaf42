#ifndef PGC_IO_AGE_CRYPTO_H
#define PGC_IO_AGE_CRYPTO_H
/* The primitives age is made of, over OpenSSL. Internal to lib/io/age*.c: no other file there knows OpenSSL.
 * Failures of the library itself are PGC_E_FAILED; "the key does not fit" is an answer, not an error. */
#include <pgc/error.h>
#include <stdint.h>

#define PGC__AGE_KEY_BYTES      32
#define PGC__AGE_FILE_KEY_BYTES 16
#define PGC__AGE_TAG_BYTES      16
#define PGC__AGE_NONCE_BYTES    12

void pgc__age_wipe(void *data, size_t len);
PGC_MUST_USE enum pgc_code pgc__age_random(void *out, size_t len, struct pgc_error *err);
PGC_MUST_USE bool pgc__age_equal(const void *a, const void *b, size_t len); /* in constant time */

PGC_MUST_USE enum pgc_code pgc__age_hmac(const unsigned char key[32], const void *data, size_t len,
                                         unsigned char out[32], struct pgc_error *err);
/* HKDF-SHA-256 for 32 bytes of output. */
PGC_MUST_USE enum pgc_code pgc__age_hkdf(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
                                         const char *info, unsigned char out[32], struct pgc_error *err);
/* scrypt with r = 8, p = 1; needs 2^(log_n + 10) bytes of memory. */
PGC_MUST_USE enum pgc_code pgc__age_scrypt(const char *passphrase, const void *salt, size_t salt_len, int log_n,
                                           unsigned char out[32], struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__age_sha256(const void *data, size_t len, unsigned char out[32], struct pgc_error *err);

/* secret * point. False: the point is of low order (the shared secret would be zero). */
PGC_MUST_USE bool pgc__age_x25519(const unsigned char secret[32], const unsigned char point[32], unsigned char out[32]);
PGC_MUST_USE bool pgc__age_x25519_public(const unsigned char secret[32], unsigned char out[32]);
/* The Montgomery form of an Ed25519 public key; false when there is none. */
PGC_MUST_USE bool pgc__age_ed25519_point(const unsigned char public[32], unsigned char out[32]);
/* The scalar of an Ed25519 seed, fit for X25519, and its public key. */
PGC_MUST_USE bool pgc__age_ed25519_scalar(const unsigned char seed[32], unsigned char scalar[32],
                                          unsigned char public[32]);

/* ChaCha20-Poly1305 under one key, many nonces; for one direction. */
struct pgc__age_aead;
enum pgc__age_direction { PGC__AGE_SEAL, PGC__AGE_OPEN };
PGC_MUST_USE enum pgc_code pgc__age_aead_new(const unsigned char key[32], enum pgc__age_direction direction,
                                             struct pgc__age_aead **out, struct pgc_error *err);
void pgc__age_aead_free(struct pgc__age_aead *aead);
/* Writes len + 16 bytes. */
PGC_MUST_USE enum pgc_code pgc__age_seal(struct pgc__age_aead *aead, const unsigned char nonce[12], const void *plain,
                                         size_t len, unsigned char *out, struct pgc_error *err);
/* len counts the tag and is at least 16; writes len - 16 bytes. False: not authentic, and `out` is wiped. */
PGC_MUST_USE bool pgc__age_open(struct pgc__age_aead *aead, const unsigned char nonce[12], const void *sealed,
                                size_t len, unsigned char *out);
#endif
