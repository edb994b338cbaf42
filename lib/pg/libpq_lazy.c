#include "pg/libpq_lazy.h"

#include <dlfcn.h>
#include <string.h>

static enum pgc_code find(void *library, const char *name, void *slot, struct pgc_error *err) {
    void *function = dlsym(library, name);
    if (function == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "libpq has no %s: it is too old", name);
    memcpy(slot, &function, sizeof function);
    return PGC_OK;
}

enum pgc_code pgc__libpq_load(struct pgc__libpq *out, struct pgc_error *err) {
    void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "this connection needs libpq, which is not installed: %s", dlerror());
    enum pgc_code code = PGC_OK;
#define X(name)                                                                                                        \
    if (code == PGC_OK)                                                                                                \
        code = find(library, #name, &out->name, err);
    PGC__LIBPQ(X)
#undef X
    return code;
}
