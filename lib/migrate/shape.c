#include "migrate/shape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "script/split.h"

#define WORDS ((size_t)48)

void pgc_shape_release(struct pgc_shape *shape) {
    free(shape->statements);
    *shape = (struct pgc_shape)PGC_SHAPE_INIT;
}

/* --- words -------------------------------------------------------------------------------------------------- */

static size_t skip_comment(const char *sql, size_t len, size_t at) {
    if (sql[at] == '-') {
        while (at < len && sql[at] != '\n')
            at++;
        return at;
    }
    int depth = 0;
    for (; at < len; at++) {
        if (at + 1 < len && sql[at] == '/' && sql[at + 1] == '*')
            depth++, at++;
        else if (at + 1 < len && sql[at] == '*' && sql[at + 1] == '/' && (at++, --depth == 0))
            return at + 1;
    }
    return len;
}

static bool word_char(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

/* Behind the quote that opens at `at`; doubled quotes belong to the text. */
static size_t skip_quoted(const char *sql, size_t len, size_t at, char *out) {
    char quote = sql[at++];
    size_t n = 0;
    for (; at < len; at++) {
        if (sql[at] == quote && !(at + 1 < len && sql[at + 1] == quote))
            break;
        at += sql[at] == quote;
        if (out != NULL && n < 63)
            out[n++] = sql[at];
    }
    if (out != NULL)
        out[n] = '\0';
    return at < len ? at + 1 : len;
}

size_t pgc_statement_tokens(const char *sql, size_t len, struct pgc_statement_token *tokens, size_t max) {
    size_t count = 0;
    for (size_t at = 0; at < len && count < max;) {
        struct pgc_statement_token *token = &tokens[count];
        char c = sql[at];
        *token = (struct pgc_statement_token) { .offset = at };
        if (isspace((unsigned char)c)) {
            at++;
        } else if (at + 1 < len && ((c == '-' && sql[at + 1] == '-') || (c == '/' && sql[at + 1] == '*'))) {
            at = skip_comment(sql, len, at);
        } else if (c == '"') {
            at = skip_quoted(sql, len, at, token->word);
            count++;
        } else if (c == '\'') {
            at = skip_quoted(sql, len, at, NULL);
        } else if (word_char(c)) {
            size_t n = 0;
            for (; at < len && word_char(sql[at]); at++) {
                if (n < 63)
                    token->word[n++] = (char)toupper((unsigned char)sql[at]);
            }
            count++;
        } else {
            token->word[0] = c;
            count++;
            at++;
        }
        token->end = at;
    }
    return count;
}

size_t pgc_statement_words(const char *sql, size_t len, char (*words)[64], size_t max) {
    struct pgc_statement_token tokens[WORDS];
    size_t count = pgc_statement_tokens(sql, len, tokens, max < WORDS ? max : WORDS);
    for (size_t i = 0; i < count; i++)
        memcpy(words[i], tokens[i].word, sizeof words[i]);
    return count;
}

/* --- what cannot run in a transaction -------------------------------------------------------------------------- */

/* Patterns of leading words; "*" skips anything, "|" separates alternatives of one word, but not of the first. */
static const struct {
    const char *pattern, *what;
    enum pgc_statement_kind kind;
} patterns[] = {
    { "CREATE INDEX CONCURRENTLY", "CREATE INDEX CONCURRENTLY", PGC_STATEMENT_OUTSIDE },
    { "CREATE UNIQUE INDEX CONCURRENTLY", "CREATE INDEX CONCURRENTLY", PGC_STATEMENT_OUTSIDE },
    { "DROP INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY", PGC_STATEMENT_OUTSIDE },
    { "REINDEX * CONCURRENTLY", "REINDEX CONCURRENTLY", PGC_STATEMENT_OUTSIDE },
    { "REINDEX SCHEMA|DATABASE|SYSTEM", "REINDEX", PGC_STATEMENT_OUTSIDE },
    { "REINDEX ( * ) SCHEMA|DATABASE|SYSTEM", "REINDEX", PGC_STATEMENT_OUTSIDE },
    { "REINDEX VERBOSE SCHEMA|DATABASE|SYSTEM", "REINDEX", PGC_STATEMENT_OUTSIDE },
    { "REPACK * CONCURRENTLY", "REPACK CONCURRENTLY", PGC_STATEMENT_OUTSIDE },
    { "ALTER TABLE * DETACH PARTITION * CONCURRENTLY", "DETACH PARTITION CONCURRENTLY", PGC_STATEMENT_OUTSIDE },
    { "CREATE DATABASE|TABLESPACE", "CREATE DATABASE and the like", PGC_STATEMENT_OUTSIDE },
    { "DROP DATABASE|TABLESPACE", "CREATE DATABASE and the like", PGC_STATEMENT_OUTSIDE },
    { "ALTER DATABASE * SET TABLESPACE", "ALTER DATABASE SET TABLESPACE", PGC_STATEMENT_OUTSIDE },
    { "ALTER SYSTEM", "ALTER SYSTEM", PGC_STATEMENT_OUTSIDE },
    { "CREATE SUBSCRIPTION", "a subscription with its slot", PGC_STATEMENT_OUTSIDE },
    { "ALTER SUBSCRIPTION", "a subscription with its slot", PGC_STATEMENT_OUTSIDE },
    { "DROP SUBSCRIPTION", "a subscription with its slot", PGC_STATEMENT_OUTSIDE },
    { "VACUUM", "VACUUM", PGC_STATEMENT_OUTSIDE },
    { "DISCARD ALL", "DISCARD ALL", PGC_STATEMENT_OUTSIDE },
    { "BEGIN", "BEGIN", PGC_STATEMENT_BEGIN },
    { "START TRANSACTION", "START TRANSACTION", PGC_STATEMENT_BEGIN },
    { "ROLLBACK TO", "", PGC_STATEMENT_PLAIN },
    { "ROLLBACK WORK|TRANSACTION TO", "", PGC_STATEMENT_PLAIN },
    { "COMMIT", "COMMIT or ROLLBACK", PGC_STATEMENT_END },
    { "END", "COMMIT or ROLLBACK", PGC_STATEMENT_END },
    { "ROLLBACK", "COMMIT or ROLLBACK", PGC_STATEMENT_END },
    { "ABORT", "COMMIT or ROLLBACK", PGC_STATEMENT_END },
    { "PREPARE TRANSACTION", "PREPARE TRANSACTION", PGC_STATEMENT_END },
    { "CALL", "", PGC_STATEMENT_CALLS },
    { "DO", "", PGC_STATEMENT_CALLS },
};

static bool word_fits(const char *word, const char *choice, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t n = 0;
        while (at + n < len && choice[at + n] != '|')
            n++;
        if (strlen(word) == n && strncmp(word, choice + at, n) == 0)
            return true;
        at += n + 1;
    }
    return false;
}

