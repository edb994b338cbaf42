#include "testdb/server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/spawn.h"
#include "pg/conn.h"
#include "testdb/binaries.h"
#include "testdb/place.h"
#include "testdb/tree.h"

#define START_MS  60000
#define STOP_MS   30000
#define POLL_MS   10
#define SUPERUSER "postgres"

void pgc_testdb_server_release(struct pgc_testdb_server *server) {
    free(server->dir);
    free(server->url);
    free(server->bindir);
    free(server->dbname);
    free(server->password);
    *server = (struct pgc_testdb_server) { 0 };
}

/* One start under way. */
struct start {
    const struct pgc_testdb_options *options;
    const struct pgc_runtime *rt;
    struct pgc_testdb_server *server;
    struct pgc_testdb_user user;
    char *data;
    int64_t deadline_ms; /* on the clock of rt */
    bool launched;
};

/* Runs a server program as the unprivileged user with an environment that holds nothing of ours but PATH. */
static enum pgc_code run_program(const struct start *s, const char *program, const struct pgc_strings *args,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings env = PGC_STRINGS_INIT;
    static const char *const kept[] = { "PATH", "TZ", "LD_LIBRARY_PATH" };
    enum pgc_code code = pgc_strings_add(&env, "LC_ALL=C", err);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0] && code == PGC_OK; i++)
        if (getenv(kept[i]) != NULL)
            code = pgc_strings_addf(&env, err, "%s=%s", kept[i], getenv(kept[i]));
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    if (code == PGC_OK)
        code = pgc_strings_addf(&argv, err, "%s/%s", s->server->bindir, program);
    for (size_t i = 0; i < args->count && code == PGC_OK; i++)
        code = pgc_strings_add(&argv, args->items[i], err);
    if (code != PGC_OK)
        return code;
    struct pgc_spawn spec = {
        .argv = argv.items,
        .env = env.items,
        .directory = s->server->dir,
        .stdin_from = PGC_SPAWN_NULL,
        .stdout_to = PGC_SPAWN_NULL,
        .uid = s->user.drop ? s->user.uid : 0,
        .gid = s->user.gid,
    };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    code = pgc_child_start(&spec, s->rt, &child, err);
    return code == PGC_OK ? pgc_child_wait(child, err) : code;
}

/* --- the cluster ------------------------------------------------------------------------------------ */

static enum pgc_code run_initdb(const struct start *s, const char *locale, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings args = PGC_STRINGS_INIT;
    const char *const fixed[] = { "-D", s->data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync" };
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && code == PGC_OK; i++)
        code = pgc_strings_add(&args, fixed[i], err);
    if (code == PGC_OK)
        code = pgc_strings_addf(&args, err, "--locale=%s", locale);
    return code == PGC_OK ? run_program(s, "initdb", &args, err) : code;
}

static enum pgc_code make_cluster(const struct start *s, struct pgc_error *err) {
    const char *locale = s->options->locale != NULL ? s->options->locale : "C.UTF-8";
    PGC_AUTO_FREE char *cached =
        s->options->no_cache ? NULL : pgc_testdb_cache_path(s->options->cache, s->server->bindir, locale);
    if (cached != NULL && access(cached, R_OK) == 0) {
        if (pgc_tree_copy(cached, s->data, s->user.drop ? s->user.uid : (uid_t)-1, s->user.gid, err) == PGC_OK)
            return PGC_OK;
        pgc_tree_remove(s->data);
    }
    enum pgc_code code = run_initdb(s, locale, err);
    if (code == PGC_OK && cached != NULL)
        pgc_testdb_cache_keep(s->data, cached);
    return code;
}

static void put_setting(struct pgc_buf *text, const char *name, size_t name_len, const char *value) {
    pgc_buf_putf(text, "%.*s = '", (int)name_len, name);
    for (const char *c = value; *c != '\0'; c++)
        pgc_buf_puts(text, *c == '\'' ? "''" : *c == '\\' ? "\\\\" : (char[]) { *c, '\0' });
    pgc_buf_puts(text, "'\n");
}

