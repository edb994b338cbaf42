"""Every case of corpus foreign-migrations through pgc migrate, as its case.json says.

usage: foreign_migrations.py CORPUS PGBIN WORK   (PG* variables name the server; pgc-migrate is in PATH)
Prints "ok NAME" or "not ok NAME" with what differs. A field of a case.json that nobody looks at makes its case fail.
"""
import concurrent.futures, glob, json, os, shutil, subprocess, sys

corpus, pgbin, work = sys.argv[1:4]

# What the corpus says in its own words about refusals, where ours are others.
OTHER_WORDS = {
    'duplicate version 1 up': "duplicate version 1: ",
    'more than one migration with one version': 'version 1 is used twice: ',
}
# Rows that a ledger has before anything was applied.
INITIAL_ROWS = {'goose': [{'version_id': 0, 'is_applied': True}], 'tern': [{'version': 0}]}
NEWEST_ONLY = ('golang-migrate', 'tern')


class Fields:
    """A JSON object that notes which of its fields were asked for."""

    def __init__(self, values):
        self.values, self.seen = values, set()

    def get(self, name, default=None):
        self.seen.add(name)
        return self.values.get(name, default)

    def unseen(self):
        return sorted(set(self.values) - self.seen)


def psql(db, sql):
    r = subprocess.run([pgbin + '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', db, '-c', sql], capture_output=True, text=True)
    if r.returncode:
        raise RuntimeError(r.stderr)
    return [line for line in r.stdout.split('\n') if line]


def migrate(*args):
    return subprocess.run(['pgc-migrate', *args], capture_output=True, text=True)


def differ(what, got, want):
    return [] if got == want else [f'{what}: {got}, wanted {want}']


# --- from the folder alone ------------------------------------------------------------------------------------------------

def plan(case, options):
    """Order, versions, transactions and statements of the pending files on an empty database; refusals."""
    r = migrate('plan', '--offline', '--json', *options)
    refusal, outside = case.get('expected_error'), case.get('outside_transaction', [])
    versions, order = case.get('expected_versions'), case.get('expected_pending_order')
    if refusal:
        words = OTHER_WORDS.get(refusal, refusal)
        return [] if r.returncode == 65 and words in r.stderr else [f'refusal expected ({words}), exit status {r.returncode}: {r.stderr}']
    if r.returncode:
        return [f'plan: exit status {r.returncode}: {r.stderr}']
    steps = json.loads(r.stdout)['steps']
    problems = differ('order', [s['file'] for s in steps], order)
    # Versions that have nothing to run upwards are versions all the same: golang-migrate's down files without an up file.
    known = versions_of(options) if case.get('format') == 'golang-migrate' else [s['version'] for s in steps if s['kind'] != 'repeatable']
    problems += differ('versions', known, versions)
    if case.get('applies_on_pg15'):
        problems += differ('outside a transaction', [s['file'] for s in steps if not s['transaction']], outside)
    for name, want in case.get('statement_counts', {}).items():
        split = json.loads(migrate('split', '--format', 'goose', '--json', f'{options[1]}/{name}').stdout)
        problems += differ(f'statements of {name}', {k: len(split[k]) for k in ('up', 'down')}, want)
    return problems


def versions_of(options):
    """All versions of a folder, with or without something to run upwards."""
    r = migrate('validate', '--offline', '--json', *options)
    return [m['version'] for m in json.loads(r.stdout)['migrations']]


def atlas_sum(case, folder, options):
    """The right atlas.sum is taken, and one with any other line is not."""
    want = case.get('atlas_sum')
    if want is None:
        return []
    lines, at = want['expected'], folder + '/atlas.sum'
    problems = [f'atlas_sum has an unknown field: {k}' for k in want if k not in ('expected', 'file_present', 'file_matches')]
    problems += differ('atlas.sum is there', os.path.exists(at), want['file_present'])
    problems += differ('atlas.sum is right', migrate('validate', '--offline', *options).returncode, 0 if want['file_matches'] else 65)
    copy = f"{work}/{case.get('name')}"
    shutil.copytree(folder, copy)
    options = ['--dir', copy, *options[2:]]
    for wrong in range(-1, len(lines)):
        text = [line[:-2] + ('A' if line[-2] != 'A' else 'B') + '=' if i == wrong else line for i, line in enumerate(lines)]
        with open(copy + '/atlas.sum', 'w') as f:
            f.write('\n'.join(text) + '\n')
        r = migrate('validate', '--offline', *options)
        problems += differ(f'atlas.sum with line {wrong} wrong' if wrong >= 0 else 'the right atlas.sum', r.returncode, 65 if wrong >= 0 else 0)
    return problems


def names(case, options):
    """Files that are no migrations are told; callbacks are neither migrations nor told."""
    ignored, callbacks, files = case.get('ignored_files', []), case.get('callbacks', []), case.get('expected_pending_order')
    r = migrate('validate', '--offline', '--json', *options)
    problems = [f'{f} is not told: {r.stderr}' for f in ignored if f not in r.stderr]
    problems += [f'{f} counts as no migration' for f in files + callbacks if f in r.stderr]
    return problems + [f'{f} counts as a migration' for f in callbacks + ignored if f in r.stdout]


