#ifndef PGC_IO_DIGEST_H
#define PGC_IO_DIGEST_H
/* Digests of bytes in memory, for formats that name one. Cannot fail: what cannot be computed is all zero bytes
 * (OpenSSL built without an algorithm). Digests of streams: io/tally.h. */
#include <stddef.h>
#include <stdint.h>

enum pgc_digest { PGC_DIGEST_MD5, PGC_DIGEST_SHA1, PGC_DIGEST_SHA256, PGC_DIGEST_SHA384 };
#define PGC_DIGEST_MAX 48

/* Bytes of its result: 16, 20, 32, 48. */
size_t pgc_digest_size(enum pgc_digest which);
void pgc_digest(enum pgc_digest which, const void *data, size_t len, unsigned char *out);
/* Lower-case hex and a NUL into out (2 * size + 1 bytes). */
void pgc_digest_hex(enum pgc_digest which, const void *data, size_t len, char *out);

/* A running digest whose value can be looked at in between (atlas.sum hashes cumulatively). */
struct pgc_digest_run;
struct pgc_digest_run *pgc_digest_run_new(enum pgc_digest which); /* NULL: no memory */
void pgc_digest_run_add(struct pgc_digest_run *run, const void *data, size_t len);
void pgc_digest_run_peek(const struct pgc_digest_run *run, unsigned char *out);
/* pgc_digest_hex for many short texts: no new look for the algorithm. The run begins anew before and after it. */
void pgc_digest_run_hex(struct pgc_digest_run *run, const void *data, size_t len, char *out);
void pgc_digest_run_free(struct pgc_digest_run *run);

/* CRC-32 (IEEE, as zlib and Java compute it); start with 0, feed the result back in to go on. */
uint32_t pgc_crc32(uint32_t crc, const void *data, size_t len);
#endif
