#ifndef PGC_BASE_TEXT_H
#define PGC_BASE_TEXT_H
/* Text forms: hex, base64, percent-encoding, JSON strings, RFC 3339 times. Pure functions over bytes. */
#include <stdint.h>

#include "base/buf.h"

void pgc_text_hex(struct pgc_buf *out, const void *data, size_t len); /* lower case */
/* Exactly 2*cap hex digits into cap bytes. */
PGC_MUST_USE bool pgc_text_unhex(const char *text, size_t len, unsigned char *out, size_t cap);
void pgc_text_base64(struct pgc_buf *out, const void *data, size_t len, bool padded); /* RFC 4648 section 4 */
/* Strict and canonical: false for a wrong length, a foreign character or non-zero unused bits. Appends to out. */
PGC_MUST_USE bool pgc_text_unbase64(struct pgc_buf *out, const char *text, size_t len, bool padded);
/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ and the characters in `keep` (may be ""). Upper-case hex. */
void pgc_text_percent(struct pgc_buf *out, const void *data, size_t len, const char *keep);
PGC_MUST_USE bool pgc_text_unpercent(struct pgc_buf *out, const char *text, size_t len);
/* Bytes of the well-formed UTF-8 character that the text begins with (a NUL is one); 0 when it begins with none. */
size_t pgc_text_utf8(const void *text, size_t len);
/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void pgc_text_json(struct pgc_buf *out, const char *text);
void pgc_text_json_n(struct pgc_buf *out, const char *text, size_t len);
/* Text for XML and HTML: & < > " ' become entities. */
void pgc_text_markup(struct pgc_buf *out, const char *text);
/* "2026-01-31T12:00:00Z", with .mmm when millis. */
void pgc_text_rfc3339(struct pgc_buf *out, int64_t unix_us, bool millis);
/* RFC 3339 with Z or offset, fraction optional; false when malformed. */
PGC_MUST_USE bool pgc_text_parse_rfc3339(const char *text, int64_t *unix_us);
/* "1.5 MiB", "312 B". */
void pgc_text_bytes(struct pgc_buf *out, uint64_t bytes);
bool pgc_text_starts(const char *text, const char *prefix);
bool pgc_text_ends(const char *text, const char *suffix);
/* Days since 1970-01-01 of a civil date (proleptic Gregorian), and back. */
int64_t pgc_days_from_civil(int64_t year, int month, int day);
void pgc_civil_from_days(int64_t days, int64_t *year, int *month, int *day);
#endif
