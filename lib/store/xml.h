#ifndef PGC_STORE_XML_H
#define PGC_STORE_XML_H
/* Reading the small XML documents that S3 and WebDAV answer with; the only home of <expat.h>.
 *
 *     static bool take(void *arg, const char *path, const char *text) {
 *         if (strcmp(path, "Error/Code") == 0) ...
 *         return true;                                     // false ends the walk
 *     }
 *     code = pgc_xml_walk(body.data, body.len, take, &found, err);
 *
 * Names lose their namespace prefix ("D:href" is "href"). Elements are reported when they end, children before their
 * parent, with the text directly inside them ("" when none, unaltered white space), so that a record
 * is complete when its own element is reported. Document types, and with them entities, are refused. */
#include <pgc/error.h>
#include <stdbool.h>

#include "base/buf.h"

typedef bool pgc_xml_fn(void *arg, const char *path, const char *text);

/* PGC_E_DATA when the text is not XML (also when it is empty or cut). */
PGC_MUST_USE enum pgc_code pgc_xml_walk(const char *data, size_t len, pgc_xml_fn *fn, void *arg, struct pgc_error *err);
#endif
