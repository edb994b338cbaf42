#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/age_hybrid.h"
#include "io/age_keys.h"

static const char x25519_info[] = "age-encryption.org/v1/X25519";
static const char scrypt_info[] = "age-encryption.org/v1/scrypt";
static const char ssh_info[] = "age-encryption.org/v1/ssh-ed25519";
static const unsigned char zero_nonce[PGC__AGE_NONCE_BYTES];

#define SALT_BYTES   16
#define TAG_BYTES    4 /* of a fingerprint */
#define WRAPPED_SIZE (PGC__AGE_FILE_KEY_BYTES + PGC__AGE_TAG_BYTES)

static enum pgc_code add_arg(struct pgc__age_stanza *stanza, const void *data, size_t len, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_text_base64(&text, data, len, false);
    enum pgc_code code = pgc_buf_check(&text, err);
    return code != PGC_OK ? code : pgc_strings_add(&stanza->args, text.data, err);
}

/* The file key under a wrap key that is used once, so that a constant nonce does no harm. */
static enum pgc_code seal_body(struct pgc__age_stanza *stanza, unsigned char wrap_key[32],
                               const unsigned char nonce[PGC__AGE_NONCE_BYTES], const unsigned char file_key[16],
                               struct pgc_error *err) {
    unsigned char body[WRAPPED_SIZE];
    struct pgc__age_aead *aead = NULL;
    enum pgc_code code = pgc__age_aead_new(wrap_key, PGC__AGE_SEAL, &aead, err);
    if (code == PGC_OK)
        code = pgc__age_seal(aead, nonce, file_key, PGC__AGE_FILE_KEY_BYTES, body, err);
    pgc__age_aead_free(aead);
    pgc__age_wipe(wrap_key, 32);
    if (code != PGC_OK)
        return code;
    pgc_buf_put(&stanza->body, body, sizeof body);
    return pgc_buf_check(&stanza->body, err);
}

static enum pgc_code open_body(const struct pgc__age_stanza *stanza, unsigned char wrap_key[32],
                               const unsigned char nonce[PGC__AGE_NONCE_BYTES], unsigned char file_key[16],
                               bool *opened, struct pgc_error *err) {
    struct pgc__age_aead *aead = NULL;
    enum pgc_code code = pgc__age_aead_new(wrap_key, PGC__AGE_OPEN, &aead, err);
    if (code == PGC_OK)
        *opened = pgc__age_open(aead, nonce, stanza->body.data, stanza->body.len, file_key);
    pgc__age_aead_free(aead);
    pgc__age_wipe(wrap_key, 32);
    return code;
}

static enum pgc_code x25519_wrap_key(const unsigned char shared[32], const unsigned char share[32],
                                     const unsigned char public[32], const char *info, unsigned char out[32],
                                     struct pgc_error *err) {
    unsigned char salt[64];
    memcpy(salt, share, 32);
    memcpy(salt + 32, public, 32);
    return pgc__age_hkdf(shared, 32, salt, sizeof salt, info, out, err);
}

/* ssh-ed25519 binds the shared secret to the SSH key: it is multiplied once more by a scalar made of that key. */
static enum pgc_code ssh_tweak(const unsigned char ed25519[32], unsigned char shared[32], struct pgc_error *err) {
    unsigned char wire[PGC__AGE_SSH_WIRE_BYTES], tweak[32], tweaked[32];
    pgc__age_ssh_wire(ed25519, wire);
    enum pgc_code code = pgc__age_hkdf("", 0, wire, sizeof wire, ssh_info, tweak, err);
    if (code != PGC_OK)
        return code;
    if (!pgc__age_x25519(tweak, shared, tweaked))
        return pgc_fail(err, PGC_E_DATA, "age header is malformed: a share of low order");
    memcpy(shared, tweaked, 32);
    pgc__age_wipe(tweaked, sizeof tweaked);
    return PGC_OK;
}

static enum pgc_code ssh_fingerprint(const unsigned char ed25519[32], unsigned char out[32], struct pgc_error *err) {
    unsigned char wire[PGC__AGE_SSH_WIRE_BYTES];
    pgc__age_ssh_wire(ed25519, wire);
    return pgc__age_sha256(wire, sizeof wire, out, err);
}

