#include "init/preflight.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "init/open.h"
#include "io/file.h"
#include "script/split.h"

#define SCRIPT_MAX ((size_t)16 << 20)

static PGC_PRINTF(6, 7) enum pgc_code
    add(struct pgc_init_findings *findings, const struct pgc_init_step *step, unsigned long line, bool fatal,
        struct pgc_error *err, const char *format, ...) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&text, format, args);
    va_end(args);
    char *message = pgc_buf_detach(&text);
    if (message == NULL ||
        !pgc_array_grow(&findings->items, &findings->cap, findings->count + 1, sizeof *findings->items)) {
        free(message);
        return pgc_fail_nomem(err);
    }
    findings->items[findings->count++] = (struct pgc_init_finding) { fatal, step, line, message };
    findings->fatal_count += fatal;
    return PGC_OK;
}

void pgc_init_findings_release(struct pgc_init_findings *findings) {
    for (size_t i = 0; i < findings->count; i++)
        free(findings->items[i].message);
    free(findings->items);
    *findings = (struct pgc_init_findings)PGC_INIT_FINDINGS_INIT;
}

/* --- shell scripts ---------------------------------------------------------------------------------- */

static bool is_shell(const char *interpreter) {
    const char *slash = strrchr(interpreter, '/');
    const char *base = slash != NULL ? slash + 1 : interpreter;
    return strcmp(base, "sh") == 0 || strcmp(base, "bash") == 0 || strcmp(base, "dash") == 0 ||
           strcmp(base, "ash") == 0;
}

/* The first line "#! INTERPRETER [ARG]"; through env the program that env will look up. Empty: no such line. */
static void interpreter_of(const char *text, struct pgc_buf *path, struct pgc_buf *looked_up) {
    if (strncmp(text, "#!", 2) != 0)
        return;
    const char *p = text + 2 + strspn(text + 2, " \t");
    size_t len = strcspn(p, " \t\r\n");
    pgc_buf_put(path, p, len);
    if (!pgc_text_ends(path->data, "/env"))
        return;
    p += len;
    for (;;) {
        p += strspn(p, " \t");
        len = strcspn(p, " \t\r\n");
        if (len == 0 || p[0] != '-')
            break;
        p += len;
    }
    pgc_buf_put(looked_up, p, len);
}

static enum pgc_code check_interpreter(const struct pgc_init_step *step, const struct pgc_init_shell *shell,
                                       const char *text, struct pgc_init_findings *findings, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    interpreter_of(text, &path, &name);
    const char *program = name.len > 0 ? name.data : path.data;
    if (step->kind == PGC_INIT_SH_SOURCED)
        return path.len > 0 && !is_shell(program)
                   ? add(findings, step, 1, true, err,
                         "is for %s but not executable, so a shell would read it: chmod +x", program)
                   : PGC_OK;
    if (path.len == 0)
        return add(findings, step, 1, false, err, "is executable but has no #! line; sh will run it");
    if (access(path.data, X_OK) != 0)
        return add(findings, step, 1, true, err, "wants the interpreter '%s', which is not in this image", path.data);
    PGC_AUTO_FREE char *found = NULL;
    enum pgc_code code = name.len > 0 ? pgc_init_env_find(&shell->env, name.data, &found, err) : PGC_OK;
    if (code == PGC_OK && name.len > 0 && found == NULL)
        return add(findings, step, 1, true, err, "wants the interpreter '%s', which is not in PATH", name.data);
    return code;
}

static enum pgc_code check_shell(const struct pgc_init_step *step, const struct pgc_init_shell *shell,
                                 struct pgc_init_findings *findings, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = pgc_file_read(step->path, SCRIPT_MAX, &text, err);
    if (code != PGC_OK)
        return add(findings, step, 0, true, err, "%s", err->message);
    if (pgc_text_starts(text.data, "\xef\xbb\xbf"))
        return add(findings, step, 1, true, err, "begins with a byte order mark, which no shell understands");
    const char *crlf = strstr(text.data, "\r\n");
    if (crlf != NULL) {
        unsigned long line = 1;
        for (const char *p = text.data; p < crlf; p++)
            line += *p == '\n';
        return add(findings, step, line, true, err,
                   "has CR LF line ends; save it with LF (a git checkout on Windows makes these)");
    }
    return check_interpreter(step, shell, text.data, findings, err);
}

/* --- SQL -------------------------------------------------------------------------------------------- */

struct look {
    bool breaks_transaction;
    unsigned long if_lines[64];
    size_t if_depth;
    unsigned long stray_line; /* \else, \elif or \endif without \if */
};

