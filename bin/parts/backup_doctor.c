/* pgc backup doctor: does a store do what backups need, and if not, what is wrong with it? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/text.h"
#include "parts/backup_settings.h"
#include "parts/parts.h"
#include "store/s3.h"

#define SMALL_TEXT "pgc backup doctor: may be deleted\n"
#define BLOCK      ((size_t)128 * 1024)
#define PART_MS    500

struct doctor_settings {
    struct store_settings store;
    bool json;
};

/* One examination of a store. Keys below `prefix` are its own. */
struct visit {
    struct pgc_cli *cli;
    const struct doctor_settings *settings;
    struct pgc_store *store;
    char prefix[48];
    char small[96];
    char large[96];
    struct pgc_buf json;
    struct pgc_error first; /* what went wrong first; code PGC_OK when nothing did */
    size_t steps;
};

typedef enum pgc_code step_fn(struct visit *visit, struct pgc_error *err);

struct step {
    const char *name;
    const char *what;
    const char *permission; /* what S3 calls the right to do it */
    step_fn *run;
    bool always; /* also after a failure: cleaning up */
};

/* --- the steps ------------------------------------------------------------------------------------------- */

static enum pgc_code attach(struct visit *visit, struct pgc_error *err) {
    return settings_attach(visit->cli, visit->settings->store.url, 0, &visit->store, err);
}

static enum pgc_code put(struct visit *visit, struct pgc_error *err) {
    return pgc_store_save(visit->store, visit->small, SMALL_TEXT, strlen(SMALL_TEXT), "text/plain", err);
}

static enum pgc_code get(struct visit *visit, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = pgc_store_load(visit->store, visit->small, 4096, &text, err);
    if (code == PGC_OK && strcmp(text.data, SMALL_TEXT) != 0)
        code = pgc_fail(err, PGC_E_DATA, "the object has other bytes than were written");
    return code;
}

static enum pgc_code get_range(struct visit *visit, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    char got[16];
    size_t len = 0;
    enum pgc_code code = pgc_store_get(visit->store, visit->small, 4, 6, &source, err);
    if (code == PGC_OK)
        code = pgc_source_fill(source, got, sizeof got, &len, err);
    if (code == PGC_OK && (len != 6 || memcmp(got, SMALL_TEXT + 4, 6) != 0))
        code = pgc_fail(err, PGC_E_DATA, "the store gave other bytes than the range asked for");
    return code;
}

struct search {
    const char *key;
    uint64_t size;
    bool found;
};

static enum pgc_code look_at(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct search *search = arg;
    (void)err;
    if (strcmp(entry->key, search->key) == 0) {
        search->found = true;
        search->size = entry->size_bytes;
    }
    return PGC_OK;
}

static enum pgc_code find(struct visit *visit, const char *key, bool wanted, uint64_t size, struct pgc_error *err) {
    struct search search = { .key = key };
    enum pgc_code code = pgc_store_each(visit->store, visit->prefix, look_at, &search, err);
    if (code != PGC_OK)
        return code;
    if (search.found != wanted)
        return pgc_fail(err, PGC_E_DATA,
                        wanted ? "'%s' was written but is not listed (under exactly that name)"
                               : "'%s' is listed although it must not be there",
                        key);
    if (wanted && search.size != size)
        return pgc_fail(err, PGC_E_DATA, "'%s' is listed with %llu bytes instead of %llu", key,
                        (unsigned long long)search.size, (unsigned long long)size);
    return PGC_OK;
}

static enum pgc_code list(struct visit *visit, struct pgc_error *err) {
    return find(visit, visit->small, true, strlen(SMALL_TEXT), err);
}

/* More than one part where there are parts; elsewhere a few blocks. */
static uint64_t large_bytes(const struct visit *visit) {
    uint64_t part = pgc_s3_multipart_bytes(visit->store);
    return part > 0 ? part + 1 : 3 * BLOCK + 1;
}

