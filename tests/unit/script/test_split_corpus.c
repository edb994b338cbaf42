/* Every case of $CORPUS/sqlsplit that names what psql sends, and every file of $CORPUS/pgregress with a recorded split.
 * Without the corpora nothing is tested and a line says so; tests/conformance/sqlsplit.sh counts the cases. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "io/digest.h"
#include "io/file.h"
#include "script/split.h"

static struct pgc_strings cases = PGC_STRINGS_INIT;

static bool blank(char c) {
    return c != '\0' && strchr(" \t\r\n\f\v", c) != NULL;
}

static const char *skip_comment(const char *s) {
    if (s[0] == '-')
        return s + strcspn(s, "\r\n");
    int depth = 0;
    for (; *s != '\0'; s++) {
        if (s[0] == '/' && s[1] == '*') {
            depth++;
            s++;
        } else if (s[0] == '*' && s[1] == '/') {
            s++;
            if (--depth == 0)
                return s + 1;
        }
    }
    return s;
}

/* The normal form of the corpus' README. */
static void normal_form(const char *s, struct pgc_buf *out) {
    pgc_buf_clear(out);
    for (;;) {
        if (blank(*s) || *s == ';')
            s++;
        else if ((s[0] == '-' && s[1] == '-') || (s[0] == '/' && s[1] == '*'))
            s = skip_comment(s);
        else
            break;
    }
    for (; *s != '\0'; s++)
        if (!blank(*s))
            pgc_buf_putc(out, *s);
    while (out->len > 0 && out->data[out->len - 1] == ';')
        pgc_buf_truncate(out, out->len - 1);
}

struct collected {
    struct pgc_strings queries;
    size_t copies;
};

static enum pgc_code collect(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct collected *c = arg;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf form = PGC_BUF_INIT;
    if (item->kind == PGC_SPLIT_COPY_DATA)
        c->copies++;
    if (item->kind != PGC_SPLIT_STATEMENT)
        return PGC_OK;
    normal_form(item->text, &form);
    return form.len == 0 ? PGC_OK : pgc_strings_add(&c->queries, form.data, err);
}

static void read_file(const char *path, struct pgc_buf *out) {
    struct pgc_error err;
    ck_assert_msg(pgc_file_read(path, 64 << 20, out, &err) == PGC_OK, "%s", err.message);
}

/* Reads through a source whose blocks are small and odd, so that lines are cut at every place. */
struct trickle {
    struct pgc_source base;
    const struct pgc_buf *text;
    size_t pos;
};
static enum pgc_code trickle_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct trickle *t = (struct trickle *)source;
    (void)err;
    size_t n = t->text->len - t->pos;
    n = n > 7 ? 7 : n;
    *len = n > cap ? cap : n;
    memcpy(buf, t->text->data + t->pos, *len);
    t->pos += *len;
    return PGC_OK;
}
static void trickle_drop(struct pgc_source *source) {
    (void)source;
}

static void split_file(const char *path, bool in_pieces, struct collected *out) {
    static const char *const set[] = { "DBNAME", "x", NULL };
    static const struct pgc_source_ops ops = { trickle_get, NULL, trickle_drop };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    struct pgc_split_options options = { .variables = true, .set = set };
    struct pgc_error err;
    read_file(path, &text);
    struct trickle trickle = { { &ops }, &text, 0 };
    enum pgc_code code = in_pieces ? pgc_split_source(&trickle.base, &options, collect, out, NULL, &err)
                                   : pgc_split_text(text.data, text.len, &options, collect, out, NULL, &err);
    ck_assert_msg(code == PGC_OK, "%s: %s", path, err.message);
}

static void check_sqlsplit(const char *folder, const struct pgc_json *expected, struct collected *got) {
    const struct pgc_json *want = pgc_json_get(expected, "psql");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf form = PGC_BUF_INIT;
    size_t n = 0;
    for (size_t i = 0; i < pgc_json_count(want); i++) {
        normal_form(pgc_json_text(pgc_json_at(want, i)), &form);
        if (form.len == 0)
            continue;
        ck_assert_msg(n < got->queries.count, "%s: query %zu is missing: %s", folder, n, form.data);
        ck_assert_msg(strcmp(got->queries.items[n], form.data) == 0, "%s: query %zu is\n%s\ninstead of\n%s", folder, n,
                      got->queries.items[n], form.data);
        n++;
    }
    ck_assert_msg(n == got->queries.count, "%s: %zu queries too many", folder, got->queries.count - n);
    ck_assert_int_eq((long)got->copies, pgc_json_int(pgc_json_get(expected, "copy_from_stdin"), 0));
}

