#ifndef PGC_IO_AGE_HYBRID_H
#define PGC_IO_AGE_HYBRID_H
/* The post-quantum recipient mlkem768x25519 of age: HPKE (RFC 9180, base mode, HKDF-SHA-256, ChaCha20-Poly1305) over the
 * key encapsulation X-Wing (draft-connolly-cfrg-xwing-kem), which is safe as long as one of ML-KEM-768 and X25519 is.
 * Internal to lib/io/age*.c.
 *
 * A public key is that of ML-KEM followed by that of X25519 (PGC_AGE_HYBRID_BYTES); a secret key is a seed of 32 bytes. What is
 * sent along, `enc`, is a ciphertext of ML-KEM followed by an X25519 share. PGC_E_CONFIG without ML-KEM (age_mlkem.h). */
#include "io/age.h"
#include "io/age_crypto.h"

#define PGC__AGE_HYBRID_ENC 1120

PGC_MUST_USE enum pgc_code pgc__age_hybrid_public(const unsigned char seed[32], unsigned char out[PGC_AGE_HYBRID_BYTES],
                                                  struct pgc_error *err);
/* The key and nonce that wrap one file key. */
struct pgc__age_hybrid_wrap {
    unsigned char key[PGC__AGE_KEY_BYTES], nonce[PGC__AGE_NONCE_BYTES];
};
PGC_MUST_USE enum pgc_code pgc__age_hybrid_seal(const unsigned char public[PGC_AGE_HYBRID_BYTES],
                                                unsigned char enc[PGC__AGE_HYBRID_ENC],
                                                struct pgc__age_hybrid_wrap *out, struct pgc_error *err);
/* PGC_E_DATA: the X25519 share in `enc` is of low order. */
PGC_MUST_USE enum pgc_code pgc__age_hybrid_open(const unsigned char seed[32],
                                                const unsigned char enc[PGC__AGE_HYBRID_ENC],
                                                struct pgc__age_hybrid_wrap *out, struct pgc_error *err);
#endif