/* X25519 and ssh-ed25519: an ephemeral key pair, and the secret it shares with the recipient. */
static enum pgc_code wrap_curve(const struct pgc_age_recipient *r, int log_n, const unsigned char file_key[16],
                                struct pgc__age_stanza *stanza, struct pgc_error *err) {
    (void)log_n;
    bool ssh = r->kind == PGC_AGE_SSH_ED25519;
    unsigned char ephemeral[32], share[32], shared[32], wrap_key[32], fingerprint[32];
    enum pgc_code code = pgc__age_random(ephemeral, sizeof ephemeral, err);
    if (code == PGC_OK && (!pgc__age_x25519_public(ephemeral, share) || !pgc__age_x25519(ephemeral, r->x25519, shared)))
        code = pgc_fail(err, PGC_E_USAGE, "a recipient is not a usable public key");
    if (code == PGC_OK)
        code = pgc_strings_add(&stanza->args, ssh ? "ssh-ed25519" : "X25519", err);
    if (code == PGC_OK && ssh)
        code = ssh_fingerprint(r->ed25519, fingerprint, err);
    if (code == PGC_OK && ssh)
        code = add_arg(stanza, fingerprint, TAG_BYTES, err);
    if (code == PGC_OK && ssh)
        code = ssh_tweak(r->ed25519, shared, err);
    if (code == PGC_OK)
        code = add_arg(stanza, share, sizeof share, err);
    if (code == PGC_OK)
        code = x25519_wrap_key(shared, share, r->x25519, ssh ? ssh_info : x25519_info, wrap_key, err);
    if (code == PGC_OK)
        code = seal_body(stanza, wrap_key, zero_nonce, file_key, err);
    pgc__age_wipe(ephemeral, sizeof ephemeral);
    pgc__age_wipe(shared, sizeof shared);
    return code;
}

static enum pgc_code scrypt_wrap_key(const char *passphrase, const unsigned char salt[SALT_BYTES], int log_n,
                                     unsigned char out[32], struct pgc_error *err) {
    unsigned char labelled[sizeof scrypt_info - 1 + SALT_BYTES];
    memcpy(labelled, scrypt_info, sizeof scrypt_info - 1);
    memcpy(labelled + sizeof scrypt_info - 1, salt, SALT_BYTES);
    return pgc__age_scrypt(passphrase, labelled, sizeof labelled, log_n, out, err);
}

static enum pgc_code wrap_scrypt(const struct pgc_age_recipient *r, int log_n, const unsigned char file_key[16],
                                 struct pgc__age_stanza *stanza, struct pgc_error *err) {
    unsigned char salt[SALT_BYTES], wrap_key[32];
    enum pgc_code code = pgc__age_random(salt, sizeof salt, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&stanza->args, "scrypt", err);
    if (code == PGC_OK)
        code = add_arg(stanza, salt, sizeof salt, err);
    if (code == PGC_OK)
        code = pgc_strings_addf(&stanza->args, err, "%d", log_n);
    if (code == PGC_OK)
        code = scrypt_wrap_key(r->passphrase, salt, log_n, wrap_key, err);
    return code != PGC_OK ? code : seal_body(stanza, wrap_key, zero_nonce, file_key, err);
}

static enum pgc_code wrap_hybrid(const struct pgc_age_recipient *r, int log_n, const unsigned char file_key[16],
                                 struct pgc__age_stanza *stanza, struct pgc_error *err) {
    (void)log_n;
    unsigned char enc[PGC__AGE_HYBRID_ENC];
    struct pgc__age_hybrid_wrap wrap;
    enum pgc_code code = pgc__age_hybrid_seal(r->hybrid, enc, &wrap, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&stanza->args, "mlkem768x25519", err);
    if (code == PGC_OK)
        code = add_arg(stanza, enc, sizeof enc, err);
    return code != PGC_OK ? code : seal_body(stanza, wrap.key, wrap.nonce, file_key, err);
}

