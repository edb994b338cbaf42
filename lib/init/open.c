#include "init/open.h"

#include "io/file.h"
#include "io/gzip.h"
#include "io/xz.h"
#include "io/zstd.h"

bool pgc_init_is_sql(enum pgc_init_kind kind) {
    return kind == PGC_INIT_SQL || kind == PGC_INIT_SQL_GZ || kind == PGC_INIT_SQL_XZ || kind == PGC_INIT_SQL_ZST;
}

enum pgc_code pgc_init_open_sql(const struct pgc_init_step *step, struct pgc_source **out, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_file_source(step->path, &source, err);
    if (code == PGC_OK && step->kind == PGC_INIT_SQL_GZ)
        code = pgc_gzip_pull(&source, err);
    if (code == PGC_OK && step->kind == PGC_INIT_SQL_XZ)
        code = pgc_xz_pull(&source, err);
    if (code == PGC_OK && step->kind == PGC_INIT_SQL_ZST)
        code = pgc_zstd_pull(&source, err);
    if (code != PGC_OK)
        return code;
    *out = source;
    source = NULL;
    return PGC_OK;
}
