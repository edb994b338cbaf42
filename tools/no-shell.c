/* /bin/sh of the images that hold pg_dumpall, which is no shell.
 *
 * pg_dumpall asks the pg_dump beside it for its version by popen("\"/path/pg_dump\" -V"), and popen wants /bin/sh. This program
 * runs one command made of plain or double-quoted words, by its absolute path; whatever only a shell could do it refuses. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 8

static int refuse(const char *command) {
    fprintf(stderr, "sh: this image has no shell: %s\n", command);
    return 127;
}

int main(int argc, char **argv) {
    char *words[WORDS_MAX + 1] = { NULL };
    size_t count = 0;
    int at = argc > 2 && strcmp(argv[2], "--") == 0 ? 3 : 2;
    if (at >= argc || strcmp(argv[1], "-c") != 0)
        return refuse("only -c COMMAND");
    for (char *c = argv[at]; *c != '\0';) {
        if (*c == ' ') {
            c++;
            continue;
        }
        int quoted = *c == '"';
        char *end = quoted ? strchr(c + 1, '"') : c + strcspn(c, " ");
        if (end == NULL || count == WORDS_MAX)
            return refuse(argv[at]);
        words[count++] = quoted ? c + 1 : c;
        int last = *end == '\0';
        *end = '\0';
        if (strpbrk(words[count - 1], "|&;<>()$`\\\"'*?[]#~=%!{}\n") != NULL)
            return refuse(words[count - 1]);
        c = last ? end : end + 1;
    }
    if (count == 0 || words[0][0] != '/')
        return refuse("only an absolute path");
    execv(words[0], words);
    return refuse(words[0]);
}
