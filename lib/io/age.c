#include "io/age.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/age_armor.h"
#include "io/age_crypto.h"
#include "io/age_header.h"
#include "io/age_keys.h"

#define CHUNK       ((size_t)65536)
#define SEALED      (CHUNK + PGC__AGE_TAG_BYTES)
#define NONCE_BYTES ((size_t)16)

/* 11 bytes of big-endian chunk number, then 1 on the last chunk. */
static void chunk_nonce(uint64_t index, bool last, unsigned char nonce[PGC__AGE_NONCE_BYTES]) {
    memset(nonce, 0, PGC__AGE_NONCE_BYTES);
    for (int i = 0; i < 8; i++)
        nonce[10 - i] = (unsigned char)(index >> 8 * i);
    nonce[11] = last;
}

static enum pgc_code payload_cipher(const unsigned char file_key[16], const void *nonce,
                                    enum pgc__age_direction direction, struct pgc__age_aead **out,
                                    struct pgc_error *err) {
    unsigned char key[32];
    enum pgc_code code = pgc__age_hkdf(file_key, PGC__AGE_FILE_KEY_BYTES, nonce, NONCE_BYTES, "payload", key, err);
    if (code == PGC_OK)
        code = pgc__age_aead_new(key, direction, out, err);
    pgc__age_wipe(key, sizeof key);
    return code;
}

static enum pgc_code header_mac(const unsigned char file_key[16], const void *data, size_t len, unsigned char mac[32],
                                struct pgc_error *err) {
    unsigned char key[32];
    enum pgc_code code = pgc__age_hkdf(file_key, PGC__AGE_FILE_KEY_BYTES, "", 0, "header", key, err);
    if (code == PGC_OK)
        code = pgc__age_hmac(key, data, len, mac, err);
    pgc__age_wipe(key, sizeof key);
    return code;
}

/* --- encryption --------------------------------------------------------------------------------------- */

struct age_sink {
    struct pgc_sink sink;
    struct pgc_sink *next;
    struct pgc__age_aead *aead;
    struct pgc_buf header; /* until it has gone out; with the payload nonce */
    uint64_t index;
    size_t filled;
    unsigned char plain[CHUNK];
    unsigned char sealed[SEALED];
};

static enum pgc_code send_header(struct age_sink *s, struct pgc_error *err) {
    if (s->header.len == 0)
        return PGC_OK;
    enum pgc_code code = pgc_sink_put(s->next, s->header.data, s->header.len, err);
    pgc_buf_release(&s->header);
    return code;
}

static enum pgc_code send_chunk(struct age_sink *s, const void *plain, size_t len, bool last, struct pgc_error *err) {
    unsigned char nonce[PGC__AGE_NONCE_BYTES];
    chunk_nonce(s->index++, last, nonce);
    enum pgc_code code = pgc__age_seal(s->aead, nonce, plain, len, s->sealed, err);
    return code != PGC_OK ? code : pgc_sink_put(s->next, s->sealed, len + PGC__AGE_TAG_BYTES, err);
}

/* A full chunk goes out only when another byte arrives: before that nobody knows whether it is the last. */
static enum pgc_code age_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct age_sink *s = (struct age_sink *)sink;
    const unsigned char *at = data;
    enum pgc_code code = send_header(s, err);
    while (code == PGC_OK && len > 0) {
        if (s->filled == CHUNK) {
            code = send_chunk(s, s->plain, CHUNK, false, err);
            s->filled = 0;
        } else if (s->filled == 0 && len > CHUNK) {
            code = send_chunk(s, at, CHUNK, false, err);
            at += CHUNK;
            len -= CHUNK;
        } else {
            size_t n = CHUNK - s->filled < len ? CHUNK - s->filled : len;
            memcpy(s->plain + s->filled, at, n);
            s->filled += n;
            at += n;
            len -= n;
        }
    }
    return code;
}

static enum pgc_code age_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct age_sink *s = (struct age_sink *)sink;
    enum pgc_code code = send_header(s, err);
    if (code == PGC_OK)
        code = send_chunk(s, s->plain, s->filled, true, err);
    return code != PGC_OK ? code : pgc_sink_commit(s->next, err);
}

static void age_drop(struct pgc_sink *sink) {
    struct age_sink *s = (struct age_sink *)sink;
    pgc_sink_drop(s->next);
    pgc__age_aead_free(s->aead);
    pgc_buf_release(&s->header);
    pgc__age_wipe(s->plain, sizeof s->plain);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { age_put, age_commit, age_drop };

static enum pgc_code check_recipients(const struct pgc_age_recipients *r, int *log_n, struct pgc_error *err) {
    if (r->count == 0)
        return pgc_fail(err, PGC_E_USAGE, "no recipient given");
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].kind == PGC_AGE_SCRYPT && r->count > 1)
            return pgc_fail(err, PGC_E_USAGE, "a passphrase cannot be combined with other recipients");
        if ((r->items[i].kind == PGC_AGE_HYBRID) != (r->items[0].kind == PGC_AGE_HYBRID))
            return pgc_fail(err, PGC_E_USAGE,
                            "post-quantum recipients (age1pq1...) cannot be combined with others: the file would be "
                            "no safer than for those");
    }
    *log_n = r->scrypt_log_n == 0 ? PGC_AGE_SCRYPT_LOG_N : r->scrypt_log_n;
    if (*log_n < 1 || *log_n > PGC_AGE_SCRYPT_LOG_N_MAX)
        return pgc_fail(err, PGC_E_USAGE, "the work factor %d is out of range (1 to %d)", *log_n,
                        PGC_AGE_SCRYPT_LOG_N_MAX);
    return PGC_OK;
}

