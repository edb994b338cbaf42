#ifndef PGC_MIGRATE_SIPHASH_H
#define PGC_MIGRATE_SIPHASH_H
/* SipHash-1-3 with a key of zeros: the hash that refinery (Rust's DefaultHasher) writes into its ledger. No library of
 * Debian offers the 1-3 variant. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
#include <stddef.h>
#include <stdint.h>

uint64_t pgc_siphash13(const void *data, size_t len);
#endif
