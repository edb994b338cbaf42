#include "pg/probe_endpoints.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "net/resolve.h"
#include "pg/libpq_lazy.h"
#include "pg/plain.h"

bool pgc__probe_is_conninfo(const char *dbname) {
    return dbname != NULL && (strncmp(dbname, "postgresql://", 13) == 0 || strncmp(dbname, "postgres://", 11) == 0 ||
                              strchr(dbname, '=') != NULL);
}

void pgc__probe_param(struct pgc__probe_params *params, const char *keyword, const char *value) {
    size_t cap = sizeof params->keywords / sizeof params->keywords[0];
    if (value == NULL || params->count + 1 >= cap)
        return;
    params->keywords[params->count] = keyword;
    params->values[params->count++] = value;
}

void pgc__probe_params(const struct pgc_probe_options *options, struct pgc__probe_params *params) {
    pgc__probe_param(params, "host", options->host);
    pgc__probe_param(params, "port", options->port);
    pgc__probe_param(params, "user", options->user);
    pgc__probe_param(params, "password", options->password);
    pgc__probe_param(params, "fallback_application_name",
                     options->application_name != NULL ? options->application_name : "pgc ready");
    pgc__probe_param(params, "dbname", options->conninfo);
}

/* A copy of the value that the conninfo string sets, NULL when it sets none. */
static char *from_conninfo(const struct pgc_probe_options *options, const char *keyword) {
    if (!pgc__probe_is_conninfo(options->conninfo))
        return NULL;
    struct pgc__libpq pq;
    struct pgc_error ignored;
    if (pgc__libpq_load(&pq, &ignored) != PGC_OK)
        return NULL;
    PQconninfoOption *parsed = pq.PQconninfoParse(options->conninfo, NULL);
    char *value = NULL;
    for (PQconninfoOption *o = parsed; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
            value = strdup(o->val);
    pq.PQconninfoFree(parsed);
    return value;
}

bool pgc__probe_names(const struct pgc_probe_options *options, const char *keyword) {
    PGC_AUTO_FREE char *value = from_conninfo(options, keyword);
    return value != NULL;
}

/* What libpq will use: conninfo string, then our option, then (service file, by libpq only) the environment. */
static char *effective(const struct pgc_probe_options *options, const char *keyword, const char *own,
                       const char *variable) {
    char *value = from_conninfo(options, keyword);
    if (value != NULL)
        return value;
    if (own != NULL)
        return strdup(own);
    const char *environment = getenv(variable);
    return environment != NULL ? strdup(environment) : NULL;
}

void pgc__probe_endpoints_release(struct pgc__probe_endpoints *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].host);
        free(list->items[i].hostaddr);
        free(list->items[i].port);
    }
    free(list->items);
    *list = (struct pgc__probe_endpoints) { 0 };
}

static enum pgc_code add(struct pgc__probe_endpoints *list, const char *host, const char *hostaddr, const char *port,
                         const char *failure, struct pgc_error *err) {
    if (!pgc_array_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items))
        return pgc_fail_nomem(err);
    struct pgc__probe_endpoint *item = &list->items[list->count];
    *item = (struct pgc__probe_endpoint) {
        .host = host != NULL ? strdup(host) : NULL,
        .hostaddr = hostaddr != NULL ? strdup(hostaddr) : NULL,
        .port = port != NULL ? strdup(port) : NULL,
    };
    snprintf(item->failure, sizeof item->failure, "%s", failure);
    list->count++;
    if ((host != NULL && item->host == NULL) || (hostaddr != NULL && item->hostaddr == NULL) ||
        (port != NULL && item->port == NULL))
        return pgc_fail_nomem(err);
    return PGC_OK;
}

/* Names become one endpoint per address; numeric hosts, sockets and empty hosts stay as they are. */
static enum pgc_code add_resolved(struct pgc__probe_endpoints *list, const struct pgc__probe_where *where,
                                  const char *host, const char *port, struct pgc_error *err) {
    unsigned char scratch[16];
    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@' || inet_pton(AF_INET, host, scratch) == 1 ||
        inet_pton(AF_INET6, host, scratch) == 1)
        return add(list, host, NULL, port, "", err);
    PGC_CLEANUP(pgc_addresses_release) struct pgc_addresses found = { 0 };
    enum pgc_code code = pgc_resolve(host, where->deadline, where->rt, &found, err);
    if (code == PGC_E_NOT_FOUND || code == PGC_E_TIMEOUT) {
        char failure[160];
        snprintf(failure, sizeof failure, "%.150s", err->message);
        return add(list, host, NULL, port, failure, err);
    }
    for (size_t i = 0; i < found.count && code == PGC_OK; i++)
        code = add(list, host, found.items[i], port, "", err);
    return code;
}