static enum pgc_code make_header(struct age_sink *s, const struct pgc_age_recipients *recipients, int log_n,
                                 const unsigned char file_key[16], const unsigned char nonce[NONCE_BYTES],
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc__age_header_release) struct pgc__age_header header = PGC__AGE_HEADER_INIT;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < recipients->count && code == PGC_OK; i++)
        code = pgc__age_wrap(&recipients->items[i], log_n, file_key, &header, err);
    if (code != PGC_OK)
        return code;
    pgc__age_header_format(&s->header, &header);
    code = pgc_buf_check(&s->header, err);
    if (code == PGC_OK)
        code = header_mac(file_key, s->header.data, s->header.len, header.mac, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_putc(&s->header, ' ');
    pgc_text_base64(&s->header, header.mac, sizeof header.mac, false);
    pgc_buf_putc(&s->header, '\n');
    pgc_buf_put(&s->header, nonce, NONCE_BYTES);
    return pgc_buf_check(&s->header, err);
}

enum pgc_code pgc_age_push(struct pgc_sink **chain, const struct pgc_age_recipients *recipients, enum pgc_age_form form,
                           struct pgc_error *err) {
    unsigned char file_key[PGC__AGE_FILE_KEY_BYTES], nonce[NONCE_BYTES];
    int log_n = 0;
    enum pgc_code code = check_recipients(recipients, &log_n, err);
    if (code != PGC_OK)
        return code;
    struct age_sink *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->sink.ops = &sink_ops;
    s->header = (struct pgc_buf)PGC_BUF_INIT;
    code = pgc__age_random(file_key, sizeof file_key, err);
    if (code == PGC_OK)
        code = pgc__age_random(nonce, sizeof nonce, err);
    if (code == PGC_OK)
        code = make_header(s, recipients, log_n, file_key, nonce, err);
    if (code == PGC_OK)
        code = payload_cipher(file_key, nonce, PGC__AGE_SEAL, &s->aead, err);
    pgc__age_wipe(file_key, sizeof file_key);
    if (code == PGC_OK && form == PGC_AGE_ARMOR)
        code = pgc__age_armor_push(chain, err);
    if (code != PGC_OK) {
        age_drop(&s->sink); /* next is still NULL: *chain stays the caller's */
        return code;
    }
    s->next = *chain;
    *chain = &s->sink;
    return PGC_OK;
}

/* --- decryption --------------------------------------------------------------------------------------- */

struct age_source {
    struct pgc_source source;
    struct pgc_source *inner; /* without armor */
    const struct pgc_age_identities *identities;
    struct pgc__age_aead *aead; /* NULL until the header was read */
    struct pgc_buf ahead;       /* read together with the header; from `used` on it is payload */
    size_t used;
    uint64_t index;
    bool full_last; /* the last chunk was a full one: nothing may follow it */
    bool ended;
    size_t plain_len, given;
    unsigned char plain[CHUNK];
    unsigned char sealed[SEALED];
};

/* Exactly `len` bytes of what the header left over and the inner source, fewer at its end. */
static enum pgc_code take(struct age_source *s, unsigned char *out, size_t len, size_t *got, struct pgc_error *err) {
    size_t n = s->ahead.len - s->used < len ? s->ahead.len - s->used : len;
    memcpy(out, s->ahead.data + s->used, n);
    s->used += n;
    if (s->used == s->ahead.len && s->used > 0) {
        pgc_buf_release(&s->ahead);
        s->used = 0;
    }
    *got = 0;
    enum pgc_code code = n == len ? PGC_OK : pgc_source_fill(s->inner, out + n, len - n, got, err);
    *got += n;
    return code;
}

static enum pgc_code read_header(struct age_source *s, size_t *end, struct pgc_error *err) {
    for (;;) {
        enum pgc_code code = pgc__age_header_end(s->ahead.data, s->ahead.len, end, err);
        if (code != PGC_OK || *end > 0)
            return code;
        size_t len = 0;
        char *room = pgc_buf_reserve(&s->ahead, CHUNK);
        if (room == NULL)
            return pgc_fail_nomem(err);
        code = pgc_source_get(s->inner, room, CHUNK, &len, err);
        if (code != PGC_OK)
            return code;
        if (len == 0)
            return s->ahead.len == 0 ? pgc_fail(err, PGC_E_DATA, "not an age file: it is empty")
                                     : pgc_fail(err, PGC_E_DATA, "age header is malformed: it is cut");
        pgc_buf_grown(&s->ahead, len);
    }
}

