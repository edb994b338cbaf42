#include "pg/scram.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAX_ITERATIONS 1000000 /* a server must not make us work past any deadline */

bool pgc_scram_can(const char *password) {
    for (const char *p = password; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            return false;
    return true;
}

void pgc_scram_release(struct pgc_scram *scram) {
    pgc_buf_release(&scram->auth_message);
    explicit_bzero(scram->server_key, sizeof scram->server_key);
}

void pgc_scram_first(struct pgc_scram *scram, struct pgc_buf *out) {
    scram->auth_message = (struct pgc_buf)PGC_BUF_INIT;
    pgc_buf_putf(&scram->auth_message, "n=,r=%s", scram->nonce);
    pgc_buf_putf(out, "n,,%s", scram->auth_message.data);
}

/* "k=value" at *p up to the next comma or the end; moves behind it. False: another key. */
static bool attribute(const char **p, char key, const char **value, size_t *len) {
    if ((*p)[0] != key || (*p)[1] != '=')
        return false;
    *value = *p + 2;
    *len = strcspn(*value, ",");
    *p = *value + *len + ((*value)[*len] == ',' ? 1 : 0);
    return true;
}

static void sign(struct pgc_scram *scram, const unsigned char salted[PGC_SHA256_SIZE],
                 unsigned char proof[PGC_SHA256_SIZE]) {
    unsigned char client_key[PGC_SHA256_SIZE], stored_key[PGC_SHA256_SIZE], signature[PGC_SHA256_SIZE];
    struct pgc_hmac key;
    struct pgc_sha256 hash;
    pgc_hmac_init(&key, salted, PGC_SHA256_SIZE);
    pgc_hmac_sign(&key, "Client Key", 10, client_key);
    pgc_hmac_sign(&key, "Server Key", 10, scram->server_key);
    pgc_sha256_init(&hash);
    pgc_sha256_add(&hash, client_key, sizeof client_key);
    pgc_sha256_end(&hash, stored_key);
    pgc_hmac_init(&key, stored_key, sizeof stored_key);
    pgc_hmac_sign(&key, scram->auth_message.data, scram->auth_message.len, signature);
    for (size_t i = 0; i < PGC_SHA256_SIZE; i++)
        proof[i] = client_key[i] ^ signature[i];
    explicit_bzero(client_key, sizeof client_key);
    explicit_bzero(&key, sizeof key);
}

enum pgc_code pgc_scram_final(struct pgc_scram *scram, const char *password, const char *data, size_t len,
                              struct pgc_buf *out, struct pgc_error *err) {
    PGC_AUTO_FREE char *message = strndup(data, len);
    if (message == NULL)
        return pgc_fail_nomem(err);
    const char *p = message, *nonce, *salt, *count;
    size_t nonce_len, salt_len, count_len, own = strlen(scram->nonce);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf salt_bytes = PGC_BUF_INIT;
    if (!attribute(&p, 'r', &nonce, &nonce_len) || !attribute(&p, 's', &salt, &salt_len) ||
        !attribute(&p, 'i', &count, &count_len) || nonce_len <= own || memcmp(nonce, scram->nonce, own) != 0 ||
        !pgc_text_unbase64(&salt_bytes, salt, salt_len, true))
        return pgc_fail(err, PGC_E_DATA, "the server's SCRAM message is malformed");
    long iterations = strtol(count, NULL, 10);
    if (iterations < 1 || iterations > MAX_ITERATIONS)
        return pgc_fail(err, PGC_E_DATA, "the server asks for %ld SCRAM iterations", iterations);
    size_t start = out->len;
    pgc_buf_putf(out, "c=biws,r=%.*s", (int)nonce_len, nonce);
    pgc_buf_putc(&scram->auth_message, ',');
    pgc_buf_put(&scram->auth_message, data, len);
    pgc_buf_putc(&scram->auth_message, ',');
    pgc_buf_put(&scram->auth_message, out->data + start, out->len - start);
    unsigned char salted[PGC_SHA256_SIZE], proof[PGC_SHA256_SIZE];
    pgc_pbkdf2(password, strlen(password), salt_bytes.data, salt_bytes.len, (uint32_t)iterations, salted);
    sign(scram, salted, proof);
    explicit_bzero(salted, sizeof salted);
    pgc_buf_puts(out, ",p=");
    pgc_text_base64(out, proof, sizeof proof, true);
    return pgc_buf_check(&scram->auth_message, err);
}

enum pgc_code pgc_scram_verify(const struct pgc_scram *scram, const char *data, size_t len, struct pgc_error *err) {
    unsigned char expected[PGC_SHA256_SIZE];
    struct pgc_hmac key;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_hmac_init(&key, scram->server_key, sizeof scram->server_key);
    pgc_hmac_sign(&key, scram->auth_message.data, scram->auth_message.len, expected);
    pgc_buf_puts(&text, "v=");
    pgc_text_base64(&text, expected, sizeof expected, true);
    if (len < text.len || memcmp(data, text.data, text.len) != 0 || (len > text.len && data[text.len] != ','))
        return pgc_fail(err, PGC_E_AUTH, "the server does not know the password: is it the right server?");
    return PGC_OK;
}
