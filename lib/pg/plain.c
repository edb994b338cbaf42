#include "pg/plain.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

void pgc__plain_release(struct pgc__plain *plain) {
    if (plain->password != NULL)
        explicit_bzero(plain->password, strlen(plain->password));
    free(plain->host);
    free(plain->port);
    free(plain->user);
    free(plain->password);
    free(plain->dbname);
    free(plain->application_name);
    *plain = (struct pgc__plain) { 0 };
}

/* Variables that change what libpq does in ways that this file does not know. */
static bool environment_is_simple(void) {
    static const char *const names[] = {
        "PGSERVICE",
        "PGHOSTADDR",
        "PGPASSFILE",
        "PGOPTIONS",
        "PGREQUIREAUTH",
        "PGCHANNELBINDING",
        "PGREQUIRESSL",
        "PGSSLROOTCERT",
        "PGSSLCERT",
        "PGSSLKEY",
        "PGSSLCRL",
        "PGSSLCRLDIR",
        "PGREQUIREPEER",
        "PGGSSENCMODE",
        "PGKRBSRVNAME",
        "PGGSSLIB",
        "PGSSLNEGOTIATION",
        "PGSSLCERTMODE",
        "PGSSLSNI",
        "PGSSLMINPROTOCOLVERSION",
        "PGSSLMAXPROTOCOLVERSION",
        "PGTARGETSESSIONATTRS",
        "PGLOADBALANCEHOSTS",
        "PGMINPROTOCOLVERSION",
        "PGMAXPROTOCOLVERSION",
        "PGCONNECT_TIMEOUT",
        "PGDATESTYLE",
        "PGTZ",
        "PGGEQO",
        "PGCLIENTENCODING",
        "KRB5CCNAME",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getenv(names[i]) != NULL)
            return false;
    return true;
}

/* Files that libpq would look into: a password file, client certificates, a Kerberos ticket. */
static bool home_is_empty(bool has_password, bool on_socket) {
    char path[512];
    const char *home = getenv("HOME");
    snprintf(path, sizeof path, "/tmp/krb5cc_%u", (unsigned)geteuid());
    if (!on_socket && access(path, F_OK) == 0)
        return false;
    if (home == NULL || home[0] == '\0')
        return true;
    snprintf(path, sizeof path, "%s/.pgpass", home);
    if (!has_password && access(path, F_OK) == 0)
        return false;
    snprintf(path, sizeof path, "%s/.postgresql", home);
    return on_socket || access(path, F_OK) != 0;
}

static bool set(char **slot, const char *text, size_t len) {
    free(*slot);
    *slot = strndup(text, len);
    return *slot != NULL;
}

/* Percent-decoded; an empty text leaves the slot as it is. */
static bool set_decoded(char **slot, const char *text, size_t len) {
    if (len == 0)
        return true;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf decoded = PGC_BUF_INIT;
    if (!pgc_text_unpercent(&decoded, text, len) || decoded.failed || memchr(decoded.data, '\0', decoded.len) != NULL)
        return false;
    return set(slot, decoded.data, decoded.len);
}

static bool tls_mode(const char *text, size_t len, enum pgc__plain_tls *out) {
    static const char *const names[] = { "disable", "prefer", "require" };
    for (int i = 0; i < 3; i++)
        if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0) {
            *out = (enum pgc__plain_tls)i;
            return true;
        }
    return false;
}

static bool uri_parameters(const char *p, struct pgc__plain *out) {
    while (*p != '\0') {
        size_t len = strcspn(p, "&"), name = strcspn(p, "=&");
        const char *value = p + name + 1;
        if (name >= len)
            return false;
        if (name == 7 && memcmp(p, "sslmode", 7) == 0) {
            if (!tls_mode(value, len - name - 1, &out->tls))
                return false;
        } else if (name == 16 && memcmp(p, "application_name", 16) == 0) {
            if (!set_decoded(&out->application_name, value, len - name - 1))
                return false;
        } else {
            return false;
        }
        p += len + (p[len] == '&' ? 1 : 0);
    }
    return true;
}

