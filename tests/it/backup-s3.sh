#!/bin/bash
# The whole way over a real S3 server: run to S3 and a folder at once, list, verify, restore, copy, prune; and the server going away.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
missing=$(tests/support/s3-server.sh check) || { skip "s3 server" "$missing"; finish; }
S3_DIR=$T/s3 S3_PORT=$(tests/support/free-port.sh)
export S3_DIR S3_PORT AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true
home=$PWD
trap '"$home/tests/support/s3-server.sh" stop' EXIT
if ! tests/support/s3-server.sh start; then fail "s3 server starts" "$(tail -n 5 "$S3_DIR"/log/*)"; finish; fi
token=$(curl -sS -D - -o /dev/null -H 'X-Auth-User: test:tester' -H 'X-Auth-Key: testing' "http://127.0.0.1:$S3_PORT/auth/v1.0" |
  tr -d '\r' | sed -n 's/^X-Auth-Token: //ip' | head -n 1)
curl -sS -H "X-Auth-Token: $token" -X PUT "http://127.0.0.1:$S3_PORT/v1/AUTH_test/pgc-test"
S="s3://pgc-test/back%20ups?endpoint=http://127.0.0.1:$S3_PORT"
cd "$T" || exit 1
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
new_db "b3 ä/b"
sql -d "b3 ä/b" -c "create table t as select i, md5(i::text) || md5((-i)::text) x from generate_series(1, 300000) i"

status "run to S3 and a folder" 0 pgc backup run --progress none --store "$S" --store "$T/folder" -r "$recipient" -d "b3 ä/b" --fingerprint contents
like "list" "$(pgc backup list --store "$S")" '  main .*  b3 ä/b$'
id=$(pgc backup list --store "$S" | cut -c 1-25)
status "manifests are equal" 0 diff <(pgc backup show "$id" --store "$S") <(pgc backup show "$id" --store "$T/folder")
status "verify by restoring" 0 pgc backup verify --progress none --store "$S" -i key --level 2 -d postgres
like "... compared" "$OUT" 'with 300000 rows compared by content'
status "restore" 0 pgc restore --progress none --store "$S" -i key --database "b3 ä/b" --into b3_back --create
is "... equal" "$(sql -d b3_back -c 'select count(*), md5(string_agg(x, $$,$$ order by i)) from t')" "$(sql -d "b3 ä/b" -c 'select count(*), md5(string_agg(x, $$,$$ order by i)) from t')"
status "copy to a folder" 0 pgc backup copy "$id" --store "$S" --to "$T/copy"
is "... the same bytes" "$(cd copy && find . -name '*.age' -exec sha256sum {} + | sort)" "$(cd folder && find . -name '*.age' -exec sha256sum {} + | sort)"
status "a second one, pinned" 0 pgc backup run --progress none --store "$S" -r "$recipient" -d "b3 ä/b"
status "pin" 0 pgc backup pin "$id" --store "$S"
sleep 1; pgc backup run --progress none --store "$S" -r "$recipient" -d "b3 ä/b" > /dev/null
status "prune" 0 pgc backup prune --store "$S" --keep-last 1 --keep-min 0
is "... the pinned one and the last stay" "$(pgc backup list --store "$S" | wc -l)" 2

# --- the server goes away ---
"$home/tests/support/s3-server.sh" stop
status "one target is gone: 69" 69 pgc backup run --progress none --store "$S" --store "$T/folder2" -r "$recipient" -d "b3 ä/b"
is "... told once" "$(grep -c 'a target did not get its backup' <<< "$ERR")" 1
is "... the other one has its backup" "$(pgc backup list --store "$T/folder2" | wc -l)" 1
finish
