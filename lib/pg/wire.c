#include "pg/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>

#include "base/array.h"
#include "base/text.h"
#include "pg/scram.h"
#include "pg/wire_io.h"

#define MAX_MESSAGE ((size_t)16 << 20)
#define MAX_ROWS    ((size_t)64 << 20) /* of one answer */

struct pgc__wire {
    struct pgc__wire_io io;
    const struct pgc__plain *plain; /* during open only */
    char *user, *dbname;
    int server_version;
    bool in_session;     /* after ReadyForQuery: ends with Terminate */
    struct pgc_buf rows; /* per value: int32 length in host order (-1 null), bytes, NUL */
    size_t *row_starts;
    size_t row_count, row_cap;
};

struct message {
    char type;
    const char *body; /* valid until the next read */
    size_t len;
};

/* --- messages ---------------------------------------------------------------------------------------- */

static void put32(struct pgc_buf *out, size_t value) {
    uint32_t wide = htonl((uint32_t)value);
    pgc_buf_put(out, &wide, 4);
}

static void put16(struct pgc_buf *out, size_t value) {
    uint16_t wide = htons((uint16_t)value);
    pgc_buf_put(out, &wide, 2);
}

static uint32_t get32(const char *p) {
    uint32_t wide;
    memcpy(&wide, p, 4);
    return ntohl(wide);
}

/* One whole message; `body` in `out` gets its type and length. */
static void put_message(struct pgc_buf *out, char type, const struct pgc_buf *body) {
    pgc_buf_putc(out, type);
    put32(out, body->len + 4);
    pgc_buf_put(out, body->data, body->len);
    out->failed |= body->failed;
}

static void put_text(struct pgc_buf *out, const char *text) {
    pgc_buf_put(out, text, strlen(text) + 1);
}

static enum pgc_code send_one(struct pgc__wire *wire, char type, const struct pgc_buf *body, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf out = PGC_BUF_INIT;
    put_message(&out, type, body);
    return pgc__wire_send(&wire->io, &out, err);
}

/* The next message; the one before is dropped from the buffer. */
static enum pgc_code next(struct pgc__wire *wire, struct message *message, struct pgc_error *err) {
    if (message->body != NULL)
        pgc_buf_drop_front(&wire->io.in, message->len + 5);
    message->body = NULL;
    enum pgc_code code = pgc__wire_need(&wire->io, 5, err);
    if (code != PGC_OK)
        return code;
    size_t len = get32(wire->io.in.data + 1);
    if (len < 4 || len > MAX_MESSAGE)
        return pgc_fail(err, PGC_E_TEMPORARY, "the answer is not PostgreSQL's: is the port right?");
    code = pgc__wire_need(&wire->io, len + 1, err);
    if (code != PGC_OK)
        return code;
    *message = (struct message) { wire->io.in.data[0], wire->io.in.data + 5, len - 4 };
    return PGC_OK;
}

static void done_with(struct pgc__wire *wire, struct message *message) {
    if (message->body != NULL)
        pgc_buf_drop_front(&wire->io.in, message->len + 5);
    message->body = NULL;
}

/* A field of an ErrorResponse, "" when absent. */
static const char *error_field(const struct message *message, char field) {
    for (const char *p = message->body, *end = p + message->len; p < end && *p != '\0';) {
        size_t n = strnlen(p, (size_t)(end - p));
        if (p + n >= end)
            break;
        if (*p == field)
            return p + 1;
        p += n + 1;
    }
    return "";
}

static void parameter_status(struct pgc__wire *wire, const struct message *message) {
    size_t n = strnlen(message->body, message->len);
    if (n + 1 >= message->len || strcmp(message->body, "server_version") != 0 ||
        message->body[message->len - 1] != '\0')
        return;
    char *rest;
    long major = strtol(message->body + n + 1, &rest, 10);
    long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    wire->server_version = (int)(major * 10000 + minor);
}

/* --- authentication ---------------------------------------------------------------------------------- */

static enum pgc_code make_nonce(struct pgc_scram *scram, struct pgc_error *err) {
    unsigned char random[18];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return pgc_fail_errno(err, PGC_E_IO, "no randomness");
    pgc_text_base64(&text, random, sizeof random, true);
    snprintf(scram->nonce, sizeof scram->nonce, "%s", text.data);
    return pgc_buf_check(&text, err);
}

