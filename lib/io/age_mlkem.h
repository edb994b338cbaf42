#ifndef PGC_IO_AGE_MLKEM_H
#define PGC_IO_AGE_MLKEM_H
/* ML-KEM-768 (FIPS 203) and the SHA-3 functions around it, over OpenSSL. Internal to lib/io/age*.c.
 * OpenSSL has ML-KEM from 3.5 on. It is asked for by name when the program runs, so that one build works with both:
 * where it is missing, every function here is PGC_E_CONFIG and says which OpenSSL there is. */
#include <pgc/error.h>

#define PGC__AGE_MLKEM_SEED   64
#define PGC__AGE_MLKEM_PUBLIC 1184
#define PGC__AGE_MLKEM_SEALED 1088
#define PGC__AGE_MLKEM_SECRET 32

PGC_MUST_USE enum pgc_code pgc__age_mlkem_check(struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__age_mlkem_public(const unsigned char seed[PGC__AGE_MLKEM_SEED],
                                                 unsigned char out[PGC__AGE_MLKEM_PUBLIC], struct pgc_error *err);
/* A fresh secret, and what carries it to the owner of `public`. PGC_E_USAGE: that is no public key. */
PGC_MUST_USE enum pgc_code pgc__age_mlkem_seal(const unsigned char public[PGC__AGE_MLKEM_PUBLIC],
                                               unsigned char sealed[PGC__AGE_MLKEM_SEALED],
                                               unsigned char secret[PGC__AGE_MLKEM_SECRET], struct pgc_error *err);
/* Never says that a key does not fit: what was sealed for another one opens to another secret. */
PGC_MUST_USE enum pgc_code pgc__age_mlkem_open(const unsigned char seed[PGC__AGE_MLKEM_SEED],
                                               const unsigned char sealed[PGC__AGE_MLKEM_SEALED],
                                               unsigned char secret[PGC__AGE_MLKEM_SECRET], struct pgc_error *err);

PGC_MUST_USE enum pgc_code pgc__age_sha3_256(const void *data, size_t len, unsigned char out[32],
                                             struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__age_shake256(const void *data, size_t len, unsigned char *out, size_t out_len,
                                             struct pgc_error *err);
#endif
