#ifndef PGC_PG_WIRE_IO_H
#define PGC_PG_WIRE_IO_H
/* A socket to a server with deadlines, plain or with TLS. Internal to lib/pg.
 *
 * TLS is OpenSSL's, loaded when a server answers the request for it (libpq_lazy.h says why nothing is loaded before). It
 * protects against listeners only, as sslmode prefer and require do: certificates are verified by libpq. */
#include <sys/socket.h>

#include "base/buf.h"
#include "pg/probe.h"

struct pgc__wire_tls;

struct pgc__wire_io {
    int fd;
    struct pgc__wire_tls *tls; /* NULL: plain */
    struct pgc_buf in;         /* read and not yet used */
    int64_t deadline;
    const struct pgc_runtime *rt;
};

/* PGC_E_TIMEOUT, PGC_E_CANCELLED, or PGC_E_UNAVAILABLE with errno's text alone as the message. */
PGC_MUST_USE enum pgc_code pgc__wire_connect(struct pgc__wire_io *io, const struct sockaddr *address, socklen_t len,
                                             struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__wire_send(struct pgc__wire_io *io, const struct pgc_buf *data, struct pgc_error *err);
/* Until io->in holds `need` bytes. PGC_E_TEMPORARY when the server closes the connection. */
PGC_MUST_USE enum pgc_code pgc__wire_need(struct pgc__wire_io *io, size_t need, struct pgc_error *err);
/* Handshake. PGC_E_TLS when it fails or OpenSSL is not there. */
PGC_MUST_USE enum pgc_code pgc__wire_start_tls(struct pgc__wire_io *io, const char *host, struct pgc_error *err);
/* Reads away what is there: closing with unread bytes resets the connection, and servers log that. */
void pgc__wire_drain(struct pgc__wire_io *io);
void pgc__wire_close(struct pgc__wire_io *io);
#endif
