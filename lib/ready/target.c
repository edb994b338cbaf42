#include "ready/target.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void pgc_ready_target_release(struct pgc_ready_target *target) {
    free(target->text);
    free(target->host);
    free(target->port);
    free(target->path);
    free(target->conninfo);
    *target = (struct pgc_ready_target) { 0 };
}

/* "host:port/path" or "[v6]:port/path"; port may be absent when `default_port` is given. */
static enum pgc_code split_url(const char *whole, const char *rest, const char *default_port,
                               struct pgc_ready_target *out, struct pgc_error *err) {
    const char *host = rest, *host_end, *after;
    if (*rest == '[') {
        host = rest + 1;
        host_end = strchr(host, ']');
        if (host_end == NULL)
            return pgc_fail(err, PGC_E_USAGE, "'%s' has no ']' after the address", whole);
        after = host_end + 1;
    } else {
        host_end = after = rest + strcspn(rest, ":/?#");
    }
    const char *port = default_port;
    size_t port_len = default_port != NULL ? strlen(default_port) : 0;
    if (*after == ':') {
        port = after + 1;
        port_len = strspn(port, "0123456789");
        after = port + port_len;
    }
    if (host_end == host || port_len == 0 || port_len > 5 || (*after != '\0' && *after != '/' && *after != '?'))
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not a target: expected %s", whole,
                        default_port != NULL ? "http://HOST[:PORT]/PATH" : "tcp://HOST:PORT");
    out->host = strndup(host, (size_t)(host_end - host));
    out->port = strndup(port, port_len);
    PGC_AUTO_FREE char *path = strndup(after, strcspn(after, "#"));
    if (path != NULL && asprintf(&out->path, "%s%s", path[0] == '/' ? "" : "/", path) < 0)
        out->path = NULL;
    return out->host != NULL && out->port != NULL && out->path != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code describe(struct pgc_ready_target *out, struct pgc_error *err) {
    char host[256], port[64], message[256];
    if (!pgc_probe_endpoint(&out->pg, host, sizeof host, port, sizeof port, message, sizeof message))
        return pgc_fail(err, PGC_E_USAGE, "%s", message);
    bool v6 = strchr(host, ':') != NULL && strchr(host, ',') == NULL && host[0] != '/';
    int n = asprintf(&out->text, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    return n >= 0 ? PGC_OK : (out->text = NULL, pgc_fail_nomem(err));
}

enum pgc_code pgc_ready_target_from_options(const struct pgc_probe_options *options, struct pgc_ready_target *out,
                                            struct pgc_error *err) {
    *out = (struct pgc_ready_target) { .kind = PGC_READY_POSTGRES, .pg = *options };
    return describe(out, err);
}

enum pgc_code pgc_ready_target_parse(const char *text, const struct pgc_probe_options *fallback,
                                     struct pgc_ready_target *out, struct pgc_error *err) {
    *out = (struct pgc_ready_target) { 0 };
    enum pgc_code code;
    if (pgc_text_starts(text, "tcp://")) {
        out->kind = PGC_READY_TCP_PORT;
        code = split_url(text, text + 6, NULL, out, err);
    } else if (pgc_text_starts(text, "http://")) {
        out->kind = PGC_READY_HTTP;
        code = split_url(text, text + 7, "80", out, err);
    } else if (strstr(text, "://") != NULL && !pgc_text_starts(text, "postgres://") &&
               !pgc_text_starts(text, "postgresql://") && strchr(text, '=') == NULL) {
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not a target: tcp://, http:// and postgres:// are known", text);
    } else {
        out->pg = *fallback;
        out->conninfo = strdup(text);
        if (out->conninfo == NULL)
            return pgc_fail_nomem(err);
        out->pg.conninfo = out->conninfo;
        code = describe(out, err);
    }
    if (code == PGC_OK && out->text == NULL && (out->text = strdup(text)) == NULL)
        code = pgc_fail_nomem(err);
    if (code != PGC_OK)
        pgc_ready_target_release(out);
    return code;
}
