#include "support/sink_contract.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

static enum pgc_code probe_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct probe_sink *p = (struct probe_sink *)sink;
    ck_assert_msg(!p->failed && p->commits == 0, "put after a failure or after commit");
    if (p->fail_at != SIZE_MAX && p->data.len + len > p->fail_at) {
        p->failed = true;
        return pgc_fail(err, PGC_E_NOSPACE, "probe is full");
    }
    pgc_buf_put(&p->data, data, len);
    return PGC_OK;
}

static enum pgc_code probe_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct probe_sink *p = (struct probe_sink *)sink;
    ck_assert_msg(!p->failed && p->commits == 0, "commit after a failure or twice");
    if (p->fail_commit) {
        p->failed = true;
        return pgc_fail(err, PGC_E_TEMPORARY, "probe does not commit");
    }
    p->commits++;
    return PGC_OK;
}

static void probe_drop(struct pgc_sink *sink) {
    ((struct probe_sink *)sink)->drops++;
}

static const struct pgc_sink_ops probe_sink_ops = { probe_put, probe_commit, probe_drop };

void probe_sink_init(struct probe_sink *probe) {
    *probe = (struct probe_sink) { .sink = { &probe_sink_ops }, .data = PGC_BUF_INIT, .fail_at = SIZE_MAX };
}

void probe_sink_release(struct probe_sink *probe) {
    pgc_buf_release(&probe->data);
}

static enum pgc_code probe_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct probe_source *p = (struct probe_source *)source;
    if (p->at >= p->fail_at)
        return pgc_fail(err, PGC_E_UNAVAILABLE, "probe broke");
    size_t n = p->len - p->at;
    n = n < cap ? n : cap;
    n = n < p->piece ? n : p->piece;
    if (p->fail_at != SIZE_MAX && p->at + n > p->fail_at)
        n = p->fail_at - p->at;
    memcpy(buf, p->data + p->at, n);
    p->at += n;
    *len = n;
    return PGC_OK;
}

static enum pgc_code probe_verify(struct pgc_source *source, struct pgc_error *err) {
    struct probe_source *p = (struct probe_source *)source;
    ck_assert_int_eq(p->verifies++, 0);
    return p->fail_verify ? pgc_fail(err, PGC_E_CHILD, "probe is not true") : PGC_OK;
}

static void probe_source_drop(struct pgc_source *source) {
    ((struct probe_source *)source)->drops++;
}

static const struct pgc_source_ops probe_source_ops = { probe_get, probe_verify, probe_source_drop };

void probe_source_init(struct probe_source *probe, const void *data, size_t len, size_t piece) {
    *probe = (struct probe_source) {
        .source = { &probe_source_ops }, .data = data, .len = len, .piece = piece, .fail_at = SIZE_MAX
    };
}

void fill_pattern(struct pgc_buf *out, size_t len) {
    uint32_t state = 2463534242u;
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        pgc_buf_putc(out, (char)(i % 3 == 0 ? 'a' : state >> 24));
    }
}

/* source -> filter -> sink; says what pgc_copy said. */
static enum pgc_code encode(const struct filter_contract *f, struct probe_source *from, struct probe_sink *to,
                            struct pgc_error *err) {
    struct pgc_sink *chain = &to->sink;
    ck_assert_int_eq(f->push(&chain, f->arg, err), PGC_OK);
    enum pgc_code code = pgc_copy(&from->source, chain, NULL, err);
    pgc_sink_drop(chain);
    ck_assert_int_eq(to->drops, 1);
    ck_assert_int_eq(to->commits, code == PGC_OK);
    return code;
}

static enum pgc_code decode(const struct filter_contract *f, struct probe_source *from, struct probe_sink *to,
                            struct pgc_error *err) {
    struct pgc_source *source = &from->source;
    if (f->pull != NULL)
        ck_assert_int_eq(f->pull(&source, f->arg, err), PGC_OK);
    enum pgc_code code = pgc_copy(source, &to->sink, NULL, err);
    pgc_source_drop(source);
    ck_assert_int_eq(from->drops, 1);
    ck_assert_int_eq(to->commits, code == PGC_OK);
    return code;
}

static void check_round_trip(const struct filter_contract *f, const struct pgc_buf *plain, size_t piece) {
    struct probe_source from;
    struct probe_sink middle, to;
    struct pgc_error err;
    probe_source_init(&from, plain->data, plain->len, piece);
    probe_sink_init(&middle);
    probe_sink_init(&to);
    ck_assert_int_eq(encode(f, &from, &middle, &err), PGC_OK);
    probe_source_init(&from, middle.data.data, middle.data.len, piece);
    enum pgc_code code = decode(f, &from, &to, &err);
    ck_assert_msg(code == PGC_OK, "%zu bytes in pieces of %zu: %s", plain->len, piece, err.message);
    ck_assert_msg(to.data.len == plain->len && memcmp(to.data.data, plain->data, plain->len) == 0,
                  "%zu bytes in pieces of %zu do not come back", plain->len, piece);
    ck_assert_int_eq(from.verifies, 1);
    probe_sink_release(&middle);
    probe_sink_release(&to);
}

