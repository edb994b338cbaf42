#ifndef PGC_TESTS_RUNTIME_H
#define PGC_TESTS_RUNTIME_H
/* A runtime for unit tests: time stands still until a test moves it, sleeping moves it, log lines are counted. */
#include <pgc/runtime.h>

struct test_runtime {
    struct pgc_runtime rt;
    int64_t now_us;
    int cancelled;
    size_t log_count;
    char last_log[256];
};
void test_runtime_init(struct test_runtime *runtime);
/* The real clock, never cancelled, log thrown away: for tests with children or servers. */
const struct pgc_runtime *test_runtime_real(void);
#endif