/* The server's next SASL message of the wanted kind; *refused when it sent something else, which stays current. */
static enum pgc_code next_sasl(struct pgc__wire *wire, struct message *message, uint32_t kind, bool *other,
                               struct pgc_error *err) {
    enum pgc_code code = next(wire, message, err);
    if (code == PGC_OK)
        *other = message->type != 'R' || message->len < 4 || get32(message->body) != kind;
    return code;
}

/* The whole exchange. On return *message is the one that follows it (or an error of the server). */
static enum pgc_code authenticate_scram(struct pgc__wire *wire, struct message *message, struct pgc_error *err) {
    PGC_CLEANUP(pgc_scram_release) struct pgc_scram scram = { .auth_message = PGC_BUF_INIT };
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT, body = PGC_BUF_INIT;
    enum pgc_code code = make_nonce(&scram, err);
    if (code != PGC_OK)
        return code;
    pgc_scram_first(&scram, &text);
    put_text(&body, "SCRAM-SHA-256");
    put32(&body, text.len);
    pgc_buf_put(&body, text.data, text.len);
    bool other = false;
    code = send_one(wire, 'p', &body, err);
    if (code == PGC_OK)
        code = next_sasl(wire, message, 11, &other, err);
    if (code != PGC_OK || other)
        return code;
    pgc_buf_clear(&text);
    code = pgc_scram_final(&scram, wire->plain->password, message->body + 4, message->len - 4, &text, err);
    if (code == PGC_OK)
        code = send_one(wire, 'p', &text, err);
    if (code == PGC_OK)
        code = next_sasl(wire, message, 12, &other, err);
    if (code != PGC_OK || other)
        return code;
    code = pgc_scram_verify(&scram, message->body + 4, message->len - 4, err);
    return code == PGC_OK ? next(wire, message, err) : code;
}

static enum pgc_code send_password(struct pgc__wire *wire, struct message *message, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf body = PGC_BUF_INIT;
    put_text(&body, wire->plain->password);
    enum pgc_code code = send_one(wire, 'p', &body, err);
    return code == PGC_OK ? next(wire, message, err) : code;
}

static bool offers_scram(const struct message *message) {
    for (const char *p = message->body + 4, *end = message->body + message->len; p < end && *p != '\0';) {
        size_t n = strnlen(p, (size_t)(end - p));
        if (n == 13 && memcmp(p, "SCRAM-SHA-256", 13) == 0)
            return true;
        p += n + 1;
    }
    return false;
}

enum { AUTH_OK = 0, AUTH_PASSWORD = 3, AUTH_SASL = 10 };

/* Answers an authentication request. *stop: the outcome is known (or libpq must do it). */
static enum pgc_code authenticate(struct pgc__wire *wire, struct message *message, bool ping_only,
                                  struct pgc_probe_result *result, bool *stop, bool *defer, struct pgc_error *err) {
    uint32_t kind = message->len >= 4 ? get32(message->body) : 99;
    if (kind == AUTH_OK)
        return next(wire, message, err);
    *stop = true;
    if (ping_only) {
        result->outcome = PGC_PROBE_AUTH_ASKED;
        return PGC_OK;
    }
    bool scram = kind == AUTH_SASL && offers_scram(message);
    if ((kind != AUTH_PASSWORD && !scram) || (wire->plain->password != NULL && !pgc_scram_can(wire->plain->password))) {
        *defer = true;
        return PGC_OK;
    }
    if (wire->plain->password == NULL) {
        result->outcome = PGC_PROBE_AUTH_FAILED;
        snprintf(result->message, sizeof result->message, "the server asks for a password and none is given");
        return PGC_OK;
    }
    *stop = false;
    enum pgc_code code = scram ? authenticate_scram(wire, message, err) : send_password(wire, message, err);
    if (code == PGC_E_AUTH || code == PGC_E_DATA) {
        result->outcome = PGC_PROBE_AUTH_FAILED;
        snprintf(result->message, sizeof result->message, "%.500s", err->message);
        *stop = true;
        return PGC_OK;
    }
    return code;
}

/* --- opening ----------------------------------------------------------------------------------------- */

static enum pgc_code send_startup(struct pgc__wire *wire, bool ping_only, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT, out = PGC_BUF_INIT;
    put32(&body, 196608); /* 3.0 */
    const char *const pairs[][2] = { { "user", wire->plain->user },
                                     { "database", wire->plain->dbname },
                                     { "application_name", wire->plain->application_name },
                                     { "client_encoding", ping_only ? NULL : "UTF8" } };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i][1] == NULL)
            continue;
        put_text(&body, pairs[i][0]);
        put_text(&body, pairs[i][1]);
    }
    pgc_buf_putc(&body, '\0');
    put32(&out, body.len + 4);
    pgc_buf_put(&out, body.data, body.len);
    out.failed |= body.failed;
    return pgc__wire_send(&wire->io, &out, err);
}

