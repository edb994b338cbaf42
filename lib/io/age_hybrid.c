#include "io/age_hybrid.h"

#include <string.h>

#include "io/age_mlkem.h"

#define SHARE 32 /* bytes of an X25519 point */

_Static_assert(PGC_AGE_HYBRID_BYTES == PGC__AGE_MLKEM_PUBLIC + SHARE, "a public key is one of each kind");
_Static_assert(PGC__AGE_HYBRID_ENC == PGC__AGE_MLKEM_SEALED + SHARE, "enc is one ciphertext and one share");

/* --- X-Wing ------------------------------------------------------------------------------------------------ */

struct secret_key {
    unsigned char mlkem[PGC__AGE_MLKEM_SEED];
    unsigned char x25519[32];
};

/* One seed makes both secret keys (section 5.2 of the draft). */
static enum pgc_code expand(const unsigned char seed[32], struct secret_key *out, struct pgc_error *err) {
    unsigned char bytes[PGC__AGE_MLKEM_SEED + 32];
    enum pgc_code code = pgc__age_shake256(seed, 32, bytes, sizeof bytes, err);
    memcpy(out->mlkem, bytes, sizeof out->mlkem);
    memcpy(out->x25519, bytes + sizeof out->mlkem, sizeof out->x25519);
    pgc__age_wipe(bytes, sizeof bytes);
    return code;
}

/* The combiner (section 5.3): both secrets, bound to the share and the public key of X25519; the last six bytes draw a wing. */
static enum pgc_code combine(const unsigned char mlkem[32], const unsigned char x25519[32],
                             const unsigned char share[SHARE], const unsigned char public[SHARE], unsigned char out[32],
                             struct pgc_error *err) {
    static const unsigned char label[6] = { 0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c };
    unsigned char text[4 * 32 + sizeof label];
    memcpy(text, mlkem, 32);
    memcpy(text + 32, x25519, 32);
    memcpy(text + 64, share, SHARE);
    memcpy(text + 96, public, SHARE);
    memcpy(text + 128, label, sizeof label);
    enum pgc_code code = pgc__age_sha3_256(text, sizeof text, out, err);
    pgc__age_wipe(text, sizeof text);
    return code;
}

enum pgc_code pgc__age_hybrid_public(const unsigned char seed[32], unsigned char out[PGC_AGE_HYBRID_BYTES],
                                     struct pgc_error *err) {
    struct secret_key key;
    enum pgc_code code = expand(seed, &key, err);
    if (code == PGC_OK)
        code = pgc__age_mlkem_public(key.mlkem, out, err);
    if (code == PGC_OK && !pgc__age_x25519_public(key.x25519, out + PGC__AGE_MLKEM_PUBLIC))
        code = pgc_fail(err, PGC_E_FAILED, "cannot compute a public key");
    pgc__age_wipe(&key, sizeof key);
    return code;
}

/* --- HPKE, base mode, one message -------------------------------------------------------------------------- */

/* "HPKE", then the numbers of X-Wing, HKDF-SHA-256 and ChaCha20-Poly1305. */
static const unsigned char suite[10] = { 'H', 'P', 'K', 'E', 0x64, 0x7a, 0x00, 0x01, 0x00, 0x03 };
static const char version[] = "HPKE-v1";
static const char info[] = "age-encryption.org/mlkem768x25519";

static void put_label(struct pgc_buf *out, const char *label, const void *data, size_t len) {
    pgc_buf_puts(out, version);
    pgc_buf_put(out, suite, sizeof suite);
    pgc_buf_puts(out, label);
    pgc_buf_put(out, data, len);
}

static enum pgc_code hmac_of(const unsigned char key[32], struct pgc_buf *text, unsigned char out[32],
                             struct pgc_error *err) {
    enum pgc_code code = pgc_buf_check(text, err);
    return code != PGC_OK ? code : pgc__age_hmac(key, text->data, text->len, out, err);
}

static enum pgc_code extract(const unsigned char salt[32], const char *label, const void *data, size_t len,
                             unsigned char out[32], struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT;
    put_label(&text, label, data, len);
    return hmac_of(salt, &text, out, err);
}

