#include "store/xml.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 32
#define TEXT_MAX  ((size_t)64 * 1024)

struct walk {
    XML_Parser parser;
    pgc_xml_fn *fn;
    void *arg;
    struct pgc_buf path;
    struct pgc_buf text;
    size_t text_from[DEPTH_MAX]; /* where the text of each open element begins */
    size_t depth;
    bool stopped; /* by the caller */
    bool refused;
};

static const char *local_name(const char *name) {
    const char *colon = strrchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

static void refuse(struct walk *walk) {
    walk->refused = true;
    (void)XML_StopParser(walk->parser, XML_FALSE);
}

static void XMLCALL on_open(void *arg, const XML_Char *name, const XML_Char **attributes) {
    struct walk *walk = arg;
    (void)attributes;
    if (walk->depth == DEPTH_MAX) {
        refuse(walk);
        return;
    }
    if (walk->depth > 0)
        pgc_buf_putc(&walk->path, '/');
    pgc_buf_puts(&walk->path, local_name(name));
    walk->text_from[walk->depth++] = walk->text.len;
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len) {
    struct walk *walk = arg;
    pgc_buf_put(&walk->text, text, (size_t)len);
    if (walk->text.failed)
        refuse(walk);
}

static void XMLCALL on_close(void *arg, const XML_Char *name) {
    struct walk *walk = arg;
    size_t from = walk->text_from[--walk->depth];
    size_t name_len = strlen(local_name(name)) + (walk->depth > 0 ? 1 : 0);
    if (walk->path.failed || walk->text.failed) {
        refuse(walk);
        return;
    }
    if (!walk->stopped && !walk->fn(walk->arg, walk->path.data, walk->text.data + from)) {
        walk->stopped = true;
        (void)XML_StopParser(walk->parser, XML_FALSE);
    }
    pgc_buf_truncate(&walk->text, from);
    pgc_buf_truncate(&walk->path, walk->path.len - name_len);
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
                               int has_subset) {
    (void)name, (void)sysid, (void)pubid, (void)has_subset;
    refuse(arg);
}

enum pgc_code pgc_xml_walk(const char *data, size_t len, pgc_xml_fn *fn, void *arg, struct pgc_error *err) {
    struct walk walk = { .fn = fn, .arg = arg, .path = PGC_BUF_INIT, .text = PGC_BUF_INIT };
    enum pgc_code code = PGC_OK;
    walk.text.max = TEXT_MAX;
    walk.parser = XML_ParserCreate(NULL);
    if (walk.parser == NULL)
        return pgc_fail_nomem(err);
    XML_SetUserData(walk.parser, &walk);
    XML_SetElementHandler(walk.parser, on_open, on_close);
    XML_SetCharacterDataHandler(walk.parser, on_text);
    XML_SetStartDoctypeDeclHandler(walk.parser, on_doctype);
    enum XML_Status status = len > INT_MAX ? XML_STATUS_ERROR : XML_Parse(walk.parser, data, (int)len, 1);
    if (walk.refused)
        code = pgc_fail(err, PGC_E_DATA, "unusual XML refused (document type, nesting or size)");
    else if (status != XML_STATUS_OK && !walk.stopped)
        code = pgc_fail(err, PGC_E_DATA, "not XML: %s in line %lu", XML_ErrorString(XML_GetErrorCode(walk.parser)),
                        (unsigned long)XML_GetCurrentLineNumber(walk.parser));
    XML_ParserFree(walk.parser);
    pgc_buf_release(&walk.path);
    pgc_buf_release(&walk.text);
    return code;
}