static void fill_block(unsigned char *block, uint64_t at) {
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (unsigned char)(((at + i) * 2654435761U) >> 13);
}

static enum pgc_code write_large(struct visit *visit, struct pgc_sink **sink, struct pgc_error *err) {
    uint64_t total = large_bytes(visit);
    PGC_AUTO_FREE unsigned char *block = malloc(BLOCK);
    if (block == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_store_put(visit->store, visit->large, NULL, sink, err);
    for (uint64_t at = 0; code == PGC_OK && at < total; at += BLOCK) {
        fill_block(block, at);
        code = pgc_sink_put(*sink, block, total - at < BLOCK ? (size_t)(total - at) : BLOCK, err);
    }
    return code;
}

static enum pgc_code abort_large(struct visit *visit, struct pgc_error *err) {
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    size_t left = 0;
    enum pgc_code code = write_large(visit, &sink, err);
    if (code == PGC_OK && pgc_s3_multipart_bytes(visit->store) > 0)
        pgc_sleep_ms(visit->cli->rt, PART_MS); /* so that a part is there, or has failed, when it is given up */
    if (code == PGC_OK)
        code = pgc_sink_put(sink, "", 1, err);
    pgc_sink_drop(sink);
    sink = NULL;
    if (code == PGC_OK)
        code = find(visit, visit->large, false, 0, err);
    if (code == PGC_OK)
        code = pgc_store_sweep(visit->store, visit->prefix, 0, &left, err);
    if (code == PGC_OK && left > 0)
        code = pgc_fail(err, PGC_E_DATA, "an aborted upload was still open; it would be kept and paid for");
    return code;
}

static enum pgc_code multipart(struct visit *visit, struct pgc_error *err) {
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO_FREE unsigned char *want = malloc(BLOCK);
    PGC_AUTO_FREE unsigned char *got = malloc(BLOCK);
    size_t len = 0;
    if (want == NULL || got == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = write_large(visit, &sink, err);
    if (code == PGC_OK)
        code = pgc_sink_commit(sink, err);
    if (code == PGC_OK)
        code = find(visit, visit->large, true, large_bytes(visit), err);
    if (code == PGC_OK)
        code = pgc_store_get(visit->store, visit->large, large_bytes(visit) / BLOCK * BLOCK, UINT64_MAX, &source, err);
    if (code == PGC_OK)
        code = pgc_source_fill(source, got, BLOCK, &len, err);
    fill_block(want, large_bytes(visit) / BLOCK * BLOCK);
    if (code == PGC_OK && (len != large_bytes(visit) % BLOCK || memcmp(want, got, len) != 0))
        code = pgc_fail(err, PGC_E_DATA, "the end of the object has other bytes than were written");
    return code;
}

static enum pgc_code erase(struct visit *visit, struct pgc_error *err) {
    enum pgc_code code = pgc_store_erase(visit->store, visit->small, err);
    if (code == PGC_OK)
        code = pgc_store_erase(visit->store, visit->large, err);
    return code == PGC_OK ? find(visit, visit->small, false, 0, err) : code;
}

static const struct step steps[] = {
    { "attach", "address, settings and credentials", NULL, attach, false },
    { "put", "write an object", "s3:PutObject", put, false },
    { "get", "read it", "s3:GetObject", get, false },
    { "range", "read a part of it", "s3:GetObject", get_range, false },
    { "list", "find it in the list", "s3:ListBucket", list, false },
    { "abort", "give a large upload up", "s3:AbortMultipartUpload and s3:ListBucketMultipartUploads", abort_large,
      false },
    { "multipart", "write a large object", "s3:PutObject", multipart, false },
    { "delete", "remove both", "s3:DeleteObject", erase, true },
};

/* --- the report ------------------------------------------------------------------------------------------ */

/* What to do about a failure, by kind of store (its scheme, NULL: any) and kind of failure; the first row that fits. */
static const struct remedy {
    const char *scheme;
    enum pgc_code code;
    const char *text;
} remedies[] = {
    { "file", PGC_E_AUTH, "the user this runs as may not do that there: change the owner or the mode of the folder" },
    { "sftp", PGC_E_AUTH,
      "check the user, the key (is its public half in authorized_keys?) and its passphrase, and that the account may "
      "write there" },
    { "sftp", PGC_E_TLS,
      "compare with the fingerprint that the host itself prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); if "
      "it is the new one, pin it" },
    { "sftp", PGC_E_NOT_FOUND,
      "make the folder of the URL on the host; its path begins at the root of what SFTP shows" },
    { "dav", PGC_E_AUTH,
      "check the user and the password or token; the location must allow PUT, DELETE, MKCOL, MOVE and PROPFIND" },
    { "dav", PGC_E_NOT_FOUND, "the location of the URL is not there" },
    { "dav", PGC_E_IO,
      "the server must do WebDAV at that location (PUT, DELETE, MKCOL, MOVE, PROPFIND) and take large uploads" },
    { "s3", PGC_E_AUTH, "the credentials may not do this; the permission is called" },
    { "s3", PGC_E_NOT_FOUND,
      "the bucket or what was just written is not there: check the bucket, the region and the endpoint" },
    { NULL, PGC_E_UNAVAILABLE, "nobody answers there: check the host, the port and the network" },
    { NULL, PGC_E_TLS, "the certificate is not trusted: name the authority's certificate in PGC_CA_FILE" },
    { NULL, PGC_E_TIMEOUT, "the store is too slow or something on the way holds the data back" },
    { NULL, PGC_E_TEMPORARY,
      "the store was asked several times and kept failing: try again later, or ask its operator" },
    { NULL, PGC_E_NOSPACE, "make room there, or raise the quota" },
    { NULL, PGC_E_DATA,
      "the store changes names or bytes, or does not show what it took: backups would not be safe there" },
};

static bool is_kind(const struct visit *visit, const char *scheme) {
    const char *url = visit->settings->store.url;
    size_t len = strlen(scheme);
    if (strcmp(scheme, "file") == 0 && strstr(url, "://") == NULL)
        return true;
    return strncmp(url, scheme, len) == 0 && (url[len] == ':' || strncmp(url + len, "s:", 2) == 0);
}

/* NULL: the message says it all. */
static const char *advice(const struct visit *visit, enum pgc_code code) {
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (remedies[i].code == code && (remedies[i].scheme == NULL || is_kind(visit, remedies[i].scheme)))
            return remedies[i].text;
    return NULL;
}

/* The advice as one text: with the name of the right where there is one. */
static void put_advice(const struct visit *visit, const struct step *step, enum pgc_code code, struct pgc_buf *out) {
    const char *text = advice(visit, code);
    bool named = code == PGC_E_AUTH && step->permission != NULL && is_kind(visit, "s3");
    if (text == NULL || (code == PGC_E_AUTH && is_kind(visit, "s3") && !named))
        return;
    pgc_buf_putf(out, "%s%s%s", text, named ? " " : "", named ? step->permission : "");
}

static void put_member(struct pgc_buf *out, const char *name, const char *text) {
    pgc_buf_putf(out, ", \"%s\": ", name);
    pgc_text_json(out, text);
}

static void tell(struct visit *visit, const struct step *step, const struct pgc_error *err, int64_t ms) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf hint = PGC_BUF_INIT;
    const char *diagnosis = visit->store != NULL ? pgc_s3_diagnosis(visit->store) : NULL;
    bool good = err->code == PGC_OK;
    if (!good && diagnosis == NULL)
        put_advice(visit, step, err->code, &hint);
    pgc_buf_putf(&visit->json, "%s\n  {\"step\": \"%s\", \"ok\": %s, \"milliseconds\": %lld",
                 visit->steps++ > 0 ? "," : "", step->name, good ? "true" : "false", (long long)ms);
    put_member(&visit->json, "what", step->what);
    if (!good)
        put_member(&visit->json, "error", err->message);
    if (hint.len > 0)
        put_member(&visit->json, "advice", hint.data);
    pgc_buf_putc(&visit->json, '}');
    if (visit->settings->json)
        return;
    fprintf(visit->cli->out, "%-8s %-10s %s", good ? "ok" : "FAILED", step->name, step->what);
    if (good) {
        fprintf(visit->cli->out, " (%lld ms)\n", (long long)ms);
        return;
    }
    fprintf(visit->cli->out, ": %s\n", err->message);
    if (hint.len > 0)
        fprintf(visit->cli->out, "         %s\n", hint.data);
    if (diagnosis != NULL)
        fprintf(visit->cli->out, "\n%s", diagnosis);
}

static void examine(struct visit *visit) {
    bool failed = false;
    bool wrote = false;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct pgc_error err = { 0 };
        if (failed && !(steps[i].always && wrote))
            continue;
        int64_t begin = pgc_mono_ms(visit->cli->rt);
        enum pgc_code code = steps[i].run(visit, &err);
        err.code = code;
        tell(visit, &steps[i], &err, pgc_mono_ms(visit->cli->rt) - begin);
        if (code != PGC_OK && visit->first.code == PGC_OK)
            visit->first = err;
        failed |= code != PGC_OK;
        wrote |= steps[i].run == put && code == PGC_OK;
    }
}

