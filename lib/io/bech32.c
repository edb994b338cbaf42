#include "io/bech32.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
#define CHECKSUM_LEN ((size_t)6)

static uint32_t step(uint32_t chk, unsigned value) {
    static const uint32_t generator[5] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
    uint32_t top = chk >> 25;
    chk = (chk & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1)
            chk ^= generator[i];
    return chk;
}

static uint32_t start(const char *hrp, size_t len) {
    uint32_t chk = 1;
    for (size_t i = 0; i < len; i++)
        chk = step(chk, (unsigned)tolower((unsigned char)hrp[i]) >> 5);
    chk = step(chk, 0);
    for (size_t i = 0; i < len; i++)
        chk = step(chk, (unsigned)tolower((unsigned char)hrp[i]) & 31);
    return chk;
}

void pgc_bech32_encode(struct pgc_buf *out, const char *hrp, const unsigned char *data, size_t len) {
    size_t hrp_len = strlen(hrp);
    bool upper = hrp_len > 0 && isupper((unsigned char)hrp[0]);
    uint32_t chk = start(hrp, hrp_len), acc = 0;
    int bits = 0;
    pgc_buf_puts(out, hrp);
    pgc_buf_putc(out, '1');
    for (size_t i = 0; i < len || bits > 0;) {
        if (bits < 5 && i < len) {
            acc = (acc << 8 | data[i++]) & 0xfff;
            bits += 8;
        } else if (bits < 5) { /* the last group is filled up with zeros */
            acc <<= 5 - bits;
            bits = 5;
        }
        while (bits >= 5) {
            unsigned value = acc >> (bits -= 5) & 31;
            chk = step(chk, value);
            pgc_buf_putc(out, upper ? (char)toupper(alphabet[value]) : alphabet[value]);
        }
    }
    for (size_t i = 0; i < CHECKSUM_LEN; i++)
        chk = step(chk, 0);
    chk ^= 1;
    for (size_t i = 0; i < CHECKSUM_LEN; i++) {
        char c = alphabet[chk >> 5 * (CHECKSUM_LEN - 1 - i) & 31];
        pgc_buf_putc(out, upper ? (char)toupper(c) : c);
    }
}

bool pgc_bech32_decode(const char *text, struct pgc_buf *hrp, struct pgc_buf *data) {
    size_t len = strlen(text);
    bool lower = false, upper = false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 33 || (unsigned char)text[i] > 126)
            return false;
        lower = lower || islower((unsigned char)text[i]);
        upper = upper || isupper((unsigned char)text[i]);
    }
    const char *one = strrchr(text, '1');
    if ((lower && upper) || one == NULL || one == text || strlen(one + 1) < CHECKSUM_LEN)
        return false;
    uint32_t chk = start(text, (size_t)(one - text)), acc = 0;
    int bits = 0;
    for (const char *p = one + 1; *p != '\0'; p++) {
        const char *at = strchr(alphabet, tolower((unsigned char)*p));
        if (at == NULL)
            return false;
        unsigned value = (unsigned)(at - alphabet);
        chk = step(chk, value);
        if (strlen(p) <= CHECKSUM_LEN)
            continue;
        acc = (acc << 5 | value) & 0xfff;
        bits += 5;
        if (bits >= 8)
            pgc_buf_putc(data, (char)(acc >> (bits -= 8) & 0xff));
    }
    if (chk != 1 || bits >= 5 || (acc & ((1u << bits) - 1)) != 0)
        return false;
    pgc_buf_put(hrp, text, (size_t)(one - text));
    return !hrp->failed && !data->failed;
}