static bool pattern_fits(const char *pattern, char (*words)[64], size_t count, size_t word) {
    if (*pattern == '\0')
        return true;
    size_t len = strcspn(pattern, " ");
    const char *rest = pattern + len + (pattern[len] == ' ');
    if (len == 1 && *pattern == '*') {
        for (; word < count; word++) {
            if (pattern_fits(rest, words, count, word))
                return true;
        }
        return false;
    }
    return word < count && word_fits(words[word], pattern, len) && pattern_fits(rest, words, count, word + 1);
}

/* CLUSTER without a table is refused in a transaction, with one it is not. */
static bool bare_cluster(char (*words)[64], size_t count) {
    return count > 0 && strcmp(words[0], "CLUSTER") == 0 &&
           (count == 1 || strcmp(words[1], ";") == 0 || (strcmp(words[1], "VERBOSE") == 0 && count <= 3));
}

/* Most statements are known by their first word to be none of these. */
static bool begins_pattern(const char *first) {
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *pattern = patterns[i].pattern;
        size_t n = 0;
        while (first[n] != '\0' && first[n] == pattern[n])
            n++;
        if (n > 0 && first[n] == '\0' && (pattern[n] == ' ' || pattern[n] == '\0'))
            return true;
    }
    return strcmp(first, "CLUSTER") == 0;
}

static enum pgc_statement_kind kind_of(const char *first, const char *sql, size_t len, const char **what) {
    char words[WORDS][64];
    *what = "";
    if (!begins_pattern(first))
        return PGC_STATEMENT_PLAIN;
    size_t count = pgc_statement_words(sql, len, words, WORDS);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (pattern_fits(patterns[i].pattern, words, count, 0)) {
            *what = patterns[i].what;
            return patterns[i].kind;
        }
    }
    if (!bare_cluster(words, count))
        return PGC_STATEMENT_PLAIN;
    *what = "CLUSTER";
    return PGC_STATEMENT_OUTSIDE;
}

