#!/bin/bash
# The front door.
. "$(dirname "$0")/../support/lib.sh"
status 'no verb is a usage error' 64 pgc
like 'and shows the verbs' "$ERR" 'migrate   bring the schema'
status 'version' 0 pgc --version
is 'version text' "$OUT" "pgc (pgc) $(cat VERSION)"
status 'unknown verb' 64 pgc nosuch
is 'unknown verb text' "$ERR" "pgc: unknown verb 'nosuch'
Try 'pgc --help'."
status 'unknown option' 64 pgc --nosuch
status 'a verb is a word, not a path' 64 pgc ../sh

# Help of every command: fits a terminal (examples are one line each, to be copied), ends in a line feed, says nothing twice.
long='' blank='' twice='' cut='' count=0
look() {
  run "$@" --help
  [ "$RC" = 0 ] || long+="$* (status $RC) "
  count=$((count + 1))
  sed '/^Examples:/q' <<< "$OUT" | grep -qE '^.{81}' && long+="$* "
  grep -q ' $' <<< "$OUT" && blank+="$* "
  tr -s '\n ' '  ' <<< "$OUT" | grep -q 'repeated[;,] may be repeated' && twice+="$* "
  [ -z "$("$@" --help | tail -c 1)" ] || cut+="$* "
}
for program in "$B"/bin/pgc-*; do
  name=${program##*/}
  look "$name"
  for command in $(sed -n '/^Commands:/,/^$/s/^  \([a-z-][a-z-]*\) .*/\1/p' <<< "$OUT"); do look "$name" "$command"; done
done
ok "$count help pages looked at" test "$count" -gt 40
is 'help fits 80 columns' "$long" ''
is 'no line of help ends in a blank' "$blank" ''
is 'help says once that an option may be repeated' "$twice" ''
is 'help ends in a line feed' "$cut" ''
finish
