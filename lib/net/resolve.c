#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shared by the caller and its thread; the one who leaves last frees it. */
struct question {
    atomic_int owners;
    int done[2]; /* pipe: the thread closes its end */
    int status;
    struct addrinfo *found;
    char host[256];
};

static void leave(struct question *question) {
    if (atomic_fetch_sub(&question->owners, 1) > 1)
        return;
    if (question->found != NULL)
        freeaddrinfo(question->found);
    close(question->done[0]);
    free(question);
}

static void *ask(void *arg) {
    struct question *question = arg;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    question->status = getaddrinfo(question->host, NULL, &hints, &question->found);
    close(question->done[1]);
    leave(question);
    return NULL;
}

/* The thread must not take our signals. */
static bool start(struct question *question) {
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &attributes, ask, question) == 0;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static enum pgc_code wait_for(const struct question *question, int64_t deadline, const struct pgc_runtime *rt,
                              struct pgc_error *err) {
    for (;;) {
        enum pgc_code code = pgc_check_cancelled(rt, err);
        if (code != PGC_OK)
            return code;
        int64_t left = deadline == INT64_MAX ? 60000 : deadline - pgc_mono_ms(rt);
        if (left <= 0)
            return pgc_fail(err, PGC_E_TIMEOUT, "the name server does not answer");
        struct pollfd fds[2] = { { question->done[0], POLLIN, 0 }, { pgc_cancel_fd(rt), POLLIN, 0 } };
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot wait for the name server");
        if (n > 0 && fds[0].revents != 0)
            return PGC_OK;
    }
}

static enum pgc_code collect(const struct addrinfo *found, struct pgc_addresses *out, struct pgc_error *err) {
    size_t count = 0;
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next)
        count++;
    out->items = calloc(count + 1, sizeof *out->items);
    if (out->items == NULL)
        return pgc_fail_nomem(err);
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, out->items[out->count], sizeof out->items[0], NULL, 0,
                        NI_NUMERICHOST) == 0)
            out->count++;
    return out->count > 0 ? PGC_OK : pgc_fail(err, PGC_E_NOT_FOUND, "no address");
}

static enum pgc_code numeric(const char *host, struct pgc_addresses *out, struct pgc_error *err) {
    out->items = calloc(1, sizeof *out->items);
    if (out->items == NULL)
        return pgc_fail_nomem(err);
    snprintf(out->items[out->count++], sizeof out->items[0], "%s", host);
    return PGC_OK;
}

enum pgc_code pgc_resolve(const char *host, int64_t deadline, const struct pgc_runtime *rt, struct pgc_addresses *out,
                          struct pgc_error *err) {
    unsigned char scratch[16];
    *out = (struct pgc_addresses) { 0 };
    if (inet_pton(AF_INET, host, scratch) == 1 || inet_pton(AF_INET6, host, scratch) == 1)
        return numeric(host, out, err);
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return pgc_fail_nomem(err);
    if (strlen(host) >= sizeof question->host || pipe2(question->done, O_CLOEXEC) != 0) {
        free(question);
        return pgc_fail(err, PGC_E_NOT_FOUND, "not a name that can be resolved");
    }
    strcpy(question->host, host);
    atomic_init(&question->owners, 2);
    if (!start(question)) /* no thread to be had: in our own, then */
        ask(question);
    enum pgc_code code = wait_for(question, deadline, rt, err);
    if (code == PGC_OK && question->status != 0)
        code = pgc_fail(err, PGC_E_NOT_FOUND, "%s", gai_strerror(question->status));
    else if (code == PGC_OK)
        code = collect(question->found, out, err);
    leave(question);
    return code;
}

void pgc_addresses_release(struct pgc_addresses *addresses) {
    free(addresses->items);
    *addresses = (struct pgc_addresses) { 0 };
}
