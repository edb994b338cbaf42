#include <pgc/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_status;
    bool retryable;
    const char *meaning;
} codes[] = {
    { "OK", 0, false, "done, or nothing to do" },
#define X(name, exit_status, retryable, meaning) { #name, exit_status, retryable, meaning },
#include "base/errors.def"
#undef X
};

/* errors.def and the public enum must agree, checked at compile time. */
enum count_of_codes {
    count_ok,
#define X(name, exit_status, retryable, meaning) count_##name,
#include "base/errors.def"
#undef X
};
#define X(name, exit_status, retryable, meaning)                                                                       \
    _Static_assert((int)count_##name == (int)PGC_E_##name, "errors.def and error.h disagree on " #name);
#include "base/errors.def"
#undef X

PGC_PRINTF(2, 0)
static void set_message(struct pgc_error *err, const char *format, va_list args) {
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    if (n < 0)
        err->message[0] = '\0';
}

enum pgc_code pgc_fail(struct pgc_error *err, enum pgc_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_message(err, format, args);
    va_end(args);
    err->code = code;
    err->os_errno = 0;
    err->sqlstate[0] = '\0';
    return code;
}

static enum pgc_code refine(enum pgc_code code, int number) {
    if (number == ENOSPC || number == EDQUOT)
        return PGC_E_NOSPACE;
    if (number == ENOENT && code == PGC_E_IO)
        return PGC_E_NOT_FOUND;
    return code;
}

enum pgc_code pgc_fail_errno(struct pgc_error *err, enum pgc_code code, const char *format, ...) {
    int number = errno;
    va_list args;
    va_start(args, format);
    set_message(err, format, args);
    va_end(args);
    size_t len = strlen(err->message);
    snprintf(err->message + len, sizeof err->message - len, ": %s", strerror(number));
    err->code = refine(code, number);
    err->os_errno = number;
    err->sqlstate[0] = '\0';
    return err->code;
}

enum pgc_code pgc_wrap(struct pgc_error *err, const char *format, ...) {
    char prefix[sizeof err->message];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    if (n < 0)
        return err->code;
    char whole[2 * sizeof err->message + 2];
    snprintf(whole, sizeof whole, "%s: %s", prefix, err->message);
    memcpy(err->message, whole, sizeof err->message - 1);
    err->message[sizeof err->message - 1] = '\0';
    return err->code;
}

enum pgc_code pgc_fail_nomem(struct pgc_error *err) {
    return pgc_fail(err, PGC_E_NOMEM, "out of memory");
}

static size_t index_of(enum pgc_code code) {
    size_t i = (size_t)code;
    return i < sizeof codes / sizeof codes[0] ? i : (size_t)PGC_E_FAILED;
}

const char *pgc_code_name(enum pgc_code code) {
    return codes[index_of(code)].name;
}

const char *pgc_code_meaning(enum pgc_code code) {
    return codes[index_of(code)].meaning;
}

int pgc_code_exit_status(enum pgc_code code) {
    return codes[index_of(code)].exit_status;
}

bool pgc_code_retryable(enum pgc_code code) {
    return codes[index_of(code)].retryable;
}
