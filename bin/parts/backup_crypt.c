/* pgc backup encrypt, decrypt, keygen: age as filters, so that what pgc writes can be looked at without a backup run. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/age.h"
#include "io/fd.h"
#include "io/file.h"
#include "os/secret.h"
#include "parts.h"

struct crypt_settings {
    struct pgc_strings recipients;
    struct pgc_strings recipient_files;
    struct pgc_strings identity_files;
    char *passphrase;
    char *passphrase_file;
    char *output;
    bool armor;
    bool post_quantum;
};

#define IDENTITY_ROW                                                                                                   \
    {                                                                                                                  \
        "identity-file", 'i', PGC_OPT_LIST, offsetof(struct crypt_settings, identity_files), NULL,                     \
            "file with secret keys (age or OpenSSH ed25519)", .value = "FILE"                                          \
    }
#define PASSPHRASE_ROWS                                                                                                \
    { "passphrase-file",                                                                                               \
      0,                                                                                                               \
      PGC_OPT_STRING,                                                                                                  \
      offsetof(struct crypt_settings, passphrase_file),                                                                \
      NULL,                                                                                                            \
      "file with a passphrase",                                                                                        \
      .value = "FILE",                                                                                                 \
      .env = "" },                                                                                                     \
    {                                                                                                                  \
        "passphrase", 0, PGC_OPT_SECRET, offsetof(struct crypt_settings, passphrase), NULL, "passphrase"               \
    }
#define OUTPUT_ROW                                                                                                     \
    {                                                                                                                  \
        "output", 'o', PGC_OPT_STRING, offsetof(struct crypt_settings, output), NULL,                                  \
            "write FILE (mode 0600), which appears only when it is complete; default: standard output",                \
            .value = "FILE", .env = ""                                                                                 \
    }

static const struct pgc_option encrypt_options[] = {
    { "recipient", 'r', PGC_OPT_LIST, offsetof(struct crypt_settings, recipients), NULL,
      "public key (age1... or ssh-ed25519 ...)", .value = "KEY" },
    { "recipients-file", 'R', PGC_OPT_LIST, offsetof(struct crypt_settings, recipient_files), NULL,
      "file with public keys, one per line", .value = "FILE" },
    IDENTITY_ROW,
    PASSPHRASE_ROWS,
    { "armor", 'a', PGC_OPT_FLAG, offsetof(struct crypt_settings, armor), NULL, "write text (PEM) instead of bytes" },
    OUTPUT_ROW,
};

static const struct pgc_option decrypt_options[] = { IDENTITY_ROW, PASSPHRASE_ROWS, OUTPUT_ROW };

static const struct pgc_option keygen_options[] = {
    { "output", 'o', PGC_OPT_STRING, offsetof(struct crypt_settings, output), NULL,
      "write the key to FILE (mode 0600, must not exist) and the public key to standard error", .value = "FILE",
      .env = "" },
    { "post-quantum", 0, PGC_OPT_FLAG, offsetof(struct crypt_settings, post_quantum), NULL,
      "make a post-quantum key (mlkem768x25519); needs OpenSSL 3.5", .env = "" },
};

static enum pgc_code load_identities(const struct crypt_settings *s, struct pgc_age_identities *out,
                                     struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < s->identity_files.count && code == PGC_OK; i++)
        code = pgc_age_identities_add_file(out, s->identity_files.items[i], err);
    return code;
}

/* The option names a file; the environment may hold the passphrase or name a file too. NULL: there is none. */
static enum pgc_code load_passphrase(const struct crypt_settings *s, char **out, struct pgc_error *err) {
    if (s->passphrase_file != NULL)
        return pgc_secret_file(s->passphrase_file, out, err);
    if (s->passphrase != NULL && (*out = strdup(s->passphrase)) == NULL)
        return pgc_fail_nomem(err);
    return PGC_OK;
}

static enum pgc_code load_recipients(const struct crypt_settings *s, struct pgc_age_recipients *out,
                                     struct pgc_error *err) {
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities own = PGC_AGE_IDENTITIES_INIT;
    PGC_AUTO(pgc_secret_free) char *passphrase = NULL;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < s->recipients.count && code == PGC_OK; i++) {
        code = pgc_age_recipients_add(out, s->recipients.items[i], err);
        if (code != PGC_OK)
            return pgc_wrap(err, "recipient %zu", i + 1);
    }
    for (size_t i = 0; i < s->recipient_files.count && code == PGC_OK; i++)
        code = pgc_age_recipients_add_file(out, s->recipient_files.items[i], err);
    if (code == PGC_OK)
        code = load_identities(s, &own, err);
    if (code == PGC_OK)
        code = pgc_age_recipients_add_identities(out, &own, err);
    if (code == PGC_OK)
        code = load_passphrase(s, &passphrase, err);
    if (code == PGC_OK && passphrase != NULL)
        code = pgc_age_recipients_add_passphrase(out, passphrase, err);
    if (code == PGC_OK && out->count == 0)
        return pgc_fail(err, PGC_E_USAGE,
                        "no recipient given: use --recipient, --recipients-file, --identity-file or --passphrase-file");
    return code;
}

static enum pgc_code open_output(const struct pgc_cli *cli, const struct crypt_settings *s, struct pgc_sink **out,
                                 struct pgc_error *err) {
    if (s->output != NULL && strcmp(s->output, "-") != 0)
        return pgc_file_sink(s->output, 0600, out, err);
    return pgc_fd_sink_watched(STDOUT_FILENO, PGC_FD_BORROWED, "standard output", cli->rt, out, err);
}