static void name_keys(struct visit *visit) {
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)pgc_wall_us(visit->cli->rt);
    snprintf(visit->prefix, sizeof visit->prefix, "pgc-doctor-%016llx/", (unsigned long long)random);
    snprintf(visit->small, sizeof visit->small, "%sodd name+'\xc3\xa4'&100%%", visit->prefix);
    snprintf(visit->large, sizeof visit->large, "%slarge", visit->prefix);
}

static enum pgc_code run_doctor(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct visit visit = { .cli = cli, .settings = settings, .json = PGC_BUF_INIT };
    if (visit.settings->store.url == NULL)
        return pgc_fail(err, PGC_E_USAGE, "no store given: use --store or PGC_BACKUP_STORE");
    name_keys(&visit);
    examine(&visit);
    if (visit.settings->json) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf label = PGC_BUF_INIT;
        PGC_AUTO_FREE char *text = settings_label(visit.settings->store.url);
        const char *diagnosis = visit.store != NULL ? pgc_s3_diagnosis(visit.store) : NULL;
        pgc_text_json(&label, text != NULL ? text : "");
        fprintf(cli->out, "{\"store\": %s, \"ok\": %s, \"steps\": [%s\n]", label.data,
                visit.first.code == PGC_OK ? "true" : "false", visit.json.data);
        if (diagnosis != NULL) {
            pgc_buf_clear(&label);
            pgc_text_json(&label, diagnosis);
            fprintf(cli->out, ", \"signature\": %s", label.data);
        }
        fputs("}\n", cli->out);
    }
    pgc_store_drop(visit.store);
    pgc_buf_release(&visit.json);
    if (visit.first.code == PGC_OK)
        return PGC_OK;
    *err = visit.first;
    return pgc_wrap(err, "this store cannot be relied on");
}

static const struct pgc_option options[] = {
    STORE_ROW(struct doctor_settings, store),
    { "json", 0, PGC_OPT_FLAG, offsetof(struct doctor_settings, json), NULL, "print JSON" },
};

const struct pgc_command pgc_cmd_backup_doctor = {
    .name = "doctor",
    .summary = "try everything that backups need from a store, and say what is wrong",
    .description =
        "Writes, reads, lists and removes a small object with an odd name, gives a large upload up and makes sure\n"
        "that nothing of it is left, and writes a large object (in several parts, on S3). Nothing is left behind.\n"
        "When a signature does not match, the canonical request of both sides is printed: the first line that\n"
        "differs is the cause.",
    .examples = "pgc backup doctor --store s3://bucket/prefix  # before the first backup",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct doctor_settings),
    .run = run_doctor,
};
