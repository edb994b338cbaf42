#include <string.h>

#include "base/text.h"
#include "io/age_keys.h"

static const char type_name[] = "ssh-ed25519";
static const char wire_prefix[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
#define PREFIX_LEN (sizeof wire_prefix - 1)
static const char pem_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char pem_end[] = "-----END OPENSSH PRIVATE KEY-----";
static const char magic[] = "openssh-key-v1"; /* with its NUL */

void pgc__age_ssh_wire(const unsigned char ed25519[32], unsigned char wire[PGC__AGE_SSH_WIRE_BYTES]) {
    memcpy(wire, wire_prefix, PREFIX_LEN);
    memcpy(wire + PREFIX_LEN, ed25519, 32);
}

bool pgc__age_ssh_public(const char *text, unsigned char ed25519[32]) {
    size_t type_len = strlen(type_name);
    if (strncmp(text, type_name, type_len) != 0 || (text[type_len] != ' ' && text[type_len] != '\t'))
        return false;
    const char *from = text + type_len + strspn(text + type_len, " \t");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf wire = PGC_BUF_INIT;
    if (!pgc_text_unbase64(&wire, from, strcspn(from, " \t"), true) || wire.len != PGC__AGE_SSH_WIRE_BYTES ||
        memcmp(wire.data, wire_prefix, PREFIX_LEN) != 0)
        return false;
    memcpy(ed25519, wire.data + PREFIX_LEN, 32);
    return true;
}

/* Fields of the private key file: big-endian lengths before everything. */
struct reader {
    const unsigned char *at;
    size_t left;
    bool bad;
};

static uint32_t take_u32(struct reader *r) {
    if (r->left < 4) {
        r->bad = true;
        return 0;
    }
    uint32_t v = (uint32_t)r->at[0] << 24 | (uint32_t)r->at[1] << 16 | (uint32_t)r->at[2] << 8 | r->at[3];
    r->at += 4;
    r->left -= 4;
    return v;
}

static struct reader take_string(struct reader *r) {
    uint32_t len = take_u32(r);
    if (r->bad || len > r->left) {
        r->bad = true;
        return (struct reader) { r->at, 0, true };
    }
    struct reader field = { r->at, len, false };
    r->at += len;
    r->left -= len;
    return field;
}

static bool equals(const struct reader *field, const char *text) {
    return field->left == strlen(text) && memcmp(field->at, text, field->left) == 0;
}

static enum pgc_code malformed(const char *name, struct pgc_error *err) {
    return pgc_fail(err, PGC_E_DATA, "the OpenSSH private key in '%s' is malformed", name);
}

static enum pgc_code read_key(struct reader r, const char *name, unsigned char seed[32], struct pgc_error *err) {
    if (r.left < sizeof magic || memcmp(r.at, magic, sizeof magic) != 0)
        return malformed(name, err);
    r.at += sizeof magic;
    r.left -= sizeof magic;
    struct reader cipher = take_string(&r), kdf = take_string(&r);
    (void)take_string(&r); /* options of the key derivation */
    uint32_t keys = take_u32(&r);
    (void)take_string(&r); /* public key */
    struct reader secret = take_string(&r);
    if (r.bad || keys != 1)
        return malformed(name, err);
    if (!equals(&cipher, "none") || !equals(&kdf, "none"))
        return pgc_fail(err, PGC_E_CONFIG,
                        "the SSH key in '%s' is protected by a passphrase, which is not supported; "
                        "use an age identity (pgc backup keygen) or a key without one",
                        name);
    uint32_t check1 = take_u32(&secret), check2 = take_u32(&secret);
    struct reader type = take_string(&secret);
    if (secret.bad || check1 != check2)
        return malformed(name, err);
    if (!equals(&type, type_name))
        return pgc_fail(err, PGC_E_CONFIG, "the SSH key in '%s' is not of type ed25519", name);
    struct reader public = take_string(&secret), private = take_string(&secret);
    if (secret.bad || public.left != 32 || private.left != 64 || memcmp(private.at + 32, public.at, 32) != 0)
        return malformed(name, err);
    memcpy(seed, private.at, 32);
    return PGC_OK;
}

enum pgc_code pgc__age_ssh_private(const char *text, size_t len, const char *name, unsigned char seed[32],
                                   struct pgc_error *err) {
    const char *from = memmem(text, len, pem_begin, strlen(pem_begin));
    const char *to = memmem(text, len, pem_end, strlen(pem_end));
    if (from == NULL || to == NULL || to < from + strlen(pem_begin))
        return malformed(name, err);
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf base64 = PGC_BUF_INIT, bytes = PGC_BUF_INIT;
    for (const char *p = from + strlen(pem_begin); p < to; p++)
        if (*p != '\n' && *p != '\r')
            pgc_buf_putc(&base64, *p);
    if (!pgc_text_unbase64(&bytes, base64.data, base64.len, true) || bytes.failed)
        return malformed(name, err);
    return read_key((struct reader) { (const unsigned char *)bytes.data, bytes.len, false }, name, seed, err);
}
