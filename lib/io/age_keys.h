#ifndef PGC_IO_AGE_KEYS_H
#define PGC_IO_AGE_KEYS_H
/* Wrapping the file key for recipients, unwrapping it with identities, and keys of SSH. Internal to lib/io/age*.c. */
#include "io/age.h"
#include "io/age_crypto.h"
#include "io/age_header.h"

/* Adds to `header` the stanza that gives `file_key` to one recipient. */
PGC_MUST_USE enum pgc_code pgc__age_wrap(const struct pgc_age_recipient *recipient, int scrypt_log_n,
                                         const unsigned char file_key[16], struct pgc__age_header *header,
                                         struct pgc_error *err);
/* Tries every identity on every stanza: PGC_E_NO_KEY when none fits, PGC_E_DATA for a stanza that one of them
 * could read but that is malformed. */
PGC_MUST_USE enum pgc_code pgc__age_unwrap(const struct pgc_age_identities *identities,
                                           const struct pgc__age_header *header, unsigned char file_key[16],
                                           struct pgc_error *err);

/* "ssh-ed25519 <base64> [comment]" -> public key; false when malformed. */
PGC_MUST_USE bool pgc__age_ssh_public(const char *text, unsigned char ed25519[32]);
/* How a key is written in SSH: what fingerprint and tweak are made of. */
#define PGC__AGE_SSH_WIRE_BYTES 51
void pgc__age_ssh_wire(const unsigned char ed25519[32], unsigned char wire[PGC__AGE_SSH_WIRE_BYTES]);
/* The PEM text of an OpenSSH private key -> seed. PGC_E_DATA malformed, PGC_E_CONFIG another type or under a passphrase. */
PGC_MUST_USE enum pgc_code pgc__age_ssh_private(const char *text, size_t len, const char *name, unsigned char seed[32],
                                                struct pgc_error *err);
#endif
