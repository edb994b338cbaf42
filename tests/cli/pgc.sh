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
finish
