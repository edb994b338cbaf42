#!/bin/bash
# Prints the folder of the newest real PostgreSQL server binaries (Debian's /usr/bin/psql is a Perl wrapper).
for d in "${PGBIN:-}" $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin | sort -Vr); do
  if [ -n "$d" ] && [ -x "$d/initdb" ]; then echo "$d"; exit 0; fi
done
if command -v pg_config > /dev/null && [ -x "$(pg_config --bindir)/initdb" ]; then pg_config --bindir; exit 0; fi
echo "no PostgreSQL server binaries found (package postgresql)" >&2
exit 1
