#include "base/sha256.h"

#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static uint32_t word_at(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void compress(uint32_t state[8], const unsigned char block[64]) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++)
        w[i] = word_at(block + (size_t)i * 4);
    for (int i = 16; i < 64; i++) {
        uint32_t small0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t small1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + small0 + w[i - 7] + small1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
        uint32_t t1 = h + big1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
        uint32_t t2 = big0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void pgc_sha256_init(struct pgc_sha256 *hash) {
    static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(hash->state, first, sizeof first);
    hash->length = 0;
}

void pgc_sha256_add(struct pgc_sha256 *hash, const void *data, size_t len) {
    const unsigned char *p = data;
    while (len > 0) {
        size_t used = (size_t)(hash->length % 64), n = 64 - used < len ? 64 - used : len;
        memcpy(hash->block + used, p, n);
        hash->length += n;
        p += n;
        len -= n;
        if (used + n == 64)
            compress(hash->state, hash->block);
    }
}

void pgc_sha256_end(struct pgc_sha256 *hash, unsigned char out[PGC_SHA256_SIZE]) {
    uint64_t bits = hash->length * 8;
    size_t used = (size_t)(hash->length % 64);
    hash->block[used++] = 0x80;
    if (used > 56) {
        memset(hash->block + used, 0, 64 - used);
        compress(hash->state, hash->block);
        used = 0;
    }
    memset(hash->block + used, 0, 56 - used);
    for (int i = 0; i < 8; i++)
        hash->block[56 + i] = (unsigned char)(bits >> (56 - 8 * i));
    compress(hash->state, hash->block);
    for (int i = 0; i < 32; i++)
        out[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void pgc_hmac_init(struct pgc_hmac *key, const void *secret, size_t len) {
    unsigned char pad[64] = { 0 };
    if (len > sizeof pad) {
        struct pgc_sha256 hash;
        pgc_sha256_init(&hash);
        pgc_sha256_add(&hash, secret, len);
        pgc_sha256_end(&hash, pad);
    } else {
        memcpy(pad, secret, len);
    }
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    pgc_sha256_init(&key->inner);
    pgc_sha256_add(&key->inner, pad, sizeof pad);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    pgc_sha256_init(&key->outer);
    pgc_sha256_add(&key->outer, pad, sizeof pad);
    explicit_bzero(pad, sizeof pad);
}

void pgc_hmac_sign(const struct pgc_hmac *key, const void *data, size_t len, unsigned char out[PGC_SHA256_SIZE]) {
    struct pgc_sha256 hash = key->inner;
    pgc_sha256_add(&hash, data, len);
    pgc_sha256_end(&hash, out);
    hash = key->outer;
    pgc_sha256_add(&hash, out, PGC_SHA256_SIZE);
    pgc_sha256_end(&hash, out);
}

void pgc_pbkdf2(const void *password, size_t password_len, const void *salt, size_t salt_len, uint32_t iterations,
                unsigned char out[PGC_SHA256_SIZE]) {
    static const unsigned char block_one[4] = { 0, 0, 0, 1 };
    struct pgc_hmac key;
    unsigned char u[PGC_SHA256_SIZE];
    pgc_hmac_init(&key, password, password_len);
    struct pgc_sha256 hash = key.inner;
    pgc_sha256_add(&hash, salt, salt_len);
    pgc_sha256_add(&hash, block_one, sizeof block_one);
    pgc_sha256_end(&hash, u);
    hash = key.outer;
    pgc_sha256_add(&hash, u, sizeof u);
    pgc_sha256_end(&hash, u);
    memcpy(out, u, sizeof u);
    for (uint32_t i = 1; i < iterations; i++) {
        pgc_hmac_sign(&key, u, sizeof u, u);
        for (size_t k = 0; k < sizeof u; k++)
            out[k] ^= u[k];
    }
    explicit_bzero(&key, sizeof key);
    explicit_bzero(&hash, sizeof hash);
}
