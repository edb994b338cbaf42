/* The program as `pg_isready`: the same options, lines and exit statuses, so that scripts need not change. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/process.h"
#include "parts/ready_settings.h"
#include "ready/report.h"
#include "ready/target.h"

enum { NO_ATTEMPT = 3 };

struct applet {
    struct pgc_probe_options pg;
    const char *timeout;
    bool quiet;
};

static void help(void) {
    printf("pg_isready (of pgc) tells whether a PostgreSQL server accepts connections.\n\n"
           "Usage:\n  pg_isready [OPTION]...\n\n"
           "Options:\n"
           "  -d, --dbname=DBNAME      database name or connection string\n"
           "  -q, --quiet              print nothing\n"
           "  -V, --version            print the version and exit\n"
           "  -?, --help               print this help and exit\n\n"
           "Connection:\n"
           "  -h, --host=HOSTNAME      server host or socket folder\n"
           "  -p, --port=PORT          server port\n"
           "  -t, --timeout=SECS       seconds to wait for an answer, 0 for no limit (default: 3)\n"
           "  -U, --username=USERNAME  user name\n\n"
           "Exit status: 0 accepting, 1 rejecting, 2 no response, 3 no attempt. 'pgc ready' can tell more.\n");
}

static int usage_hint(void) {
    fprintf(stderr, "pg_isready: hint: Try \"pg_isready --help\" for more information.\n");
    return NO_ATTEMPT;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct applet *applet) {
    static const struct option options[] = {
        { "dbname", required_argument, NULL, 'd' },
        { "host", required_argument, NULL, 'h' },
        { "port", required_argument, NULL, 'p' },
        { "quiet", no_argument, NULL, 'q' },
        { "timeout", required_argument, NULL, 't' },
        { "username", required_argument, NULL, 'U' },
        { NULL, 0, NULL, 0 },
    };
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0)) {
        help();
        return 0;
    }
    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        printf("pg_isready (pgc) %s\n", PGC_VERSION);
        return 0;
    }
    for (int c; (c = getopt_long(argc, argv, "d:h:p:qt:U:", options, NULL)) != -1;) {
        switch (c) {
        case 'd':
            applet->pg.conninfo = optarg;
            break;
        case 'h':
            applet->pg.host = optarg;
            break;
        case 'p':
            applet->pg.port = optarg;
            break;
        case 'q':
            applet->quiet = true;
            break;
        case 't':
            applet->timeout = optarg;
            break;
        case 'U':
            applet->pg.user = optarg;
            break;
        default:
            return usage_hint();
        }
    }
    if (optind < argc) {
        fprintf(stderr, "pg_isready: error: too many command-line arguments (first is \"%s\")\n", argv[optind]);
        return usage_hint();
    }
    return -1;
}

/* Seconds per address, as connect_timeout: 0 and less is no limit, 1 counts as 2. false: not a number. */
static bool timeout_ms(const char *text, int64_t *out) {
    char *end;
    long seconds = strtol(text, &end, 10);
    while (*end == ' ')
        end++;
    *out = seconds <= 0 ? 0 : seconds == 1 ? 2000 : (int64_t)seconds * 1000;
    return end != text && *end == '\0';
}

int ready_pg_isready(int argc, char **argv) {
    struct applet applet = { .timeout = "3", .pg = { .application_name = "pg_isready" } };
    int status = parse(argc, argv, &applet);
    if (status >= 0)
        return status;
    struct pgc_process process;
    pgc_process_init(&process, "pg_isready", PGC_LOG_ERROR, PGC_LOG_FORMAT_TEXT);
    const struct pgc_runtime *rt = pgc_process_runtime(&process);
    struct pgc_error err;
    struct pgc_ready_target target;
    if (pgc_ready_target_from_options(&applet.pg, &target, &err) != PGC_OK) {
        fprintf(stderr, "pg_isready: error: %s\n", err.message);
        return NO_ATTEMPT;
    }
    applet.pg.ping_only = true;
    applet.pg.deadline = PGC_PROBE_NO_DEADLINE;
    struct pgc_probe_result result;
    PGC_AUTO(pgc_probe_free) struct pgc_probe *probe = NULL;
    if (!timeout_ms(applet.timeout, &applet.pg.host_timeout_ms))
        status = 2; /* so says libpq to a connect_timeout that is no number */
    else if (pgc_probe_open(&applet.pg, rt, &probe, &result, &err) == PGC_OK)
        status = pgc_probe_ping_status(&result);
    else
        status = err.code == PGC_E_CANCELLED ? 128 + pgc_cancelled(rt) : NO_ATTEMPT;
    if (!applet.quiet && status <= NO_ATTEMPT) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
        pgc_ready_put_ping(&line, &target, status);
        fwrite(line.data, 1, line.len, stdout);
    }
    pgc_ready_target_release(&target);
    return fflush(stdout) == 0 ? status : NO_ATTEMPT;
}
