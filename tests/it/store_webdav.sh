#!/bin/bash
# The WebDAV store on real servers, nginx and Apache: the contract suite over http and https, refusals, nothing left by writers that fail.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
export PGC_DAV_PASSWORD='pa:ss' HOME=$T
probe() { PGC_PROBE_URL="$1" PGC_PROBE="$2" "$B/tests/unit" store_probe 2> "$T/probe.err" | grep -E '^(result|object|swept) '; }
# shellcheck source=tests/support/cut.sh
. tests/support/cut.sh
D=''
trap 'uncut; [ -z "$D" ] || tests/support/webdav.sh stop "$D"; [ ! -d "$T/small" ] || umount "$T/small"' EXIT
contract() { # contract NAME URL [VARIABLE=VALUE]
  run env PGC_TEST_STORES="$2" ${3:+"$3"} "$B/tests/unit" store_contract
  if [ "$RC" -eq 0 ]; then pass "$1"; else fail "$1" "$OUT"; fi
}

examine() { # examine KIND
  local kind=$1 missing port url tls pid
  missing=$(tests/support/webdav.sh check "$kind") || { skip "$kind" "$missing"; return; }
  D=$T/$kind port=$(tests/support/free-port.sh)
  tests/support/webdav.sh start "$kind" "$D" "$port" || { fail "$kind starts"; return; }
  url="dav://user@127.0.0.1:$port/a/with%20blank%27s"
  tls="davs://user@127.0.0.1:$((port + 1))/tls"
  contract "$kind: contract" "$url"
  contract "$kind: contract over https" "$tls" "PGC_CA_FILE=$D/cert.pem"
  is "$kind: the contract leaves nothing" "$(find "$D/files" -type f | wc -l)" 0
  like "$kind: a certificate that nobody knows" "$(probe "$tls" 'put a 10')" '^result TLS: .*PGC_CA_FILE'

  is "$kind: put" "$(probe "$url" 'put b/c 1000000')" 'result OK'
  is "$kind: the file is where it should be" "$(stat -c '%s' "$D/files/a/with blank's/b/c")" 1000000
  is "$kind: dropped" "$(probe "$url" 'drop x/y 5000000')" 'result OK'
  is "$kind: a dropped upload leaves nothing" "$(cd "$D/files/a/with blank's" && find . | sort | paste -sd' ')" '. ./b ./b/c'
  like "$kind: more than the server takes" "$(probe "$url" 'put big/x 40000000')" '^result (IO|TEMPORARY): .*cannot write .*status 413'
  is "$kind: more than the server takes: nothing is left" "$(find "$D/files" -path '*big*' | wc -l)" 0
  : > "$D/files/a/with blank's/_pgc-tmp-0123456789abcdef"
  chmod 666 "$D/files/a/with blank's/_pgc-tmp-0123456789abcdef"
  is "$kind: a temporary is not listed" "$(probe "$url" 'list')" 'object b/c 1000000
result OK'
  is "$kind: sweep" "$(probe "$url" 'sweep')" 'swept 1
result OK'

  ( PGC_PROBE_URL=$url PGC_PROBE='put k/termed 28000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/termed.out" 2>&1 &
  pid=$!
  for _ in $(seq 200); do [ -d "$D/files/a/with blank's/k" ] && break; sleep 0.01; done
  kill "$pid"; wait "$pid" 2> /dev/null
  if grep -q 'result OK' "$T/termed.out"; then skip "$kind: terminated" "the upload was faster than the signal"
  else
    like "$kind: terminated: the code" "$(cat "$T/termed.out")" 'result CANCELLED: '
    is "$kind: terminated: nothing is left" "$(find "$D/files" -path '*/k*' | wc -l)" 0
  fi

  like "$kind: wrong password" "$(PGC_DAV_PASSWORD=no probe "$url" 'put n 10')" '^result AUTH: .*PGC_DAV_PASSWORD'
  printf 'pa:ss\n' > "$T/pw"
  is "$kind: password from a file" "$(env -u PGC_DAV_PASSWORD PGC_DAV_PASSWORD_FILE="$T/pw" PGC_PROBE_URL="$url" PGC_PROBE='list none' "$B/tests/unit" store_probe 2> /dev/null | grep result)" 'result OK'
  status "$kind: doctor" 0 pgc-backup doctor --store "$url"
  status "$kind: doctor: wrong password" 77 env PGC_DAV_PASSWORD=no pgc-backup doctor --store "$url"
  like "$kind: doctor: wrong password: advice" "$OUT" 'FAILED +put .*PGC_DAV_PASSWORD.*the location must allow PUT'
  is "$kind: doctor leaves nothing" "$(find "$D/files" -path '*pgc-doctor*' | wc -l)" 0
  mkdir "$D/files/many"
  (cd "$D/files/many" && seq 2345 | xargs touch; chmod -R 777 .)
  is "$kind: 2,345 files in a folder" "$(probe "dav://user@127.0.0.1:$port" 'list many/' | grep -c '^object ')" 2345
  rm -r "$D/files/many"
  broken "$kind" "$port"
  full "$kind" "$port"
  [ "$kind" != apache ] || digest "dav://user@127.0.0.1:$((port + 2))/a"
  tests/support/webdav.sh stop "$D"
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null || break; sleep 0.05; done
  like "$kind: nobody listens" "$(probe "$url?attempts=1" 'list x')" '^result UNAVAILABLE: '
}

# Connections that break, answers that may pass: an upload of up to 4 MiB begins anew, downloads go on, requests are repeated.
broken() { # broken KIND PORT
  local kind=$1
  through() { probe "dav://user@127.0.0.1:$CUT/cut?attempts=${2:-4}&stall=5s" "$1"; }
  cut_off "$2" up:1000000 503 up:2000000
  is "$kind: broken, 503, broken" "$(through 'put k 3000000')" 'result OK'
  is "$kind: broken, 503, broken: comes back" "$(through 'get k 3000000')" 'result OK'
  is "$kind: broken: one file" "$(find "$D/files/cut" -type f | wc -l)" 1
  cut_off "$2" 503 refuse 429
  is "$kind: 503, refused, 429 before the first byte" "$(through 'put k 3000000')" 'result OK'
  cut_off "$2" up:16000000
  like "$kind: broken behind what is kept" "$(through 'put new 25000000')" '^result TEMPORARY: '
  is "$kind: broken behind what is kept: nothing is left" "$(find "$D/files/cut" -name '*new*' -o -name '*pgc-tmp*' | wc -l)" 0
  cut_off "$2" down:1000000 503 down:900000
  is "$kind: a download that broke goes on" "$(through 'get k 3000000')" 'result OK'
  cut_off "$2" '503*'
  like "$kind: 503 for ever" "$(through 'put new 10' 2)" '^result TEMPORARY: .*status 503'
  is "$kind: 503 for ever: two attempts, and two to tidy up" "$(wc -l < "$T/cut.log")" 4
  cut_off "$2" 507
  like "$kind: 507" "$(through 'put new 10')" '^result NOSPACE: .*status 507'
  uncut
}

full() { # full KIND PORT: a real full disk behind the server
  if [ "$(id -u)" != 0 ] || ! mkdir "$T/small" || ! mount -t tmpfs -o size=1m,mode=777 tmpfs "$T/small" 2> /dev/null; then
    [ ! -d "$T/small" ] || rmdir "$T/small"
    skip "$1: disk full" "cannot mount a tmpfs"
    return
  fi
  ln -s "$T/small" "$D/files/small"
  like "$1: disk full" "$(probe "dav://user@127.0.0.1:$2/small?attempts=2" 'put k 3000000')" '^result (NOSPACE|TEMPORARY): .*status 5(00|07)'
  is "$1: disk full: not visible" "$(probe "dav://user@127.0.0.1:$2/small" 'list')" 'result OK'
  probe "dav://user@127.0.0.1:$2/small" sweep > "$T/swept" # nginx leaves halves of its own, under our temporary's name
  is "$1: disk full: nothing is left" "$(find "$T/small" -type f ! -path '*/.DAV/*' | wc -l)" 0
  umount "$T/small"; rmdir "$T/small"; rm "$D/files/small"
}

digest() { # digest URL
  contract "digest: contract" "$1/d?auth=digest"
  like "digest: basic is refused with advice" "$(probe "$1" 'put n 10')" '^result AUTH: .*auth=digest'
  like "digest: wrong password" "$(PGC_DAV_PASSWORD=no probe "$1?auth=digest" 'put n 10')" '^result AUTH: .*PGC_DAV_PASSWORD'
  like "digest: wrong password, reading" "$(PGC_DAV_PASSWORD=no probe "$1?auth=digest" 'get n 10')" '^result AUTH: .*PGC_DAV_PASSWORD'
  like "digest: no such thing" "$(probe "$1?auth=ntlm" 'put n 10')" '^result USAGE: .*neither basic nor digest'
}

examine nginx
examine apache
like "a password in the URL" "$(probe "dav://user:secret@127.0.0.1/x" 'put n 10')" '^result USAGE: .*password does not belong'
finish
