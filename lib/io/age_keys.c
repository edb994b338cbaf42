#include "io/age_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/age_hybrid.h"
#include "io/age_mlkem.h"
#include "io/bech32.h"
#include "io/file.h"

#define RECIPIENT_HRP        "age"
#define IDENTITY_HRP         "AGE-SECRET-KEY-"
#define HYBRID_RECIPIENT_HRP "age1pq"
#define HYBRID_IDENTITY_HRP  "AGE-SECRET-KEY-PQ-"
#define KEY_FILE_MAX         ((size_t)1 << 20)

static void wipe_text(char *text) {
    if (text != NULL)
        pgc__age_wipe(text, strlen(text));
    free(text);
}

void pgc_age_recipients_release(struct pgc_age_recipients *list) {
    for (size_t i = 0; i < list->count; i++)
        wipe_text(list->items[i].passphrase);
    free(list->items);
    *list = (struct pgc_age_recipients)PGC_AGE_RECIPIENTS_INIT;
}

void pgc_age_identities_release(struct pgc_age_identities *list) {
    for (size_t i = 0; i < list->count; i++) {
        wipe_text(list->items[i].passphrase);
        pgc__age_wipe(list->items[i].secret, sizeof list->items[i].secret);
    }
    free(list->items);
    *list = (struct pgc_age_identities)PGC_AGE_IDENTITIES_INIT;
}

static enum pgc_code add_recipient(struct pgc_age_recipients *list, const struct pgc_age_recipient *recipient,
                                   struct pgc_error *err) {
    if (!pgc_array_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items))
        return pgc_fail_nomem(err);
    list->items[list->count++] = *recipient;
    return PGC_OK;
}

/* Never by realloc: that would leave copies of secrets in freed memory. */
static enum pgc_code add_identity(struct pgc_age_identities *list, const struct pgc_age_identity *identity,
                                  struct pgc_error *err) {
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 4 : 2 * list->cap;
        struct pgc_age_identity *items = calloc(cap, sizeof *items);
        if (items == NULL)
            return pgc_fail_nomem(err);
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
            pgc__age_wipe(list->items, list->count * sizeof *items);
        }
        free(list->items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = *identity;
    return PGC_OK;
}

/* Decodes a key of `len` bytes whose human-readable part is exactly `want`. */
static bool decode_key(const char *text, const char *want, unsigned char *out, size_t len) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf hrp = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf data = PGC_BUF_INIT;
    if (!pgc_bech32_decode(text, &hrp, &data) || strcmp(hrp.data, want) != 0 || data.len != len)
        return false;
    memcpy(out, data.data, len);
    return true;
}

enum pgc_code pgc_age_recipients_add(struct pgc_age_recipients *list, const char *text, struct pgc_error *err) {
    struct pgc_age_recipient r = { .kind = PGC_AGE_X25519 };
    if (pgc_text_starts(text, "AGE-SECRET-KEY-"))
        return pgc_fail(err, PGC_E_USAGE, "this is a secret key, not a recipient: give its public key (age1...)");
    if (pgc_text_starts(text, "age1pq1")) {
        r.kind = PGC_AGE_HYBRID;
        enum pgc_code code = pgc__age_mlkem_check(err);
        if (code == PGC_OK && !decode_key(text, HYBRID_RECIPIENT_HRP, r.hybrid, sizeof r.hybrid))
            code = pgc_fail(err, PGC_E_USAGE, "malformed post-quantum recipient (age1pq1...)");
        return code != PGC_OK ? code : add_recipient(list, &r, err);
    }
    if (pgc_text_starts(text, "ssh-")) {
        r.kind = PGC_AGE_SSH_ED25519;
        if (!pgc_text_starts(text, "ssh-ed25519"))
            return pgc_fail(err, PGC_E_CONFIG, "of the SSH keys, only ssh-ed25519 is supported as a recipient");
        if (!pgc__age_ssh_public(text, r.ed25519) || !pgc__age_ed25519_point(r.ed25519, r.x25519))
            return pgc_fail(err, PGC_E_USAGE, "malformed ssh-ed25519 public key");
        return add_recipient(list, &r, err);
    }
    if (decode_key(text, RECIPIENT_HRP, r.x25519, sizeof r.x25519))
        return add_recipient(list, &r, err);
    const char *one = strrchr(text, '1');
    if (pgc_text_starts(text, "age1") && one != text + 3)
        return pgc_fail(err, PGC_E_CONFIG, "recipients of plug-ins (age1NAME1...) are not supported");
    return pgc_fail(err, PGC_E_USAGE, "malformed recipient: expected age1... or ssh-ed25519 ...");
}

