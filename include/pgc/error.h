#ifndef PGC_ERROR_H
#define PGC_ERROR_H
/* Errors as return values.
 *
 * Every fallible function returns enum pgc_code and takes `struct pgc_error *err` last.
 * The struct is the caller's, holds no heap memory and need not be initialised: it is
 * meaningful only after a function returned something other than PGC_OK.
 *
 * The one who knows the fact calls pgc_fail(); the one who knows the intention wraps once:
 *
 *     if (rename(tmp, path) != 0)
 *         return pgc_fail_errno(err, PGC_E_IO, "cannot rename '%s' to '%s'", tmp, path);
 *     ...
 *     code = store_put(...);
 *     if (code != PGC_OK)
 *         return pgc_wrap(err, "cannot write the manifest");
 *
 * gives "cannot write the manifest: cannot rename 'a' to 'b': Permission denied".
 * Messages are lower case, without a full stop, name their subject in quotes, say what to do
 * where a person can do something, and never hold a secret.
 * The library never prints and never exits: programs do, by pgc_code_exit_status(). */
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Codes: PGC_OK and one PGC_E_<NAME> per line of errors.def, in its order (append only). */
enum pgc_code {
    PGC_OK = 0,
    PGC_E_FAILED,
    PGC_E_USAGE,
    PGC_E_DATA,
    PGC_E_UNAVAILABLE,
    PGC_E_TEMPORARY,
    PGC_E_LOCKED,
    PGC_E_AUTH,
    PGC_E_NO_KEY,
    PGC_E_CONFIG,
    PGC_E_VERSION,
    PGC_E_TIMEOUT,
    PGC_E_CANCELLED,
    PGC_E_NOMEM,
    PGC_E_IO,
    PGC_E_NOSPACE,
    PGC_E_NOT_FOUND,
    PGC_E_EXISTS,
    PGC_E_SQL,
    PGC_E_CHILD,
    PGC_E_TLS,
};

struct pgc_error {
    enum pgc_code code;
    int os_errno;       /* errno of the failing call, 0 when there is none */
    char sqlstate[6];   /* five characters and NUL, "" when the server had no part in it */
    char message[2048]; /* NUL-terminated UTF-8, cut at the end when too long */
};

#define PGC_MUST_USE          __attribute__((warn_unused_result))
#define PGC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills *err and returns `code`. Clears os_errno and sqlstate. */
enum pgc_code pgc_fail(struct pgc_error *err, enum pgc_code code, const char *format, ...) PGC_PRINTF(3, 4);

/* The same for a failed system call: keeps errno, appends ": " and its text.
 * ENOSPC and EDQUOT turn the code into PGC_E_NOSPACE, ENOENT into PGC_E_NOT_FOUND when code is PGC_E_IO. */
enum pgc_code pgc_fail_errno(struct pgc_error *err, enum pgc_code code, const char *format, ...) PGC_PRINTF(3, 4);

/* Puts "text: " in front of the message and returns err->code unchanged. */
enum pgc_code pgc_wrap(struct pgc_error *err, const char *format, ...) PGC_PRINTF(2, 3);

/* "out of memory", without needing any. */
enum pgc_code pgc_fail_nomem(struct pgc_error *err);

/* Name ("LOCKED"), meaning, sysexits-like status of a code. PGC_OK is "OK", 0. */
const char *pgc_code_name(enum pgc_code code);
const char *pgc_code_meaning(enum pgc_code code);
int pgc_code_exit_status(enum pgc_code code);
bool pgc_code_retryable(enum pgc_code code);

#ifdef __cplusplus
}
#endif
#endif