static enum pgc_code configure(const struct start *s, struct pgc_error *err) {
    static const char *const fixed[][2] = {
        { "fsync", "off" },
        { "synchronous_commit", "off" },
        { "full_page_writes", "off" },
        { "unix_socket_permissions", "0700" },
        { "log_line_prefix", "%m [%p] %q%u@%d " },
    };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_puts(&text, "\n# a throw-away server of pgc testdb: nothing here survives a crash\n");
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        put_setting(&text, fixed[i][0], strlen(fixed[i][0]), fixed[i][1]);
    put_setting(&text, "listen_addresses", 16, s->options->tcp ? "127.0.0.1" : "");
    put_setting(&text, "unix_socket_directories", 23, s->server->dir);
    pgc_buf_putf(&text, "port = %d\n", s->server->port);
    for (size_t i = 0; i < s->options->settings.count; i++) {
        const char *line = s->options->settings.items[i], *equals = strchr(line, '=');
        if (equals == NULL || equals == line || strpbrk(line, "\n\r") != NULL)
            return pgc_fail(err, PGC_E_USAGE, "the setting '%s' is not of the form name=value", line);
        put_setting(&text, line, (size_t)(equals - line), equals + 1);
    }
    enum pgc_code code = pgc_testdb_write(s->data, "postgresql.conf", &text, O_APPEND, &s->user, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_clear(&text);
    pgc_buf_puts(&text, "# the socket folder is private to one user; TCP wants the password of the URL\n"
                        "local all all trust\nlocal replication all trust\n"
                        "host all all samehost scram-sha-256\nhost replication all samehost scram-sha-256\n");
    return pgc_testdb_write(s->data, "pg_hba.conf", &text, O_TRUNC, &s->user, err);
}

/* --- the server ------------------------------------------------------------------------------------- */

/* The last lines of server.log behind the reason. */
static enum pgc_code died(const struct start *s, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf log = PGC_BUF_INIT;
    pgc_testdb_tail(s->server->dir, "server.log", 1200, &log);
    return pgc_fail(err, PGC_E_CHILD, "the server did not start; its log ends: %s", log.data);
}

static enum pgc_code connect_to(const struct start *s, const char *dbname, struct pgc_conn **out,
                                struct pgc_error *err) {
    char port[16];
    snprintf(port, sizeof port, "%d", s->server->port);
    struct pgc_conn_options options = {
        .conninfo = "sslmode=disable connect_timeout=10", /* an explicit string keeps PGSERVICE and the like out */
        .host = s->server->dir,
        .port = port,
        .user = SUPERUSER,
        .dbname = dbname,
        .application_name = "pgc testdb",
        .deadline_ms = 10000,
    };
    return pgc_conn_open(&options, s->rt, out, err);
}

static enum pgc_code wait_until_up(struct start *s, struct pgc_conn **out, struct pgc_error *err) {
    for (bool seen = false;;) {
        if (connect_to(s, "postgres", out, err) == PGC_OK)
            return PGC_OK;
        enum pgc_code code = pgc_check_cancelled(s->rt, err);
        if (code != PGC_OK)
            return code;
        s->server->pid = pgc_testdb_postmaster(s->server->dir);
        bool gone = seen && s->server->pid == 0;
        seen = seen || s->server->pid != 0;
        /* A server that fails at once may never be seen: its log tells. */
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf log = PGC_BUF_INIT;
        pgc_testdb_tail(s->server->dir, "server.log", 1200, &log);
        if (gone || (s->server->pid == 0 && strstr(log.data, "FATAL:") != NULL))
            return died(s, err);
        if (pgc_mono_ms(s->rt) > s->deadline_ms)
            return pgc_fail(err, PGC_E_TIMEOUT, "the server was not up in time; its log ends: %s", log.data);
        pgc_sleep_ms(s->rt, POLL_MS);
    }
}

static enum pgc_code launch(struct start *s, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings args = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_strings_addf(&args, err, "%s/server.log", s->server->dir);
    const char *const fixed[] = { "-l", args.count > 0 ? args.items[0] : "", "-D", s->data, "-s", "-W", "start" };
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && code == PGC_OK; i++)
        code = pgc_strings_add(&argv, fixed[i], err);
    return code == PGC_OK ? run_program(s, "pg_ctl", &argv, err) : code;
}

