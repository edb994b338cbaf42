#ifndef PGC_MIGRATE_VERSION_H
#define PGC_MIGRATE_VERSION_H
/* Versions of migrations: numbers, however they are written. Pure.
 *
 * A version is one or more groups of decimal digits separated by '.', '_' or '-'. Groups compare as numbers of any
 * length, group by group; trailing groups of zero do not count: 9 < 10, 007 = 7, 1 = 1.0, 1.2 < 1.10. Formats whose versions are
 * names (sql-migrate's "1_a.sql", Atlas's "1.a") compare by their numbers too, and then as text: 9_a < 10_a < 10_b. */
#include <stdbool.h>
#include <stddef.h>

/* < 0, 0, > 0. NULL sorts before everything. */
int pgc_version_compare(const char *a, const char *b);
/* Digits and single separators between them, nothing else. */
bool pgc_version_valid(const char *text);
/* Number of leading decimal digits of `name`. */
size_t pgc_version_digits(const char *name);
#endif
