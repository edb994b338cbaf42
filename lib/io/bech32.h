#ifndef PGC_IO_BECH32_H
#define PGC_IO_BECH32_H
/* Bech32 (BIP 173) without its limit of 90 characters: the text form of age keys. Pure.
 *
 *     pgc_bech32_encode(&out, "age", key, 32);                     // "age1..."
 *     if (!pgc_bech32_decode("age1...", &hrp, &data)) ...           // malformed
 *
 * Text is all lower or all upper case; the checksum is always that of the lower-case text. */
#include "base/buf.h"

/* Appends the text to `out`; the case of `hrp` (the human-readable part) decides the case of all. */
void pgc_bech32_encode(struct pgc_buf *out, const char *hrp, const unsigned char *data, size_t len);
/* Appends the human-readable part, in its original case, to `hrp`, and the bytes to `data`. False for mixed case, a foreign
 * character, a wrong checksum or padding that is not zero; both buffers may then hold anything. */
PGC_MUST_USE bool pgc_bech32_decode(const char *text, struct pgc_buf *hrp, struct pgc_buf *data);
#endif