static enum pgc_code bad_stanza(const struct pgc__age_stanza *stanza, const char *why, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA, "age header is malformed: %s stanza: %s", stanza->args.items[0], why);
}

/* Argument `i` as exactly `len` bytes. */
static bool arg_bytes(const struct pgc__age_stanza *stanza, size_t i, unsigned char *out, size_t len) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf bytes = PGC_BUF_INIT;
    const char *text = stanza->args.items[i];
    if (!pgc_text_unbase64(&bytes, text, strlen(text), false) || bytes.len != len)
        return false;
    memcpy(out, bytes.data, len);
    return true;
}

/* The length of the body is checked before it is decrypted: a longer "file key" must never be opened. */
static enum pgc_code check_shape(const struct pgc__age_stanza *stanza, size_t args, struct pgc_error *err) {
    if (stanza->args.count != args)
        return bad_stanza(stanza, "wrong number of arguments", err);
    if (stanza->body.len != WRAPPED_SIZE)
        return bad_stanza(stanza, "the wrapped key has the wrong length", err);
    return PGC_OK;
}

static enum pgc_code unwrap_curve(const struct pgc_age_identity *id, const struct pgc__age_stanza *stanza,
                                  unsigned char file_key[16], bool *opened, struct pgc_error *err) {
    bool ssh = id->kind == PGC_AGE_SSH_ED25519;
    unsigned char share[32], shared[32], wrap_key[32], tag[TAG_BYTES], fingerprint[32];
    enum pgc_code code = check_shape(stanza, ssh ? 3 : 2, err);
    if (code != PGC_OK)
        return code;
    if (ssh && !arg_bytes(stanza, 1, tag, sizeof tag))
        return bad_stanza(stanza, "the fingerprint is not 4 bytes of canonical base64", err);
    if (!arg_bytes(stanza, ssh ? 2 : 1, share, sizeof share))
        return bad_stanza(stanza, "the share is not 32 bytes of canonical base64", err);
    if (ssh && (code = ssh_fingerprint(id->ed25519, fingerprint, err)) != PGC_OK)
        return code;
    if (ssh && memcmp(tag, fingerprint, sizeof tag) != 0)
        return PGC_OK; /* for another key */
    if (!pgc__age_x25519(id->secret, share, shared))
        return bad_stanza(stanza, "the share is of low order", err);
    if (ssh)
        code = ssh_tweak(id->ed25519, shared, err);
    if (code == PGC_OK)
        code = x25519_wrap_key(shared, share, id->public, ssh ? ssh_info : x25519_info, wrap_key, err);
    if (code == PGC_OK)
        code = open_body(stanza, wrap_key, zero_nonce, file_key, opened, err);
    pgc__age_wipe(shared, sizeof shared);
    return code;
}

/* "[1-9][0-9]*" up to the greatest work factor that is accepted; 0 for anything else. */
static int work_factor(const char *text) {
    size_t len = strlen(text);
    if (len == 0 || len > 2 || text[0] == '0' || strspn(text, "0123456789") != len)
        return 0;
    int value = atoi(text);
    return value <= PGC_AGE_SCRYPT_LOG_N_MAX ? value : 0;
}

static enum pgc_code unwrap_scrypt(const struct pgc_age_identity *id, const struct pgc__age_stanza *stanza,
                                   unsigned char file_key[16], bool *opened, struct pgc_error *err) {
    unsigned char salt[SALT_BYTES], wrap_key[32];
    enum pgc_code code = check_shape(stanza, 3, err);
    if (code != PGC_OK)
        return code;
    if (!arg_bytes(stanza, 1, salt, sizeof salt))
        return bad_stanza(stanza, "the salt is not 16 bytes of canonical base64", err);
    int log_n = work_factor(stanza->args.items[2]);
    if (log_n == 0)
        return bad_stanza(stanza, "the work factor is not a number from 1 to 22", err);
    code = scrypt_wrap_key(id->passphrase, salt, log_n, wrap_key, err);
    return code != PGC_OK ? code : open_body(stanza, wrap_key, zero_nonce, file_key, opened, err);
}

