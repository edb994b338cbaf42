#include "backup/toc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CLASS_OF_RELATIONS 1259
#define CLASS_OF_DATABASES 1262

void pgc_toc_release(struct pgc_toc *toc) {
    free(toc->text);
    free(toc->items);
    free(toc->needs);
    *toc = (struct pgc_toc)PGC_TOC_INIT;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

/* "ID; CLASS OID TEXT" */
static bool read_entry(char *line, struct pgc_toc_entry *out) {
    char *end = NULL;
    *out = (struct pgc_toc_entry) { .id = strtol(line, &end, 10) };
    if (end == line || end[0] != ';')
        return false;
    out->class_oid = strtol(end + 1, &end, 10);
    (void)strtol(end, &end, 10);
    if (*end != ' ')
        return false;
    out->text = end + 1;
    return true;
}

static bool add_needs(struct pgc_toc *toc, const char *text) {
    struct pgc_toc_entry *entry = &toc->items[toc->count - 1];
    for (char *end = NULL;; text = end) {
        long id = strtol(text, &end, 10);
        if (end == text)
            return true;
        if (!pgc_array_grow(&toc->needs, &toc->need_cap, toc->need_count + 1, sizeof *toc->needs))
            return false;
        toc->needs[toc->need_count++] = id;
        entry->need_count++;
    }
}

enum pgc_code pgc_toc_parse(struct pgc_toc *toc, const char *listing, struct pgc_error *err) {
    static const char depends[] = ";\tdepends on:";
    toc->text = strdup(listing);
    if (toc->text == NULL)
        return pgc_fail_nomem(err);
    char *rest = toc->text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        struct pgc_toc_entry entry;
        bool grown = true;
        if (pgc_text_starts(line, depends) && toc->count > 0) {
            grown = add_needs(toc, line + sizeof depends - 1);
        } else if (isdigit((unsigned char)line[0]) && read_entry(line, &entry)) {
            grown = pgc_array_grow(&toc->items, &toc->cap, toc->count + 1, sizeof *toc->items);
            entry.first_need = toc->need_count;
            if (grown)
                toc->items[toc->count++] = entry;
        }
        if (!grown)
            return pgc_fail_nomem(err);
    }
    return PGC_OK;
}

/* --- locks ---------------------------------------------------------------------------------------------------- */

int64_t pgc_toc_locks(const struct pgc_toc *toc) {
    int64_t locks = 0;
    for (size_t i = 0; i < toc->count; i++) {
        const char *text = toc->items[i].text;
        if (toc->items[i].class_oid == 0)
            continue;                                 /* data, comments: of something that is locked already */
        locks += pgc_text_starts(text, "TABLE ")  ? 7 /* its types, its TOAST table and index */
                 : pgc_text_starts(text, "BLOB ") ? 1
                                                  : 2;
    }
    return locks;
}

/* --- choosing -------------------------------------------------------------------------------------------------- */

struct chooser {
    struct pgc_toc *toc;
    struct pgc_toc_entry **by_id;
    bool alone;
    struct pgc_strings *left_out;
    bool changed;
};

static int compare_ids(const void *a, const void *b) {
    long x = (*(struct pgc_toc_entry *const *)a)->id, y = (*(struct pgc_toc_entry *const *)b)->id;
    return (x > y) - (x < y);
}

static struct pgc_toc_entry *entry_of(const struct chooser *c, long id) {
    const struct pgc_toc_entry key = { .id = id }, *wanted = &key;
    struct pgc_toc_entry **found = bsearch(&wanted, c->by_id, c->toc->count, sizeof *c->by_id, compare_ids);
    return found == NULL ? NULL : *found;
}