enum pgc_code pgc_age_recipients_add_passphrase(struct pgc_age_recipients *list, const char *passphrase,
                                                struct pgc_error *err) {
    if (*passphrase == '\0')
        return pgc_fail(err, PGC_E_USAGE, "the passphrase is empty");
    struct pgc_age_recipient r = { .kind = PGC_AGE_SCRYPT, .passphrase = strdup(passphrase) };
    if (r.passphrase == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = add_recipient(list, &r, err);
    if (code != PGC_OK)
        wipe_text(r.passphrase);
    return code;
}

enum pgc_code pgc_age_recipients_add_identities(struct pgc_age_recipients *list,
                                                const struct pgc_age_identities *identities, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < identities->count && code == PGC_OK; i++) {
        const struct pgc_age_identity *id = &identities->items[i];
        if (id->kind == PGC_AGE_SCRYPT) {
            code = pgc_age_recipients_add_passphrase(list, id->passphrase, err);
            continue;
        }
        struct pgc_age_recipient r = { .kind = id->kind };
        memcpy(r.x25519, id->public, 32);
        memcpy(r.ed25519, id->ed25519, 32);
        if (id->kind == PGC_AGE_HYBRID)
            code = pgc__age_hybrid_public(id->secret, r.hybrid, err);
        if (code == PGC_OK)
            code = add_recipient(list, &r, err);
    }
    return code;
}

enum pgc_code pgc_age_identities_add(struct pgc_age_identities *list, const char *text, struct pgc_error *err) {
    if (pgc_text_starts(text, "AGE-PLUGIN-"))
        return pgc_fail(err, PGC_E_CONFIG, "identities of plug-ins (AGE-PLUGIN-...) are not supported");
    if (pgc_text_starts(text, "age1") || pgc_text_starts(text, "ssh-"))
        return pgc_fail(err, PGC_E_USAGE, "this is a public key, not an identity (AGE-SECRET-KEY-1...)");
    bool hybrid = pgc_text_starts(text, HYBRID_IDENTITY_HRP);
    struct pgc_age_identity id = { .kind = hybrid ? PGC_AGE_HYBRID : PGC_AGE_X25519 };
    enum pgc_code code = hybrid ? pgc__age_mlkem_check(err) : PGC_OK;
    if (code == PGC_OK &&
        (!decode_key(text, hybrid ? HYBRID_IDENTITY_HRP : IDENTITY_HRP, id.secret, sizeof id.secret) ||
         (!hybrid && !pgc__age_x25519_public(id.secret, id.public))))
        code = pgc_fail(err, PGC_E_USAGE, "malformed identity: expected AGE-SECRET-KEY-1...");
    if (code == PGC_OK)
        code = add_identity(list, &id, err);
    pgc__age_wipe(&id, sizeof id);
    return code;
}

