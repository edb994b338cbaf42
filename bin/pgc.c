/* The front door: `pgc VERB ARGS` runs the program pgc-VERB beside it, or from PATH, as git does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static const struct {
    const char *verb, *summary;
} verbs[] = {
    { "ready", "is the server ready: probe, wait, run a command then" },
    { "init", "run init scripts once, resume where one failed" },
    { "migrate", "bring the schema to its newest version" },
    { "lint", "find migrations that lock, break or lose" },
    { "seed", "load data" },
    { "testdb", "throw-away servers and databases for tests" },
    { "backup", "dump, compress, encrypt, upload, verify" },
    { "restore", "bring a backup back" },
    { "sql", "run and split SQL scripts as psql does" },
};

static void usage(FILE *to) {
    fprintf(to, "Usage: pgc VERB [OPTION]...\n\nVerbs:\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        fprintf(to, "  %-9s %s\n", verbs[i].verb, verbs[i].summary);
    fprintf(to, "\n'pgc VERB --help' tells more; 'pgc --version' prints the version.\n");
}

static void exec_beside(const char *program, char **argv) {
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return;
    *slash = '\0';
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    pgc_buf_putf(&path, "%s/%s", self, program);
    argv[0] = path.data;
    execv(path.data, argv);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return 64;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("pgc (pgc) %s\n", PGC_VERSION);
        return 0;
    }
    static char help_option[] = "--help";
    if (strcmp(argv[1], "help") == 0 && argc > 2) {
        argv[1] = argv[2];
        argv[2] = help_option;
    } else if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], help_option) == 0) {
        usage(stdout);
        return 0;
    }
    if (argv[1][0] == '-' || strchr(argv[1], '/') != NULL) {
        fprintf(stderr, "pgc: unknown option '%s'\nTry 'pgc --help'.\n", argv[1]);
        return 64;
    }
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf program = PGC_BUF_INIT;
    pgc_buf_putf(&program, "pgc-%s", argv[1]);
    exec_beside(program.data, argv + 1);
    argv[1] = program.data;
    execvp(program.data, argv + 1);
    if (errno == ENOENT)
        fprintf(stderr, "pgc: unknown verb '%s'\nTry 'pgc --help'.\n", program.data + 4);
    else
        fprintf(stderr, "pgc: cannot run '%s': %s\n", program.data, strerror(errno));
    return errno == ENOENT ? 64 : 1;
}
