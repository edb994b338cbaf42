#!/bin/bash
# Hooks of pgc backup run: argument vectors, what they are told, what they are not, and what their failure means.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" --no-encryption -d bh_app "$@"; }
count() { find "$S" -name manifest.json 2> /dev/null | wc -l; }
new_db bh_app
sql -d bh_app -c "create table t as select generate_series(1, 1000) i"
# shellcheck disable=SC2016 # for the script that is written
printf '%s\n' '#!/bin/bash' 'to=$1; shift; env -0 | sort -z > "$to.env"; cat > "$to.stdin"; printf "%s\n" "$@" > "$to.args"' > note
# shellcheck disable=SC2016
printf '%s\n' '#!/bin/bash' 'echo "a word on stdout"; echo "one on stderr" >&2; exit "$1"' > say
chmod +x note say
value() { tr '\0\n' '\n ' < "$1.env" | sed -n "s/^$2=//p"; }

# --- what they get ---
export PGPASSWORD=the-secret-one AWS_SECRET_ACCESS_KEY=the-secret-two SOME_TOKEN=the-secret-three
status "hooks" 0 backup --job nightly --hook-before "[\"$T/note\", \"$T/before\", \"two words\", \"\$(id) ; *\"]" \
  --hook-after "[\"$T/note\", \"$T/after\"]" --json
is "arguments reach them as they are" "$(cat before.args)" "two words
\$(id) ; *"
is "before: names" "$(tr '\0' '\n' < before.env | sed -n 's/^\(PGC_[A-Z_]*\)=.*/\1/p' | tr '\n' ' ')" \
  "PGC_CLUSTER PGC_DATABASE PGC_HOOK PGC_JOB PGC_STARTED PGC_STORES "
is "... values" "$(value before PGC_HOOK) $(value before PGC_JOB) $(value before PGC_CLUSTER) $(value before PGC_DATABASE) $(value before PGC_STORES)" "before nightly main bh_app $S"
is "... nothing on stdin" "$(cat before.stdin)" ""
is "after: names" "$(tr '\0' '\n' < after.env | sed -n 's/^\(PGC_[A-Z_]*\)=.*/\1/p' | tr '\n' ' ')" \
  "PGC_BACKUP_ID PGC_CLUSTER PGC_DATABASE PGC_DURATION_MS PGC_ERROR PGC_EXIT_STATUS PGC_HOOK PGC_JOB PGC_RAW_BYTES PGC_STARTED PGC_STATUS PGC_STORED_BYTES PGC_STORES "
is "... the outcome" "$(value after PGC_STATUS) $(value after PGC_EXIT_STATUS) $(value after PGC_ERROR)" "success 0 "
is "... the backup" "$(value after PGC_BACKUP_ID)" "$(basename "$(dirname "$(find "$S" -name manifest.json)")")"
like "... bytes" "$(value after PGC_RAW_BYTES) $(value after PGC_STORED_BYTES)" '^[1-9][0-9]+ [1-9][0-9]+$'
is "... the result on stdin" "$(cat after.stdin)" "$OUT"
unlike "no secret reaches them" "$(cat before.env after.env | tr '\0' '\n')" 'the-secret'
is "... but the way to the server does" "$(value before PGHOST) $(value before PGPORT)" "$PGHOST $PGPORT"
status "a secret that is asked for" 0 backup --hook-env PGPASSWORD --hook-before "[\"$T/note\", \"$T/asked\"]"
is "... is there, and no other" "$(tr '\0' '\n' < asked.env | grep the-secret)" "PGPASSWORD=the-secret-one"
unset PGPASSWORD AWS_SECRET_ACCESS_KEY SOME_TOKEN
status "their words go to the log" 0 backup --hook-before "[\"$T/say\", \"0\"]" --log-format json
like "... stdout" "$ERR" '"log.level":"info".*"a word on stdout"'
like "... stderr" "$ERR" '"one on stderr".*"backup.hook"'
PGC_BACKUP_HOOK_AFTER="[\"$T/note\", \"$T/env\", \"a, b\"]" status "from the environment" 0 backup
is "... whole" "$(cat env.args)" "a, b"

# --- what their failure means ---
before=$(count)
status "a hook before that fails" 1 backup --hook-before "[\"$T/say\", \"7\"]" --hook-after "[\"$T/note\", \"$T/failed\"]"
like "... says so" "$ERR" "nothing was backed up: --hook-before: '$T/say' exited with status 7: a word on stdout"
is "... nothing was backed up" "$(count)" "$before"
is "... the hook after hears of it" "$(value failed PGC_STATUS) $(value failed PGC_EXIT_STATUS)" "failure 1"
like "... and why" "$(value failed PGC_ERROR)" 'nothing was backed up'
is "... no result" "$(tr -d '\n ' < failed.stdin)" '{"backups":[]}'
status "a hook after that fails" 1 backup --hook-after "[\"$T/say\", \"7\"]"
like "... says so" "$ERR" "everything is stored, but a hook failed: --hook-after: '$T/say' exited with status 7"
is "... the backup stays" "$(count)" "$((before + 1))"
status "a backup that fails" 78 backup --client-dir /nonexistent --hook-after "[\"$T/note\", \"$T/outcome\"]"
is "... the hook after is told" "$(value outcome PGC_STATUS) $(value outcome PGC_EXIT_STATUS) $(value outcome PGC_BACKUP_ID)" "failure 78 "
status "both fail: the status of the backup" 78 backup --client-dir /nonexistent --hook-after "[\"$T/say\", \"7\"]"
like "... both are told" "$ERR" "the hook after the run failed too.*exited with status 7"
status "a hook that hangs: 124" 124 backup --hook-before '["sleep", "60"]' --hook-timeout 200ms
like "... says so" "$ERR" "'sleep' did not end within 200 ms"
status "a program that is not there" 1 backup --hook-before '["/nonexistent/hook"]'
is "... nothing was backed up" "$(count)" "$((before + 1))"
for bad in '' '/bin/true' '[]' '[""]' '["a", 1]' '{"a": "b"}' '"true"' '["a"'; do
  status "no argument vector: $bad" 64 backup --hook-before "$bad"
  like "... says so" "$ERR" 'is no JSON array of a program and its arguments'
done
status "a wrong setting: no hook runs" 64 backup --level 99 --hook-before "[\"$T/note\", \"$T/never\"]"
is "... indeed" "$(ls never* 2> /dev/null)" ""

# --- a signal ---
mkfifo ready
# shellcheck disable=SC2016
printf '%s\n' '#!/bin/bash' 'echo > '"$T/ready"'; exec sleep 60' > waits; chmod +x waits
(exec pgc-backup run --progress none --store "$S" --no-encryption -d bh_app --hook-before "[\"$T/waits\"]" --hook-after "[\"$T/note\", \"$T/signal\"]") > out 2> err & pid=$!
read -r < ready; kill -TERM $pid; wait $pid
is "SIGTERM while a hook runs" $? 143
is "... the hook after runs all the same" "$(value signal PGC_STATUS) $(value signal PGC_EXIT_STATUS)" "failure 143"
is "... nothing was backed up" "$(count)" "$((before + 1))"
finish