/* The text behind the kind, when it is a relation that may be named; else NULL. */
static const char *relation_text(const struct pgc_toc_entry *entry) {
    static const char *const kinds[] = { "TABLE ", "VIEW ", "MATERIALIZED VIEW ", "FOREIGN TABLE ", "SEQUENCE " };
    for (size_t i = 0; entry->class_oid == CLASS_OF_RELATIONS && i < sizeof kinds / sizeof kinds[0]; i++)
        if (pgc_text_starts(entry->text, kinds[i]))
            return entry->text + strlen(kinds[i]);
    return NULL;
}

/* As pg_restore prints a name: on one line. */
static char *printed_name(const char *name) {
    char *copy = strdup(name);
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    return copy;
}

/* "public t owner" against "public.t" or "t". Each dot of the name may be the one between schema and table. */
static bool is_named(const char *text, const char *name) {
    size_t len = strlen(name);
    const char *schema_end = strchr(text, ' ');
    for (const char *at = schema_end; at != NULL; at = strchr(at + 1, ' '))
        if (strncmp(at + 1, name, len) == 0 && at[1 + len] == ' ')
            return true;
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        size_t schema = (size_t)(dot - name), table = len - schema - 1;
        if (strncmp(text, name, schema) == 0 && text[schema] == ' ' &&
            strncmp(text + schema + 1, dot + 1, table) == 0 && text[len] == ' ')
            return true;
    }
    return false;
}

static bool needs_chosen(const struct chooser *c, const struct pgc_toc_entry *entry, bool relations_only) {
    for (size_t i = 0; i < entry->need_count; i++) {
        const struct pgc_toc_entry *need = entry_of(c, c->toc->needs[entry->first_need + i]);
        if (need != NULL && need->chosen && (!relations_only || relation_text(need) != NULL))
            return true;
    }
    return false;
}

/* Is it about the very relation ("public t name owner" beside "public t owner"), not one that refers to it? */
static bool is_part_of_chosen(const struct chooser *c, const struct pgc_toc_entry *entry, const char *text) {
    for (size_t i = 0; i < entry->need_count; i++) {
        const struct pgc_toc_entry *need = entry_of(c, c->toc->needs[entry->first_need + i]);
        const char *relation = need == NULL || !need->chosen ? NULL : relation_text(need);
        if (relation == NULL)
            continue;
        /* Schema and name are what both texts begin with; the owner behind them differs or not. */
        size_t same = 0;
        for (size_t n = 0; relation[n] != '\0' && relation[n] == text[n]; n++)
            if (relation[n] == ' ')
                same++;
        if (same >= 2)
            return true;
    }
    return false;
}

static enum pgc_code judge_foreign_key(struct chooser *c, const struct pgc_toc_entry *entry, bool *wanted,
                                       struct pgc_error *err) {
    for (size_t i = 0; *wanted && c->alone && i < entry->need_count; i++) {
        const struct pgc_toc_entry *need = entry_of(c, c->toc->needs[entry->first_need + i]);
        *wanted = need == NULL || need->chosen;
    }
    return *wanted || c->left_out == NULL ? PGC_OK : pgc_strings_add(c->left_out, entry->text, err);
}

/* How an entry belongs to a relation. */
enum tie { NO_TIE, NEEDS_RELATION, NEEDS_ANY, IS_PART };

static enum tie tie_of(const struct pgc_toc_entry *entry, const char **behind) {
    static const struct {
        const char *kind;
        enum tie tie;
    } ties[] = {
        { "TABLE DATA ", NEEDS_RELATION },
        { "MATERIALIZED VIEW DATA ", NEEDS_RELATION },
        { "TABLE ATTACH ", NEEDS_RELATION },
        { "SEQUENCE SET ", NEEDS_RELATION },
        { "SEQUENCE OWNED BY ", NEEDS_RELATION },
        { "SEQUENCE ", NEEDS_RELATION },
        { "INDEX ATTACH ", NEEDS_RELATION },
        { "INDEX ", NEEDS_RELATION },
        { "STATISTICS ", NEEDS_RELATION },
        { "COMMENT ", NEEDS_ANY },
        { "ACL ", NEEDS_ANY },
        { "SECURITY LABEL ", NEEDS_ANY },
        { "CONSTRAINT ", IS_PART },
        { "CHECK CONSTRAINT ", IS_PART },
        { "DEFAULT ", IS_PART },
        { "TRIGGER ", IS_PART },
        { "RULE ", IS_PART },
        { "POLICY ", IS_PART },
        { "ROW SECURITY ", IS_PART },
    };
    for (size_t i = 0; i < sizeof ties / sizeof ties[0]; i++)
        if (pgc_text_starts(entry->text, ties[i].kind)) {
            *behind = entry->text + strlen(ties[i].kind);
            return ties[i].tie;
        }
    return NO_TIE;
}

