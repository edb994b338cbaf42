#!/bin/bash
# examples/embed/migrate.c built against libpgc.so and the public headers, in C and with a C++ compiler.
. "$(dirname "$0")/../support/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
case $B in /*) ;; *) B=$top/$B ;; esac
if [[ $B == *asan* || $B == *ubsan* ]]; then
  skip "embed" "the sanitizers' runtime is not in a plain program"
  finish
fi
cd "$T" || exit 1
new_db embed
mkdir m
echo 'create table e (i int);' > m/1_a.sql
echo 'create index concurrently ei on e (i);' > m/2_b.sql
ok "it compiles" "${CC:-cc}" -Wall -Wextra -Werror -I"$top/include" "$top/examples/embed/migrate.c" -L"$B" -lpgc -Wl,-rpath,"$B" -o migrate
run ./migrate m "dbname=embed"
is "it migrates" "$RC" 0
like "the plan is data" "$OUT" 'will up m/1_a.sql
will up m/2_b.sql \(no transaction\)
applied 1 from m/1_a.sql in [0-9]+ ms
applied 2 from m/2_b.sql in [0-9]+ ms'
is "the ledger is that of pgc migrate" "$(pgc-migrate up --dir m -d embed)" "nothing to do"
echo 'select oops;' > m/3_c.sql
run ./migrate m "dbname=embed"
is "a failure" "$RC $ERR" '1 m/3_c.sql:1:8: column "oops" does not exist'
if command -v c++ > /dev/null; then
  ok "the header is C++ too" c++ -x c++ -fsyntax-only -Wall -Werror -I"$top/include" "$top/include/pgc/migrate.h"
fi
finish
