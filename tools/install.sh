#!/bin/bash
# install.sh [programs]: installs what make built; the Makefile calls it with DESTDIR, prefix, B and VERSION.
# "programs": only the programs (for container images), stripped.
set -eu
: "${B:?build folder}" "${VERSION:?}" "${prefix:?}"
root=${DESTDIR:-}$prefix
put() { install -d "$(dirname "$3")"; install -m "$1" "$2" "$3"; }

for f in "$B"/bin/pgc "$B"/bin/pgc-*; do
  put 755 "$f" "$root/bin/$(basename "$f")"
  [ "${1:-}" != programs ] || "${STRIP:-strip}" "$root/bin/$(basename "$f")"
done
# Under their own names these would hide PostgreSQL's programs: they stay in a folder that people may put into PATH.
install -d "$root/lib/pgc/applets"
ln -sf ../../../bin/pgc-ready "$root/lib/pgc/applets/pg_isready"
ln -sf ../../../bin/pgc-sql "$root/lib/pgc/applets/psql"
[ "${1:-}" != programs ] || exit 0

put 755 "$B/libpgc.so.0" "$root/lib/libpgc.so.0"
ln -sf libpgc.so.0 "$root/lib/libpgc.so"
put 644 "$B/libpgc.a" "$root/lib/libpgc.a"
for f in include/pgc/*.h; do put 644 "$f" "$root/include/pgc/$(basename "$f")"; done
install -d "$root/lib/pkgconfig"
cat > "$root/lib/pkgconfig/libpgc.pc" << END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: libpgc
Description: readiness, migrations, seeds, test databases and backups for PostgreSQL
Version: $VERSION
Requires.private: libpq libcurl libzstd libcrypto jansson expat libmicrohttpd liblzma zlib
Libs: -L\${libdir} -lpgc
Libs.private: -lpg_query -lpthread -lm
Cflags: -I\${includedir}
END
[ ! -d "$B/man" ] || for f in "$B"/man/*.[0-9]; do
  put 644 "$f" "$root/share/man/man${f##*.}/$(basename "$f")"
done
[ ! -d "$B/completions" ] || {
  for f in "$B"/completions/*.bash; do [ ! -e "$f" ] || put 644 "$f" "$root/share/bash-completion/completions/$(basename "$f" .bash)"; done
  for f in "$B"/completions/_*; do [ ! -e "$f" ] || put 644 "$f" "$root/share/zsh/site-functions/$(basename "$f")"; done
}
for f in LICENSE README.md CHANGELOG.md; do [ ! -e "$f" ] || put 644 "$f" "$root/share/doc/pgc/$f"; done