static enum pgc_code random_hex(char **out, struct pgc_error *err) {
    unsigned char bytes[16];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return pgc_fail_errno(err, PGC_E_IO, "cannot read random bytes");
    pgc_text_hex(&text, bytes, sizeof bytes);
    *out = pgc_buf_detach(&text);
    return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static enum pgc_code prepare_database(struct start *s, struct pgc_conn *conn, struct pgc_error *err) {
    s->server->version = pgc_conn_server_version(conn);
    enum pgc_code code = random_hex(&s->server->password, err);
    if (code == PGC_OK)
        code = pgc_conn_execf(conn, err, "alter role " SUPERUSER " password '%s'", s->server->password);
    if (code != PGC_OK || strcmp(s->server->dbname, "postgres") == 0)
        return code;
    PGC_AUTO_FREE char *name = pgc_conn_quote_ident(conn, s->server->dbname);
    if (name == NULL)
        return pgc_fail(err, PGC_E_USAGE, "'%s' cannot be a database name", s->server->dbname);
    const char *strategy = s->server->version >= 150000 ? " strategy file_copy" : ""; /* faster without fsync */
    return pgc_conn_execf(conn, err, "create database %s%s", name, strategy);
}

static enum pgc_code write_url(struct start *s, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    pgc_buf_puts(&url, "postgresql://" SUPERUSER);
    if (s->options->tcp)
        pgc_buf_putf(&url, ":%s@127.0.0.1:%d/", s->server->password, s->server->port);
    else
        pgc_buf_puts(&url, "@/");
    pgc_text_percent(&url, s->server->dbname, strlen(s->server->dbname), "");
    if (!s->options->tcp) {
        pgc_buf_puts(&url, "?host=");
        pgc_text_percent(&url, s->server->dir, strlen(s->server->dir), "");
        pgc_buf_putf(&url, "&port=%d", s->server->port);
    }
    if (url.failed || (s->server->url = strdup(url.data)) == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_putc(&url, '\n');
    return pgc_testdb_write(s->server->dir, "url", &url, O_EXCL, &s->user, err);
}

/* --- start and stop --------------------------------------------------------------------------------- */

static enum pgc_code check_socket_path(const char *dir, struct pgc_error *err) {
    struct sockaddr_un address;
    size_t most = sizeof address.sun_path - sizeof "/.s.PGSQL.65535";
    if (strlen(dir) > most)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is too long for a socket path (%zu bytes at most): set TMPDIR or --dir",
                        dir, most);
    return PGC_OK;
}

static enum pgc_code bring_up(struct start *s, struct pgc_error *err) {
    enum pgc_code code = check_socket_path(s->server->dir, err);
    if (code == PGC_OK)
        code = make_cluster(s, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot make a cluster in '%s'", s->server->dir);
    code = configure(s, err);
    if (code == PGC_OK)
        code = launch(s, err);
    s->launched = code == PGC_OK;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    if (code == PGC_OK)
        code = wait_until_up(s, &conn, err);
    if (code == PGC_OK)
        code = prepare_database(s, conn, err);
    if (code == PGC_OK)
        code = write_url(s, err);
    s->server->pid = pgc_testdb_postmaster(s->server->dir);
    return code;
}

static enum pgc_code start_in(struct start *s, struct pgc_error *err) {
    const struct pgc_testdb_options *o = s->options;
    s->server->dbname = strdup(o->dbname != NULL ? o->dbname : "test");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf data = PGC_BUF_INIT;
    pgc_buf_putf(&data, "%s/data", s->server->dir);
    s->data = pgc_buf_detach(&data);
    if (s->server->dbname == NULL || s->data == NULL)
        return pgc_fail_nomem(err);
    s->server->port = o->port > 0 ? o->port : o->tcp ? pgc_testdb_free_port() : 5432;
    if (s->server->port == 0)
        return pgc_fail(err, PGC_E_FAILED, "no free port on 127.0.0.1");
    return bring_up(s, err);
}

enum pgc_code pgc_testdb_start(const struct pgc_testdb_options *options, const struct pgc_runtime *rt,
                               struct pgc_testdb_server *out, struct pgc_error *err) {
    *out = (struct pgc_testdb_server) { 0 };
    struct start s = { .options = options, .rt = rt, .server = out };
    s.deadline_ms = pgc_mono_ms(rt) + (options->deadline_ms > 0 ? options->deadline_ms : START_MS);
    enum pgc_code code = pgc_testdb_binaries(options->bindir, options->major, &out->bindir, err);
    if (code == PGC_OK)
        code = pgc_testdb_user(&s.user, err);
    if (code == PGC_OK)
        code = pgc_testdb_make_dir(options->dir, &s.user, &out->dir, err);
    if (code == PGC_OK) {
        code = start_in(&s, err);
        if (code != PGC_OK) {
            /* pg_ctl has returned before the server wrote its pid: without it there is nobody to end. */
            for (int i = 0; s.launched && pgc_testdb_postmaster(out->dir) == 0 && i < 100; i++)
                nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
            pgc_testdb_kill(out->dir, rt, STOP_MS);
            pgc_tree_remove(out->dir);
        }
    }
    free(s.data);
    if (code != PGC_OK)
        pgc_testdb_server_release(out);
    return code;
}

enum pgc_code pgc_testdb_stop(const char *dir, const struct pgc_runtime *rt, struct pgc_error *err) {
    if (!pgc_testdb_is_state(dir))
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not the folder of a test server", dir);
    if (!pgc_testdb_kill(dir, rt, STOP_MS))
        return pgc_fail(err, PGC_E_TIMEOUT, "the server in '%s' does not end", dir);
    if (!pgc_tree_remove(dir))
        return pgc_fail_errno(err, PGC_E_IO, "cannot remove all of '%s'", dir);
    return PGC_OK;
}

enum pgc_code pgc_testdb_list(struct pgc_strings *dirs, struct pgc_strings *urls, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf pattern = PGC_BUF_INIT;
    pgc_buf_putf(&pattern, "%s/pgc-testdb.*", pgc_testdb_tmpdir());
    glob_t found;
    if (pattern.failed || glob(pattern.data, 0, NULL, &found) != 0)
        return PGC_OK;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < found.gl_pathc && code == PGC_OK; i++) {
        if (!pgc_testdb_is_state(found.gl_pathv[i]))
            continue;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
        pgc_testdb_tail(found.gl_pathv[i], "url", 4096, &url);
        while (url.len > 0 && url.data[url.len - 1] == '\n')
            pgc_buf_truncate(&url, url.len - 1);
        code = pgc_strings_add(dirs, found.gl_pathv[i], err);
        if (code == PGC_OK)
            code = pgc_strings_add(urls, url.data, err);
    }
    globfree(&found);
    return code;
}
