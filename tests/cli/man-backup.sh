#!/bin/bash
# The manual page of pgc-backup has its sections, and completion knows the subcommands.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
ok 'pages and completions' tools/make-man.sh "$T/man" "$T/completions"
for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' STORES ENVIRONMENT FILES EXAMPLES NOTES; do
  is "pgc-backup(1): $section" "$(grep -cx "\.SH $section" "$T/man/pgc-backup.1")" 1
done
if command -v man > "$T/o"; then
  is 'it is well formed' "$(MANROFFOPT=-ww man --warnings -l "$T/man/pgc-backup.1" 2>&1 > "$T/page" | grep -v 'cannot adjust\|can.t break' | head -n 3)" ''
  like 'it tells of doctor and health' "$(cat "$T/page")" 'pgc-backup doctor.*pgc-backup health'
else skip 'formatting the page' 'man is not installed'; fi
complete_word() { bash -c '. "$1"; COMP_WORDS=(pgc-backup "${@:2}"); COMP_CWORD=$(($# - 1)); _pgc_backup; echo "${COMPREPLY[@]}"' - "$T/completions/pgc-backup.bash" "$@"; }
is 'a subcommand is completed' "$(complete_word sch)" schedule
is 'its options too' "$(complete_word schedule --verify-s)" --verify-schedule
is 'but no secrets, and nothing hidden' "$(complete_word run --smtp; complete_word run --plan)" ''
like 'for zsh too' "$(cat "$T/completions/_pgc-backup")" 'schedule.*verify|verify.*schedule'
finish