static enum pgc_code ask_tls(struct pgc__wire *wire, struct pgc_probe_result *result, bool *stop, bool *defer,
                             struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf request = PGC_BUF_INIT;
    put32(&request, 8);
    put32(&request, 80877103); /* SSLRequest */
    enum pgc_code code = pgc__wire_send(&wire->io, &request, err);
    if (code == PGC_OK)
        code = pgc__wire_need(&wire->io, 1, err);
    if (code != PGC_OK)
        return code;
    char answer = wire->io.in.data[0];
    if (answer == 'E') { /* a server from before TLS, or one that cannot fork: libpq knows */
        *stop = *defer = true;
        return PGC_OK;
    }
    if (answer != 'S' && answer != 'N')
        return pgc_fail(err, PGC_E_TEMPORARY, "the answer is not PostgreSQL's: is the port right?");
    /* More than the one byte was not asked for: somebody puts plain text in front of the encryption. */
    if (wire->io.in.len > 1)
        return pgc_fail(err, PGC_E_TEMPORARY, "plain text in front of the TLS handshake");
    pgc_buf_clear(&wire->io.in);
    if (answer == 'N' && wire->plain->tls == PGC__TLS_REQUIRE) {
        result->outcome = PGC_PROBE_TLS_FAILED;
        snprintf(result->message, sizeof result->message, "server does not support SSL, but SSL was required");
        *stop = true;
    }
    if (answer == 'N')
        return PGC_OK;
    code = pgc__wire_start_tls(&wire->io, wire->plain->host, err);
    if (code == PGC_E_TLS) {
        *stop = *defer = true; /* libpq knows what to try and what to say */
        return PGC_OK;
    }
    return code;
}

static void rejected(struct pgc__wire *wire, const struct message *message, struct pgc_probe_result *result,
                     bool *defer) {
    snprintf(result->sqlstate, sizeof result->sqlstate, "%.5s", error_field(message, 'C'));
    snprintf(result->message, sizeof result->message, "%s", error_field(message, 'M'));
    result->outcome = PGC_PROBE_REJECTED;
    /* sslmode=prefer: perhaps pg_hba.conf takes us without TLS. libpq tries. */
    if (wire->io.tls != NULL && wire->plain->tls == PGC__TLS_PREFER && strcmp(result->sqlstate, "28000") == 0)
        *defer = true;
    if (strlen(result->sqlstate) != 5) {
        result->outcome = PGC_PROBE_NO_RESPONSE;
        result->sqlstate[0] = '\0';
    }
}

/* From the start-up packet to ReadyForQuery, an error, or the first authentication request. */
static enum pgc_code log_in(struct pgc__wire *wire, bool ping_only, int64_t began_us, struct pgc_probe_result *result,
                            bool *defer, struct pgc_error *err) {
    struct message message = { 0 };
    bool stop = false;
    enum pgc_code code = send_startup(wire, ping_only, err);
    if (code == PGC_OK)
        code = next(wire, &message, err);
    if (code == PGC_OK)
        result->answered_us = pgc_wall_us(wire->io.rt) - began_us;
    while (code == PGC_OK && !stop) {
        switch (message.type) {
        case 'R':
            code = authenticate(wire, &message, ping_only, result, &stop, defer, err);
            break;
        case 'E':
            rejected(wire, &message, result, defer);
            stop = true;
            break;
        case 'Z':
            result->outcome = PGC_PROBE_CONNECTED;
            wire->in_session = stop = true;
            break;
        case 'S':
            parameter_status(wire, &message);
            code = next(wire, &message, err);
            break;
        case 'K':
        case 'N':
            code = next(wire, &message, err);
            break;
        default:
            *defer = stop = true;
        }
    }
    done_with(wire, &message);
    return code;
}

