"""Every case of corpus foreign-migrations through pgc migrate, as its case.json says.

usage: foreign_migrations.py CORPUS PGBIN   (PG* variables name the server; pgc-migrate is in PATH)
Prints "ok NAME" or "not ok NAME" with what differs.
"""
import glob, json, os, subprocess, sys

corpus, pgbin = sys.argv[1:3]


def psql(db, sql):
    r = subprocess.run([pgbin + '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', db, '-c', sql], capture_output=True, text=True)
    if r.returncode:
        raise RuntimeError(r.stderr)
    return [line for line in r.stdout.split('\n') if line]


def migrate(*args):
    return subprocess.run(['pgc-migrate', *args], capture_output=True, text=True)


def plan(case, options):
    """Order of the pending files on an empty database, from the folder alone; refusals."""
    r = migrate('plan', '--offline', '--json', *options)
    if case.get('expected_error'):
        return [] if r.returncode == 65 else [f'refusal expected, exit status {r.returncode}: {r.stderr}']
    if r.returncode:
        return [f'plan: exit status {r.returncode}: {r.stderr}']
    steps = json.loads(r.stdout)['steps']
    problems = []
    if [s['file'] for s in steps] != case['expected_pending_order']:
        problems.append(f"order: {[s['file'] for s in steps]}, wanted {case['expected_pending_order']}")
    outside = [s['file'] for s in steps if not s['transaction']]
    if case.get('applies_on_pg15') and outside != case.get('outside_transaction', []):
        problems.append(f"outside a transaction: {outside}, wanted {case.get('outside_transaction', [])}")
    return problems


def normal(rows, columns):
    def one(row):
        out = {}
        for k in columns:
            v = row.get(k)
            v = v[2:] if isinstance(v, str) and v.startswith('\\x') else v
            out[k] = v if v is None or isinstance(v, bool) else str(v)
        return json.dumps(out, sort_keys=True)
    return sorted(one(r) for r in rows)


def ledger(case, db):
    table, want = case['ledger']['table'], case['ledger']['rows_after_all']
    columns = sorted({k for row in want for k in row} - {'checkpoint', 'checksum_int4', 'checksum_int8'})
    got = [json.loads(x) for x in psql(db, f'select row_to_json(t) from {table} t')]
    problems = []
    if normal(got, columns) != normal(want, columns):
        problems.append(f'ledger: {normal(got, columns)}, wanted {normal(want, columns)}')
    for row in want:
        if 'checksum_int8' in row:
            mine = [g['checksum'] for g in got if g['version'] == row['version']]
            if not mine or mine[0] not in (row.get('checksum_int4'), row['checksum_int8']):
                problems.append(f'checksum of {row}: {mine}')
    return problems


RELATIONS = """
select case relkind when 'p' then 'r' else relkind::text end || ' ' || format('%I.%I', nspname, relname) from pg_class c join pg_namespace n on n.oid = relnamespace
 where nspname !~ '^pg_' and nspname not in ('information_schema', 'pgc')"""


def apply(case, options, db):
    psql('postgres', f'drop database if exists {db} with (force)')
    psql('postgres', f'create database {db}')
    for name in case.get('databases_created', []):
        psql('postgres', f'drop database if exists {name}')
    for name in case.get('schemas_to_create_first', []):
        psql(db, f'create schema {name}')
    r = migrate('up', '--ledger', 'foreign', '-d', db, *options)
    if not case['applies_on_pg15']:
        want = case['fails_at']['error']
        return [] if r.returncode and want in r.stderr else [f'failure expected ({want}), exit status {r.returncode}: {r.stderr}']
    if r.returncode:
        return [f'up: exit status {r.returncode}: {r.stderr}']
    problems = ledger(case, db)
    status = migrate('status', '--json', '--ledger', 'foreign', '-d', db, *options)
    state = json.loads(status.stdout or '{}')
    if state.get('pending') != 0:
        problems.append(f'pending after up: {status.stdout} {status.stderr}')
    for table, rows in case.get('row_counts_after', {}).items():
        try:
            got = psql(db, f'select count(*) from {table}')
        except RuntimeError as e:
            got = [str(e)]
        if got != [str(rows)]:
            problems.append(f'rows of {table}: {got}, wanted {rows}')
    again = migrate('up', '--ledger', 'foreign', '-d', db, *options)
    if again.returncode:
        problems.append(f'second up: exit status {again.returncode}: {again.stderr}')
    return problems


def main():
    for path in sorted(glob.glob(corpus + '/foreign-migrations/*/case.json')):
        case = json.load(open(path))
        options = ['--dir', os.path.dirname(path) + '/migrations', '--format', case['format']]
        for k, v in (case.get('placeholders') or {}).items():
            options += ['--var', f'{k}={v}']
        problems = plan(case, options)
        if not problems and not case.get('expected_error'):
            problems = apply(case, options, 'f_' + case['name'].replace('-', '_')[:50])
        print(('not ok ' if problems else 'ok ') + case['name'])
        for p in problems:
            print('    ' + p[:1500])


main()
