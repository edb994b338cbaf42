#include "io/age_crypto.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

void pgc__age_wipe(void *data, size_t len) {
    OPENSSL_cleanse(data, len);
}

enum pgc_code pgc__age_random(void *out, size_t len, struct pgc_error *err) {
    if (RAND_bytes(out, (int)len) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot get random bytes");
    return PGC_OK;
}

bool pgc__age_equal(const void *a, const void *b, size_t len) {
    return CRYPTO_memcmp(a, b, len) == 0;
}

static bool hmac(const void *key, size_t key_len, const void *data, size_t len, unsigned char out[32]) {
    unsigned n = 32;
    return HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &n) != NULL;
}

enum pgc_code pgc__age_hmac(const unsigned char key[32], const void *data, size_t len, unsigned char out[32],
                            struct pgc_error *err) {
    if (!hmac(key, 32, data, len, out))
        return pgc_fail(err, PGC_E_FAILED, "cannot compute HMAC-SHA-256");
    return PGC_OK;
}

/* RFC 5869 by hand: one block of output is two HMACs, and an empty input key (ssh-ed25519) is
 * something OpenSSL's own HKDF refuses in some releases. */
enum pgc_code pgc__age_hkdf(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len, const char *info,
                            unsigned char out[32], struct pgc_error *err) {
    unsigned char prk[32], block[128];
    size_t len = strlen(info);
    if (len + 1 > sizeof block)
        return pgc_fail(err, PGC_E_FAILED, "HKDF info is too long");
    memcpy(block, info, len);
    block[len] = 1;
    bool good = hmac(salt_len > 0 ? salt : "", salt_len, ikm_len > 0 ? ikm : "", ikm_len, prk) &&
                hmac(prk, sizeof prk, block, len + 1, out);
    OPENSSL_cleanse(prk, sizeof prk);
    return good ? PGC_OK : pgc_fail(err, PGC_E_FAILED, "cannot compute HKDF-SHA-256");
}

enum pgc_code pgc__age_scrypt(const char *passphrase, const void *salt, size_t salt_len, int log_n,
                              unsigned char out[32], struct pgc_error *err) {
    uint64_t n = (uint64_t)1 << log_n, r = 8;
    uint64_t memory = 128 * r * n + ((uint64_t)1 << 20);
    if (EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, salt_len, n, r, 1, memory, out, 32) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot derive a key from the passphrase (it needs %llu MiB of memory)",
                        (unsigned long long)(memory >> 20));
    return PGC_OK;
}

enum pgc_code pgc__age_sha256(const void *data, size_t len, unsigned char out[32], struct pgc_error *err) {
    if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot compute SHA-256");
    return PGC_OK;
}

bool pgc__age_x25519(const unsigned char secret[32], const unsigned char point[32], unsigned char out[32]) {
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, 32);
    EVP_PKEY_CTX *ctx = mine == NULL ? NULL : EVP_PKEY_CTX_new(mine, NULL);
    size_t len = 32;
    bool good = ctx != NULL && theirs != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
                EVP_PKEY_derive_set_peer(ctx, theirs) == 1 && EVP_PKEY_derive(ctx, out, &len) == 1 && len == 32;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return good;
}

bool pgc__age_x25519_public(const unsigned char secret[32], unsigned char out[32]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    size_t len = 32;
    bool good = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &len) == 1;
    EVP_PKEY_free(key);
    return good;
}

/* u = (1 + y) / (1 - y) mod 2^255 - 19 (RFC 7748, section 4.1). */
bool pgc__age_ed25519_point(const unsigned char public[32], unsigned char out[32]) {
    unsigned char y_bytes[32];
    memcpy(y_bytes, public, 32);
    y_bytes[31] &= 0x7f; /* the sign of x does not matter for u */
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = NULL, *y = BN_lebin2bn(y_bytes, 32, NULL), *up = BN_new(), *down = BN_new();
    bool good = ctx != NULL && y != NULL && up != NULL && down != NULL &&
                BN_hex2bn(&p, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed") > 0 &&
                BN_cmp(y, p) < 0 && BN_mod_add(up, BN_value_one(), y, p, ctx) == 1 &&
                BN_mod_sub(down, BN_value_one(), y, p, ctx) == 1 && BN_mod_inverse(down, down, p, ctx) != NULL &&
                BN_mod_mul(up, up, down, p, ctx) == 1 && BN_bn2lebinpad(up, out, 32) == 32;
    BN_free(p);
    BN_free(y);
    BN_free(up);
    BN_free(down);
    BN_CTX_free(ctx);
    return good;
}

bool pgc__age_ed25519_scalar(const unsigned char seed[32], unsigned char scalar[32], unsigned char public[32]) {
    unsigned char hash[64];
    size_t len = 32;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    bool good = key != NULL && EVP_PKEY_get_raw_public_key(key, public, &len) == 1 &&
                EVP_Digest(seed, 32, hash, NULL, EVP_sha512(), NULL) == 1;
    EVP_PKEY_free(key);
    if (good)
        memcpy(scalar, hash, 32);
    OPENSSL_cleanse(hash, sizeof hash);
    return good;
}

struct pgc__age_aead {
    EVP_CIPHER_CTX *ctx;
};

enum pgc_code pgc__age_aead_new(const unsigned char key[32], enum pgc__age_direction direction,
                                struct pgc__age_aead **out, struct pgc_error *err) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    struct pgc__age_aead *aead = OPENSSL_zalloc(sizeof *aead);
    if (ctx == NULL || aead == NULL ||
        EVP_CipherInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, NULL, direction == PGC__AGE_SEAL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        OPENSSL_free(aead);
        return pgc_fail(err, PGC_E_FAILED, "cannot start ChaCha20-Poly1305");
    }
    aead->ctx = ctx;
    *out = aead;
    return PGC_OK;
}

void pgc__age_aead_free(struct pgc__age_aead *aead) {
    if (aead == NULL)
        return;
    EVP_CIPHER_CTX_free(aead->ctx); /* wipes the key */
    OPENSSL_free(aead);
}

enum pgc_code pgc__age_seal(struct pgc__age_aead *aead, const unsigned char nonce[12], const void *plain, size_t len,
                            unsigned char *out, struct pgc_error *err) {
    int n = 0, rest = 0;
    if (EVP_EncryptInit_ex(aead->ctx, NULL, NULL, NULL, nonce) != 1 ||
        (len > 0 && EVP_EncryptUpdate(aead->ctx, out, &n, plain, (int)len) != 1) ||
        EVP_EncryptFinal_ex(aead->ctx, out + n, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, PGC__AGE_TAG_BYTES, out + len) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot encrypt with ChaCha20-Poly1305");
    return PGC_OK;
}

bool pgc__age_open(struct pgc__age_aead *aead, const unsigned char nonce[12], const void *sealed, size_t len,
                   unsigned char *out) {
    const unsigned char *in = sealed;
    size_t plain_len = len - PGC__AGE_TAG_BYTES;
    unsigned char tag[PGC__AGE_TAG_BYTES], none[16];
    memcpy(tag, in + plain_len, sizeof tag);
    int n = 0, rest = 0;
    bool good = EVP_DecryptInit_ex(aead->ctx, NULL, NULL, NULL, nonce) == 1 &&
                EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
                (plain_len == 0 || EVP_DecryptUpdate(aead->ctx, out, &n, in, (int)plain_len) == 1) &&
                EVP_DecryptFinal_ex(aead->ctx, none, &rest) == 1;
    if (!good)
        OPENSSL_cleanse(out, plain_len);
    return good;
}