static enum pgc_code connect_address(struct pgc__wire *wire, const char *hostaddr, struct pgc_error *err) {
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    uint16_t port = htons((uint16_t)atoi(wire->plain->port));
    if (hostaddr[0] == '/') {
        int n = snprintf(local.sun_path, sizeof local.sun_path, "%s/.s.PGSQL.%s", hostaddr, wire->plain->port);
        if (n < 0 || (size_t)n >= sizeof local.sun_path)
            return pgc_fail(err, PGC_E_UNAVAILABLE, "the socket path is too long");
        return pgc__wire_connect(&wire->io, (const struct sockaddr *)&local, sizeof local, err);
    }
    if (inet_pton(AF_INET, hostaddr, &v4.sin_addr) == 1) {
        v4.sin_port = port;
        return pgc__wire_connect(&wire->io, (const struct sockaddr *)&v4, sizeof v4, err);
    }
    if (inet_pton(AF_INET6, hostaddr, &v6.sin6_addr) == 1) {
        v6.sin6_port = port;
        return pgc__wire_connect(&wire->io, (const struct sockaddr *)&v6, sizeof v6, err);
    }
    return pgc_fail(err, PGC_E_DATA, "not an address"); /* a link-local one with its zone */
}

static enum pgc_code attempt(struct pgc__wire *wire, const char *hostaddr, bool ping_only, int64_t began_us,
                             struct pgc_probe_result *result, bool *defer, struct pgc_error *err) {
    bool stop = false;
    enum pgc_code code = connect_address(wire, hostaddr, err);
    if (code != PGC_OK)
        return code;
    result->reached_us = pgc_wall_us(wire->io.rt) - began_us;
    if (hostaddr[0] != '/' && wire->plain->tls != PGC__TLS_DISABLE)
        code = ask_tls(wire, result, &stop, defer, err);
    if (code == PGC_OK && !stop)
        code = log_in(wire, ping_only, began_us, result, defer, err);
    return code;
}

enum pgc_code pgc__wire_open(const struct pgc__plain *plain, const char *hostaddr, bool ping_only, int64_t deadline,
                             const struct pgc_runtime *rt, struct pgc__wire **out, struct pgc_probe_result *result,
                             bool *defer, struct pgc_error *err) {
    *defer = false;
    PGC_AUTO(pgc__wire_free) struct pgc__wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return pgc_fail_nomem(err);
    wire->io = (struct pgc__wire_io) { .fd = -1, .in = PGC_BUF_INIT, .deadline = deadline, .rt = rt };
    wire->rows = (struct pgc_buf)PGC_BUF_INIT;
    wire->rows.max = MAX_ROWS;
    wire->plain = plain;
    int64_t began_us = pgc_wall_us(rt);
    enum pgc_code code = attempt(wire, hostaddr, ping_only, began_us, result, defer, err);
    wire->plain = NULL;
    result->done_us = pgc_wall_us(rt) - began_us;
    if (code == PGC_E_TIMEOUT)
        result->outcome = PGC_PROBE_TIMED_OUT;
    else if (code == PGC_E_UNAVAILABLE || code == PGC_E_TEMPORARY)
        result->outcome = PGC_PROBE_NO_RESPONSE;
    else if (code == PGC_E_DATA)
        *defer = true;
    else if (code != PGC_OK)
        return code;
    if (code != PGC_OK) {
        snprintf(result->message, sizeof result->message, "%.500s", err->message);
        return PGC_OK;
    }
    if (*defer || result->outcome != PGC_PROBE_CONNECTED)
        return PGC_OK;
    wire->user = strdup(plain->user);
    wire->dbname = strdup(plain->dbname);
    if (wire->user == NULL || wire->dbname == NULL)
        return pgc_fail_nomem(err);
    *out = wire;
    wire = NULL;
    return PGC_OK;
}

void pgc__wire_free(struct pgc__wire *wire) {
    if (wire == NULL)
        return;
    if (wire->in_session && wire->io.fd >= 0) {
        static const unsigned char terminate[5] = { 'X', 0, 0, 0, 4 };
        struct pgc_error ignored;
        struct pgc_buf bytes = PGC_BUF_INIT;
        pgc_buf_put(&bytes, terminate, sizeof terminate);
        wire->io.deadline = 0; /* one try, no waiting */
        (void)!pgc__wire_send(&wire->io, &bytes, &ignored);
        pgc_buf_release(&bytes);
    } else if (wire->io.fd >= 0) {
        pgc__wire_drain(&wire->io);
    }
    pgc__wire_close(&wire->io);
    pgc_buf_release(&wire->rows);
    free(wire->row_starts);
    free(wire->user);
    free(wire->dbname);
    free(wire);
}

/* --- statements -------------------------------------------------------------------------------------- */

