#!/bin/bash
# The scheduler's page in a browser that runs no scripts.
. tests/support/lib.sh
command -v chromium > "$T/out" || { skip 'the page in Chromium' 'chromium is not installed'; finish; }
port=$(tests/support/free-port.sh)
cat > "$T/jobs.json" << J
{"jobs": [{"name": "app & <shop>", "schedule": "@every 1s", "timezone": "Europe/Berlin",
           "args": ["--no-encryption", "--store", "$T/store", "-h", "/nonexistent", "-d", "x"]},
          {"name": "nightly", "schedule": "30 2 * * *", "args": ["--no-encryption", "--store", "$T/store"]}]}
J
pgc-backup schedule --config "$T/jobs.json" --listen "127.0.0.1:$port" 2> "$T/log" & pid=$!
trap 'kill $pid' EXIT
for _ in $(seq 100); do curl -s "http://127.0.0.1:$port/metrics" | grep -q 'result="failure"} [1-9]' && break; sleep 0.1; done
mkdir -p "$T/profile/Default"
echo '{"profile": {"default_content_setting_values": {"javascript": 2}}}' > "$T/profile/Default/Preferences"
dom() { HOME=$T timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/profile" --dump-dom "$1" 2> "$T/chromium.log"; }
visible() { python3 -c 'import re,sys,html
text = re.sub(r"<(style|title)\b.*?</\1>", " ", sys.stdin.read(), flags=re.S)
print(" ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split()))'; }

echo '<p id=a>still</p><script>document.getElementById("a").textContent = "changed"</script>' > "$T/script.html"
page=$(dom "file://$T/script.html")
[ -n "$page" ] || { skip 'the page in Chromium' 'chromium does not run here'; finish; }
like 'scripts do not run' "$page" '>still</p>'
page=$(dom "http://127.0.0.1:$port/")
text=$(visible <<< "$page")
like 'the page has its heads' "$text" '^pgc backup 1 of 2 jobs needs attention 2 never verified Job State Last success Verified Next run Size of the last runs '
like 'a job that fails, its name as it is' "$text" 'app & <shop> @every 1s Europe/Berlin . (failed|running) never ! not verified no schedule '
like 'its error' "$text" 'Last run: .*nonexistent.* \(exit status 69\)'
like 'a job that waits' "$text" 'nightly 30 2 \* \* \* UTC . waiting never ! not verified no schedule in [0-9]+ (s|min|h) 20[0-9-]+ 02:30 UTC no runs yet'
like 'bars of the last runs' "$page" '<path class="miss"'
# A picture of it, for people: PGC_SCREENSHOTS=DIR keeps them.
shoot() { HOME=$T timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir="$T/profile" --window-size="$2" --screenshot="$T/$1.png" "http://127.0.0.1:$port/" > "$T/chromium.log" 2>&1; }
for size in wide:1280,700 narrow:500,1200; do
  shoot "${size%%:*}" "${size#*:}"
  ok "a picture, ${size%%:*}" python3 -c 'import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
width, height = struct.unpack(">II", data[16:24])
at, raw = 8, b""
while at < len(data):
    n, kind = struct.unpack(">I4s", data[at:at + 8])
    raw += data[at + 8:at + 8 + n] if kind == b"IDAT" else b""
    at += n + 12
lines = {zlib.decompress(raw)[i:i + 400] for i in range(0, 400000, 4001)}
sys.exit(f"{width}x{height}, {len(lines)} kinds of lines" if f"{width},{height}" != sys.argv[2] or len(lines) < 5 else 0)' "$T/${size%%:*}.png" "${size#*:}"
  [ -z "${PGC_SCREENSHOTS:-}" ] || cp "$T/${size%%:*}.png" "$PGC_SCREENSHOTS/"
done
unlike 'nothing runs, nothing is fetched' "$page" '<script|<img|<link|src=| on[a-z]+='
finish
