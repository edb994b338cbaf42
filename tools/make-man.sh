#!/bin/bash
# make-man.sh MANDIR COMPLETIONDIR: man pages and shell completions out of the option tables of the programs
# (each answers --generate=man|bash|zsh), with the roff prose of man/PROGRAM.in where there is some.
set -eu
: "${B:?build folder}"
man=$1 completions=$2
mkdir -p "$man" "$completions"
cp man/*.[0-9] "$man/"
for program in "$B"/bin/pgc-*; do
  name=$(basename "$program")
  "$program" --generate=man > "$man/$name.1"
  [ ! -e "man/$name.in" ] || cat "man/$name.in" >> "$man/$name.1"
  "$program" --generate=bash > "$completions/$name.bash"
  "$program" --generate=zsh > "$completions/_$name"
done
