#!/bin/bash
# The images and the compose story on a real container engine (make check-containers).
#   run.sh [TARGET...]     only these images, without the compose story
# Uses the engine of DOCKER_HOST when one answers; else, as root, starts a dockerd of its own with its data under
# build/containers, and ends it. Base images are made from Debian packages when they are absent: no registry is needed.
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/lib.sh
DOCKER=${DOCKER:-$([ -x /usr/bin/docker ] && echo /usr/bin/docker || echo docker)}
keep=$PWD/build/containers
targets=("$@")
[ $# -gt 0 ] || for t in ready init migrate lint seed sql backup restore suite; do
  { [ "$t" = suite ] || [ -e "bin/pgc-$t.c" ]; } && targets+=("$t")
done
export PGC_TAG=check-$$ DOCKER_BUILDKIT=1 COMPOSE_PROJECT_NAME=pgc-check-$$
T=$(mktemp -d "${TMPDIR:-/tmp}/pgc-containers.XXXXXX")
export T PGC_TEST_SECRETS=$T/secrets
engine_pid='' made=() had_docker0=no

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  trap '' INT TERM
  if "$DOCKER" info > /dev/null 2>&1; then
    compose down --volumes --timeout 3 > /dev/null 2>&1
    scheduler down --volumes --timeout 3 > /dev/null 2>&1
    "$DOCKER" ps -aq --filter "label=pgc.check=$$" | xargs -r "$DOCKER" rm -fv > /dev/null 2>&1
    for t in "${targets[@]}"; do "$DOCKER" rmi -f "pgc/$t:$PGC_TAG" > /dev/null 2>&1; done
    # Base images in an engine of somebody else: only those that were made here go. In our own they are the cache.
    [ -n "$engine_pid" ] || for i in "${made[@]}"; do "$DOCKER" rmi "$i" > /dev/null 2>&1; done
  fi
  if [ -n "$engine_pid" ]; then
    kill "$engine_pid" 2> /dev/null; wait "$engine_pid" 2> /dev/null
    [ "$had_docker0" = yes ] || ip link delete docker0 2> /dev/null
  fi
  rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

no_engine() { echo "no container engine can run here: $1"; echo "0 passed, 1 failed"; exit 1; }
compose() { docker-compose -f docker-compose.test.yml "$@"; }
total() { echo "$PASSED passed, $FAILED failed"; [ "$FAILED" -eq 0 ]; exit; }

start_engine() {
  "$DOCKER" info > /dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] || no_engine "none answers, and only root can start one"
  command -v dockerd > /dev/null || no_engine "there is no dockerd"
  ip link show docker0 > /dev/null 2>&1 && had_docker0=yes
  mkdir -p "$keep"
  export DOCKER_HOST=unix://$T/docker.sock
  # Its own session: Ctrl-C must reach us first, so that we can clean up while it still runs.
  setsid dockerd --data-root "$keep/docker" --exec-root "$T/exec" --pidfile "$T/docker.pid" --host "$DOCKER_HOST" \
    > "$T/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 120); do
    "$DOCKER" info > /dev/null 2>&1 && return
    kill -0 "$engine_pid" 2> /dev/null || break
    sleep 0.5
  done
  no_engine "$(grep -E 'level=(error|fatal)|failed' "$T/dockerd.log" | tail -n 1 | cut -c 1-300)"
}

have_image() { "$DOCKER" image inspect "$1" > /dev/null 2>&1; }
base_images() {
  if ! have_image debian:bookworm-slim; then
    mkdir -p "$keep"
    [ -s "$keep/bookworm.tar" ] || { mmdebstrap --quiet --variant=minbase --format=tar bookworm "$keep/bookworm.tar.new" && mv "$keep/bookworm.tar.new" "$keep/bookworm.tar"; } || return 1
    "$DOCKER" import --change 'CMD ["bash"]' "$keep/bookworm.tar" debian:bookworm-slim > /dev/null || return 1
    made+=(debian:bookworm-slim)
  fi
  if ! have_image postgres:15 || [ "$("$DOCKER" image inspect -f '{{index .Config.Labels "pgc.stand-in"}}' postgres:15)" = postgres:15 ]; then
    "$DOCKER" build -q -t postgres:15 -f tests/containers/postgres.Dockerfile tests/containers > /dev/null || return 1
    made+=(postgres:15)
  fi
}

# The build context as a user has it, with files in it that must never reach an image.
make_context() {
  mkdir -p "$T/context"
  git -c safe.directory='*' ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$T/context" 2> /dev/null
  echo "canary-$$" | tee "$T/context/.env" "$T/context/lib/.env.production" "$T/context/secret.key" "$T/context/tools/id.pem" > /dev/null
}

build() {
  local log=$T/build.log
  if "$DOCKER" build --progress=plain --build-arg "VERSION=$(cat VERSION)" --build-arg "REVISION=test" \
    -t "pgc/$1:$PGC_TAG" --target "$1" "$T/context" > "$log" 2>&1; then pass "build $1"; else
    fail "build $1" "$(tail -n 15 "$log")"; return 1
  fi
}