static enum pgc_code open_input(const struct pgc_cli *cli, struct pgc_source **out, struct pgc_error *err) {
    return pgc_fd_source_watched(STDIN_FILENO, PGC_FD_BORROWED, "standard input", cli->rt, out, err);
}

static enum pgc_code stop_when_cancelled(void *arg, uint64_t bytes, struct pgc_error *err) {
    (void)bytes;
    return pgc_check_cancelled(arg, err);
}

static enum pgc_code flow(struct pgc_cli *cli, struct pgc_source *source, struct pgc_sink *chain,
                          struct pgc_error *err) {
    const struct pgc_copy_watch watch = { stop_when_cancelled, (void *)(size_t)cli->rt };
    return pgc_copy(source, chain, &watch, err);
}

static enum pgc_code run_encrypt(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct crypt_settings *s = settings;
    PGC_CLEANUP(pgc_age_recipients_release) struct pgc_age_recipients to = PGC_AGE_RECIPIENTS_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = load_recipients(s, &to, err);
    if (code == PGC_OK && !s->armor && (s->output == NULL || strcmp(s->output, "-") == 0) && isatty(STDOUT_FILENO))
        code = pgc_fail(err, PGC_E_USAGE, "not writing binary data to a terminal: use --armor or --output");
    if (code == PGC_OK)
        code = open_output(cli, s, &chain, err);
    if (code == PGC_OK)
        code = pgc_age_push(&chain, &to, s->armor ? PGC_AGE_ARMOR : PGC_AGE_BINARY, err);
    if (code == PGC_OK)
        code = open_input(cli, &source, err);
    return code != PGC_OK ? code : flow(cli, source, chain, err);
}

static enum pgc_code run_decrypt(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct crypt_settings *s = settings;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities keys = PGC_AGE_IDENTITIES_INIT;
    PGC_AUTO(pgc_secret_free) char *passphrase = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = load_identities(s, &keys, err);
    if (code == PGC_OK)
        code = load_passphrase(s, &passphrase, err);
    if (code == PGC_OK && passphrase != NULL)
        code = pgc_age_identities_add_passphrase(&keys, passphrase, err);
    if (code == PGC_OK && keys.count == 0)
        code = pgc_fail(err, PGC_E_USAGE, "no key given: use --identity-file or --passphrase-file");
    if (code == PGC_OK)
        code = open_input(cli, &source, err);
    if (code == PGC_OK)
        code = pgc_age_pull(&source, &keys, err);
    if (code == PGC_OK)
        code = open_output(cli, s, &chain, err);
    return code != PGC_OK ? code : flow(cli, source, chain, err);
}

static enum pgc_code run_keygen(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct crypt_settings *s = settings;
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct pgc_age_keypair pair;
    bool to_file = s->output != NULL && strcmp(s->output, "-") != 0;
    enum pgc_code code = to_file ? pgc_file_sink_new(s->output, 0600, &sink, err)
                                 : pgc_fd_sink(STDOUT_FILENO, PGC_FD_BORROWED, "standard output", &sink, err);
    if (code == PGC_OK)
        code = pgc_age_keygen(s->post_quantum ? PGC_AGE_HYBRID : PGC_AGE_X25519, &pair, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_puts(&text, "# created: ");
    pgc_text_rfc3339(&text, pgc_wall_us(cli->rt), false);
    pgc_buf_putf(&text, "\n# public key: %s\n%s\n", pair.recipient, pair.identity);
    explicit_bzero(pair.identity, sizeof pair.identity);
    code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_sink_put(sink, text.data, text.len, err);
    if (code == PGC_OK)
        code = pgc_sink_commit(sink, err);
    if (code == PGC_OK && (to_file || !isatty(STDOUT_FILENO)))
        fprintf(stderr, "Public key: %s\n", pair.recipient);
    return code;
}

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

const struct pgc_command pgc_cmd_backup_encrypt = {
    .name = "encrypt",
    .summary = "encrypt standard input with age",
    .description = "Encrypts for every recipient given, in the format of age (age-encryption.org/v1). A passphrase "
                   "must be the only recipient. --identity-file encrypts for the public halves of one's own keys.",
    .examples = "pgc backup encrypt -r age1... < dump > dump.age  # for one recipient\n"
                "pgc backup encrypt -R team.txt -a < notes  # for a team, as text",
    .options = encrypt_options,
    .option_count = COUNT(encrypt_options),
    .settings_size = sizeof(struct crypt_settings),
    .run = run_encrypt,
};

const struct pgc_command pgc_cmd_backup_decrypt = {
    .name = "decrypt",
    .summary = "decrypt standard input with age",
    .description = "Armor is recognised. Exit status 77: no key fits; 65: the input is malformed, altered or cut. "
                   "Standard output then may hold the beginning of the plaintext, which was authenticated; with "
                   "--output nothing appears before everything was checked.",
    .examples = "pgc backup decrypt -i key.txt < app.zst.age | zstd -d | pg_restore -d app  # by hand",
    .options = decrypt_options,
    .option_count = COUNT(decrypt_options),
    .settings_size = sizeof(struct crypt_settings),
    .run = run_decrypt,
};

const struct pgc_command pgc_cmd_backup_keygen = {
    .name = "keygen",
    .summary = "make a key pair for age",
    .description = "Prints a new secret key in the format of age-keygen, with its public key as a comment. Keep the "
                   "secret key away from the server whose backups it opens.",
    .examples = "pgc backup keygen -o key.txt  # the public key goes to standard error",
    .options = keygen_options,
    .option_count = COUNT(keygen_options),
    .settings_size = sizeof(struct crypt_settings),
    .run = run_keygen,
};
