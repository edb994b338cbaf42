#!/bin/bash
# Damaged backups: cut at every chunk, a bit flipped in every region, artefacts and manifests mixed up. Restore and verify
# refuse, and the server is as it was.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
new_db dm_app
sql -d dm_app -c "create table t as select i, md5(i::text) || md5((i + 1)::text) as x from generate_series(1, 14000) i"
new_db dm_other
sql -d dm_other -c "create table t as select i, md5(i::text) || md5((i + 7)::text) as x from generate_series(1, 14000) i"
new_db dm_target
for d in dm_app dm_other; do pgc backup run --progress none --store "$S" -r "$recipient" -d "$d" > /dev/null; done
sleep 1.1
pgc backup run --progress none --store "$S" -r "$recipient" -d dm_other > /dev/null
pgc backup run --progress none --store "$T/plain" --no-encryption -d dm_app --level 1 > /dev/null
folder() { dirname "$(find "$1" -path "*/$2/*" -name manifest.json | sort | tail -n 1)"; }

# Of the server only what is ours: other tests work on it at the same time.
state() { sql -d postgres -c "select oid, datname, datdba, datacl from pg_database where datname ~ '^dm_' order by oid" \
  -c "select rolname from pg_roles where rolname ~ '^dm_' order by 1"; "$PGBIN/pg_dump" -d dm_target | grep -vE '^\\(un)?restrict|^-- (Started|Completed)'; }
before=$(state)
tried=0 bad=''
try() { # try STATUS NAME CMD...
  local want=$1 name=$2 rc; shift 2
  "$@" > "$T/.out" 2> "$T/.err"
  rc=$?
  tried=$((tried + 1))
  [ $rc -eq "$want" ] || bad+="$name: exit status $rc, wanted $want: $(cat "$T/.err")"$'\n'
}
refused() { # refused NAME STORE [DATABASE]: by a restore into a database that is there, into one that is made, and by verify
  local name=$1 store=$2 database=${3:-dm_app}
  try 65 "$name, restore" pgc restore --progress none --store "$store" -i key --database "$database" --into dm_target
  try 65 "$name, create" pgc restore --progress none --store "$store" -i key --database "$database" --into dm_new --create
  try 65 "$name, verify" pgc backup verify --progress none --store "$store" -i key --database "$database"
}
done_with() { is "$1: refused" "$bad" ""; is "$1: the server is as it was" "$(state)" "$before"; bad=''; }
flip() { # flip FILE OFFSET [BIT]
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  # shellcheck disable=SC2059 # the byte is the format
  printf "\\x$(printf %02x $((byte ^ ${3:-1})))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# --- cut ---
F=$(folder "$S" dm_app); A=$F/dump.zst.age
cp "$A" sound; size=$(stat -c %s "$A")
header=$(grep -a -b -o '^--- ' "$A" | head -n 1 | cut -d : -f 1) # the line with the MAC
start=$((header + 4 + 43 + 1))                                   # the nonce
like "several chunks" "$(((size - start - 16) / 65552))" '^[3-9]$'
for ((at = 0; at < size; at += 65536)); do
  for d in -1 0 1; do
    [ $((at + d)) -ge 0 ] || continue
    truncate -s $((at + d)) "$A"; refused "cut at $((at + d))" "$S"; cp sound "$A"
  done
done
for ((at = start + 16 + 65552; at < size; at += 65552)); do # where a chunk of the encryption ends
  truncate -s $at "$A"; refused "cut behind the chunk at $at" "$S"; cp sound "$A"
done
truncate -s $((size - 1)) "$A"; refused "cut by one byte" "$S"; cp sound "$A"
printf x >> "$A"; refused "one byte more" "$S"; cp sound "$A"
done_with "cut"

# --- a bit in every region of the encryption ---
last=$((start + 16 + (size - start - 17) / 65552 * 65552))
for at in 3 20 25 $((header - 70)) $((header - 2)) $((header + 1)) $((header + 10)) $((start - 1)) "$start" $((start + 15)) \
  $((start + 16)) $((start + 16 + 65535)) $((start + 16 + 65540)) $((start + 16 + 65552)) "$last" $((size - 17)) $((size - 1)); do
  for bit in 1 128; do flip "$A" "$at" $bit; refused "bit $bit at $at" "$S"; cp sound "$A"; done
done
done_with "encrypted"

# --- a bit in every region of what is compressed, without encryption ---
P=$(folder "$T/plain" dm_app); Z=$P/dump.zst
cp "$Z" sound-plain; size=$(stat -c %s "$Z")
for at in 0 4 5 6 9 12 40 300 $((size / 2)) $((size - 5)) $((size - 4)) $((size - 1)); do
  flip "$Z" "$at" 4; refused "plain, bit at $at" "$T/plain"; cp sound-plain "$Z"
done
done_with "compressed"

# --- the same where the manifest agrees: who may write to the store may have changed both ---
forge() { # forge FOLDER NAME: size and hash of the stored object as it is now
  python3 - "$1" "$2" <<'EOF'
import hashlib, json, sys
path = sys.argv[1] + "/manifest.json"
m = json.load(open(path))
m.pop("checksum", None)
data = open(sys.argv[1] + "/" + sys.argv[2], "rb").read()
for a in m["artefacts"]:
    if a["name"] == sys.argv[2]:
        a["stages"][-1].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
json.dump(m, open(path, "w"), indent=2)
EOF
}
cp "$F/manifest.json" manifest
for at in 60 $((start + 3)) $((start + 16 + 65552)) $((last + 1)); do
  flip "$A" "$at"; forge "$F" dump.zst.age
  try $((at == 60 ? 77 : 65)) "forged, bit at $at, verify" pgc backup verify --progress none --store "$S" -i key --database dm_app
  for into in "dm_target" "dm_new --create" "dm_target --replace" "dm_target --jobs 2"; do
    # shellcheck disable=SC2086 # words
    pgc restore --progress none --store "$S" -i key --database dm_app --into $into > .out 2> .err && bad+="forged, bit at $at, $into: no error"$'\n'
    tried=$((tried + 1))
  done
  cp sound "$A"
done
truncate -s $((start + 16 + 65552)) "$A"; forge "$F" dump.zst.age
pgc restore --progress none --store "$S" -i key --database dm_app --into dm_target > .out 2> .err && bad+="forged, cut: no error"$'\n'
cp sound "$A"; cp manifest "$F/manifest.json"
for at in 4 200 $((size / 2)) $((size - 2)); do
  flip "$Z" "$at"; cp "$P/manifest.json" plain-manifest; forge "$P" dump.zst
  pgc restore --progress none --store "$T/plain" --database dm_app --into dm_target > .out 2> .err && bad+="forged, plain, bit at $at: no error"$'\n'
  cp sound-plain "$Z"; cp plain-manifest "$P/manifest.json"
done
# A sound archive with altered content: only its hash before the compression can tell, and only verify compares that.
zstd -q -d -c sound-plain | sed 's/c4ca4238a0b923820dcc509a6f75849b/c4ca4238a0b923820dcc509a6f75849c/' | zstd -q -f -o "$Z"
cp "$P/manifest.json" plain-manifest; forge "$P" dump.zst
try 65 "forged content, verify" pgc backup verify --progress none --store "$T/plain" --database dm_app
cp sound-plain "$Z"; cp plain-manifest "$P/manifest.json"
done_with "forged"

# --- mixed up ---
O=$(find "$S/main/dm_other" -mindepth 1 -maxdepth 1 | sort | head -n 1) N=$(folder "$S" dm_other)
for name in dump.zst.age globals.sql.zst.age contents.json.zst.age; do
  cp "$N/$name" one; cp "$O/$name" "$N/$name"
  [ $name = dump.zst.age ] && refused "the dump of an older backup" "$S" dm_other
  try 65 "the $name of an older backup" pgc backup verify --progress none --store "$S" -i key --database dm_other
  rm "$N/$name"
  refused "no $name" "$S" dm_other
  cp one "$N/$name"
done
cp "$N/manifest.json" one
cp "$O/manifest.json" "$N/manifest.json"; refused "the manifest of an older backup" "$S" dm_other
cp "$F/manifest.json" "$N/manifest.json"; refused "the manifest of another database" "$S" dm_other
sed 's/"dump.zst.age"/"globals.sql.zst.age"/' one > "$N/manifest.json"; refused "one artefact for the other" "$S" dm_other
: > "$N/manifest.json"; refused "an empty manifest" "$S" dm_other
cp one "$N/manifest.json"
for ((at = 30; at < $(stat -c %s one); at += 97)); do
  flip "$N/manifest.json" $at 2
  try 65 "manifest, bit at $at" pgc restore --progress none --store "$S" -i key --database dm_other --into dm_target
  cp one "$N/manifest.json"
done
done_with "mixed up"
is "enough was tried" "$((tried > 150))" 1
for s in "$S" "$T/plain"; do status "sound again" 0 pgc backup verify --progress none --store "$s" -i key; done
status "sound again: restore" 0 pgc restore --progress none --store "$S" -i key --database dm_app --into dm_target
is "... equal" "$(sql -d dm_target -c 'select count(*), sum(hashtext(t::text)) from t')" "$(sql -d dm_app -c 'select count(*), sum(hashtext(t::text)) from t')"
finish