enum pgc_code pgc_age_identities_add_passphrase(struct pgc_age_identities *list, const char *passphrase,
                                                struct pgc_error *err) {
    if (*passphrase == '\0')
        return pgc_fail(err, PGC_E_USAGE, "the passphrase is empty");
    struct pgc_age_identity id = { .kind = PGC_AGE_SCRYPT, .passphrase = strdup(passphrase) };
    if (id.passphrase == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = add_identity(list, &id, err);
    if (code != PGC_OK)
        wipe_text(id.passphrase);
    return code;
}

typedef enum pgc_code add_line(void *list, const char *line, struct pgc_error *err);

static enum pgc_code add_recipient_line(void *list, const char *line, struct pgc_error *err) {
    return pgc_age_recipients_add(list, line, err);
}

static enum pgc_code add_identity_line(void *list, const char *line, struct pgc_error *err) {
    return pgc_age_identities_add(list, line, err);
}

/* Calls `add` for every line that holds a key. In a file, a malformed key is bad data, not wrong usage. */
static enum pgc_code each_line(const char *text, size_t len, const char *name, add_line *add, void *list,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf line = PGC_BUF_INIT;
    size_t number = 0, keys = 0;
    for (size_t at = 0; at < len;) {
        const char *eol = memchr(text + at, '\n', len - at);
        size_t n = eol == NULL ? len - at : (size_t)(eol - (text + at));
        pgc_buf_clear(&line);
        pgc_buf_put(&line, text + at, n);
        at += n + 1;
        number++;
        while (line.len > 0 && strchr(" \t\r", line.data[line.len - 1]) != NULL)
            pgc_buf_truncate(&line, line.len - 1);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        keys++;
        enum pgc_code code =
            strlen(line.data) == line.len ? add(list, line.data, err) : pgc_fail(err, PGC_E_USAGE, "not a text file");
        if (code == PGC_E_USAGE)
            err->code = PGC_E_DATA;
        if (code != PGC_OK)
            return pgc_wrap(err, "'%s' line %zu", name, number);
    }
    if (keys == 0)
        return pgc_fail(err, PGC_E_DATA, "'%s' holds no key", name);
    return PGC_OK;
}

enum pgc_code pgc_age_recipients_add_text(struct pgc_age_recipients *list, const char *text, size_t len,
                                          const char *name, struct pgc_error *err) {
    return each_line(text, len, name, add_recipient_line, list, err);
}

enum pgc_code pgc_age_recipients_add_file(struct pgc_age_recipients *list, const char *path, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = pgc_file_read(path, KEY_FILE_MAX, &text, err);
    return code != PGC_OK ? code : pgc_age_recipients_add_text(list, text.data, text.len, path, err);
}

static enum pgc_code add_ssh_identity(struct pgc_age_identities *list, const char *text, size_t len, const char *name,
                                      struct pgc_error *err) {
    unsigned char seed[32];
    struct pgc_age_identity id = { .kind = PGC_AGE_SSH_ED25519 };
    enum pgc_code code = pgc__age_ssh_private(text, len, name, seed, err);
    if (code == PGC_OK &&
        (!pgc__age_ed25519_scalar(seed, id.secret, id.ed25519) || !pgc__age_x25519_public(id.secret, id.public)))
        code = pgc_fail(err, PGC_E_DATA, "the SSH key in '%s' is not usable", name);
    if (code == PGC_OK)
        code = add_identity(list, &id, err);
    pgc__age_wipe(seed, sizeof seed);
    pgc__age_wipe(&id, sizeof id);
    return code;
}

enum pgc_code pgc_age_identities_add_text(struct pgc_age_identities *list, const char *text, size_t len,
                                          const char *name, struct pgc_error *err) {
    if (pgc_text_starts(text, "-----BEGIN OPENSSH PRIVATE KEY-----"))
        return add_ssh_identity(list, text, len, name, err);
    if (pgc_text_starts(text, "age-encryption.org/") || pgc_text_starts(text, "-----BEGIN AGE ENCRYPTED FILE-----"))
        return pgc_fail(err, PGC_E_CONFIG, "the identity file '%s' is itself encrypted; decrypt it first", name);
    return each_line(text, len, name, add_identity_line, list, err);
}

enum pgc_code pgc_age_identities_add_file(struct pgc_age_identities *list, const char *path, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = pgc_file_read(path, KEY_FILE_MAX, &text, err);
    return code != PGC_OK ? code : pgc_age_identities_add_text(list, text.data, text.len, path, err);
}

enum pgc_code pgc_age_keygen(enum pgc_age_kind kind, struct pgc_age_keypair *out, struct pgc_error *err) {
    bool hybrid = kind == PGC_AGE_HYBRID;
    unsigned char secret[32], public[PGC_AGE_HYBRID_BYTES];
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf identity = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf recipient = PGC_BUF_INIT;
    enum pgc_code code = pgc__age_random(secret, sizeof secret, err);
    if (code == PGC_OK && hybrid)
        code = pgc__age_hybrid_public(secret, public, err);
    else if (code == PGC_OK && !pgc__age_x25519_public(secret, public))
        code = pgc_fail(err, PGC_E_FAILED, "cannot compute a public key");
    if (code == PGC_OK) {
        pgc_bech32_encode(&identity, hybrid ? HYBRID_IDENTITY_HRP : IDENTITY_HRP, secret, sizeof secret);
        pgc_bech32_encode(&recipient, hybrid ? HYBRID_RECIPIENT_HRP : RECIPIENT_HRP, public,
                          hybrid ? sizeof public : 32);
        code = pgc_buf_check(&identity, err);
    }
    pgc__age_wipe(secret, sizeof secret);
    if (code != PGC_OK || (code = pgc_buf_check(&recipient, err)) != PGC_OK)
        return code;
    memcpy(out->identity, identity.data, identity.len + 1);
    memcpy(out->recipient, recipient.data, recipient.len + 1);
    return PGC_OK;
}
