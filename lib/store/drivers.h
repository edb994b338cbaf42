#ifndef PGC_STORE_DRIVERS_H
#define PGC_STORE_DRIVERS_H
/* The backends, one per file of this folder. store.c finds one by the scheme of the URL. */
#include "store/store.h"

extern const struct pgc_store_driver pgc_store_driver_file;
extern const struct pgc_store_driver pgc_store_driver_s3;
extern const struct pgc_store_driver pgc_store_driver_sftp;
extern const struct pgc_store_driver pgc_store_driver_dav;
extern const struct pgc_store_driver pgc_store_driver_davs;

#endif
