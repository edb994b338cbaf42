#include "io/age_mlkem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static const char algorithm[] = "ML-KEM-768";

enum pgc_code pgc__age_mlkem_check(struct pgc_error *err) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    EVP_PKEY_CTX_free(ctx);
    if (ctx == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "post-quantum keys need OpenSSL 3.5 or newer, this is %s",
                        OpenSSL_version(OPENSSL_VERSION_STRING));
    return PGC_OK;
}

/* NULL: not a key of this algorithm. `name` is how OpenSSL calls the bytes: "seed" or "pub". */
static EVP_PKEY *load(const char *name, const unsigned char *bytes, size_t len, int selection) {
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(name, (void *)(size_t)bytes, len),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    EVP_PKEY *key = NULL;
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

enum pgc_code pgc__age_mlkem_public(const unsigned char seed[PGC__AGE_MLKEM_SEED],
                                    unsigned char out[PGC__AGE_MLKEM_PUBLIC], struct pgc_error *err) {
    enum pgc_code code = pgc__age_mlkem_check(err);
    if (code != PGC_OK)
        return code;
    EVP_PKEY *key = load("seed", seed, PGC__AGE_MLKEM_SEED, EVP_PKEY_KEYPAIR);
    size_t len = 0;
    bool good = key != NULL && EVP_PKEY_get_octet_string_param(key, "pub", out, PGC__AGE_MLKEM_PUBLIC, &len) == 1 &&
                len == PGC__AGE_MLKEM_PUBLIC;
    EVP_PKEY_free(key);
    return good ? PGC_OK : pgc_fail(err, PGC_E_FAILED, "cannot compute a public key of ML-KEM-768");
}

enum pgc_code pgc__age_mlkem_seal(const unsigned char public[PGC__AGE_MLKEM_PUBLIC],
                                  unsigned char sealed[PGC__AGE_MLKEM_SEALED],
                                  unsigned char secret[PGC__AGE_MLKEM_SECRET], struct pgc_error *err) {
    enum pgc_code code = pgc__age_mlkem_check(err);
    if (code != PGC_OK)
        return code;
    EVP_PKEY *key = load("pub", public, PGC__AGE_MLKEM_PUBLIC, EVP_PKEY_PUBLIC_KEY);
    EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t sealed_len = PGC__AGE_MLKEM_SEALED, secret_len = PGC__AGE_MLKEM_SECRET;
    if (key == NULL)
        code = pgc_fail(err, PGC_E_USAGE, "a recipient is not a usable public key");
    else if (ctx == NULL || EVP_PKEY_encapsulate_init(ctx, NULL) != 1 ||
             EVP_PKEY_encapsulate(ctx, sealed, &sealed_len, secret, &secret_len) != 1 ||
             sealed_len != PGC__AGE_MLKEM_SEALED || secret_len != PGC__AGE_MLKEM_SECRET)
        code = pgc_fail(err, PGC_E_FAILED, "cannot encapsulate with ML-KEM-768");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return code;
}

enum pgc_code pgc__age_mlkem_open(const unsigned char seed[PGC__AGE_MLKEM_SEED],
                                  const unsigned char sealed[PGC__AGE_MLKEM_SEALED],
                                  unsigned char secret[PGC__AGE_MLKEM_SECRET], struct pgc_error *err) {
    enum pgc_code code = pgc__age_mlkem_check(err);
    if (code != PGC_OK)
        return code;
    EVP_PKEY *key = load("seed", seed, PGC__AGE_MLKEM_SEED, EVP_PKEY_KEYPAIR);
    EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t len = PGC__AGE_MLKEM_SECRET;
    bool good = ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
                EVP_PKEY_decapsulate(ctx, secret, &len, sealed, PGC__AGE_MLKEM_SEALED) == 1 &&
                len == PGC__AGE_MLKEM_SECRET;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good ? PGC_OK : pgc_fail(err, PGC_E_FAILED, "cannot decapsulate with ML-KEM-768");
}

enum pgc_code pgc__age_sha3_256(const void *data, size_t len, unsigned char out[32], struct pgc_error *err) {
    if (EVP_Digest(data, len, out, NULL, EVP_sha3_256(), NULL) != 1)
        return pgc_fail(err, PGC_E_FAILED, "cannot compute SHA3-256");
    return PGC_OK;
}

enum pgc_code pgc__age_shake256(const void *data, size_t len, unsigned char *out, size_t out_len,
                                struct pgc_error *err) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_shake256(), NULL) == 1 &&
                EVP_DigestUpdate(ctx, data, len) == 1 && EVP_DigestFinalXOF(ctx, out, out_len) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? PGC_OK : pgc_fail(err, PGC_E_FAILED, "cannot compute SHAKE256");
}
