#ifndef PGC_STORE_WEBDAV_LIST_H
#define PGC_STORE_WEBDAV_LIST_H
/* What a WebDAV server answers to PROPFIND. Pure: text in, list out. */
#include <pgc/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pgc_dav_resource {
    char *path; /* decoded, without scheme, host and a slash at the end */
    uint64_t size;
    int64_t modified_us; /* 0: not told */
    bool collection;
};

struct pgc_dav_listing {
    struct pgc_dav_resource *items;
    size_t count, cap;
    struct pgc_dav_resource now; /* while reading */
    bool failed;
};

/* Adds every resource of a multistatus document. PGC_E_DATA when it is none. */
PGC_MUST_USE enum pgc_code pgc_dav_listing_read(const char *xml, size_t len, struct pgc_dav_listing *out,
                                                struct pgc_error *err);
void pgc_dav_listing_release(struct pgc_dav_listing *listing);
#endif
