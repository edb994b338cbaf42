/* COPY FROM STDIN and TO STDOUT, and \copy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "script/runner_internal.h"
#include "script/slash_copy.h"

enum { BLOCK = 65536 };

/* Ends a COPY whose data did not arrive; what the server says to it is the next result. */
static bool give_up(struct pgc_script *script, const char *reason) {
    struct pgc_error err;
    if (pgc_raw_copy_end(script->conn, reason, &err) != PGC_OK)
        pgc__script_broken(script, &err);
    return false;
}

static bool put(struct pgc_script *script, const char *data, size_t len) {
    struct pgc_error err;
    enum pgc_code code = pgc_raw_copy_put(script->conn, data, len, &err);
    if (code == PGC_OK)
        return true;
    if (code == PGC_E_CANCELLED)
        (void)give_up(script, "canceled by user");
    if (script->conn != NULL)
        pgc__script_broken(script, &err);
    return false;
}

static bool finish(struct pgc_script *script) {
    struct pgc_error err;
    if (pgc_raw_copy_end(script->conn, NULL, &err) == PGC_OK)
        return true;
    pgc__script_broken(script, &err);
    return false;
}

/* Text: up to the end marker. Binary data from a file: all of it. */
static bool from_reader(struct pgc_script *script, struct pgc_reader *reader, bool binary) {
    bool inline_data = reader == script->engine->reader;
    struct pgc_error err;
    const char *data = "";
    size_t len = 0;
    char *block = binary ? malloc(BLOCK) : NULL;
    bool sent = true;
    enum pgc_code code = PGC_OK;
    pgc_reader_begin_copy(reader);
    for (;;) {
        if (block != NULL) {
            code = pgc_source_get(reader->source, block, BLOCK, &len, &err);
            data = block;
        } else
            code = pgc_reader_copy(reader, &data, &len, &err);
        if (inline_data) /* notices name the line that was read last, as psql's do */
            pgc_engine_line_passed(script->engine);
        if (code != PGC_OK || len == 0)
            break;
        /* after a failure the rest is still passed over: it is data */
        sent = sent && put(script, data, len);
        if (!sent && script->fatal)
            break;
    }
    free(block);
    if (code != PGC_OK) {
        pgc__script_error(script, "%s", err.message);
        return give_up(script, "could not read from COPY file");
    }
    return sent && finish(script);
}

static bool from_script(struct pgc_script *script) {
    struct pgc_engine *engine = script->engine;
    pgc_lexer_keep_line(&engine->lexer);
    return from_reader(script, engine->reader, false);
}

/* popen or fopen behind a source. */
struct file_source {
    struct pgc_source base;
    FILE *file;
};
static enum pgc_code file_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct file_source *f = (struct file_source *)source;
    *len = fread(buf, 1, cap, f->file);
    return *len == 0 && ferror(f->file) ? pgc_fail_errno(err, PGC_E_IO, "could not read from COPY file") : PGC_OK;
}
static const struct pgc_source_ops file_ops = { file_get, NULL, NULL };

/* NULL: told. */
static FILE *open_file(struct pgc_script *script, const struct pgc_slash_copy *copy) {
    pgc__script_flush(script);
    FILE *file = copy->program ? popen(copy->file, copy->from ? "r" : "w") : fopen(copy->file, copy->from ? "r" : "w");
    struct stat st;
    if (file == NULL && copy->program)
        pgc__script_error(script, "could not execute command \"%s\": %m", copy->file);
    else if (file == NULL)
        pgc__script_error(script, "%s: %m", copy->file);
    else if (!copy->program && fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        pgc__script_error(script, "%s: cannot copy from/to a directory", copy->file);
        fclose(file);
        return NULL;
    }
    return file;
}

static bool close_file(struct pgc_script *script, const struct pgc_slash_copy *copy, FILE *file) {
    bool bad = ferror(file) != 0;
    int status = copy->program ? pclose(file) : fclose(file);
    if (status == 0 && !bad)
        return true;
    if (copy->program && status > 0)
        pgc__script_error(script, "%s: child process exited with exit code %d", copy->file, (status >> 8) & 255);
    else
        pgc__script_error(script, "%s: %m", copy->file);
    return false;
}

bool pgc__script_copy_in(struct pgc_script *script, bool binary) {
    const struct pgc_slash_copy *copy = script->copy;
    if (copy == NULL || (copy->file == NULL && !copy->outer))
        return from_script(script);
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    if (copy->outer) {
        pgc_reader_init(&reader, script->options.in);
        return from_reader(script, &reader, false);
    }
    FILE *file = open_file(script, copy);
    if (file == NULL)
        return give_up(script, "the file could not be opened");
    struct file_source source = { { &file_ops }, file };
    pgc_reader_init(&reader, &source.base);
    bool ok = from_reader(script, &reader, binary);
    return close_file(script, copy, file) && ok;
}

bool pgc__script_copy_out(struct pgc_script *script) {
    const struct pgc_slash_copy *copy = script->copy;
    FILE *file = NULL;
    bool to_file = copy != NULL && copy->file != NULL, ok = true;
    if (to_file) {
        file = open_file(script, copy);
        ok = file != NULL;
    }
    struct pgc_error err;
    char *row = NULL;
    size_t len;
    enum pgc_code code;
    while ((code = pgc_raw_copy_get(script->conn, &row, &len, &err)) == PGC_OK && row != NULL) {
        if (file != NULL)
            fwrite(row, 1, len, file);
        else if (!to_file)
            pgc__script_put(script, row, len);
    }
    if (file != NULL)
        ok = close_file(script, copy, file) && ok;
    if (code != PGC_OK) {
        pgc__script_broken(script, &err);
        return false;
    }
    return ok;
}

bool pgc__script_slash_copy(struct pgc_script *script, const char *text) {
    PGC_CLEANUP(pgc_slash_copy_release) struct pgc_slash_copy copy;
    static const struct pgc_engine_request request = { .kind = PGC_SEND_PLAIN, .terminated = true };
    struct pgc_error err;
    if (pgc_slash_copy_parse(text, &copy, &err) != PGC_OK) {
        pgc__script_error(script, "%s", err.message);
        return false;
    }
    if (script->conn == NULL) {
        pgc__script_error(script, "You are currently not connected to a database.");
        return false;
    }
    if (copy.program && !script->options.allow_shell) {
        pgc__script_error(script, "\\copy: no shell is run here (--allow-shell)");
        return false;
    }
    /* the file first, so that a missing one leaves the server alone */
    if (copy.file != NULL && !copy.program) {
        FILE *file = copy.from ? open_file(script, &copy) : NULL;
        if (copy.from && file == NULL)
            return false;
        if (file != NULL)
            fclose(file);
    }
    if (!pgc__script_pipeline_drain(script))
        return false;
    script->copy = &copy;
    bool ok = pgc__script_query(script, copy.sql.data, &request);
    script->copy = NULL;
    return ok;
}