/* At most 32 bytes: the first block of HKDF is enough. */
static enum pgc_code expand_label(const unsigned char secret[32], const char *label, const void *context,
                                  size_t context_len, unsigned char *out, size_t len, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    unsigned char block[32];
    pgc_buf_putc(&text, 0);
    pgc_buf_putc(&text, (char)len);
    put_label(&text, label, context, context_len);
    pgc_buf_putc(&text, 1);
    enum pgc_code code = hmac_of(secret, &text, block, err);
    if (code == PGC_OK)
        memcpy(out, block, len);
    pgc__age_wipe(block, sizeof block);
    return code;
}

/* RFC 9180, section 5.1. An empty salt of HMAC is the same as one of zeros. */
static enum pgc_code key_schedule(const unsigned char shared[32], struct pgc__age_hybrid_wrap *out,
                                  struct pgc_error *err) {
    static const unsigned char no_salt[32];
    unsigned char context[1 + 32 + 32] = { 0 }; /* mode_base, hash of no psk_id, hash of info */
    unsigned char secret[32];
    enum pgc_code code = extract(no_salt, "psk_id_hash", "", 0, context + 1, err);
    if (code == PGC_OK)
        code = extract(no_salt, "info_hash", info, sizeof info - 1, context + 33, err);
    if (code == PGC_OK)
        code = extract(shared, "secret", "", 0, secret, err);
    if (code == PGC_OK)
        code = expand_label(secret, "key", context, sizeof context, out->key, sizeof out->key, err);
    if (code == PGC_OK)
        code = expand_label(secret, "base_nonce", context, sizeof context, out->nonce, sizeof out->nonce, err);
    pgc__age_wipe(secret, sizeof secret);
    return code;
}

enum pgc_code pgc__age_hybrid_seal(const unsigned char public[PGC_AGE_HYBRID_BYTES],
                                   unsigned char enc[PGC__AGE_HYBRID_ENC], struct pgc__age_hybrid_wrap *out,
                                   struct pgc_error *err) {
    const unsigned char *point = public + PGC__AGE_MLKEM_PUBLIC;
    unsigned char *share = enc + PGC__AGE_MLKEM_SEALED;
    unsigned char ephemeral[32], curve[32], mlkem[PGC__AGE_MLKEM_SECRET], shared[32];
    enum pgc_code code = pgc__age_random(ephemeral, sizeof ephemeral, err);
    if (code == PGC_OK)
        code = pgc__age_mlkem_seal(public, enc, mlkem, err);
    if (code == PGC_OK && (!pgc__age_x25519_public(ephemeral, share) || !pgc__age_x25519(ephemeral, point, curve)))
        code = pgc_fail(err, PGC_E_USAGE, "a recipient is not a usable public key");
    if (code == PGC_OK)
        code = combine(mlkem, curve, share, point, shared, err);
    if (code == PGC_OK)
        code = key_schedule(shared, out, err);
    pgc__age_wipe(ephemeral, sizeof ephemeral);
    pgc__age_wipe(curve, sizeof curve);
    pgc__age_wipe(mlkem, sizeof mlkem);
    pgc__age_wipe(shared, sizeof shared);
    return code;
}

enum pgc_code pgc__age_hybrid_open(const unsigned char seed[32], const unsigned char enc[PGC__AGE_HYBRID_ENC],
                                   struct pgc__age_hybrid_wrap *out, struct pgc_error *err) {
    const unsigned char *share = enc + PGC__AGE_MLKEM_SEALED;
    unsigned char point[SHARE], curve[32], mlkem[PGC__AGE_MLKEM_SECRET], shared[32];
    struct secret_key key;
    enum pgc_code code = expand(seed, &key, err);
    if (code == PGC_OK)
        code = pgc__age_mlkem_open(key.mlkem, enc, mlkem, err);
    if (code == PGC_OK && (!pgc__age_x25519_public(key.x25519, point) || !pgc__age_x25519(key.x25519, share, curve)))
        code = pgc_fail(err, PGC_E_DATA, "age header is malformed: a share of low order");
    if (code == PGC_OK)
        code = combine(mlkem, curve, share, point, shared, err);
    if (code == PGC_OK)
        code = key_schedule(shared, out, err);
    pgc__age_wipe(&key, sizeof key);
    pgc__age_wipe(curve, sizeof curve);
    pgc__age_wipe(mlkem, sizeof mlkem);
    pgc__age_wipe(shared, sizeof shared);
    return code;
}
