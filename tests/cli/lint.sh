#!/bin/bash
# pgc lint: what it prints and its exit statuses.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
mkdir -p m/sub m/.hidden
echo 'create table s.t (a bigint);' > m/1.sql
echo 'drop table s.t;' > m/sub/2.sql
echo 'drop table s.u;' > m/1.down.sql
echo 'drop table s.u;' > m/sub/U2__x.sql
echo 'drop table s.u;' > m/.hidden/3.sql
echo 'not sql' > m/readme.txt
printf 'select 1;\n  create index i on été (a, b);\n' > index.sql
printf 'selec 1;\n' > broken.sql
echo 'select 1;' > clean.sql

safe=$(pgc-lint rules --json | jq -r '.[] | select(.id == "require-concurrent-index-creation").alternative')
status "nothing found" 0 pgc-lint clean.sql
is "the sum" "$OUT" "1 file, 1 statement: 0 errors, 0 warnings, 0 info"
status "findings" 1 pgc-lint --only require-concurrent-index-creation index.sql
is "text" "$OUT" "index.sql:2:3: error: building an index blocks all writes to 'été' until it is done [require-concurrent-index-creation]
    why: CREATE INDEX takes a SHARE lock: every INSERT, UPDATE and DELETE waits until the whole table is read.
    instead: $safe
1 file, 2 statements: 1 error, 0 warnings, 0 info"
is "nothing on standard error" "$ERR" ""
status "unparsable" 65 pgc-lint broken.sql
status "unparsable whatever the rules" 65 pgc-lint --only ban-drop-table broken.sql
status "for a newer server only a warning" 1 pgc-lint --pg-version 18 broken.sql
status "no file" 64 pgc-lint
status "unknown rule" 64 pgc-lint --only no-such-rule clean.sql
like "its message" "$ERR" "there is no rule 'no-such-rule'"
status "unknown format" 64 pgc-lint --format xml clean.sql
status "two modes" 64 pgc-lint --assume-in-transaction --no-assume-in-transaction clean.sql
status "wrong version" 64 pgc-lint --pg-version 150018 clean.sql
status "absent file" 1 pgc-lint absent.sql
like "absent file is named" "$ERR" "absent.sql"
is "nothing printed for it" "$OUT" ""

status "a warning does not fail at level error" 0 pgc-lint --fail-level error --severity all=warning index.sql
status "never" 0 pgc-lint --fail-level never index.sql
status "info does not fail" 0 pgc-lint --only require-table-schema index.sql m
echo 'create table t (a bigint);' > info.sql
status "info fails when asked" 1 pgc-lint --fail-level info --only require-table-schema info.sql
status "the default lets info pass" 0 pgc-lint --only require-table-schema info.sql
status "severity off" 0 pgc-lint --severity all=off index.sql
status "least severity" 0 pgc-lint --severity error --exclude PG101 index.sql
status "excluded by Atlas code" 0 pgc-lint --only PG101 --exclude PG101 index.sql
is "rules from the environment" "$(PGC_LINT_RULES=PG101,ban-drop-table pgc-lint --json index.sql | jq -r '.findings[].rule')" require-concurrent-index-creation

run pgc-lint --json --only ban-drop-table m
is "a folder: files below, nothing hidden, nothing that undoes" "$(jq -r '.findings[].file, .summary.files' <<< "$OUT" | tr '\n' ' ')" "m/sub/2.sql 2 "
run pgc-lint --json --down --only ban-drop-table m
is "with what undoes" "$(jq -r '.findings[].file' <<< "$OUT" | tr '\n' ' ')" "m/1.down.sql m/sub/2.sql m/sub/U2__x.sql "
STDIN=index.sql run pgc-lint --json --only PG101 -
is "standard input" "$(jq -c '.findings[] | [.file, .line, .column, .end_line, .end_column, .offset, .severity, .table]' <<< "$OUT")" '["stdin",2,3,2,31,12,"error","été"]'
is "JSON has the sums" "$(jq -c .summary <<< "$OUT")" '{"files":1,"statements":2,"error":1,"warning":0,"info":0,"suppressed":0,"unparsable":0}'

