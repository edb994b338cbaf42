#ifndef PGC_MIGRATE_SET_H
#define PGC_MIGRATE_SET_H
/* A scanned folder: what migrations there are, in the order in which they apply. Values only, no disk, no server.
 *
 * A dialect's parse() builds one:
 *
 *     struct pgc_migration *m = pgc_migration_set_new(set, PGC_MIGRATION_VERSIONED, file, err);
 *     m->version = ..., m->name = ..., m->up.text = ...       // malloc'ed; the set owns them
 *     ...
 *     code = pgc_migration_set_finish(set, compare, err);     // sorts, refuses duplicates, resolves requires
 *
 * Texts keep their position: a section of a file is handed over as the file with the other sections' bytes blanked
 * (pgc_migration_cut), or with `line` set to where it starts, so that byte offsets become line and column. */
#include <pgc/error.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"
#include "migrate/folder.h"

enum pgc_migration_kind {
    PGC_MIGRATION_VERSIONED,
    PGC_MIGRATION_REPEATABLE, /* no version; runs after the versioned ones whenever its checksum changes */
    PGC_MIGRATION_BASELINE, /* stands for itself and everything older on a database whose ledger is empty; else skipped */
};

/* Whether a script wants a transaction around it. AUTO: yes unless its statements say otherwise. */
enum pgc_migration_tx { PGC_MIGRATION_TX_AUTO, PGC_MIGRATION_TX_ON, PGC_MIGRATION_TX_OFF };

struct pgc_migration_script {
    char *path; /* file it is from, for messages; NULL: there is no script */
    char *text; /* what is run, NUL-terminated; NULL: there is no script */
    size_t len;
    size_t line; /* line of `path` on which text begins, from 1 */
    enum pgc_migration_tx tx;
    size_t tx_line;    /* line of the marker that set tx, 0: none */
    bool variables_on; /* psql variables (:name) are replaced; only where the format has them */
};

struct pgc_migration_need {
    char *target; /* VERSION or NAME as written */
    size_t line;
    size_t index; /* of the migration meant; set by finish */
};

struct pgc_migration {
    enum pgc_migration_kind kind;
    char *version;      /* as written; NULL for repeatable ones */
    char *name;         /* description: "create_users" */
    char *file;         /* name inside the folder: what people type and old ledgers store ("V1__a.sql") */
    char *path;         /* for messages */
    char checksum[65];  /* SHA-256 of the normalised text, hex */
    char *own_checksum; /* the format's own checksum as its ledger shows it, NULL when it has none */
    char
        *other_checksums; /* further values of its own checksum that count as equal, separated by blanks; may be NULL */
    char *header;         /* format specific (graphile: previous hash); may be NULL */
    struct pgc_migration_script up;
    struct pgc_migration_script down;
    struct pgc_migration_need *needs;
    size_t need_count, need_cap;
    bool may_be_late; /* out of order is its purpose (refinery's U): the policy does not apply */
    bool ignored;     /* a version that has nothing to run upwards: counts as applied, never run */
    const char
        *unrunnable; /* why only the old tool can run it ("it is written in Go"); NULL: it has a script; static */
};

/* Scripts that run around the others. */
enum pgc_hook_when {
    PGC_HOOK_BEFORE_ALL,  /* once, before the first migration of a run that has something to do */
    PGC_HOOK_BEFORE_EACH, /* in the migration's transaction where it has one */
    PGC_HOOK_AFTER_EACH,
    PGC_HOOK_AFTER_VERSIONED, /* between the versioned and the repeatable ones */
    PGC_HOOK_AFTER_ALL,
    PGC_HOOK_AFTER_ERROR,
};
struct pgc_migration_hook {
    enum pgc_hook_when when;
    struct pgc_migration_script script;
};

struct pgc_migration_set {
    struct pgc_migration *items; /* after finish: versioned and baseline in order, then repeatable ones */
    size_t count, cap;
    struct pgc_migration_hook *hooks; /* in order of file name within one `when` */
    size_t hook_count, hook_cap;
    bool wants_server; /* placeholders stand for what only a server knows: to be parsed again with a connection */
    struct pgc_strings ignored;    /* files of the folder that are no migrations but look like ones */
    struct pgc_digest_run *digest; /* of the checksums; NULL before the first */
};
#define PGC_MIGRATION_SET_INIT                                                                                         \
    { 0 }

void pgc_migration_set_release(struct pgc_migration_set *set);

/* A new entry for `file` (name, path and checksum filled from it), zeroed otherwise. Valid until the next call. */
PGC_MUST_USE enum pgc_code pgc_migration_set_new(struct pgc_migration_set *set, enum pgc_migration_kind kind,
                                                 const struct pgc_folder_file *file, struct pgc_migration **out,
                                                 struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_migration_set_hook(struct pgc_migration_set *set, enum pgc_hook_when when,
                                                  const struct pgc_folder_file *file, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_migration_need_add(struct pgc_migration *migration, const char *target, size_t len,
                                                  size_t line, struct pgc_error *err);

/* Fills a script with bytes [from, to) of the file; what lies outside is replaced by nothing but its line ends, so that
 * offsets in the script have the file's line numbers. A byte order mark is left out. */
PGC_MUST_USE enum pgc_code pgc_migration_cut(struct pgc_migration_script *script, const struct pgc_folder_file *file,
                                             size_t from, size_t to, struct pgc_error *err);
/* The same for a script that exists already (several up sections): the bytes of [from, to) become visible too. */
PGC_MUST_USE enum pgc_code pgc_migration_cut_more(struct pgc_migration_script *script,
                                                  const struct pgc_folder_file *file, size_t from, size_t to,
                                                  struct pgc_error *err);

/* `version` before `name`, each as far as it exists; the order when a dialect has none of its own. */
typedef int pgc_migration_compare_fn(const struct pgc_migration *a, const struct pgc_migration *b);
int pgc_migration_compare(const struct pgc_migration *a, const struct pgc_migration *b);

/* Sorts; PGC_E_DATA "version 7 is used twice: 'a/7_x.sql' and 'a/7_y.sql'" for two of one version (or two repeatable
 * ones of one name); resolves requires (a missing or ambiguous target, a cycle, a versioned migration that
 * wants a repeatable one are PGC_E_DATA with files and lines) and moves what requires something behind it, otherwise keeping the order. */
PGC_MUST_USE enum pgc_code pgc_migration_set_finish(struct pgc_migration_set *set, pgc_migration_compare_fn *compare,
                                                    struct pgc_error *err);
/* By version (as numbers), then by name or file. NULL when there is none. */
const struct pgc_migration *pgc_migration_set_find(const struct pgc_migration_set *set, const char *version_or_name);

/* Line and column (both from 1, columns in characters) of a byte offset of the script's text. */
void pgc_migration_position(const struct pgc_migration_script *script, size_t offset, size_t *line, size_t *column);

/* SHA-256 as hex of the text without a byte order mark and with \r\n as \n. */
PGC_MUST_USE enum pgc_code pgc_migration_checksum(struct pgc_migration_set *set, const char *text, size_t len,
                                                  char out[65], struct pgc_error *err);
#endif