hardened=(--rm --label "pgc.check=$$" --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --pids-limit 64 --memory 64m --cpus 1)
inspect() { "$DOCKER" image inspect -f "$2" "$1"; }

# Files that may be in an image: programs, shared libraries, user names, licence, certificates, time zones.
allowed='^(usr/bin/pgc(-[a-z]+)?|usr/lib/postgresql/[0-9]+/bin/pg_(dump|dumpall|restore)|(usr/)?lib(64)?/([a-z0-9_]+-linux-gnu/)?[A-Za-z0-9_.+-]+\.so(\.[0-9.]+)?|etc/(passwd|group|hosts|hostname|resolv.conf|mtab|ssl/certs/ca-certificates\.crt)|licenses/pgc|bin/sh|usr/share/zoneinfo/.+|\.dockerenv|dev/console)$'

check_image() {
  local t=$1 image=pgc/$1:$PGC_TAG id list
  like "$t: the user is a number" "$(inspect "$image" '{{.Config.User}}')" '^[1-9][0-9]*:[1-9][0-9]*$'
  like "$t: the entry point is a program" "$(inspect "$image" '{{json .Config.Entrypoint}}')" '^\["/usr/bin/pgc(-[a-z]+)?"\]$'
  is "$t: SIGTERM stops it" "$(inspect "$image" '{{.Config.StopSignal}}')" SIGTERM
  is "$t: version label" "$(inspect "$image" '{{index .Config.Labels "org.opencontainers.image.version"}}')" "$(cat VERSION)"
  unlike "$t: a health check is no shell line" "$(inspect "$image" '{{json .Config.Healthcheck}}')" 'CMD-SHELL'
  unlike "$t: nothing secret in its history" "$("$DOCKER" history --no-trunc "$image")" "canary-$$|PASSWORD="
  id=$("$DOCKER" create --label "pgc.check=$$" "$image")
  "$DOCKER" export "$id" | tar -tvf - > "$T/list"
  "$DOCKER" rm "$id" > /dev/null
  list=$(awk '$1 !~ /^d/ { sub(/^.* [0-9]+:[0-9]+ /, ""); sub(/ -> .*/, ""); print }' "$T/list")
  is "$t: only files that belong there" "$(grep -vE "$allowed" <<< "$list")" ""
  is "$t: nothing setuid" "$(awk '$1 ~ /^-..[sS]|^-.....[sS]/' "$T/list")" ""
  is "$t: nothing that others may write, but /tmp" "$(awk '$1 ~ /^[d-].......w/ && $NF != "tmp/"' "$T/list")" ""
  "$DOCKER" save "$image" | tar -xOf - --wildcards '*layer.tar' > "$T/layers"
  ok "$t: no canary in its layers" bash -c "! grep -qa 'canary-$$' '$T/layers'"
  rm -f "$T/layers"
  printf '# %-8s %5.1f MB\n' "$t" "$(awk "BEGIN { print $(inspect "$image" '{{.Size}}') / 1e6 }")"
  ok "$t: runs as 65532, read-only, without capabilities" "$DOCKER" run "${hardened[@]}" "$image" --version
  ok "$t: runs as any user" "$DOCKER" run "${hardened[@]}" --user 1234567:0 "$image" --help
}

# The /bin/sh of some images answers pg_dumpall and nobody else.
check_no_shell() {
  local words
  for words in 'echo x' '/usr/bin/pgc-backup --version; id' '/usr/bin/pgc-backup | /usr/bin/pgc-backup'; do
    status "no shell for '$words'" 127 "$DOCKER" run "${hardened[@]}" --entrypoint /bin/sh "pgc/backup:$PGC_TAG" -c "$words"
  done
}

# PID 1 must hear SIGTERM: docker stop without its ten seconds of patience.
check_stop() {
  local id start
  id=$("$DOCKER" run -d --label "pgc.check=$$" --network none "pgc/ready:$PGC_TAG" --wait 1h -h 127.0.0.1)
  sleep 1
  start=$(date +%s%N)
  "$DOCKER" stop --time 8 "$id" > /dev/null
  like "docker stop within 2 s ($((($(date +%s%N) - start) / 1000000)) ms)" "$((($(date +%s%N) - start) / 1000000))" '^1?[0-9]{1,3}$'
  is "ended by SIGTERM" "$("$DOCKER" inspect -f '{{.State.ExitCode}}' "$id")" 143
  "$DOCKER" rm "$id" > /dev/null
}

