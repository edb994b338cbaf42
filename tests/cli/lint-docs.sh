#!/bin/bash
# docs/lint.md: the hook, the entry of pre-commit and the steps of the workflow do what they say, as they are written there.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
doc=$PWD/docs/lint.md
need_program() { command -v "$1" > /dev/null || { skip "$1" "not installed"; finish; }; }
need_program git
cd "$T" || exit 1
export HOME=$T GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
# block N KIND: the N-th fenced block of that kind.
block() { awk -v n="$1" -v open="\`\`\`$2" '$0 == open { c++; on = c == n; next } /^```$/ { on = 0 } on' "$doc"; }
# step NAME: the commands of that step of the workflow.
step() { block 2 yaml | awk -v name="- name: $1" 'index($0, name) { on = 1; next } on && /^ *- / { exit } on && run { print substr($0, 11) } on && /run: \|/ { run = 1 }'; }

git init -q -b main repo && cd repo && mkdir migrations
echo 'drop table s.old;' > migrations/1_old.sql
git add . && git commit -qm one
git clone -q . ../clone && cd ../clone && git checkout -q -b change
block 1 sh > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
ok "the hook is a script" sh -n .git/hooks/pre-commit
printf 'create index i on s.t (a);\n' > migrations/2_index.sql
printf 'drop table s.t;\n' > migrations/2_index.down.sql
git add .
status "the hook refuses" 1 git commit -qm two
like "and says why" "$OUT$ERR" "migrations/2_index.sql:1:1: error: building an index"
unlike "about nothing else" "$OUT$ERR" "1_old|down"
printf 'select 1;\nset lock_timeout = 1000; set statement_timeout = 1000; drop view s.v;\n' > migrations/2_index.sql; git add .
status "the hook lets pass what is right in its folder" 0 git commit -qm two

read -r -a entry < <(block 1 yaml | sed -n 's/^ *entry: //p')
pattern=$(block 1 yaml | sed -n 's/^ *files: //p') exclude=$(block 1 yaml | sed -n 's/^ *exclude: //p')
mapfile -t files < <(git ls-files | grep -E "$pattern" | grep -vE "$exclude")
is "the files of pre-commit" "${files[*]}" "migrations/1_old.sql migrations/2_index.sql"
status "the entry of pre-commit" 1 "${entry[@]}" "${files[@]}"
status "and for what is right" 0 "${entry[@]}" migrations/2_index.sql

printf 'create index i on s.t (a);\n' > migrations/3_index.sql; git add .; git commit -qnm three
export GITHUB_BASE_REF=main
step "Annotate what the branch adds" > annotate.sh; step "Write SARIF" > sarif.sh
status "the workflow's first step fails" 123 bash -e annotate.sh
like "with annotations of what is new" "$OUT" '^::error file=migrations/3_index.sql,line=1,'
unlike "only" "$OUT" 1_old
status "its second does not" 0 bash -e sarif.sh
is "and writes all findings" "$(jq -r '[.runs[0].results[].locations[0].physicalLocation.artifactLocation.uri] | unique | join(" ")' lint.sarif)" \
  "migrations/1_old.sql migrations/3_index.sql"
finish