# --- on a server ----------------------------------------------------------------------------------------------------------

def normal(rows, columns):
    def one(row):
        out = {}
        for k in columns:
            v = row.get(k)
            v = v[2:] if isinstance(v, str) and v.startswith('\\x') else v
            out[k] = v if v is None or isinstance(v, bool) else str(v)
        return json.dumps(out, sort_keys=True)
    return sorted(one(r) for r in rows)


# Fields of ledger rows that are not columns of the table: looked at below, each by itself.
NOT_COLUMNS = {'checkpoint', 'checksum_int4', 'checksum_int8'}


def ledger(case, db, want):
    table, hashes = case.get('ledger')['table'], dict(x.rsplit(' ', 1) for x in (case.get('atlas_sum') or {'expected': ['']})['expected'][1:])
    columns = sorted({k for row in case.get('ledger')['rows_after_all'] for k in row} - NOT_COLUMNS)
    if not want and psql(db, f"select to_regclass('{table}') is null") == ['t']:
        return []
    got = [json.loads(x) for x in psql(db, f'select row_to_json(t) from {table} t')]
    problems = differ('ledger', normal(got, columns), normal(want, columns))
    for row in want:
        mine = next((g for g in got if g.get('version') == row.get('version')), {})
        if 'checksum_int8' in row and mine.get('checksum') not in (row.get('checksum_int4'), row['checksum_int8']):
            problems.append(f'checksum of {row}: {mine}')
        # A checkpoint stands in the ledger, and nothing of what it stands for does.
        if row.get('checkpoint') and row != want[0]:
            problems.append(f'a checkpoint that is not the first row: {row}')
    if hashes and want:
        problems += differ('hashes', sorted('h1:' + g['hash'] for g in got), sorted(h for f, h in hashes.items() if f in case.get('expected_pending_order')))
    return problems


def relations(db, table):
    """Everything that is in a database and neither comes from an extension nor belongs to a ledger."""
    return set(psql(db, f"""
with ledger as (select to_regclass('{table}')::oid as oid),
spaces as (select n.oid from pg_namespace n where nspname ~ '^pg_' or nspname in ('information_schema', 'pgc')
  or (nspname <> 'public' and oid = (select relnamespace from pg_class c where c.oid = (select oid from ledger)))),
hidden as (select oid from ledger union all select indexrelid from pg_index where indrelid = (select oid from ledger)
  union all select objid from pg_depend where refobjid = (select oid from ledger) and classid = 'pg_class'::regclass and deptype in ('a', 'i')
  union all select objid from pg_depend where deptype = 'e')
select case relkind when 'p' then 'r' when 'I' then 'i' else relkind::text end || ' ' || format('%I.%I', nspname, relname)
  from pg_class c join pg_namespace n on n.oid = relnamespace where n.oid not in (select oid from spaces) and relkind <> 't' and not exists (select from hidden h where h.oid = c.oid)
union all select 'F ' || p.oid::regprocedure::text from pg_proc p where pronamespace not in (select oid from spaces) and not exists (select from hidden h where h.oid = p.oid)
union all select 'T ' || format('%I.%I', nspname, typname) from pg_type t join pg_namespace n on n.oid = typnamespace
  where n.oid not in (select oid from spaces) and typtype in ('e', 'd') and not exists (select from hidden h where h.oid = t.oid)
union all select 'X ' || extname from pg_extension
union all select 'N ' || nspname from pg_namespace n where oid not in (select oid from spaces)"""))


def contents(case, db, before):
    """Objects, rows and the other things that a case says are there afterwards."""
    table = case.get('ledger')['table']
    problems = differ('relations', sorted(relations(db, table) - before), sorted(case.get('relations_after', [])))
    for name, rows in case.get('row_counts_after', {}).items():
        try:
            got = psql(db, f'select count(*) from {name}')
        except RuntimeError as e:
            got = [str(e)]
        problems += differ(f'rows of {name}', got, [str(rows)])
    for name in case.get('databases_created', []):
        problems += differ(f'database {name}', psql('postgres', f"select 1 from pg_database where datname = '{name}'"), ['1'])
    return problems


def down(case, options, db, before):
    """All the way down, newest first: what is left, and what the ledger says then."""
    left, stop, problems = case.get('relations_after_all_down'), case.get('down_stops_at'), []
    if left is None:
        return []
    r = migrate('down', '--to', '0', '--ledger', 'foreign', '-d', db, *options)
    if stop is not None:
        problems += [] if r.returncode and stop in r.stderr else [f'down is to stop at {stop}: exit status {r.returncode}: {r.stderr}']
    elif r.returncode:
        return problems + [f'down: exit status {r.returncode}: {r.stderr}']
    problems += differ('relations after down', sorted(relations(db, case.get('ledger')['table']) - before), sorted(left))
    if stop is None:
        problems += ledger(case, db, INITIAL_ROWS.get(case.get('format'), []))
        state = json.loads(migrate('status', '--json', '--ledger', 'foreign', '-d', db, *options).stdout)
        problems += differ('applied after down', state['applied'], 0)
    return problems