static void put_extended(struct pgc_buf *out, const char *sql, const char *const *params, size_t count) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf body = PGC_BUF_INIT;
    put_text(&body, ""); /* Parse: unnamed, types left to the server */
    put_text(&body, sql);
    put16(&body, 0);
    put_message(out, 'P', &body);
    pgc_buf_clear(&body);
    put_text(&body, ""); /* Bind: unnamed portal and statement, all text */
    put_text(&body, "");
    put16(&body, 0);
    put16(&body, count);
    for (size_t i = 0; i < count; i++) {
        size_t len = params[i] != NULL ? strlen(params[i]) : 0;
        put32(&body, params[i] != NULL ? len : UINT32_MAX);
        pgc_buf_put(&body, params[i] != NULL ? params[i] : "", len);
    }
    put16(&body, 0);
    put_message(out, 'B', &body);
    pgc_buf_clear(&body);
    put_text(&body, "");
    put32(&body, 0);
    put_message(out, 'E', &body);
    pgc_buf_clear(&body);
    put_message(out, 'S', &body);
}

static enum pgc_code keep_row(struct pgc__wire *wire, const struct message *message, struct pgc_error *err) {
    if (!pgc_array_grow(&wire->row_starts, &wire->row_cap, wire->row_count + 1, sizeof *wire->row_starts))
        return pgc_fail_nomem(err);
    wire->row_starts[wire->row_count++] = wire->rows.len;
    const char *p = message->body + 2, *end = message->body + message->len;
    while (p + 4 <= end) {
        int32_t len = (int32_t)get32(p);
        p += 4;
        if (len > end - p)
            return pgc_fail(err, PGC_E_TEMPORARY, "the server's answer is malformed");
        pgc_buf_put(&wire->rows, &len, sizeof len);
        if (len >= 0) {
            pgc_buf_put(&wire->rows, p, (size_t)len);
            p += len;
        }
        pgc_buf_putc(&wire->rows, '\0');
    }
    return pgc_buf_check(&wire->rows, err);
}

static enum pgc_code statement_failed(const struct message *message, struct pgc_error *err) {
    const char *severity = error_field(message, 'V');
    bool over = strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
    enum pgc_code code = pgc_fail(err, over ? PGC_E_TEMPORARY : PGC_E_SQL, "%s", error_field(message, 'M'));
    snprintf(err->sqlstate, sizeof err->sqlstate, "%.5s", error_field(message, 'C'));
    return code;
}

enum pgc_code pgc__wire_ask(struct pgc__wire *wire, const char *sql, const char *const *params, size_t param_count,
                            int64_t deadline, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT, body = PGC_BUF_INIT;
    pgc_buf_clear(&wire->rows);
    wire->row_count = 0;
    wire->io.deadline = deadline;
    if (param_count == 0) {
        put_text(&body, sql);
        put_message(&out, 'Q', &body);
    } else {
        put_extended(&out, sql, params, param_count);
    }
    struct message message = { 0 };
    enum pgc_code failure = PGC_OK, code = pgc__wire_send(&wire->io, &out, err);
    while (code == PGC_OK && (code = next(wire, &message, err)) == PGC_OK && message.type != 'Z') {
        if (message.type == 'D')
            code = keep_row(wire, &message, err);
        else if (message.type == 'E')
            failure = statement_failed(&message, err);
        if (failure == PGC_E_TEMPORARY)
            code = failure;
    }
    done_with(wire, &message);
    return code != PGC_OK ? code : failure;
}

size_t pgc__wire_rows(const struct pgc__wire *wire) {
    return wire->row_count;
}

const char *pgc__wire_value(const struct pgc__wire *wire, size_t row, size_t column) {
    if (row >= wire->row_count)
        return NULL;
    size_t at = wire->row_starts[row], end = row + 1 < wire->row_count ? wire->row_starts[row + 1] : wire->rows.len;
    for (size_t i = 0; at < end; i++) {
        int32_t len;
        memcpy(&len, wire->rows.data + at, sizeof len);
        if (i == column)
            return len < 0 ? NULL : wire->rows.data + at + sizeof len;
        at += sizeof len + (len > 0 ? (size_t)len : 0) + 1;
    }
    return NULL;
}

int pgc__wire_server_version(const struct pgc__wire *wire) {
    return wire->server_version;
}

const char *pgc__wire_user(const struct pgc__wire *wire) {
    return wire->user;
}

const char *pgc__wire_dbname(const struct pgc__wire *wire) {
    return wire->dbname;
}