/* [user[:password]@][host][:port][/dbname][?parameters]; a list of hosts is libpq's. */
static bool uri(const char *rest, struct pgc__plain *out) {
    size_t authority = strcspn(rest, "/?");
    if (memchr(rest, ',', authority) != NULL || strchr(rest, '#') != NULL)
        return false;
    const char *at = memchr(rest, '@', authority), *host = rest, *end = rest + authority;
    if (at != NULL) {
        size_t user = strcspn(rest, ":@");
        if (!set_decoded(&out->user, rest, user))
            return false;
        if (rest[user] == ':' && !set_decoded(&out->password, rest + user + 1, (size_t)(at - rest) - user - 1))
            return false;
        host = at + 1;
    }
    if (memchr(host, '@', (size_t)(end - host)) != NULL)
        return false;
    const char *colon;
    bool done;
    if (host < end && *host == '[') {
        const char *close = memchr(host, ']', (size_t)(end - host));
        if (close == NULL || (close + 1 < end && close[1] != ':'))
            return false;
        colon = close + 1 < end ? close + 1 : NULL;
        done = set(&out->host, host + 1, (size_t)(close - host - 1));
    } else {
        colon = memchr(host, ':', (size_t)(end - host));
        done = set_decoded(&out->host, host, (size_t)((colon != NULL ? colon : end) - host));
    }
    if (!done || (colon != NULL && !set_decoded(&out->port, colon + 1, (size_t)(end - colon - 1))))
        return false;
    size_t path = strcspn(end, "?");
    if (path > 1 && !set_decoded(&out->dbname, end + 1, path - 1))
        return false;
    return end[path] == '\0' || uri_parameters(end + path + 1, out);
}

static bool fill(char **slot, const char *own, const char *variable) {
    const char *value = own != NULL ? own : variable != NULL ? getenv(variable) : NULL;
    return *slot != NULL || value == NULL || value[0] == '\0' || set(slot, value, strlen(value));
}

static bool fill_user(struct pgc__plain *plain) {
    struct passwd entry, *found = NULL;
    char space[1024];
    if (plain->user != NULL)
        return true;
    plain->os_user = true;
    return getpwuid_r(geteuid(), &entry, space, sizeof space, &found) == 0 && found != NULL &&
           set(&plain->user, found->pw_name, strlen(found->pw_name));
}

static bool fill_all(const struct pgc_probe_options *options, struct pgc__plain *out) {
    const char *mode = options->sslmode != NULL ? options->sslmode : getenv("PGSSLMODE");
    bool is_uri = pgc_text_starts(options->conninfo != NULL ? options->conninfo : "", "postgres");
    if (options->conninfo != NULL && pgc_text_starts(options->conninfo, "postgres://")) {
        if (!uri(options->conninfo + 11, out))
            return false;
    } else if (options->conninfo != NULL && pgc_text_starts(options->conninfo, "postgresql://")) {
        if (!uri(options->conninfo + 13, out))
            return false;
    } else if (options->conninfo != NULL) {
        is_uri = false;
        if (strchr(options->conninfo, '=') != NULL ||
            (options->conninfo[0] != '\0' && !set(&out->dbname, options->conninfo, strlen(options->conninfo))))
            return false;
    }
    bool mode_from_uri = is_uri && strstr(options->conninfo, "sslmode=") != NULL && options->sslmode == NULL;
    if (!mode_from_uri && mode != NULL && mode[0] != '\0' && !tls_mode(mode, strlen(mode), &out->tls))
        return false;
    return fill(&out->host, options->host, "PGHOST") && fill(&out->host, PGC__DEFAULT_FOLDER, NULL) &&
           fill(&out->port, options->port, "PGPORT") && fill(&out->port, PGC__DEFAULT_PORT, NULL) &&
           fill(&out->user, options->user, "PGUSER") && fill_user(out) &&
           fill(&out->password, options->password, "PGPASSWORD") && fill(&out->dbname, NULL, "PGDATABASE") &&
           fill(&out->dbname, out->user, NULL) && fill(&out->application_name, NULL, "PGAPPNAME") &&
           fill(&out->application_name, options->application_name, NULL) &&
           fill(&out->application_name, "pgc ready", NULL);
}

bool pgc__plain_parse(const struct pgc_probe_options *options, struct pgc__plain *out) {
    *out = (struct pgc__plain) { .tls = PGC__TLS_PREFER };
    /* An empty host or port has meanings of its own. */
    bool odd = options->session_attrs != NULL || (options->host != NULL && options->host[0] == '\0') ||
               (options->port != NULL && options->port[0] == '\0');
    if (!odd && environment_is_simple() && fill_all(options, out) && out->host[0] != '@' &&
        strchr(out->port, ',') == NULL && strchr(out->host, ',') == NULL &&
        strspn(out->port, "0123456789") == strlen(out->port) && strlen(out->port) <= 5 && atoi(out->port) > 0 &&
        atoi(out->port) < 65536 && home_is_empty(out->password != NULL, out->host[0] == '/'))
        return true;
    pgc__plain_release(out);
    return false;
}
