#!/bin/bash
# Compares two databases table by table (rows and content). Runs in the container `compare`.
set -eu
PGPASSWORD=$(< "$PGPASSWORD_FILE")
export PGPASSWORD
for db in app copy; do
  psql -XAt -v ON_ERROR_STOP=1 -d "$db" -f /fingerprint.sql > "/tmp/$db"
done
cat /tmp/app
[ "$(grep -c '^shop\.' /tmp/app)" -ge 5 ] || { echo "tables are missing"; exit 1; }
diff /tmp/app /tmp/copy && echo "the databases are equal"
