#ifndef PGC_MIGRATE_SECTIONS_H
#define PGC_MIGRATE_SECTIONS_H
/* Files with `-- migrate:up` and `-- migrate:down` sections, as dbmate and pgc write them. Pure.
 *
 * A marker is a line that begins (in its first column) with `--`, optional blanks, `migrate:up` or `migrate:down`, and
 * after it options `key:value` separated by blanks; the only one is transaction:false (or true). The text of a section
 * begins with its marker line. Several sections may follow each other; a file whose markers begin with down, two downs
 * in a row, or text other than comments before the first marker are PGC_E_DATA.
 * A file without a marker is all up where `plain` is allowed. */
#include "migrate/set.h"

struct pgc_sections_rules {
    bool plain;           /* a file without markers is one up section */
    bool options_checked; /* unknown options are errors (dbmate passes over them) */
};

PGC_MUST_USE enum pgc_code pgc_sections_parse(const struct pgc_folder_file *file,
                                              const struct pgc_sections_rules *rules, struct pgc_migration *migration,
                                              struct pgc_error *err);
/* The line that begins with `--`, blanks, `word` and then a blank or its end; what follows the word in *rest, *rest_len
 * (blanks trimmed). Looks from byte *at on and moves *at behind the line, *line to its number (start with 0 and 0).
 *     while (pgc_sections_next(file, "pgc:requires", &at, &line, &rest, &len)) ... */
bool pgc_sections_next(const struct pgc_folder_file *file, const char *word, size_t *at, size_t *line,
                       const char **rest, size_t *rest_len);
#endif