static void choose_dependents(struct chooser *c) {
    do {
        c->changed = false;
        for (size_t i = 0; i < c->toc->count; i++) {
            struct pgc_toc_entry *entry = &c->toc->items[i];
            const char *text = NULL;
            enum tie tie = entry->chosen ? NO_TIE : tie_of(entry, &text);
            entry->chosen |= (tie == NEEDS_RELATION && needs_chosen(c, entry, true)) ||
                             (tie == NEEDS_ANY && needs_chosen(c, entry, false)) ||
                             (tie == IS_PART && is_part_of_chosen(c, entry, text));
            c->changed |= tie != NO_TIE && entry->chosen;
            /* A partition comes with the line that attaches it. */
            if (entry->chosen && pgc_text_starts(entry->text, "TABLE ATTACH "))
                for (size_t n = 0; n < entry->need_count; n++) {
                    struct pgc_toc_entry *need = entry_of(c, c->toc->needs[entry->first_need + n]);
                    if (need != NULL && !need->chosen && relation_text(need) != NULL && needs_chosen(c, need, true))
                        need->chosen = c->changed = true;
                }
        }
    } while (c->changed);
}

/* A partition that was chosen by itself is not attached to a table that is not. */
static void drop_loose_attachments(struct chooser *c) {
    for (size_t i = 0; i < c->toc->count; i++) {
        struct pgc_toc_entry *entry = &c->toc->items[i];
        if (!entry->chosen ||
            !(pgc_text_starts(entry->text, "TABLE ATTACH ") || pgc_text_starts(entry->text, "INDEX ATTACH ")))
            continue;
        for (size_t n = 0; entry->chosen && n < entry->need_count; n++) {
            const struct pgc_toc_entry *need = entry_of(c, c->toc->needs[entry->first_need + n]);
            entry->chosen = need == NULL || need->chosen;
        }
    }
}

/* Is `child` a partition, which can do without the table it belongs to? */
static bool is_partition_of(const struct chooser *c, const struct pgc_toc_entry *child, long parent) {
    for (size_t i = 0; i < c->toc->count; i++) {
        const struct pgc_toc_entry *entry = &c->toc->items[i];
        const long *needs = &c->toc->needs[entry->first_need];
        if (entry->need_count == 2 && pgc_text_starts(entry->text, "TABLE ATTACH ") &&
            ((needs[0] == child->id && needs[1] == parent) || (needs[1] == child->id && needs[0] == parent)))
            return true;
    }
    return false;
}

static void choose_needs(struct chooser *c) {
    do {
        c->changed = false;
        for (size_t i = 0; i < c->toc->count; i++) {
            const struct pgc_toc_entry *entry = &c->toc->items[i];
            for (size_t n = 0; entry->chosen && n < entry->need_count; n++) {
                struct pgc_toc_entry *need = entry_of(c, c->toc->needs[entry->first_need + n]);
                if (need == NULL || need->chosen ||
                    (relation_text(need) != NULL && is_partition_of(c, entry, need->id)))
                    continue;
                need->chosen = c->changed = true;
            }
        }
    } while (c->changed);
}

