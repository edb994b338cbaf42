#include <pgc/runtime.h>

enum pgc_code pgc_check_cancelled(const struct pgc_runtime *rt, struct pgc_error *err) {
    int number = pgc_cancelled(rt);
    return number == 0 ? PGC_OK : pgc_fail(err, PGC_E_CANCELLED, "interrupted by signal %d", number);
}

static int never_cancelled(void *arg) {
    (void)arg;
    return 0;
}

static int no_fd(void *arg) {
    (void)arg;
    return -1;
}

struct pgc_runtime pgc_runtime_undisturbed(const struct pgc_runtime *rt) {
    struct pgc_runtime calm = *rt;
    calm.cancelled = never_cancelled;
    calm.cancel_fd = no_fd;
    return calm;
}