/* The next sink refuses a byte, or its commit. */
static void check_failing_sink(const struct filter_contract *f, const struct pgc_buf *plain) {
    struct probe_source from;
    struct probe_sink to;
    struct pgc_error err;
    probe_source_init(&from, plain->data, plain->len, 8192);
    probe_sink_init(&to);
    ck_assert_int_eq(encode(f, &from, &to, &err), PGC_OK);
    size_t len = to.data.len, step = len < 2000 ? 1 : len / 97;
    probe_sink_release(&to);
    for (size_t at = 0; at < (len > 64 ? len - 64 : 0); at += step) { /* the coded length may vary a little */
        probe_source_init(&from, plain->data, plain->len, 8192);
        probe_sink_init(&to);
        to.fail_at = at;
        ck_assert_int_eq(encode(f, &from, &to, &err), PGC_E_NOSPACE);
        ck_assert_ptr_nonnull(strstr(err.message, "probe is full"));
        probe_sink_release(&to);
    }
    probe_source_init(&from, plain->data, plain->len, 8192);
    probe_sink_init(&to);
    to.fail_commit = true;
    ck_assert_int_eq(encode(f, &from, &to, &err), PGC_E_TEMPORARY);
    probe_sink_release(&to);
}

/* The source breaks after some bytes, or does not verify; on both sides of the filter. */
static void check_failing_source(const struct filter_contract *f, const struct pgc_buf *plain) {
    struct probe_source from;
    struct probe_sink coded, to;
    struct pgc_error err;
    for (size_t at = 0; at <= plain->len; at += plain->len / 13 + 1) {
        probe_source_init(&from, plain->data, plain->len, 4099);
        probe_sink_init(&to);
        from.fail_at = at;
        ck_assert_int_eq(encode(f, &from, &to, &err), PGC_E_UNAVAILABLE);
        probe_sink_release(&to);
    }
    probe_source_init(&from, plain->data, plain->len, 4099);
    probe_sink_init(&coded);
    from.fail_verify = true;
    ck_assert_int_eq(encode(f, &from, &coded, &err), PGC_E_CHILD);
    probe_sink_release(&coded);

    probe_source_init(&from, plain->data, plain->len, 4099);
    probe_sink_init(&coded);
    ck_assert_int_eq(encode(f, &from, &coded, &err), PGC_OK);
    for (size_t at = 0; at < coded.data.len; at += coded.data.len / 13 + 1) {
        probe_source_init(&from, coded.data.data, coded.data.len, 4099);
        probe_sink_init(&to);
        from.fail_at = at;
        ck_assert_int_eq(decode(f, &from, &to, &err), PGC_E_UNAVAILABLE);
        probe_sink_release(&to);
    }
    probe_source_init(&from, coded.data.data, coded.data.len, 4099);
    probe_sink_init(&to);
    from.fail_verify = true;
    ck_assert_int_eq(decode(f, &from, &to, &err), PGC_E_CHILD);
    probe_sink_release(&to);
    probe_sink_release(&coded);
}

/* Dropped before anything was put, and dropped half-way: the next sink goes too, uncommitted. */
static void check_dropping(const struct filter_contract *f) {
    for (size_t put = 0; put < 2; put++) {
        struct probe_sink to;
        struct pgc_error err;
        probe_sink_init(&to);
        struct pgc_sink *chain = &to.sink;
        ck_assert_int_eq(f->push(&chain, f->arg, &err), PGC_OK);
        if (put > 0)
            ck_assert_int_eq(pgc_sink_put(chain, "half", 4, &err), PGC_OK);
        pgc_sink_drop(chain);
        ck_assert_int_eq(to.drops, 1);
        ck_assert_int_eq(to.commits, 0);
        probe_sink_release(&to);
    }
}

void check_filter_contract(const struct filter_contract *filter) {
    static const size_t pieces[] = { 1, 7, 4096, 65536, SIZE_MAX };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf plain = PGC_BUF_INIT;
    for (size_t i = 0; i < filter->size_count; i++) {
        pgc_buf_clear(&plain);
        fill_pattern(&plain, filter->sizes[i]);
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++)
            if (pieces[k] > 6 || plain.len < 5000)
                check_round_trip(filter, &plain, pieces[k]);
    }
    check_dropping(filter);
    static const size_t faulty[] = { 0, 300, 150000 };
    for (size_t i = 0; i < sizeof faulty / sizeof faulty[0]; i++) {
        pgc_buf_clear(&plain);
        fill_pattern(&plain, faulty[i]);
        check_failing_sink(filter, &plain);
        check_failing_source(filter, &plain);
    }
}

static void check_refused(const struct filter_contract *f, const struct pgc_buf *coded, size_t len, const char *what,
                          size_t at) {
    struct probe_source from;
    struct probe_sink to;
    struct pgc_error err;
    probe_source_init(&from, coded->data, len, 8192);
    probe_sink_init(&to);
    enum pgc_code code = decode(f, &from, &to, &err);
    ck_assert_msg(code == PGC_E_DATA || code == PGC_E_NO_KEY, "%s at byte %zu: code %d", what, at, (int)code);
    probe_sink_release(&to);
}

void check_tampering(const struct filter_contract *filter, size_t size, const long *positions, size_t count) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf plain = PGC_BUF_INIT;
    struct probe_source from;
    struct probe_sink coded;
    struct pgc_error err;
    fill_pattern(&plain, size);
    probe_source_init(&from, plain.data, plain.len, 8192);
    probe_sink_init(&coded);
    ck_assert_int_eq(encode(filter, &from, &coded, &err), PGC_OK);
    for (size_t i = 0; i < count; i++) {
        long at = positions[i] < 0 ? (long)coded.data.len + positions[i] : positions[i];
        if (at < 0 || (size_t)at >= coded.data.len)
            continue;
        check_refused(filter, &coded.data, (size_t)at, "cut", (size_t)at);
        coded.data.data[at] ^= 1;
        check_refused(filter, &coded.data, coded.data.len, "bit flip", (size_t)at);
        coded.data.data[at] ^= 1;
    }
    pgc_buf_putc(&coded.data, 'x');
    check_refused(filter, &coded.data, coded.data.len, "a byte more", coded.data.len - 1);
    probe_sink_release(&coded);
}