static enum pgc_code choose_foreign_keys(struct chooser *c, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < c->toc->count; i++) {
        struct pgc_toc_entry *entry = &c->toc->items[i];
        static const char kind[] = "FK CONSTRAINT ";
        bool wanted = pgc_text_starts(entry->text, kind) && is_part_of_chosen(c, entry, entry->text + sizeof kind - 1);
        if (!wanted)
            continue;
        code = judge_foreign_key(c, entry, &wanted, err);
        entry->chosen = wanted;
    }
    return code;
}

static enum pgc_code choose_named(struct chooser *c, const struct pgc_strings *names, struct pgc_error *err) {
    for (size_t n = 0; n < names->count; n++) {
        PGC_AUTO_FREE char *name = printed_name(names->items[n]);
        if (name == NULL)
            return pgc_fail_nomem(err);
        bool found = false;
        for (size_t i = 0; i < c->toc->count; i++) {
            const char *text = relation_text(&c->toc->items[i]);
            if (text == NULL || !is_named(text, name))
                continue;
            c->toc->items[i].chosen = found = true;
        }
        if (!found)
            return pgc_fail(err, PGC_E_NOT_FOUND, "the backup holds no table '%s'", names->items[n]);
    }
    return PGC_OK;
}

enum pgc_code pgc_toc_choose_tables(struct pgc_toc *toc, const struct pgc_strings *names, bool alone,
                                    struct pgc_strings *left_out, struct pgc_error *err) {
    PGC_AUTO_FREE struct pgc_toc_entry **by_id = calloc(toc->count + 1, sizeof(struct pgc_toc_entry *));
    if (by_id == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < toc->count; i++)
        by_id[i] = &toc->items[i];
    qsort(by_id, toc->count, sizeof(struct pgc_toc_entry *), compare_ids);
    struct chooser c = { toc, by_id, alone, left_out, false };
    enum pgc_code code = choose_named(&c, names, err);
    if (code != PGC_OK)
        return code;
    choose_dependents(&c);
    drop_loose_attachments(&c);
    if (alone)
        choose_needs(&c);
    return choose_foreign_keys(&c, err);
}

void pgc_toc_choose_all(struct pgc_toc *toc) {
    for (size_t i = 0; i < toc->count; i++)
        toc->items[i].chosen = true;
}

static bool is_kind(const struct pgc_toc_entry *entry, const char *kind) {
    size_t len = strlen(kind);
    return strncmp(entry->text, kind, len) == 0 && entry->text[len] == ' ';
}

bool pgc_toc_has_kind(const struct pgc_toc *toc, const char *kind) {
    for (size_t i = 0; i < toc->count; i++)
        if (is_kind(&toc->items[i], kind))
            return true;
    return false;
}

void pgc_toc_drop_kind(struct pgc_toc *toc, const char *kind) {
    for (size_t i = 0; i < toc->count; i++)
        if (is_kind(&toc->items[i], kind))
            toc->items[i].chosen = false;
}

/* --- writing --------------------------------------------------------------------------------------------------- */

static bool is_of_database(const struct pgc_toc_entry *entry) {
    static const char *const kinds[] = { "DATABASE PROPERTIES - ", "COMMENT - DATABASE ", "ACL - DATABASE ",
                                         "SECURITY LABEL - DATABASE " };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (pgc_text_starts(entry->text, kinds[i]))
            return true;
    return entry->class_oid == CLASS_OF_DATABASES && pgc_text_starts(entry->text, "DATABASE - ");
}

void pgc_toc_write(const struct pgc_toc *toc, struct pgc_buf *out, enum pgc_toc_part part) {
    for (size_t i = 0; i < toc->count; i++)
        if (part == PGC_TOC_CHOSEN ? toc->items[i].chosen : is_of_database(&toc->items[i]))
            pgc_buf_putf(out, "%ld; %s\n", toc->items[i].id, toc->items[i].text);
}