# The scheduler as people run it (examples/backup): PID 1, user 65532, read-only, no shell. It backs up, verifies, reaps what lands on
# it, says how it is, and ends in time.
scheduler() { docker-compose -p "pgc-schedule-$$" -f examples/backup/compose.yml "$@"; }
wait_for() { for _ in $(seq 150); do eval "$1" && return 0; sleep 0.4; done; return 1; }
ask() { curl -s -m 5 "http://127.0.0.1:$PGC_BACKUP_PORT$1"; }
check_scheduler() {
  local id start init
  export PGC_SECRETS=$PGC_TEST_SECRETS PGC_BACKUP_PORT PGC_BACKUP_CONFIG=$T/backup.json
  PGC_BACKUP_PORT=$(tests/support/free-port.sh)
  [ -s "$PGC_TEST_SECRETS/age_key" ] || ok "keys and passwords" make_secrets
  ok "schedule: the example is valid" scheduler config --quiet
  jq '.jobs[0] |= (.schedule = "@every 3s" | .jitter = "0" | .verify.schedule = "@every 4s")' examples/backup/backup.json > "$PGC_BACKUP_CONFIG"
  chmod 444 "$PGC_BACKUP_CONFIG"
  ok "schedule: it starts" scheduler up -d
  id=$(scheduler ps -q backup)
  ok "schedule: it backs up" wait_for "ask /metrics | grep -q 'pgc_backup_runs_total{job_name=\"app\",result=\"success\"} [1-9]'"
  ok "schedule: and verifies" wait_for "ask /metrics | grep -q 'pgc_backup_verified_timestamp_seconds{job_name=\"app\"} 1'"
  is "schedule: PID 1 as user 65532" "$("$DOCKER" top "$id" -eo pid,user,args | awk 'NR == 2 { print $2, $3, $4 }')" "65532 /usr/bin/pgc-backup schedule"
  ok "schedule: health, asked inside" "$DOCKER" exec "$id" /usr/bin/pgc-backup health
  is "schedule: healthy for it" "$OUT" ok
  # Backups that are killed at any moment leave their children to PID 1: nobody else can reap them.
  init=$("$DOCKER" inspect -f '{{.State.Pid}}' "$id")
  for _ in 1 2 3; do ok "schedule: a backup is killed" wait_for "pkill -KILL -P $init"; done
  ok "schedule: no zombie stays" wait_for "! ps -o stat= --ppid $init | grep -q Z"
  ok "schedule: and it goes on" wait_for "ask /metrics | grep -q 'result=\"failure\"} [1-9]'"
  "$DOCKER" kill --signal HUP "$id" > "$T/out"
  ok "schedule: SIGHUP reads again" wait_for "scheduler logs --no-color backup 2>&1 | grep -q 'configuration read again'"
  start=$(date +%s)
  "$DOCKER" stop --time 30 "$id" > "$T/out"
  ok "schedule: ends within its grace" test $(($(date +%s) - start)) -lt 30
  like "schedule: by itself" "$("$DOCKER" inspect -f '{{.State.ExitCode}}' "$id")" '^(0|143)$'
  unlike "schedule: no secret in its log" "$(scheduler logs --no-color backup 2>&1)" "pass word' %|AGE-SECRET-KEY"
  [ "$FAILED" -eq 0 ] || scheduler logs --no-color backup 2>&1 | tail -n 30 | cut -c 1-400
  scheduler down --volumes --timeout 3 > "$T/out" 2>&1
}

# shellcheck disable=SC2317 # called through ok
make_secrets() {
  mkdir -p "$PGC_TEST_SECRETS"
  echo "pass word' %$$" > "$PGC_TEST_SECRETS/db_password"
  "$DOCKER" run "${hardened[@]}" "pgc/backup:$PGC_TAG" keygen > "$PGC_TEST_SECRETS/age_key" || return 1
  sed -n 's/^# public key: //p' "$PGC_TEST_SECRETS/age_key" > "$PGC_TEST_SECRETS/age_recipients"
  chmod 444 "$PGC_TEST_SECRETS"/*; chmod 755 "$T" "$PGC_TEST_SECRETS"
}

story() {
  local s
  ok "keys and passwords" make_secrets
  compose run --rm -T compare > "$T/compose.log" 2>&1
  is "compare ends with 0" $? 0
  compose logs --no-color >> "$T/compose.log" 2>&1
  for s in ready migrate seed backup restore; do
    is "$s ends with 0" "$("$DOCKER" inspect -f '{{.State.ExitCode}}' "$(compose ps -aq "$s" 2> /dev/null | head -n 1)" 2>&1)" 0
  done
  like "the restored database is the same" "$(cat "$T/compose.log")" 'the databases are equal'
  unlike "no secret in the logs" "$(cat "$T/compose.log")" "pass word' %|AGE-SECRET-KEY"
  [ "$FAILED" -eq 0 ] || grep -v '^postgres' "$T/compose.log" | tail -n 50 | cut -c 1-400
}

tools/deps.sh ensure containers || no_engine "its packages cannot be installed"
start_engine
if base_images > "$T/base.log" 2>&1; then pass "base images"; else fail "base images" "$(tail -n 10 "$T/base.log")"; total; fi
ok "the compose file is valid" compose config --quiet
make_context
for t in "${targets[@]}"; do
  build "$t" && check_image "$t"
done
[[ " ${targets[*]} " != *" ready "* ]] || check_stop
[[ " ${targets[*]} " != *" backup "* ]] || { check_no_shell; check_scheduler; }
[ $# -gt 0 ] || story
total