static bool word_is(const char **p, const char *word) {
    size_t len = strlen(word);
    if (strncasecmp(*p, word, len) != 0 || isalnum((unsigned char)(*p)[len]) || (*p)[len] == '_')
        return false;
    *p += len;
    for (;;) {
        *p += strspn(*p, " \t\r\n\f\v");
        if (strncmp(*p, "--", 2) != 0)
            return true;
        *p += strcspn(*p, "\n");
    }
}

static bool any_word(const char **p, const char *const *words) {
    for (; *words != NULL; words++)
        if (word_is(p, *words))
            return true;
    return false;
}

/* The statements that PreventInTransactionBlock() refuses, by their first words, and transaction control itself. */
static bool breaks_transaction(const char *sql) {
    static const char *const control[] = { "begin", "start",   "commit", "end", "rollback",
                                           "abort", "prepare", "vacuum", NULL };
    static const char *const things[] = { "database", "tablespace", "subscription", NULL };
    const char *p = sql;
    if (any_word(&p, control))
        return true;
    if (word_is(&p, "alter"))
        return word_is(&p, "system") || word_is(&p, "subscription") ||
               (word_is(&p, "database") && strcasestr(p, "tablespace") != NULL);
    if (word_is(&p, "reindex") || word_is(&p, "cluster"))
        return true;
    if (word_is(&p, "create") || word_is(&p, "drop")) {
        (void)word_is(&p, "unique");
        return any_word(&p, things) || (word_is(&p, "index") && word_is(&p, "concurrently"));
    }
    return word_is(&p, "discard") && word_is(&p, "all");
}

static void look_at_meta(struct look *look, const struct pgc_split_item *item) {
    const char *p = item->text;
    if (word_is(&p, "if")) {
        if (look->if_depth < 64)
            look->if_lines[look->if_depth] = item->line;
        look->if_depth++;
    } else if (word_is(&p, "endif") || ((word_is(&p, "else") || word_is(&p, "elif")) && look->if_depth == 0)) {
        if (look->if_depth == 0 && look->stray_line == 0)
            look->stray_line = item->line;
        look->if_depth -= look->if_depth > 0;
    } else if (word_is(&p, "c") || word_is(&p, "connect")) {
        look->breaks_transaction = true;
    }
}

static enum pgc_code look_at(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct look *look = arg;
    (void)err;
    if (item->kind == PGC_SPLIT_META)
        look_at_meta(look, item);
    else if (item->kind == PGC_SPLIT_STATEMENT)
        look->breaks_transaction |= breaks_transaction(item->text);
    return PGC_OK;
}

static enum pgc_code split_step(const struct pgc_init_step *step, struct look *look, struct pgc_split_end *end,
                                struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    *look = (struct look) { 0 };
    struct pgc_split_options options = { 0 };
    enum pgc_code code = pgc_init_open_sql(step, &source, err);
    return code == PGC_OK ? pgc_split_source(source, &options, look_at, look, end, err) : code;
}

static enum pgc_code check_sql(const struct pgc_init_step *step, struct pgc_init_findings *findings,
                               struct pgc_error *err) {
    struct look look;
    struct pgc_split_end end = { 0 };
    enum pgc_code code = split_step(step, &look, &end, err);
    if (code == PGC_E_NOMEM)
        return code;
    if (code != PGC_OK)
        return add(findings, step, 0, true, err, "%s", err->message);
    if (end.open_line > 0)
        code = add(findings, step, end.open_line, true, err, "%s begins here and never ends",
                   pgc_lex_state_name(end.state));
    if (code == PGC_OK && look.if_depth > 0)
        code = add(findings, step, look.if_lines[look.if_depth > 64 ? 63 : look.if_depth - 1], true, err,
                   "\\if without \\endif");
    if (code == PGC_OK && look.stray_line > 0)
        code = add(findings, step, look.stray_line, true, err, "\\endif, \\else or \\elif without \\if");
    return code;
}

enum pgc_code pgc_init_fits_transaction(const struct pgc_init_step *step, bool *fits, struct pgc_error *err) {
    struct look look;
    enum pgc_code code = split_step(step, &look, NULL, err);
    *fits = code == PGC_OK && !look.breaks_transaction;
    return code;
}

enum pgc_code pgc_init_preflight(const struct pgc_init_step *step, const struct pgc_init_shell *shell,
                                 struct pgc_init_findings *findings, struct pgc_error *err) {
    if (access(step->path, R_OK) != 0)
        return add(findings, step, 0, true, err, "cannot be read by uid %u", (unsigned)geteuid());
    if (step->kind == PGC_INIT_SH_EXECUTED || step->kind == PGC_INIT_SH_SOURCED)
        return check_shell(step, shell, findings, err);
    return pgc_init_is_sql(step->kind) ? check_sql(step, findings, err) : PGC_OK;
}
