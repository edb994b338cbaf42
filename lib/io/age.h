#ifndef PGC_IO_AGE_H
#define PGC_IO_AGE_H
/* age v1 files (age-encryption.org/v1) both ways, in constant memory.
 *
 *     PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients to = PGC_AGE_RECIPIENTS_INIT;
 *     code = pgc_age_recipients_add(&to, "age1...", err);
 *     code = pgc_age_push(&chain, &to, PGC_AGE_BINARY, err);   // what is put arrives encrypted in the next sink
 *
 *     PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities keys = PGC_AGE_IDENTITIES_INIT;
 *     code = pgc_age_identities_add_file(&keys, "key.txt", err);
 *     code = pgc_age_pull(&source, &keys, err);                // get() gives authenticated plaintext only
 *
 * Recipients: X25519 (age1...), ssh-ed25519 public keys, post-quantum keys (mlkem768x25519, age1pq1...: only among
 * themselves), one passphrase (scrypt; then it must be the only recipient).
 * Identities: AGE-SECRET-KEY-1..., AGE-SECRET-KEY-PQ-1..., OpenSSH private keys of type ed25519 without passphrase, passphrases.
 * Post-quantum keys need OpenSSL 3.5 when the program runs, otherwise they are refused with PGC_E_CONFIG; so are plug-in keys.
 *
 * Errors: PGC_E_USAGE a key given by itself does not parse; PGC_E_DATA a line of a key file does not parse (file and line
 * named, never the text of the line), or an age file is malformed, altered or cut; PGC_E_NO_KEY no identity
 * opens the file (also: the passphrase is wrong).
 *
 * Decryption releases a chunk (64 KiB) only after it was authenticated; that the file is complete is known at its end
 * alone: until get() has reported the end (len 0), what was released may be the beginning of a cut file. A sink
 * behind pgc_copy commits nothing in that case. Secrets are wiped from memory when released. */
#include "base/array.h"
#include "base/buf.h"
#include "io/stream.h"

enum pgc_age_kind { PGC_AGE_X25519, PGC_AGE_SCRYPT, PGC_AGE_SSH_ED25519, PGC_AGE_HYBRID };
#define PGC_AGE_HYBRID_BYTES 1216 /* of a post-quantum public key */

/* Fields are private to lib/io/age*.c. */
struct pgc_age_recipient {
    enum pgc_age_kind kind;
    unsigned char x25519[32]; /* Montgomery form for ssh-ed25519 */
    unsigned char ed25519[32];
    unsigned char hybrid[PGC_AGE_HYBRID_BYTES];
    char *passphrase;
};
struct pgc_age_recipients {
    struct pgc_age_recipient *items;
    size_t count, cap;
    int scrypt_log_n; /* work factor of a passphrase recipient, 1..22; 0 means PGC_AGE_SCRYPT_LOG_N */
};
#define PGC_AGE_RECIPIENTS_INIT                                                                                        \
    { NULL, 0, 0, 0 }
#define PGC_AGE_SCRYPT_LOG_N     18 /* 256 MiB of memory for about a second */
#define PGC_AGE_SCRYPT_LOG_N_MAX 22 /* a file that asks for more is refused */

struct pgc_age_identity {
    enum pgc_age_kind kind;
    unsigned char secret[32]; /* X25519 scalar; seed of a post-quantum key */
    unsigned char public[32]; /* its X25519 point */
    unsigned char ed25519[32];
    char *passphrase;
};
struct pgc_age_identities {
    struct pgc_age_identity *items;
    size_t count, cap;
};
#define PGC_AGE_IDENTITIES_INIT                                                                                        \
    { NULL, 0, 0 }

void pgc_age_recipients_release(struct pgc_age_recipients *list);
/* "age1...", "age1pq1..." or "ssh-ed25519 AAAA... [comment]". */
PGC_MUST_USE enum pgc_code pgc_age_recipients_add(struct pgc_age_recipients *list, const char *text,
                                                  struct pgc_error *err);
/* One recipient per line; empty lines and lines that begin with # are skipped. `name` stands in messages. */
PGC_MUST_USE enum pgc_code pgc_age_recipients_add_text(struct pgc_age_recipients *list, const char *text, size_t len,
                                                       const char *name, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_age_recipients_add_file(struct pgc_age_recipients *list, const char *path,
                                                       struct pgc_error *err);
/* The passphrase is copied; an empty one is refused. */
PGC_MUST_USE enum pgc_code pgc_age_recipients_add_passphrase(struct pgc_age_recipients *list, const char *passphrase,
                                                             struct pgc_error *err);
/* The public halves of all identities (as `age -e -i`). */
PGC_MUST_USE enum pgc_code pgc_age_recipients_add_identities(struct pgc_age_recipients *list,
                                                             const struct pgc_age_identities *identities,
                                                             struct pgc_error *err);

void pgc_age_identities_release(struct pgc_age_identities *list);
/* "AGE-SECRET-KEY-1..." or "AGE-SECRET-KEY-PQ-1...". */
PGC_MUST_USE enum pgc_code pgc_age_identities_add(struct pgc_age_identities *list, const char *text,
                                                  struct pgc_error *err);
/* An age identity file (one key per line, # comments) or an OpenSSH private key. */
PGC_MUST_USE enum pgc_code pgc_age_identities_add_text(struct pgc_age_identities *list, const char *text, size_t len,
                                                       const char *name, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_age_identities_add_file(struct pgc_age_identities *list, const char *path,
                                                       struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_age_identities_add_passphrase(struct pgc_age_identities *list, const char *passphrase,
                                                             struct pgc_error *err);

/* A new key pair of kind PGC_AGE_X25519 or PGC_AGE_HYBRID as text, NUL-terminated. Wipe `identity` after use. */
struct pgc_age_keypair {
    char identity[80];
    char recipient[1984];
};
PGC_MUST_USE enum pgc_code pgc_age_keygen(enum pgc_age_kind kind, struct pgc_age_keypair *out, struct pgc_error *err);

enum pgc_age_form { PGC_AGE_BINARY, PGC_AGE_ARMOR };
/* In front of *chain; on failure *chain is unchanged. Derives all keys at once (a passphrase takes a second), so the
 * recipients may be released afterwards. The header goes out with the first byte or at commit.
 * No recipients, a passphrase beside others, or post-quantum keys beside keys of other kinds: PGC_E_USAGE. */
PGC_MUST_USE enum pgc_code pgc_age_push(struct pgc_sink **chain, const struct pgc_age_recipients *recipients,
                                        enum pgc_age_form form, struct pgc_error *err);
/* Around *source, which it owns from then on; on failure *source is unchanged. Armor is recognised. The header is read by
 * the first get(): the identities are borrowed until then. verify() is that of the inner source. */
PGC_MUST_USE enum pgc_code pgc_age_pull(struct pgc_source **source, const struct pgc_age_identities *identities,
                                        struct pgc_error *err);
#endif
