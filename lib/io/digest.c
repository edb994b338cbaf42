#include "io/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct pgc_digest_run {
    EVP_MD_CTX *context;
    enum pgc_digest which;
};

static const EVP_MD *algorithm(enum pgc_digest which) {
    switch (which) {
    case PGC_DIGEST_MD5:
        return EVP_md5();
    case PGC_DIGEST_SHA1:
        return EVP_sha1();
    case PGC_DIGEST_SHA384:
        return EVP_sha384();
    case PGC_DIGEST_SHA256:
        break;
    }
    return EVP_sha256();
}

size_t pgc_digest_size(enum pgc_digest which) {
    static const size_t sizes[] = {
        [PGC_DIGEST_MD5] = 16, [PGC_DIGEST_SHA1] = 20, [PGC_DIGEST_SHA256] = 32, [PGC_DIGEST_SHA384] = 48
    };
    return sizes[which];
}

void pgc_digest(enum pgc_digest which, const void *data, size_t len, unsigned char *out) {
    if (EVP_Digest(data, len, out, NULL, algorithm(which), NULL) != 1)
        memset(out, 0, pgc_digest_size(which));
}

static void put_hex(const unsigned char *raw, size_t size, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[2 * size] = '\0';
}

void pgc_digest_hex(enum pgc_digest which, const void *data, size_t len, char *out) {
    unsigned char raw[PGC_DIGEST_MAX];
    pgc_digest(which, data, len, raw);
    put_hex(raw, pgc_digest_size(which), out);
}

struct pgc_digest_run *pgc_digest_run_new(enum pgc_digest which) {
    struct pgc_digest_run *run = malloc(sizeof *run);
    if (run == NULL)
        return NULL;
    *run = (struct pgc_digest_run) { EVP_MD_CTX_new(), which };
    if (run->context == NULL || EVP_DigestInit_ex(run->context, algorithm(which), NULL) != 1) {
        pgc_digest_run_free(run);
        return NULL;
    }
    return run;
}

void pgc_digest_run_add(struct pgc_digest_run *run, const void *data, size_t len) {
    EVP_DigestUpdate(run->context, data, len);
}

void pgc_digest_run_peek(const struct pgc_digest_run *run, unsigned char *out) {
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    if (copy == NULL || EVP_MD_CTX_copy_ex(copy, run->context) != 1 || EVP_DigestFinal_ex(copy, out, NULL) != 1)
        memset(out, 0, pgc_digest_size(run->which));
    EVP_MD_CTX_free(copy);
}

void pgc_digest_run_hex(struct pgc_digest_run *run, const void *data, size_t len, char *out) {
    unsigned char raw[PGC_DIGEST_MAX] = { 0 };
    if (EVP_DigestInit_ex(run->context, NULL, NULL) != 1 || EVP_DigestUpdate(run->context, data, len) != 1 ||
        EVP_DigestFinal_ex(run->context, raw, NULL) != 1 || EVP_DigestInit_ex(run->context, NULL, NULL) != 1)
        memset(raw, 0, sizeof raw);
    put_hex(raw, pgc_digest_size(run->which), out);
}

void pgc_digest_run_free(struct pgc_digest_run *run) {
    if (run == NULL)
        return;
    EVP_MD_CTX_free(run->context);
    free(run);
}

uint32_t pgc_crc32(uint32_t crc, const void *data, size_t len) {
    return (uint32_t)crc32_z(crc, data, len);
}