/* The i-th element of a comma list; the last one when the list is shorter and has one element only. */
static char *element(const char *list, size_t index) {
    if (list == NULL)
        return NULL;
    const char *start = list;
    for (size_t i = 0; i < index; i++) {
        const char *comma = strchr(start, ',');
        if (comma == NULL)
            return start == list ? strdup(list) : NULL;
        start = comma + 1;
    }
    return strndup(start, strcspn(start, ","));
}

static size_t elements(const char *list) {
    size_t n = 1;
    for (; list != NULL && *list != '\0'; list++)
        n += *list == ',';
    return n;
}

enum pgc_code pgc__probe_endpoints(const struct pgc_probe_options *options, const struct pgc__probe_where *where,
                                   struct pgc__probe_endpoints *out, struct pgc_error *err) {
    /* A service file beats the environment and only libpq reads it: everything is left to libpq. */
    if (getenv("PGSERVICE") != NULL || pgc__probe_names(options, "service"))
        return add(out, NULL, NULL, NULL, "", err);
    PGC_AUTO_FREE char *host = effective(options, "host", options->host, "PGHOST");
    PGC_AUTO_FREE char *hostaddr = effective(options, "hostaddr", NULL, "PGHOSTADDR");
    PGC_AUTO_FREE char *port = effective(options, "port", options->port, "PGPORT");
    size_t hosts = elements(host), addresses = elements(hostaddr), ports = elements(port);
    size_t count = hostaddr != NULL && hostaddr[0] != '\0' ? addresses : hosts;
    bool mismatch = (hostaddr != NULL && host != NULL && hosts != addresses) || (ports != 1 && ports != count);
    if (mismatch) /* libpq says what is wrong better than we could */
        return add(out, NULL, NULL, NULL, "", err);
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < count && code == PGC_OK; i++) {
        PGC_AUTO_FREE char *one_host = element(host, i);
        PGC_AUTO_FREE char *one_address = element(hostaddr, i);
        PGC_AUTO_FREE char *one_port = element(port, i);
        /* A list's single elements go to libpq one by one; a lone host without a name stays libpq's business. */
        if (one_address != NULL && one_address[0] != '\0')
            code = add(out, one_host, one_address, one_port, "", err);
        else
            code = add_resolved(out, where, one_host, one_port, err);
    }
    return code;
}

static bool parses(const struct pgc__libpq *pq, const char *conninfo, char *message, size_t size) {
    char *text = NULL;
    PQconninfoOption *parsed = pq->PQconninfoParse(conninfo, &text);
    if (parsed == NULL)
        snprintf(message, size, "%.*s", text != NULL ? (int)strcspn(text, "\n") : 13,
                 text != NULL ? text : "out of memory");
    pq->PQfreemem(text);
    pq->PQconninfoFree(parsed);
    return parsed != NULL;
}

/* A service may name host and port; only libpq reads service files. */
static void from_service(const struct pgc__libpq *pq, char **host, char **port) {
    PQconninfoOption *defaults = getenv("PGSERVICE") != NULL ? pq->PQconndefaults() : NULL;
    for (PQconninfoOption *o = defaults; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "host") == 0 && o->val != NULL && *host == NULL)
            *host = strdup(o->val);
        if (strcmp(o->keyword, "port") == 0 && o->val != NULL && *port == NULL)
            *port = strdup(o->val);
    }
    pq->PQconninfoFree(defaults);
}

bool pgc_probe_endpoint(const struct pgc_probe_options *options, char *host, size_t host_size, char *port,
                        size_t port_size, char *message, size_t message_size) {
    message[0] = '\0';
    PGC_CLEANUP(pgc__plain_release) struct pgc__plain plain = { 0 };
    if (pgc__plain_parse(options, &plain)) {
        snprintf(host, host_size, "%s", plain.host);
        snprintf(port, port_size, "%s", plain.port);
        return true;
    }
    struct pgc__libpq pq;
    struct pgc_error err;
    if (pgc__libpq_load(&pq, &err) != PGC_OK) {
        snprintf(message, message_size, "%.*s", (int)message_size - 1, err.message);
        return false;
    }
    if (pgc__probe_is_conninfo(options->conninfo) && !parses(&pq, options->conninfo, message, message_size))
        return false;
    PGC_AUTO_FREE char *names = effective(options, "host", options->host, "PGHOST");
    PGC_AUTO_FREE char *addresses = effective(options, "hostaddr", NULL, "PGHOSTADDR");
    PGC_AUTO_FREE char *ports = effective(options, "port", options->port, "PGPORT");
    from_service(&pq, &names, &ports);
    const char *shown = addresses != NULL ? addresses : names;
    snprintf(host, host_size, "%s", shown != NULL ? shown : PGC__DEFAULT_FOLDER);
    snprintf(port, port_size, "%s", ports != NULL ? ports : PGC__DEFAULT_PORT);
    return true;
}
