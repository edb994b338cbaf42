#!/bin/bash
# embed-sql.sh DIR FILE.sql...: writes DIR/sql_embedded.{h,c}; each file becomes `const char pgc_sql_<name>[]`.
set -eu
dir=$1; shift
{
  echo '#ifndef PGC_SQL_EMBEDDED_H'
  echo '#define PGC_SQL_EMBEDDED_H'
  echo '/* Generated from sql/ by tools/embed-sql.sh. */'
  for f; do n=$(basename "$f" .sql); echo "extern const char pgc_sql_${n}[];"; done
  echo '#endif'
} > "$dir/sql_embedded.h.tmp"
{
  echo '#include "sql_embedded.h"'
  for f; do
    n=$(basename "$f" .sql)
    echo "const char pgc_sql_${n}[] ="
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$f"
    echo '    "";'
  done
} > "$dir/sql_embedded.c.tmp"
mv "$dir/sql_embedded.h.tmp" "$dir/sql_embedded.h"
mv "$dir/sql_embedded.c.tmp" "$dir/sql_embedded.c"
