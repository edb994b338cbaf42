#include <pgc/runtime.h>

enum pgc_code pgc_check_cancelled(const struct pgc_runtime *rt, struct pgc_error *err) {
    int number = pgc_cancelled(rt);
    return number == 0 ? PGC_OK : pgc_fail(err, PGC_E_CANCELLED, "interrupted by signal %d", number);
}
