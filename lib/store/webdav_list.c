#include "store/webdav_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "store/url.h"
#include "store/xml.h"

void pgc_dav_listing_release(struct pgc_dav_listing *listing) {
    for (size_t i = 0; i < listing->count; i++)
        free(listing->items[i].path);
    free(listing->items);
    free(listing->now.path);
}

/* Servers answer with a path or a whole URL. */
static char *path_of(const char *href) {
    struct pgc_buf out = PGC_BUF_INIT;
    const char *authority = strstr(href, "://");
    const char *path = authority != NULL ? strchr(authority + 3, '/') : href;
    size_t len = path != NULL ? strlen(path) : 0;
    while (len > 0 && path[len - 1] == '/')
        len--;
    char *plain = pgc_text_unpercent(&out, len > 0 ? path : "", len) ? pgc_buf_detach(&out) : NULL;
    pgc_buf_release(&out);
    return plain;
}

static bool take(void *arg, const char *path, const char *text) {
    struct pgc_dav_listing *listing = arg;
    if (strcmp(path, "multistatus/response/href") == 0) {
        size_t len = strlen(text);
        free(listing->now.path);
        listing->now.path = path_of(text);
        listing->now.collection |= len > 0 && text[len - 1] == '/';
    } else if (pgc_text_ends(path, "/prop/resourcetype/collection")) {
        listing->now.collection = true;
    } else if (pgc_text_ends(path, "/prop/getcontentlength") && text[0] != '\0') {
        listing->now.size = strtoull(text, NULL, 10);
    } else if (pgc_text_ends(path, "/prop/getlastmodified")) {
        int64_t seconds = pgc_store_http_date(text);
        listing->now.modified_us = seconds > 0 ? seconds * 1000000 : 0;
    } else if (strcmp(path, "multistatus/response") == 0) {
        listing->failed = listing->now.path == NULL ||
                          !pgc_array_grow(&listing->items, &listing->cap, listing->count + 1, sizeof *listing->items);
        if (!listing->failed) {
            listing->items[listing->count++] = listing->now;
            listing->now = (struct pgc_dav_resource) { 0 };
        }
    }
    return !listing->failed;
}

enum pgc_code pgc_dav_listing_read(const char *xml, size_t len, struct pgc_dav_listing *out, struct pgc_error *err) {
    enum pgc_code code = pgc_xml_walk(xml, len, take, out, err);
    return code == PGC_OK && out->failed ? pgc_fail(err, PGC_E_DATA, "unreadable list of a collection") : code;
}
