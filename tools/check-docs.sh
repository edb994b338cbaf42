#!/bin/bash
# check-docs.sh: what is missing in README, guides and tests. Ends with "N passed, N failed".
set -u
: "${B:?build folder}"
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
check() { # check TEXT CMD...
  local text=$1; shift
  if "$@" > /dev/null 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "missing: $text"; fi
}
for f in bin/pgc-*.c; do
  verb=$(basename "$f" .c) verb=${verb#pgc-}
  check "README.md does not name 'pgc $verb'" grep -q "\`pgc $verb\`" README.md
  check "man/pgc.1 does not name '$verb'" grep -q "^\.B $verb$" man/pgc.1
  check "the front door does not list '$verb'" grep -q "^  $verb " <("$B/bin/pgc" --help)
  check "pgc-$verb has no manual page" "$B/bin/pgc-$verb" --generate=man
  # Every subcommand is run by some test.
  for sub in $("$B/bin/pgc-$verb" --generate=markdown | sed -n "s/^## pgc-$verb \([a-z-]*\).*/\1/p"); do
    check "no test runs 'pgc $verb $sub'" eval "grep -rlE 'pgc[- ]$verb' tests tools/demo.sh | xargs grep -qwE -- '$sub'"
  done
done
for d in lib/*/; do
  check "docs/ARCHITECTURE.md does not name ${d%/}" grep -q "\`${d%/}\`" docs/ARCHITECTURE.md
done
# Links between files lead somewhere.
while IFS=: read -r file link; do
  link=${link#*](} link=${link%)} link=${link%%#*}
  [ -n "$link" ] || continue
  check "$file: the link '$link' leads nowhere" test -e "$(dirname "$file")/$link"
done < <(git -c safe.directory='*' ls-files -co --exclude-standard '*.md' | xargs grep -oE '\]\([^)]+\)' | grep -vE '\]\((https?:|mailto:)')
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