static enum pgc_code unwrap_hybrid(const struct pgc_age_identity *id, const struct pgc__age_stanza *stanza,
                                   unsigned char file_key[16], bool *opened, struct pgc_error *err) {
    unsigned char enc[PGC__AGE_HYBRID_ENC];
    struct pgc__age_hybrid_wrap wrap;
    enum pgc_code code = check_shape(stanza, 2, err);
    if (code != PGC_OK)
        return code;
    if (!arg_bytes(stanza, 1, enc, sizeof enc))
        return bad_stanza(stanza, "the encapsulated key is not 1120 bytes of canonical base64", err);
    code = pgc__age_hybrid_open(id->secret, enc, &wrap, err);
    return code != PGC_OK ? code : open_body(stanza, wrap.key, wrap.nonce, file_key, opened, err);
}

/* What every kind of key does, by enum pgc_age_kind. */
static const struct {
    const char *type; /* of its stanza */
    enum pgc_code (*wrap)(const struct pgc_age_recipient *, int log_n, const unsigned char file_key[16],
                          struct pgc__age_stanza *, struct pgc_error *);
    enum pgc_code (*unwrap)(const struct pgc_age_identity *, const struct pgc__age_stanza *, unsigned char file_key[16],
                            bool *opened, struct pgc_error *);
} kinds[] = {
    [PGC_AGE_X25519] = { "X25519", wrap_curve, unwrap_curve },
    [PGC_AGE_SCRYPT] = { "scrypt", wrap_scrypt, unwrap_scrypt },
    [PGC_AGE_SSH_ED25519] = { "ssh-ed25519", wrap_curve, unwrap_curve },
    [PGC_AGE_HYBRID] = { "mlkem768x25519", wrap_hybrid, unwrap_hybrid },
};

enum pgc_code pgc__age_wrap(const struct pgc_age_recipient *recipient, int scrypt_log_n,
                            const unsigned char file_key[16], struct pgc__age_header *header, struct pgc_error *err) {
    struct pgc__age_stanza *stanza = pgc__age_header_stanza(header);
    return stanza == NULL ? pgc_fail_nomem(err)
                          : kinds[recipient->kind].wrap(recipient, scrypt_log_n, file_key, stanza, err);
}

static enum pgc_code no_key(const struct pgc_age_identities *identities, const struct pgc__age_header *header,
                            struct pgc_error *err) {
    const char *type = header->stanzas[0].args.items[0];
    bool passphrase = false;
    for (size_t i = 0; i < identities->count; i++)
        passphrase = passphrase || identities->items[i].kind == PGC_AGE_SCRYPT;
    if (strcmp(type, "scrypt") == 0)
        return pgc_fail(err, PGC_E_NO_KEY, "no key fits: %s",
                        passphrase ? "the passphrase is wrong" : "the file is encrypted with a passphrase");
    return pgc_fail(err, PGC_E_NO_KEY, "no key fits: the file is encrypted for %zu other recipient%s", header->count,
                    header->count == 1 ? "" : "s");
}

enum pgc_code pgc__age_unwrap(const struct pgc_age_identities *identities, const struct pgc__age_header *header,
                              unsigned char file_key[16], struct pgc_error *err) {
    for (size_t k = 0; k < header->count; k++)
        if (strcmp(header->stanzas[k].args.items[0], "scrypt") == 0 && header->count > 1)
            return bad_stanza(&header->stanzas[k], "it must be the only one", err);
    for (size_t i = 0; i < identities->count; i++) {
        const struct pgc_age_identity *id = &identities->items[i];
        for (size_t k = 0; k < header->count; k++) {
            const struct pgc__age_stanza *stanza = &header->stanzas[k];
            if (strcmp(stanza->args.items[0], kinds[id->kind].type) != 0)
                continue;
            bool opened = false;
            enum pgc_code code = kinds[id->kind].unwrap(id, stanza, file_key, &opened, err);
            if (code != PGC_OK || opened)
                return code;
        }
    }
    return no_key(identities, header, err);
}
