#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ready/http.h"

/* The end of the head: behind its empty line; bare line feeds are taken, too. */
static size_t head_length(const char *data, size_t len) {
    for (size_t i = 0; i + 1 < len; i++) {
        if (data[i] != '\n')
            continue;
        if (data[i + 1] == '\n')
            return i + 2;
        if (i + 2 < len && data[i + 1] == '\r' && data[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

/* Is there a header `name` whose value holds `word`? NULL word: any value but "0". */
static bool has_header(const char *head, size_t len, const char *name, const char *word) {
    size_t name_len = strlen(name);
    for (const char *line = head, *end = head + len; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t n = stop != NULL ? (size_t)(stop - line) : (size_t)(end - line);
        if (n > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0) {
            const char *value = line + name_len + 1;
            size_t left = n - name_len - 1;
            while (left > 0 && (*value == ' ' || *value == '\t')) {
                value++;
                left--;
            }
            if (word == NULL)
                return left > 0 && value[0] != '0';
            return left >= strlen(word) && strncasecmp(value, word, strlen(word)) == 0;
        }
        line += n + 1;
    }
    return false;
}

size_t pgc_ready_request_parse(const char *data, size_t len, struct pgc_ready_request *out) {
    size_t head = head_length(data, len);
    *out = (struct pgc_ready_request) { 0 };
    if (head == 0)
        return 0;
    size_t line = strcspn(data, "\r\n");
    const char *space = memchr(data, ' ', line);
    const char *path = space != NULL ? space + 1 : NULL;
    const char *path_end = path != NULL ? memchr(path, ' ', line - (size_t)(path - data)) : NULL;
    if (path_end == NULL || path[0] != '/' || strncmp(path_end, " HTTP/1.", 8) != 0 ||
        memchr(data, '\0', head) != NULL) {
        out->refuse = 400;
    } else if ((size_t)(path_end - path) >= sizeof out->path) {
        out->refuse = 414;
    } else {
        size_t method = (size_t)(space - data);
        memcpy(out->path, path, (size_t)(path_end - path));
        out->head = method == 4 && memcmp(data, "HEAD", 4) == 0;
        if (!out->head && !(method == 3 && memcmp(data, "GET", 3) == 0))
            out->refuse = 405;
        if (has_header(data, head, "content-length", NULL) || has_header(data, head, "transfer-encoding", NULL))
            out->refuse = out->refuse != 0 ? out->refuse : 413;
    }
    bool old = path_end != NULL && strncmp(path_end, " HTTP/1.0", 9) == 0;
    out->close = out->refuse != 0 || has_header(data, head, "connection", "close") ||
                 (old && !has_header(data, head, "connection", "keep-alive"));
    return head;
}