enum pgc_statement_kind pgc_statement_kind(const char *sql, size_t len, char what[64]) {
    char first[1][64] = { "" };
    const char *name;
    pgc_statement_words(sql, len, first, 1);
    enum pgc_statement_kind kind = kind_of(first[0], sql, len, &name);
    if (what != NULL)
        snprintf(what, 64, "%s", name);
    return kind;
}

/* --- a whole script -------------------------------------------------------------------------------------------- */

struct reader {
    struct pgc_shape *shape;
    const struct pgc_migration_script *script;
    bool psql;
    char why_psql[100];
};

static void say_why(struct pgc_shape *shape, const char *what, size_t line, const char *rest) {
    if (shape->why[0] == '\0')
        snprintf(shape->why, sizeof shape->why, "%s in line %zu %s", what, line, rest);
}

/* Statements that leave nothing in the session, whatever stands in them (functions that set something in passing excepted,
 * which the caller looks for by name). */
static bool leaves_nothing(const char *first) {
    static const char *const words[] = { "CREATE", "ALTER", "DROP",   "INSERT",  "UPDATE",   "DELETE",
                                         "MERGE",  "GRANT", "REVOKE", "COMMENT", "TRUNCATE", "REFRESH" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(first, words[i]) == 0)
            return true;
    }
    return false;
}

/* Words in passing that change something for the session: of functions, of tables, of channels, of locks. */
static bool mentions_session(const char *text) {
    for (; *text != '\0'; text++) {
        char c = (char)(*text | 0x20);
        if ((c == 't' && strncasecmp(text, "temp", 4) == 0) || (c == 'l' && strncasecmp(text, "listen", 6) == 0) ||
            (c == 's' && strncasecmp(text, "set_config", 10) == 0) ||
            (c == 'a' && strncasecmp(text, "advisory", 8) == 0))
            return true;
    }
    return false;
}

static enum pgc_code each(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct reader *reader = arg;
    struct pgc_shape *shape = reader->shape;
    size_t line = reader->script->line + item->line - 1;
    if (item->kind != PGC_SPLIT_STATEMENT) {
        if (!reader->psql)
            snprintf(reader->why_psql, sizeof reader->why_psql, "%s in line %zu",
                     item->kind == PGC_SPLIT_META ? "a psql command" : "COPY data", line);
        reader->psql = true;
        return PGC_OK;
    }
    if (!pgc_array_grow(&shape->statements, &shape->cap, shape->count + 1, sizeof *shape->statements))
        return pgc_fail_nomem(err);
    char first[1][64] = { "" };
    const char *what;
    pgc_statement_words(item->text, item->len, first, 1);
    enum pgc_statement_kind kind = kind_of(first[0], item->text, item->len, &what);
    shape->statements[shape->count++] = (struct pgc_shape_statement) { item->offset, item->end, line, kind };
    shape->settings |= !leaves_nothing(first[0]);
    if (kind == PGC_STATEMENT_OUTSIDE) {
        shape->outside = true;
        say_why(shape, what, line, "cannot run in a transaction");
    } else if (kind == PGC_STATEMENT_BEGIN || kind == PGC_STATEMENT_END) {
        shape->outside = true;
        say_why(shape, what, line, "controls the transaction");
    }
    return PGC_OK;
}

enum pgc_code pgc_shape_read(struct pgc_shape *shape, const struct pgc_migration_script *script,
                             struct pgc_error *err) {
    static const struct pgc_split_options options;
    struct reader reader = { .shape = shape, .script = script };
    struct pgc_split_end end;
    enum pgc_code code = pgc_split_text(script->text, script->len, &options, each, &reader, &end, err);
    if (code != PGC_OK)
        return code;
    shape->settings = shape->settings || mentions_session(script->text);
    if (script->tx == PGC_MIGRATION_TX_ON && shape->outside)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: marked transaction:true, but %s", script->path, script->tx_line,
                        shape->why);
    if (script->tx == PGC_MIGRATION_TX_OFF) {
        shape->outside = true;
        if (shape->why[0] == '\0')
            snprintf(shape->why, sizeof shape->why, "marked so");
    }
    if (reader.psql) {
        shape->mode = PGC_SHAPE_PSQL;
        if (shape->why[0] == '\0')
            snprintf(shape->why, sizeof shape->why, "%s", reader.why_psql);
    } else {
        shape->mode = shape->outside ? PGC_SHAPE_STATEMENTS : PGC_SHAPE_TRANSACTION;
    }
    return PGC_OK;
}