static void check_pgregress(const char *file, const struct pgc_json *expected, struct collected *got) {
    const struct pgc_json *lengths = pgc_json_get(expected, "lengths");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf all = PGC_BUF_INIT;
    for (size_t i = 0; i < got->queries.count; i++) {
        ck_assert_msg((int64_t)strlen(got->queries.items[i]) == pgc_json_int(pgc_json_at(lengths, i), -1),
                      "%s: query %zu has another length: %s", file, i, got->queries.items[i]);
        if (i > 0)
            pgc_buf_putc(&all, '\0');
        pgc_buf_puts(&all, got->queries.items[i]);
    }
    ck_assert_int_eq((long)got->queries.count, pgc_json_int(pgc_json_get(expected, "queries"), -1));
    char hash[2 * PGC_DIGEST_MAX + 1];
    pgc_digest_hex(PGC_DIGEST_SHA256, all.data, all.len, hash);
    ck_assert_msg(strcmp(hash, pgc_json_text(pgc_json_get(expected, "queries_sha256"))) == 0, "%s: the text differs",
                  file);
    ck_assert_int_eq((long)got->copies, pgc_json_int(pgc_json_get(expected, "copy_from_stdin"), 0));
}

/* A case is "FILE.sql\nFILE.json". */
START_TEST(case_splits_as_recorded)
{
    char sql[1024];
    struct pgc_error err;
    snprintf(sql, sizeof sql, "%s", cases.items[_i]);
    char *json = strchr(sql, '\n');
    *json++ = '\0';
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    read_file(json, &text);
    PGC_AUTO(pgc_json_free) struct pgc_json *expected = NULL;
    ck_assert_msg(pgc_json_parse(text.data, text.len, &expected, &err) == PGC_OK, "%s: %s", json, err.message);
    for (int pieces = 0; pieces < 2; pieces++) {
        struct collected got = { .queries = PGC_STRINGS_INIT };
        split_file(sql, pieces == 1, &got);
        if (pgc_json_get(expected, "psql") != NULL)
            check_sqlsplit(sql, expected, &got);
        else
            check_pgregress(sql, expected, &got);
        pgc_strings_release(&got.queries);
    }
}
END_TEST

static bool wanted(const char *json) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    struct pgc_error err;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    if (pgc_file_read(json, 64 << 20, &text, &err) != PGC_OK ||
        pgc_json_parse(text.data, text.len, &doc, &err) != PGC_OK)
        return false;
    return pgc_json_kind(pgc_json_get(doc, "psql")) == PGC_JSON_ARRAY ||
           pgc_json_kind(pgc_json_get(doc, "queries")) == PGC_JSON_NUMBER;
}

static void list(const char *corpus, const char *name, bool folders) {
    char path[512], json[1024], pair[2100];
    snprintf(path, sizeof path, "%s/%s", corpus, name);
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || (!folders && (len < 5 || strcmp(entry->d_name + len - 5, ".json") != 0)))
            continue;
        snprintf(json, sizeof json, "%s/%s%s", path, entry->d_name, folders ? "/expected.json" : "");
        if (!wanted(json))
            continue;
        if (folders)
            snprintf(pair, sizeof pair, "%s/%s/input.sql\n%s", path, entry->d_name, json);
        else
            snprintf(pair, sizeof pair, "%s/%.*s.sql\n%s", path, (int)(len - 5), entry->d_name, json);
        struct pgc_error err;
        if (pgc_strings_add(&cases, pair, &err) != PGC_OK)
            break;
    }
    if (dir != NULL)
        closedir(dir);
}

Suite *split_corpus_suite(void);
Suite *split_corpus_suite(void) {
    Suite *s = suite_create("split_corpus");
    const char *corpus = getenv("CORPUS");
    if (corpus != NULL) {
        list(corpus, "sqlsplit", true);
        list(corpus, "pgregress", false);
        pgc_strings_sort(&cases);
    }
    if (cases.count == 0) {
        fprintf(stderr, "split_corpus: skipped: no corpus\n");
        return s;
    }
    TCase *t = tcase_create("psql");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, case_splits_as_recorded, 0, (int)cases.count);
    suite_add_tcase(s, t);
    return s;
}
