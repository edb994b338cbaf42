#!/bin/bash
# examples/embed/lint.c built against libpgc.so and the public header, which is C++ as well.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
case $B in /*) ;; *) B=$top/$B ;; esac
if [[ $B == *asan* || $B == *ubsan* ]]; then
  skip "embed" "the sanitizers' runtime is not in a plain program"
  finish
fi
cd "$T" || exit 1
ok "it compiles" "${CC:-cc}" -Wall -Wextra -Werror -I"$top/include" "$top/examples/embed/lint.c" -L"$B" -lpgc -Wl,-rpath,"$B" -o lint
printf 'select 1;\ndo $$ begin drop table s.u; end $$;\n' > a.sql
run ./lint a.sql
is "an error" "$RC $OUT" "1 a.sql:2:13: error: dropping table 'u' loses its data and breaks clients that still use it
  instead: $(pgc-lint rules --json | jq -r '.[] | select(.id == "ban-drop-table").alternative')"
echo 'select 1;' > b.sql
status "nothing found" 0 ./lint b.sql
if command -v c++ > /dev/null; then
  ok "the header is C++ too" c++ -x c++ -fsyntax-only -Wall -Werror -I"$top/include" "$top/include/pgc/lint.h"
fi
finish
