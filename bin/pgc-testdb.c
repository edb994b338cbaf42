/* pgc testdb: throw-away PostgreSQL servers from the programs of this machine. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/command.h"
#include "os/spawn.h"
#include "testdb/server.h"

struct settings {
    char *dir;
    char *bindir;
    int64_t major;
    char *database;
    char *locale;
    bool tcp;
    int64_t port;
    struct pgc_strings set;
    bool no_cache;
    int64_t timeout_ms;
    bool json;
    bool all;
};

#define AT(field) offsetof(struct settings, field)
/* `run` takes all but the last row. */
static const struct pgc_option start_options[] = {
    { "dir", 0, PGC_OPT_STRING, AT(dir), NULL, "state folder, empty or new (default: a new one under TMPDIR)",
      .value = "FOLDER" },
    { "bindir", 0, PGC_OPT_STRING, AT(bindir), NULL,
      "folder of initdb, pg_ctl and postgres (default: PGBIN, else the newest found)", .value = "FOLDER" },
    { "pg-version", 0, PGC_OPT_INT, AT(major), "0", "major version of PostgreSQL, 0: the newest" },
    { "database", 0, PGC_OPT_STRING, AT(database), "test", "database to create", .value = "NAME" },
    { "locale", 0, PGC_OPT_STRING, AT(locale), "C.UTF-8", "locale of the cluster", .value = "NAME" },
    { "tcp", 't', PGC_OPT_FLAG, AT(tcp), NULL, "listen on 127.0.0.1 too, with a random password in the URL" },
    { "port", 0, PGC_OPT_INT, AT(port), "0", "port, 0: a free one" },
    { "set", 'o', PGC_OPT_LIST, AT(set), NULL, "server setting", .value = "NAME=VALUE" },
    { "no-cache", 0, PGC_OPT_FLAG, AT(no_cache), NULL, "run initdb even when a cached cluster would do" },
    { "timeout", 0, PGC_OPT_DURATION, AT(timeout_ms), "60s", "give up when the server is not up by then" },
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print url, dir, port, pid and version as JSON" },
};
#define START_COUNT (sizeof start_options / sizeof start_options[0])
static const struct pgc_option stop_options[] = {
    { "all", 'a', PGC_OPT_FLAG, AT(all), NULL, "every test server under TMPDIR that is yours" },
    { "dir", 0, PGC_OPT_STRING, AT(dir), NULL, "state folder of the server", .value = "FOLDER" },
};
static const struct pgc_option list_options[] = {
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the list as JSON" },
};

static struct pgc_testdb_options server_options(const struct settings *s) {
    return (struct pgc_testdb_options) {
        .dir = s->dir,
        .bindir = s->bindir,
        .major = (int)s->major,
        .dbname = s->database,
        .locale = s->locale,
        .tcp = s->tcp,
        .port = (int)s->port,
        .settings = s->set,
        .no_cache = s->no_cache,
        .deadline_ms = s->timeout_ms,
    };
}

static void put_text(struct pgc_buf *out, const char *key, const char *value) {
    pgc_buf_putf(out, "\"%s\":", key);
    pgc_text_json(out, value);
}

static enum pgc_code run_start(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct settings *s = settings;
    struct pgc_testdb_options options = server_options(s);
    PGC_CLEANUP(pgc_testdb_server_release) struct pgc_testdb_server server = { 0 };
    enum pgc_code code = pgc_testdb_start(&options, cli->rt, &server, err);
    if (code != PGC_OK)
        return code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (s->json) {
        pgc_buf_putc(&out, '{');
        put_text(&out, "url", server.url);
        pgc_buf_putc(&out, ',');
        put_text(&out, "dir", server.dir);
        pgc_buf_putf(&out, ",\"port\":%d,\"pid\":%ld,\"server_version\":%d}\n", server.port, server.pid,
                     server.version);
    } else {
        pgc_buf_putf(&out, "%s\n", server.url);
    }
    fwrite(out.data, 1, out.len, cli->out);
    /* A URL that nobody could read is a server that nobody will stop. */
    if (fflush(cli->out) != 0) {
        struct pgc_error ignored;
        code = pgc_fail_errno(err, PGC_E_IO, "cannot print the URL");
        if (pgc_testdb_stop(server.dir, cli->rt, &ignored) != PGC_OK)
            return pgc_wrap(err, "'%s' stays", server.dir);
        return code;
    }
    return PGC_OK;
}

