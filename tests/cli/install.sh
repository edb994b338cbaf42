#!/bin/bash
# make install: everything at its place, and the library usable through pkg-config.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
root=$T/root
if [ "$(basename "$B")" != release ]; then skip install "only for the release build"; finish; fi
ok "man pages and completions" tools/make-man.sh "$T/man" "$T/completions"
mkdir -p "$T/b"; ln -s "$B"/* "$T/b/"; rm -f "$T/b/man" "$T/b/completions"; ln -s "$T/man" "$T/completions" "$T/b/"
ok "install" env DESTDIR="$root" prefix=/usr B="$T/b" VERSION="$(cat VERSION)" tools/install.sh
for f in bin/pgc bin/pgc-testdb lib/libpgc.a include/pgc/error.h share/man/man1/pgc.1 share/man/man1/pgc-seed.1 \
  share/bash-completion/completions/pgc-seed share/zsh/site-functions/_pgc-seed share/doc/pgc/LICENSE; do
  ok "$f is there" test -s "$root/usr/$f"
done
is "pgc finds its verbs" "$("$root/usr/bin/pgc" seed --version)" "pgc-seed (pgc) $(cat VERSION)"
ok "pg_isready as an applet" test "$root/usr/lib/pgc/applets/pg_isready" -ef "$root/usr/bin/pgc-ready"
ok "nothing writes outside" test ! -e "$root/etc"

# embedding: compile, link, run with nothing but what pkg-config says
cat > "$T/embed.c" << 'END'
#include <pgc/error.h>
#include <stdio.h>
int main(void) {
    struct pgc_error err;
    enum pgc_code code = pgc_fail(&err, PGC_E_LOCKED, "no %s", "luck");
    printf("%s %d %s\n", pgc_code_name(code), pgc_code_exit_status(code), err.message);
    return 0;
}
END
export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
# shellcheck disable=SC2046
ok "compiles and links" gcc -Wall -Wextra -Werror $(pkg-config --cflags libpgc) -o "$T/embed" "$T/embed.c" -L"$root/usr/lib" -lpgc
is "and runs" "$(LD_LIBRARY_PATH=$root/usr/lib "$T/embed")" "LOCKED 75 no luck"
is "only pgc_ symbols are exported" "$(nm -D --defined-only "$root/usr/lib/libpgc.so.0" | awk '$2 ~ /[TDBR]/ && $3 !~ /^pgc_/' | wc -l)" 0
is "the version agrees" "$(pkg-config --modversion libpgc)" "$(cat VERSION)"
finish