static enum pgc_code open_header(struct age_source *s, struct pgc_error *err) {
    PGC_CLEANUP(pgc__age_header_release) struct pgc__age_header header = PGC__AGE_HEADER_INIT;
    unsigned char file_key[PGC__AGE_FILE_KEY_BYTES], mac[32], nonce[NONCE_BYTES];
    size_t end = 0, maced = 0, got = 0;
    enum pgc_code code = read_header(s, &end, err);
    if (code == PGC_OK)
        code = pgc__age_header_parse(s->ahead.data, end, &header, &maced, err);
    if (code == PGC_OK)
        code = pgc__age_unwrap(s->identities, &header, file_key, err);
    if (code != PGC_OK)
        return code;
    code = header_mac(file_key, s->ahead.data, maced, mac, err);
    if (code == PGC_OK && !pgc__age_equal(mac, header.mac, sizeof mac))
        code = pgc_fail(err, PGC_E_DATA, "the age header was altered: its authentication code is wrong");
    s->used = end;
    if (code == PGC_OK)
        code = take(s, nonce, sizeof nonce, &got, err);
    if (code == PGC_OK && got < sizeof nonce)
        code = pgc_fail(err, PGC_E_DATA, "age file is cut: it ends behind the header");
    if (code == PGC_OK)
        code = payload_cipher(file_key, nonce, PGC__AGE_OPEN, &s->aead, err);
    pgc__age_wipe(file_key, sizeof file_key);
    return code;
}

static bool open_chunk(struct age_source *s, size_t len, bool last) {
    unsigned char nonce[PGC__AGE_NONCE_BYTES];
    chunk_nonce(s->index, last, nonce);
    return pgc__age_open(s->aead, nonce, s->sealed, len, s->plain);
}

/* A short chunk can only be the last one. A full chunk may be: then its flag says so, and nothing may follow. */
static enum pgc_code next_chunk(struct age_source *s, struct pgc_error *err) {
    size_t len = 0;
    s->plain_len = s->given = 0;
    enum pgc_code code = take(s, s->sealed, s->full_last ? 1 : SEALED, &len, err);
    if (code != PGC_OK)
        return code;
    if (s->full_last && len > 0)
        return pgc_fail(err, PGC_E_DATA, "age file is malformed: something follows its last chunk");
    if (s->full_last) {
        s->ended = true;
        return PGC_OK;
    }
    if (len < PGC__AGE_TAG_BYTES)
        return pgc_fail(err, PGC_E_DATA, "age file is cut in chunk %llu", (unsigned long long)s->index);
    bool last = len < SEALED;
    if (!open_chunk(s, len, last)) {
        last = true;
        if (len < SEALED || !open_chunk(s, len, true))
            return pgc_fail(err, PGC_E_DATA, "age file was altered or cut in chunk %llu", (unsigned long long)s->index);
    }
    size_t plain_len = len - PGC__AGE_TAG_BYTES;
    if (plain_len == 0 && s->index > 0)
        return pgc_fail(err, PGC_E_DATA, "age file is malformed: its last chunk is empty");
    s->plain_len = plain_len;
    s->full_last = last && len == SEALED;
    s->ended = last && len < SEALED;
    s->index++;
    return PGC_OK;
}

static enum pgc_code age_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct age_source *s = (struct age_source *)source;
    enum pgc_code code = s->aead == NULL ? open_header(s, err) : PGC_OK;
    if (code == PGC_OK && s->given == s->plain_len && !s->ended)
        code = next_chunk(s, err);
    if (code != PGC_OK)
        return code;
    *len = s->plain_len - s->given < cap ? s->plain_len - s->given : cap;
    memcpy(buf, s->plain + s->given, *len);
    s->given += *len;
    return PGC_OK;
}

static enum pgc_code age_verify(struct pgc_source *source, struct pgc_error *err) {
    return pgc_source_verify(((struct age_source *)source)->inner, err);
}

static void age_source_drop(struct pgc_source *source) {
    struct age_source *s = (struct age_source *)source;
    pgc_source_drop(s->inner);
    pgc__age_aead_free(s->aead);
    pgc_buf_release(&s->ahead);
    pgc__age_wipe(s->plain, sizeof s->plain);
    free(s);
}

static const struct pgc_source_ops source_ops = { age_get, age_verify, age_source_drop };

enum pgc_code pgc_age_pull(struct pgc_source **source, const struct pgc_age_identities *identities,
                           struct pgc_error *err) {
    if (identities->count == 0)
        return pgc_fail(err, PGC_E_USAGE, "no identity given");
    struct age_source *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc__age_armor_pull(source, err);
    if (code != PGC_OK) {
        free(s);
        return code;
    }
    s->source.ops = &source_ops;
    s->ahead = (struct pgc_buf)PGC_BUF_INIT;
    s->identities = identities;
    s->inner = *source;
    *source = &s->source;
    return PGC_OK;
}
