#!/bin/bash
# Every case of corpus init-scripts through pgc init, as its case.json expects: exit status, steps, databases, roles, objects, rows.
. "$(dirname "$0")/../support/lib.sh"
need_corpus init-scripts || finish
server=$T/server
vars=$(PG_EXTRA='-c max_connections=50' tests/support/pg.sh start "$server") || { fail 'server' "$vars"; finish; }
trap 'tests/support/pg.sh stop "$server"' EXIT
for v in $vars; do export "${v?}"; done
cat > "$T/case.py" <<'P'
import json, os, re, shutil, subprocess, sys
case_dir, work, pgbin = sys.argv[1:4]
case = json.load(open(case_dir + '/case.json'))
expect, env_of_case = case['expect'], case['env']
def psql(db, sql):
    out = subprocess.run([pgbin + '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', db, '-c', sql], capture_output=True, text=True)
    if out.returncode: raise SystemExit('psql: ' + out.stderr)
    return [l for l in out.stdout.split('\n') if l]
def clean():
    for d in psql('template1', "select quote_ident(datname) from pg_database where datname not in ('template0','template1')"):
        psql('template1', f'drop database {d} with (force)')
    psql('template1', 'create database postgres template template0')
    for r in psql('template1', "select quote_ident(rolname) from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'"):
        psql('template1', f'drop role {r}')
clean()
user = env_of_case.get('POSTGRES_USER', 'postgres')
if user != 'postgres':
    q = user.replace('"', '""')
    psql('template1', f'create role "{q}" superuser login')
folder = work + '/initdb.d'
shutil.rmtree(folder, ignore_errors=True)
shutil.copytree(case_dir + '/initdb.d', folder)
for f in os.listdir(folder):
    os.chmod(folder + '/' + f, 0o755 if f in (case.get('executable') or []) else 0o644)
env = {k: v for k, v in os.environ.items() if not k.startswith(('PGUSER', 'PGDATABASE', 'POSTGRES_'))}
env.update(env_of_case)
env.setdefault('POSTGRES_USER', 'postgres')
env['POSTGRES_HOST_AUTH_METHOD'] = 'trust'
env.setdefault('POSTGRES_PASSWORD', 'secret')
env['PGDATA'] = work
os.environ['PATH'] = env['PATH'] = os.environ['PATH'] + ':' + pgbin
env['PATH'] = pgbin + ':' + env['PATH'] if os.environ.get('REAL_PSQL') else os.environ['B'] + '/applets:' + env['PATH']
mount = '/docker-entrypoint-initdb.d'
command = ['pgc-init', '--json', folder]
if any(mount in open(folder + '/' + f, errors='replace').read() for f in os.listdir(folder)):
    os.makedirs(mount, exist_ok=True)
    command = ['unshare', '-m', 'sh', '-c', f'mount --bind "$0" {mount} && exec pgc-init --json {mount}', folder]
run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=work)
problems = []
def same(what, got, want):
    if got != want: problems.append(f'{what}: got {got!r}, wanted {want!r}')
same('exit status', run.returncode, expect['exit_code'])
result = {}
for line in run.stdout.split('\n'):
    if line.startswith('{"ran"'): result = json.loads(line)
steps = [(s['file'], s['how'], s['outcome'] != 'failed') for s in result.get('steps', [])]
same('steps', steps, [(s['file'], s['how'], s['ok']) for s in expect['steps']])
said = re.sub('invalid LC_[A-Z]+ locale name', 'invalid locale name', run.stderr)  # PostgreSQL 17 says which one
for s in expect['steps']:
    first = s.get('first_error')
    if first and 'SOCKETDIR' not in first and first.replace('psql:', '').split(':', 1)[-1].split('ERROR:')[-1].strip() not in said:
        problems.append(f'message {first!r} is not in: {run.stderr!r}')
    if first and first.startswith('psql:') and 'SOCKETDIR' not in first:
        line = first.split(':')[2]
        if f"{s['file']}:{line}:" not in run.stderr: problems.append(f'line {line} is not in: {run.stderr!r}')
dbs = psql('template1', "select datname from pg_database where datname not in ('template0','template1') order by datname collate \"C\"")
same('databases', dbs, sorted(expect['databases'], key=lambda s: s.encode()))
roles = psql('template1', "select rolname from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres' order by rolname collate \"C\"")
same('roles', [r for r in roles if r != user], sorted(expect['roles_created'], key=lambda s: s.encode()))
objects_sql = """
select kind || ' ' || name from (
  select case relkind when 'r' then 'table' when 'p' then 'table' when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' end as kind,
         format('%I.%I', nspname, relname) as name
    from pg_class c join pg_namespace n on n.oid = relnamespace
   where relkind in ('r','p','v','m','S') and nspname !~ '^pg_' and nspname not in ('information_schema', 'pgc')
     and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
  union all select 'schema', format('%I', nspname) from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema','public','pgc')
  union all select 'extension', extname from pg_extension where extname <> 'plpgsql') x"""
for db in expect['databases']:
    same(f'objects of {db}', sorted(psql(db, objects_sql)), sorted(expect['objects'].get(db, [])))
    for table, rows in (expect.get('row_counts') or {}).get(db, {}).items():
        if f'table {table}' in expect['objects'].get(db, []):
            same(f'rows of {db} {table}', psql(db, f'select count(*) from {table}'), [str(rows)])
if not problems and expect['exit_code'] == 0:
    again = subprocess.run(command, capture_output=True, text=True, env=env, cwd=work)
    same('second run', again.returncode, 0)
    if '{"ran":0,' not in again.stdout: problems.append('the second run ran something: ' + again.stdout)
if problems:
    print('\n'.join(problems)); print('stderr:', run.stderr[:2000]); sys.exit(1)
P
made_mount=''; [ -e /docker-entrypoint-initdb.d ] || made_mount=1
for case in "$CORPUS"/init-scripts/*/; do
  name=$(basename "$case")
  if grep -qs docker-entrypoint-initdb.d "$case"/initdb.d/* && ! unshare -m true 2> /dev/null; then
    skip "$name" 'needs a bind mount, which this user cannot make'; continue
  fi
  if [ "$name" = docker-databases-locale ] && locale -a 2> /dev/null | grep -qi 'ko_KR.utf-\?8'; then
    skip "$name" 'expects that the locale ko_KR.utf8 is not installed'; continue
  fi
  mkdir -p "$T/work"
  ok "$name" python3 "$T/case.py" "${case%/}" "$T/work" "$PGBIN"
done
[ -z "$made_mount" ] || rmdir /docker-entrypoint-initdb.d 2> /dev/null
finish