/* The folder that an argument (URL or folder) means, NULL when it is none of the list. */
static const char *resolve(const char *arg, const struct pgc_strings *dirs, const struct pgc_strings *urls) {
    for (size_t i = 0; i < dirs->count; i++)
        if (strcmp(arg, urls->items[i]) == 0)
            return dirs->items[i];
    return strstr(arg, "://") == NULL ? arg : NULL;
}

static enum pgc_code stop_wanted(struct pgc_cli *cli, const struct settings *s, const struct pgc_strings *dirs,
                                 const struct pgc_strings *urls, struct pgc_error *err) {
    if (s->dir != NULL)
        return pgc_testdb_stop(s->dir, cli->rt, err);
    if (cli->args.count == 0 && dirs->count > 1 && !s->all)
        return pgc_fail(err, PGC_E_USAGE, "%zu test servers run: name one by its URL or folder, or give --all",
                        dirs->count);
    if (cli->args.count == 0 && dirs->count == 0 && !s->all)
        return pgc_fail(err, PGC_E_NOT_FOUND, "no test server runs");
    const struct pgc_strings *wanted = cli->args.count > 0 ? &cli->args : dirs;
    for (size_t i = 0; i < wanted->count; i++) {
        const char *dir = resolve(wanted->items[i], dirs, urls);
        if (dir == NULL)
            return pgc_fail(err, PGC_E_NOT_FOUND, "no test server has this URL");
        enum pgc_code code = pgc_testdb_stop(dir, cli->rt, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code run_stop(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings dirs = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings urls = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_testdb_list(&dirs, &urls, err);
    return code == PGC_OK ? stop_wanted(cli, settings, &dirs, &urls, err) : code;
}

static enum pgc_code run_list(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct settings *s = settings;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings dirs = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings urls = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    enum pgc_code code = pgc_testdb_list(&dirs, &urls, err);
    if (code != PGC_OK)
        return code;
    for (size_t i = 0; i < dirs.count; i++) {
        if (!s->json) {
            pgc_buf_putf(&out, "%s\t%s\n", dirs.items[i], urls.items[i]);
            continue;
        }
        pgc_buf_puts(&out, i == 0 ? "{" : ",{");
        put_text(&out, "url", urls.items[i]);
        pgc_buf_putc(&out, ',');
        put_text(&out, "dir", dirs.items[i]);
        pgc_buf_putc(&out, '}');
    }
    fprintf(cli->out, s->json ? "{\"servers\":[%s]}\n" : "%s", out.data);
    return pgc_buf_check(&out, err);
}

/* --- run -------------------------------------------------------------------------------------------- */

/* Our environment without other connection settings, with those of the server. */
static enum pgc_code make_env(const struct settings *s, const struct pgc_testdb_server *server, struct pgc_strings *env,
                              struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (char **e = environ; *e != NULL && code == PGC_OK; e++)
        if ((!pgc_text_starts(*e, "PG") || pgc_text_starts(*e, "PGC_") || pgc_text_starts(*e, "PGBIN=")) &&
            !pgc_text_starts(*e, "POSTGRES_") && !pgc_text_starts(*e, "DATABASE_URL"))
            code = pgc_strings_add(env, *e, err);
    if (code == PGC_OK)
        code = pgc_strings_addf(env, err, "DATABASE_URL=%s", server->url);
    if (code == PGC_OK)
        code = pgc_strings_addf(env, err, "PGHOST=%s", s->tcp ? "127.0.0.1" : server->dir);
    if (code == PGC_OK)
        code = pgc_strings_addf(env, err, "PGPORT=%d", server->port);
    if (code == PGC_OK)
        code = pgc_strings_add(env, "PGUSER=postgres", err);
    if (code == PGC_OK)
        code = pgc_strings_addf(env, err, "PGDATABASE=%s", server->dbname);
    if (code == PGC_OK && s->tcp)
        code = pgc_strings_addf(env, err, "PGPASSWORD=%s", server->password);
    return code;
}

/* The command is its own process group: where there is a terminal it becomes the one in front. */
static void give_terminal(pid_t group) {
    if (!isatty(STDIN_FILENO))
        return;
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, group);
    if (group != getpgrp())
        kill(-group, SIGCONT); /* it may have asked for the terminal before it had it */
}

static enum pgc_code run_command(struct pgc_cli *cli, const struct settings *s, const struct pgc_testdb_server *server,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings env = PGC_STRINGS_INIT;
    enum pgc_code code = make_env(s, server, &env, err);
    if (code != PGC_OK)
        return code;
    struct pgc_spawn spec = { .argv = cli->args.items, .env = env.items, .stderr_inherit = true };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    code = pgc_child_start(&spec, cli->rt, &child, err);
    if (code != PGC_OK)
        return code;
    give_terminal(pgc_child_pid(child));
    code = pgc_child_wait(child, err);
    give_terminal(getpgrp());
    if (code != PGC_E_CHILD)
        return code;
    cli->exit_status = pgc_child_status(child); /* its status is the answer; it said itself what is wrong */
    return PGC_OK;
}

static enum pgc_code run_run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct settings *s = settings;
    if (cli->args.count == 0)
        return pgc_fail(err, PGC_E_USAGE, "which command? give it after --");
    struct pgc_testdb_options options = server_options(s);
    PGC_CLEANUP(pgc_testdb_server_release) struct pgc_testdb_server server = { 0 };
    enum pgc_code code = pgc_testdb_start(&options, cli->rt, &server, err);
    if (code != PGC_OK)
        return code;
    code = run_command(cli, s, &server, err);
    struct pgc_error stop_err;
    enum pgc_code stop_code = pgc_testdb_stop(server.dir, cli->rt, &stop_err);
    if (code != PGC_OK || stop_code == PGC_OK)
        return code;
    *err = stop_err;
    return stop_code;
}

#define OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof((table)[0])
static const struct pgc_command start_command = {
    .name = "start",
    .summary = "start a throw-away server and print its URL",
    .description = "Makes a cluster in a new folder under TMPDIR, starts it and creates the database. The server goes "
                   "on until `pgc testdb stop`. Durability is off: it is for tests. Without --tcp it listens on a Unix "
                   "socket in the private folder. Run as root, the server runs as postgres or nobody.",
    .examples = "url=$(pgc testdb start)  # then: psql \"$url\"\n"
                "pgc testdb start --tcp --set max_connections=500  # for clients that need TCP",
    OPTIONS(start_options),
    .settings_size = sizeof(struct settings),
    .run = run_start,
};
static const struct pgc_command stop_command = {
    .name = "stop",
    .summary = "end a server and remove everything it left",
    .args = "[URL|FOLDER]...",
    .description = "Without argument: the only test server that runs.",
    .examples = "pgc testdb stop \"$url\"# the server with this URL\npgc testdb stop --all  # all of yours",
    OPTIONS(stop_options),
    .settings_size = sizeof(struct settings),
    .run = run_stop,
};
static const struct pgc_command list_command = {
    .name = "list",
    .summary = "print folder and URL of every test server",
    OPTIONS(list_options),
    .settings_size = sizeof(struct settings),
    .run = run_list,
};
static const struct pgc_command run_command_table = {
    .name = "run",
    .summary = "run a command with a throw-away server",
    .args = "-- COMMAND [ARG]...",
    .description = "The command finds the server by DATABASE_URL, PGHOST, PGPORT, PGUSER and PGDATABASE; its exit "
                   "status is ours. The server is gone afterwards, whatever happens.",
    .examples = "pgc testdb run -- make test  # DATABASE_URL is set",
    .options = start_options,
    .option_count = START_COUNT - 1,
    .settings_size = sizeof(struct settings),
    .run = run_run,
};
static const struct pgc_command *const commands[] = { &start_command, &stop_command, &list_command, &run_command_table,
                                                      NULL };
static const struct pgc_command testdb_command = {
    .name = "pgc-testdb",
    .summary = "throw-away PostgreSQL servers for tests",
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&testdb_command, argc, argv);
}
