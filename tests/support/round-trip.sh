# shellcheck shell=bash
# Databases compared, and the way back without pgc. Sourced behind lib.sh, from the folder of the project.
zoo_content=$PWD/tests/support/zoo-content.sql
schema() { "$PGBIN/pg_dump" -s -d "dbname='$1'" | grep -vE '^\\(un)?restrict' | md5sum; }
content() { "$PGBIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "dbname='$1'" -f "$zoo_content" 2>&1; }
equal() { # equal NAME DATABASE BACK
  is "$1: schema" "$(schema "$3")" "$(schema "$2")"
  is "$1: content" "$(content "$3" | md5sum)" "$(content "$2" | md5sum)"
}
# The command of the manifest as it stands there, into a database of that very name: the source steps aside.
# Wants key.txt in the current folder.
recover() { # recover NAME STORE DATABASE
  local command manifest folder
  manifest=$(find "$2" -path "*/$3/*" -name manifest.json | sort | tail -n 1)
  folder=$(dirname "$manifest")
  command=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["recovery"])' "$manifest") || { fail "$1: no manifest"; return; }
  cp key.txt "$folder/"
  sql -d postgres -c "alter database \"$3\" rename to \"${3}_source\"" -c "create database \"$3\" template template0"
  status "$1: runs" 0 bash -c "set -o pipefail; cd '$folder' && PATH=$PGBIN:\$PATH && $command"
  equal "$1" "${3}_source" "$3"
  drop "$3"
  sql -d postgres -c "alter database \"${3}_source\" rename to \"$3\""
  rm -f "$folder/key.txt"
}
drop() {
  "$PGBIN/psql" -XAtq -d "$1" -c "select format('alter subscription %I disable; alter subscription %1\$I set (slot_name = none)', subname), format('drop subscription %I', subname)
    from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())" -A -F $'\n' | while IFS= read -r q; do sql -d "$1" -c "$q"; done
  sql -d postgres -c "drop database \"$1\""
}
