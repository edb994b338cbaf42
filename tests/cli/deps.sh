#!/bin/bash
# tools/deps.sh: silent when nothing is missing, names and reasons when something is, never half an installation.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
status "without arguments" 64 tools/deps.sh
status "an unknown group" 64 tools/deps.sh ensure nosuch
status "list" 0 tools/deps.sh list build lint
is "every package once" "$(sort <<< "$OUT" | uniq -d)" ""
like "the compiler is among them" "$OUT" '(^|'$'\n'')gcc('$'\n''|$)'
status "each package has a reason" 0 awk '/^(build|test|demo|bench|containers|lint|fuzz|coverage|valgrind) / && NF < 3 { exit 1 }' tools/deps.sh

if command -v dpkg-query > /dev/null; then
  # A machine where nothing is installed, for somebody who may not install.
  mkdir "$T/bin"; cp tools/deps.sh "$T/deps.sh"; printf '#!/bin/sh\nexit 1\n' | tee "$T/bin/dpkg-query" "$T/bin/sudo" "$T/pgbin.sh" > /dev/null
  printf '#!/bin/sh\necho called >> "%s/apt"\n' "$T" > "$T/bin/apt-get"; chmod -R 755 "$T/bin" "$T"/*.sh
  as=(); [ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
  status "missing, and neither root nor sudo" 69 "${as[@]}" env PATH="$T/bin:$PATH" "$T/deps.sh" ensure demo bench
  like "names and reasons" "$ERR" 'postgresql +server binaries for the throw-away server'
  like "the command to type" "$ERR" 'apt-get install --no-install-recommends postgresql age zstd s3cmd python3$'
  ok "nothing was installed" test ! -e "$T/apt"
else
  skip "missing packages" "no dpkg here"
fi
finish