def rows_of(case, versions):
    """The rows that a ledger has when only these versions are applied."""
    rows, initial = case.get('ledger')['rows_after_all'], INITIAL_ROWS.get(case.get('format'), [])
    if case.get('format') in NEWEST_ONLY:
        return [dict(rows[0], version=int(versions[-1]))] if versions else initial
    key = 'version_id' if rows and 'version_id' in rows[0] else 'version'
    return [r for r in rows if str(r.get(key)) in versions or r in initial]


def failing(case, options, db, before, run):
    """What comes before the broken file is applied; the broken one leaves nothing."""
    stop, versions = case.get('fails_at'), case.get('applied_before_failure')
    problems = [f'fails_at has an unknown field: {k}' for k in stop if k not in ('file', 'error')]
    # The message begins with the place: file:line:column.
    if run.returncode != 1 or stop['error'] not in run.stderr or f"/{stop['file']}:" not in run.stderr.replace('/./', '/'):
        problems.append(f"failure expected ({stop}), exit status {run.returncode}: {run.stderr}")
    problems += ledger(case, db, rows_of(case, versions))
    state = json.loads(migrate('status', '--json', '--ledger', 'foreign', '-d', db, *options).stdout)
    problems += differ('applied', [m['version'] for m in state['migrations'] if m['state'] == 'applied'], versions)
    return problems + contents(case, db, before)


def apply(case, options, db):
    psql('postgres', f'drop database if exists {db} with (force)')
    psql('postgres', f'create database {db}')
    for name in case.get('databases_created', []):
        psql('postgres', f'drop database if exists {name}')
    before = relations(db, case.get('ledger')['table'])
    for name in case.get('schemas_to_create_first', []):
        psql(db, f'create schema {name}')
    r = migrate('up', '--ledger', 'foreign', '-d', db, *options)
    if not case.get('applies_on_pg15'):
        return failing(case, options, db, before, r)
    if r.returncode:
        return [f'up: exit status {r.returncode}: {r.stderr}']
    problems = ledger(case, db, case.get('ledger')['rows_after_all']) + contents(case, db, before)
    status = migrate('status', '--json', '--exit-code', '--ledger', 'foreign', '-d', db, *options)
    state = json.loads(status.stdout or '{}')
    if status.returncode or state.get('pending') != 0 or state['problems']:
        problems.append(f'not up to date after up: exit status {status.returncode}: {status.stdout} {status.stderr}')
    again = migrate('up', '--ledger', 'foreign', '-d', db, *options)
    if again.returncode or again.stdout != 'nothing to do\n':
        problems.append(f'second up: exit status {again.returncode}: {again.stdout} {again.stderr}')
    if psql(db, "select to_regclass('pgc.migrations') is null") != ['t']:
        problems += differ('left in our ledger', psql(db, 'select key from pgc.migrations'), [])
    return problems + down(case, options, db, before)


def one(case, folder):
    options = ['--dir', folder, '--format', case.get('format')]
    for k, v in (case.get('placeholders') or {}).items():
        options += ['--var', f'{k}={v}']
    # Values of templates come from the folder's own tern.conf: nothing is said on the command line.
    conf = open(folder + '/tern.conf').read() if case.get('template_data') else ''
    problems = [f'{k} is not in tern.conf' for k in case.get('template_data', {}) if k not in conf]
    for about in ('name', 'source', 'notes'):
        case.get(about)
    problems += plan(case, options) + atlas_sum(case, folder, options)
    if problems:
        return problems
    if case.get('expected_error'):
        # What a tool that did not look would have made of the folder.
        for unused in ('ledger', 'applies_on_pg15', 'relations_after', 'row_counts_after'):
            case.get(unused)
        return []
    problems = names(case, options)
    if case.get('applies_on_pg15') is None:
        return problems + ['neither applies nor is refused']
    db = 'f_' + case.get('name').replace('-', '_')[:50]
    problems += apply(case, options, db)
    psql('postgres', f'drop database if exists {db} with (force)')
    return problems


def run(path):
    case = Fields(json.load(open(path)))
    try:
        problems = one(case, os.path.dirname(path) + '/migrations')
    except Exception as e:  # the next cases count too
        problems = [f'{type(e).__name__}: {e}']
    problems += [f'nobody looks at the field {k}' for k in case.unseen() if not problems]
    return '\n'.join([('not ok ' if problems else 'ok ') + case.get('name')] + ['    ' + p[:1500] for p in problems])


with concurrent.futures.ThreadPoolExecutor(3) as pool:
    for told in pool.map(run, sorted(glob.glob(corpus + '/foreign-migrations/*/case.json'))):
        print(told)
