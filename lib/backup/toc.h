#ifndef PGC_BACKUP_TOC_H
#define PGC_BACKUP_TOC_H
/* The table of contents of an archive, as `pg_restore --list --verbose` prints it, and what is chosen from it.
 *
 *     PGC_CLEANUP(pgc_toc_release) struct pgc_toc toc = PGC_TOC_INIT;
 *     code = pgc_toc_parse(&toc, listing, err);
 *     code = pgc_toc_choose_tables(&toc, &names, false, &left_out, err);
 *     pgc_toc_write(&toc, &list, PGC_TOC_CHOSEN);        // for pg_restore --use-list
 *
 * A line is "ID; CLASS OID DESCRIPTION SCHEMA NAME OWNER", a line end within a name printed as a blank; the lines behind it may
 * tell what it depends on. Where a name ends is not marked: two names are told apart as far as their text allows. */
#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"

struct pgc_toc_entry {
    long id;
    long class_oid;   /* of the catalogue that it comes from: 1259 for relations; 0 for data and the like */
    const char *text; /* "TABLE public t owner" */
    size_t first_need, need_count;
    bool chosen;
};
struct pgc_toc {
    char *text; /* owned; entries point into it */
    struct pgc_toc_entry *items;
    size_t count, cap;
    long *needs; /* ids, all entries' one after the other */
    size_t need_count, need_cap;
};
#define PGC_TOC_INIT                                                                                                   \
    { NULL, NULL, 0, 0, NULL, 0, 0 }
void pgc_toc_release(struct pgc_toc *toc);

/* Fills an empty toc. Lines of another form are passed over. */
PGC_MUST_USE enum pgc_code pgc_toc_parse(struct pgc_toc *toc, const char *listing, struct pgc_error *err);

/* Locks that a transaction holds at its end that restores all of it: rather too many than too few. */
int64_t pgc_toc_locks(const struct pgc_toc *toc);

/* Chooses these relations ("schema.name", or "name" in whatever schema) with what is theirs: data, partitions, indexes,
 * constraints, defaults, owned sequences, triggers, rules, policies, statistics, comments, grants. `alone`: nothing else is in
 * the target, so what they need comes too (schemas, types, functions, parents, without their data), and foreign keys to a
 * relation that is not chosen are left out and named in *left_out. A name that fits nothing is PGC_E_NOT_FOUND. */
PGC_MUST_USE enum pgc_code pgc_toc_choose_tables(struct pgc_toc *toc, const struct pgc_strings *names, bool alone,
                                                 struct pgc_strings *left_out, struct pgc_error *err);
/* Chooses everything but entries of this kind ("POLICY"). */
void pgc_toc_choose_all(struct pgc_toc *toc);
bool pgc_toc_has_kind(const struct pgc_toc *toc, const char *kind);
void pgc_toc_drop_kind(struct pgc_toc *toc, const char *kind);

enum pgc_toc_part {
    PGC_TOC_CHOSEN,
    PGC_TOC_DATABASE /* the database itself, its settings, grants and comment */
};
void pgc_toc_write(const struct pgc_toc *toc, struct pgc_buf *out, enum pgc_toc_part part);
#endif