mkdir -p n; for f in 1_a.sql V2__b.sql c.up.sql d.sql; do printf 'select 1; drop table s.t;' > n/$f; done
run pgc-lint --json --only prefer-robust-stmts n
is "migrations of a folder are wrapped, others not" "$(jq -r '.findings[].file' <<< "$OUT")" n/d.sql
status "a file given by name is not" 1 pgc-lint --only prefer-robust-stmts n/1_a.sql
for file in n/1_a.sql ./n/1_a.sql; do status "but with --dir it is what it is in the folder" 0 pgc-lint --dir n --only prefer-robust-stmts "$file"; done
status "also when the folder is written otherwise" 0 pgc-lint --dir ./n/ --only prefer-robust-stmts n/1_a.sql
status "a folder that is not there" 1 pgc-lint --dir absent n/1_a.sql
status "nor with --no-assume-in-transaction" 1 pgc-lint --only prefer-robust-stmts --no-assume-in-transaction n

run pgc-lint --format github --only PG101 index.sql
is "GitHub annotations" "$OUT" "::error file=index.sql,line=2,endLine=2,col=3,title=require-concurrent-index-creation::building an index blocks all writes to 'été' until it is done. Instead: $safe"
mkdir -p 'a b,c'; cp index.sql 'a b,c/100%.sql'
run pgc-lint --format github --only PG101 'a b,c/100%.sql'
like "escaped" "$OUT" '^::error file=a b%2Cc/100%25.sql,line=2,'
odd=$(printf 'x:y\nz.sql'); printf 'create index i on "a%%\nb,c:d" (a);\n' > "$odd"
run pgc-lint --format github --only PG101 "$odd"
is "one annotation is one line, whatever the names" "$OUT" "::error file=x%3Ay%0Az.sql,line=1,endLine=2,col=1,title=require-concurrent-index-creation::building an index blocks all writes to 'a%25%0Ab,c:d' until it is done. Instead: $safe"
run pgc-lint --format sarif --only PG101 'a b,c/100%.sql'
is "SARIF" "$(jq -c '[.version, .runs[0].tool.driver.name, (.runs[0].results[0] | .ruleId, .level, .locations[0].physicalLocation)]' <<< "$OUT")" \
  '["2.1.0","pgc-lint","require-concurrent-index-creation","error",{"artifactLocation":{"uri":"a%20b%2Cc/100%25.sql"},"region":{"startLine":2,"startColumn":3,"endLine":2,"endColumn":31}}]'
# shellcheck disable=SC2016 # a variable of jq
is "SARIF names every result's rule by index" "$(jq '.runs[0] as $r | $r.results | all($r.tool.driver.rules[.ruleIndex].id == .ruleId)' <<< "$OUT")" true

prints() { pgc-lint --format sarif --only PG101 "$@" | jq -r '.runs[0].results[].partialFingerprints["statement/v1"]'; }
printf 'create index i on t (a);\ncreate index i on t (a); create index j on t (a);\n' > prints.sql
before=$(prints prints.sql)
is "every result has a fingerprint of its own" "$(sort -u <<< "$before" | wc -l)" 3
printf -- '-- a comment\nselect 1;\ncreate   index i\non t (a); create index i on t /* x */ (a);\n\ncreate index j on t (a);\n' > prints.sql
is "which stays when the statement moves" "$(prints prints.sql)" "$before"

ok "rules" pgc-lint rules
like "the list has one line per rule" "$OUT" "ban-drop-table +error +DROP TABLE of a table"
ok "rules as JSON" pgc-lint rules --json
is "ids are unique" "$(jq -r '.[].id' <<< "$OUT" | sort | uniq -d)" ""
is "every rule is complete" "$(jq 'all(.name and .severity and .summary and .why and .alternative)' <<< "$OUT")" true
ok "explain" pgc-lint explain DS102
like "explain by alias" "$OUT" "^ban-drop-table \(error\): Table dropped"
status "explain an unknown rule" 64 pgc-lint explain nothing
is "the guide has the table of rules" "$(sed -n '/^| rule /,/^$/p' "$OLDPWD/docs/lint.md" | sed '/^$/d')" "$(pgc-lint rules --markdown)"
finish
