#ifndef PGC_SCRIPT_READER_H
#define PGC_SCRIPT_READER_H
/* A script as lines, and inline COPY data as blocks. Memory: one block, or the longest line.
 *
 *     PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
 *     pgc_reader_init(&reader, source);          // or pgc_reader_init_text(&reader, text, len)
 *     while ((code = pgc_reader_line(&reader, &line, &len, err)) == PGC_OK && line != NULL) ... */
#include <stdint.h>

#include "io/stream.h"

struct pgc_reader {
    struct pgc_source *source; /* borrowed; NULL: only the text */
    const char *data;          /* buffer or text */
    char *buffer;
    size_t cap;
    size_t pos, len;
    bool end;
    bool line_begins;    /* inside COPY data: pos is the first byte of a line */
    uint64_t offset;     /* of data[pos] in the script */
    unsigned long lines; /* newlines passed */
};

void pgc_reader_init(struct pgc_reader *reader, struct pgc_source *source);
void pgc_reader_init_text(struct pgc_reader *reader, const char *text, size_t len); /* text is borrowed */
void pgc_reader_release(struct pgc_reader *reader);
/* Next line without its newline; *line NULL at the end. Borrowed until the next call. */
PGC_MUST_USE enum pgc_code pgc_reader_line(struct pgc_reader *reader, const char **line, size_t *len,
                                           struct pgc_error *err);
/* Next block of COPY data; *len 0 at its end, which is a line \. (consumed) or the end of the script. Borrowed.
 * Call pgc_reader_begin_copy once before. */
void pgc_reader_begin_copy(struct pgc_reader *reader);
PGC_MUST_USE enum pgc_code pgc_reader_copy(struct pgc_reader *reader, const char **data, size_t *len,
                                           struct pgc_error *err);
#endif
