#ifndef PGC_IO_AGE_HEADER_H
#define PGC_IO_AGE_HEADER_H
/* The text header of an age file as a value. Pure: no keys, no cryptography. Internal to lib/io/age*.c.
 *
 *     age-encryption.org/v1
 *     -> X25519 <argument>...
 *     <body, base64 without padding, 64 columns, the last line shorter>
 *     --- <MAC> */
#include "base/array.h"
#include "base/buf.h"

struct pgc__age_stanza {
    struct pgc_strings args; /* args.items[0] is the type */
    struct pgc_buf body;     /* decoded */
};
struct pgc__age_header {
    struct pgc__age_stanza *stanzas;
    size_t count, cap;
    unsigned char mac[32];
};
#define PGC__AGE_HEADER_INIT                                                                                           \
    {                                                                                                                  \
        NULL, 0, 0, {                                                                                                  \
            0                                                                                                          \
        }                                                                                                              \
    }
#define PGC__AGE_HEADER_MAX ((size_t)1 << 20) /* more is refused: memory stays bounded whatever the input */

void pgc__age_header_release(struct pgc__age_header *header);
/* A new empty stanza at the end; NULL without memory. Valid until the next one is added. */
struct pgc__age_stanza *pgc__age_header_stanza(struct pgc__age_header *header);

/* Where the header in `data` ends (behind the line of the MAC); 0 while more bytes are needed.
 * PGC_E_DATA as soon as it is clear that there is none. */
PGC_MUST_USE enum pgc_code pgc__age_header_end(const char *data, size_t len, size_t *end, struct pgc_error *err);
/* Parses exactly `len` bytes (as found by _end). *maced_len: how many of them the MAC covers. */
PGC_MUST_USE enum pgc_code pgc__age_header_parse(const char *data, size_t len, struct pgc__age_header *out,
                                                 size_t *maced_len, struct pgc_error *err);
/* Appends version line, stanzas and "---": what the MAC covers. The rest is " " + base64 of the MAC + "\n". */
void pgc__age_header_format(struct pgc_buf *out, const struct pgc__age_header *header);
#endif
