/* What servers answer and people write into URLs: XML, lists of collections, dates, store URLs. The first byte selects. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/s3_settings.h"
#include "store/url.h"
#include "store/webdav_list.h"
#include "store/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *arg, const char *path, const char *text) {
    size_t *sum = arg;
    *sum += strlen(path) + strlen(text);
    return true;
}

static const char *no_setting(void *arg, const char *name) {
    (void)arg, (void)name;
    return NULL;
}

static void try_urls(const char *text) {
    struct pgc_error err;
    struct pgc_store_url url = { 0 };
    struct pgc_s3_settings settings = { 0 };
    const struct pgc_store_options options = { .url = text, .setting = no_setting };
    if (pgc_store_url_parse(text, "a host_key", &url, &err) == PGC_OK && url.path[0] != '\0' && url.path[0] != '/')
        abort();
    pgc_store_url_release(&url);
    if (strncmp(text, "s3:", 3) == 0 && pgc_s3_settings_load(&options, &settings, &err) == PGC_OK &&
        pgc_s3_part_bytes(&settings, UINT64_MAX / 4) == 0)
        abort();
    pgc_s3_settings_release(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pgc_error err;
    struct pgc_dav_listing listing = { 0 };
    size_t sum = 0;
    if (size == 0)
        return 0;
    PGC_AUTO_FREE char *text = strndup((const char *)data + 1, size - 1);
    if (text == NULL)
        return 0;
    switch (data[0] % 4) {
    case 0:
        (void)!pgc_xml_walk((const char *)data + 1, size - 1, take, &sum, &err);
        break;
    case 1:
        (void)!pgc_dav_listing_read((const char *)data + 1, size - 1, &listing, &err);
        pgc_dav_listing_release(&listing);
        break;
    case 2:
        (void)pgc_store_http_date(text);
        break;
    default:
        try_urls(text);
    }
    return 0;
}
