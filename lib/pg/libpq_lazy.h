#ifndef PGC_PG_LIBPQ_LAZY_H
#define PGC_PG_LIBPQ_LAZY_H
/* libpq, loaded when it is needed.
 *
 * Loading and relocating libpq's closure (OpenSSL, Kerberos, LDAP, GnuTLS: 24 libraries) takes several times as long as
 * a whole probe over a plain connection. So the probe speaks the protocol itself where that is simple (pg/wire.h) and
 * comes here for the rest: certificates to verify, services, password files, Kerberos, unusual options. */
#include <libpq-fe.h>
#include <pgc/error.h>

#define PGC__LIBPQ(X)                                                                                                  \
    X(PQclear)                                                                                                         \
    X(PQfinish)                                                                                                        \
    X(PQconnectStartParams)                                                                                            \
    X(PQconnectPoll)                                                                                                   \
    X(PQpingParams)                                                                                                    \
    X(PQsetErrorVerbosity)                                                                                             \
    X(PQerrorMessage)                                                                                                  \
    X(PQstatus)                                                                                                        \
    X(PQsocket)                                                                                                        \
    X(PQsslInUse)                                                                                                      \
    X(PQhost)                                                                                                          \
    X(PQport)                                                                                                          \
    X(PQuser)                                                                                                          \
    X(PQdb)                                                                                                            \
    X(PQserverVersion)                                                                                                 \
    X(PQconnectionNeedsPassword)                                                                                       \
    X(PQconnectionUsedPassword)                                                                                        \
    X(PQsetnonblocking)                                                                                                \
    X(PQsendQuery)                                                                                                     \
    X(PQsendQueryParams)                                                                                               \
    X(PQflush)                                                                                                         \
    X(PQconsumeInput)                                                                                                  \
    X(PQisBusy)                                                                                                        \
    X(PQgetResult)                                                                                                     \
    X(PQresultStatus)                                                                                                  \
    X(PQresultErrorField)                                                                                              \
    X(PQntuples)                                                                                                       \
    X(PQgetvalue)                                                                                                      \
    X(PQgetisnull)                                                                                                     \
    X(PQconninfoParse)                                                                                                 \
    X(PQconndefaults)                                                                                                  \
    X(PQconninfoFree)                                                                                                  \
    X(PQfreemem)

struct pgc__libpq {
#define X(name) __typeof__(&(name)) name;
    PGC__LIBPQ(X)
#undef X
};

/* Cheap when loaded before. PGC_E_CONFIG when the library or a function is missing. Never unloaded. */
PGC_MUST_USE enum pgc_code pgc__libpq_load(struct pgc__libpq *out, struct pgc_error *err);
#endif
