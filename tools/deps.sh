#!/bin/bash
# deps.sh install|ensure|list GROUP...: the Debian/Ubuntu packages that pgc needs.
#   ensure   installs what is missing; silent when nothing is missing (`make check` and `make demo` call it)
#   install  the same, and says so when nothing is missing
#   list     prints the packages of the groups, one per line
# Groups: build test demo containers bench lint fuzz coverage valgrind.
# As root, or where sudo asks for no password, apt-get installs; otherwise the list is printed and the exit status is 69.
# Installing PostgreSQL makes no cluster and starts no service; whatever is changed for that is put back.
set -u

# group, package (alternatives separated by |), why
packages() {
  cat << 'END'
build gcc                        compiler
build make                       build
build pkg-config|pkgconf         finds the libraries
build libc6-dev                  C library headers
build libpq-dev                  PostgreSQL client library
build libcurl4-openssl-dev       HTTP, S3, SFTP and WebDAV clients
build libzstd-dev                compression
build libssl-dev                 cryptography (libcrypto)
build libmicrohttpd-dev          HTTP server for probes, metrics and test databases
build libjansson-dev             reads JSON
build libexpat1-dev              reads XML (S3 and WebDAV listings)
build liblzma-dev                reads .xz scripts
build zlib1g-dev                 reads .gz scripts
build libpg-query-dev            PostgreSQL's parser, for pgc lint
test check                       unit test framework
test postgresql                  server binaries for throw-away servers (15 or newer)
test age                         stock decryption of our backups
test zstd                        stock decompression of our backups
test xz-utils                    packs compressed test scripts
test pgbouncer                   tests through a connection pooler
test openssh-server              SFTP server for the store tests
test openssh-client              SFTP client and keys for the store tests
test nginx-light|nginx           WebDAV server for the store tests
test libnginx-mod-http-dav-ext   PROPFIND for that server
test apache2-bin                 WebDAV server for the store tests
test swift                       S3 server for the store tests
test swift-proxy                 S3 server for the store tests
test swift-account               S3 server for the store tests
test swift-container             S3 server for the store tests
test swift-object                S3 server for the store tests
test memcached                   token cache of that server
test s3cmd                       an independent S3 client
test jq                          checks JSON output
test python3                     small test servers and oracles
test curl                        an independent HTTP client
test python3-aiosmtpd            mail server for the notification tests
test openssl                     test certificates
test procps                      looks at processes
demo postgresql                  server binaries for the throw-away server
bench postgresql                 pg_dump, pgbench, psql to compare with
bench age                        to compare with
bench zstd                       to compare with
bench s3cmd                      to compare with
bench python3                    runs commands side by side
containers docker.io             container engine
containers docker-compose        runs the compose file
containers mmdebstrap            makes the base images
containers jq                    reads image descriptions
containers curl                  asks the scheduler
containers procps                looks for zombies
lint clang-format                format check
lint shellcheck                  script check
lint gcc                         headers alone in C
lint g++                         public headers alone in C++
fuzz clang                       compiler with libFuzzer
fuzz libclang-rt-dev|libclang-rt-14-dev|libclang-rt-16-dev|libclang-rt-18-dev sanitizer runtimes of clang
coverage lcov                    coverage report
valgrind valgrind                memory checker
END
}

say() { echo "deps: $*" >&2; }
installed() { case $'\n'$have in *$'\n'"$1 ok installed"*) return 0 ;; esac; return 1; }

# present "a|b": is any of the alternatives installed? PostgreSQL may also have come from elsewhere.
present() {
  local p
  for p in ${1//|/ }; do
    installed "$p" && return 0
  done
  case $1 in
  postgresql) "$here/pgbin.sh" > /dev/null 2>&1 ;;
  *) return 1 ;;
  esac
}

# The first alternative that the archive knows.
choose() {
  local p
  for p in ${1//|/ }; do
    if apt-cache show "$p" > /dev/null 2>&1; then echo "$p"; return; fi
  done
  echo "${1%%|*}"
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    -o Acquire::Retries=3 "$@" > "$log" 2>&1 || { tail -n 20 "$log" >&2; say "apt-get ${*: -1} failed"; return 1; }
}

restore() {
  [ -z "$policy" ] || as_root rm -f "$policy"
  [ -z "$saved_conf" ] || as_root mv -f "$saved_conf" "$cluster_conf"
  policy='' saved_conf=''
  rm -f "$log"
}

install_missing() {
  local chosen=() p
  cluster_conf=/etc/postgresql-common/createcluster.conf policy='' saved_conf=''
  log=$(mktemp)
  trap restore EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  apt update || say "going on with the package lists that are there"
  for p in "${missing[@]}"; do chosen+=("$(choose "$p")"); done
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null && as_root chmod 755 "$policy"
  fi
  if [[ " ${chosen[*]} " == *" postgresql "* ]] && ! "$here/pgbin.sh" > /dev/null 2>&1; then
    apt install -y --no-install-recommends postgresql-common || return 1
    if [ -e "$cluster_conf" ]; then
      as_root cp -p "$cluster_conf" "$cluster_conf.pgc-saved" && saved_conf=$cluster_conf.pgc-saved
      echo 'create_main_cluster = false' | as_root tee -a "$cluster_conf" > /dev/null
    fi
  fi
  apt install -y --no-install-recommends "${chosen[@]}"
}

usage() { sed -n '2,6s/^# //p' "$0" >&2; exit 64; }

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || usage
mode=$1
shift
case $mode in install | ensure | list) ;; *) usage ;; esac
for g; do packages | grep -q "^$g " || { say "unknown group '$g'"; exit 64; }; done
wanted=$(packages | awk -v groups="$*" 'BEGIN { n = split(groups, g, " "); for (i = 1; i <= n; i++) want[g[i]] = 1 } want[$1] && !seen[$2]++')
if [ "$mode" = list ]; then awk '{ print $2 }' <<< "$wanted"; exit 0; fi

if ! command -v dpkg-query > /dev/null; then
  say "not a Debian or Ubuntu system; needed: $(awk '{ printf "%s ", $2 }' <<< "$wanted")"
  [ "$mode" = ensure ] && exit 0
  exit 69
fi
have=$(dpkg-query -W -f '${Package} ${db:Status-Eflag} ${db:Status-Status}\n' 2> /dev/null)
missing=() reasons=''
while read -r _ p why; do
  present "$p" || { missing+=("$p"); reasons+=$(printf '  %-26s %s' "${p%%|*}" "$why")$'\n'; }
done <<< "$wanted"
if [ ${#missing[@]} -eq 0 ]; then
  [ "$mode" = ensure ] || say "nothing is missing for: $*"
  exit 0
fi
say "missing packages:"
printf '%s' "$reasons" >&2
if [ "$(id -u)" != 0 ] && ! sudo -n true 2> /dev/null; then
  say "neither root nor sudo without a password; install them with:"
  echo "  apt-get install --no-install-recommends ${missing[*]%%|*}" >&2
  exit 69
fi
say "installing ${#missing[@]} packages with apt-get"
install_missing || exit 1
say "done"
