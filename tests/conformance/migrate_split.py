"""The goose and atlas-delimiter cases of corpus sqlsplit.

usage: migrate_split.py CORPUS   (pgc-migrate is in PATH); prints "ok NAME" or "not ok NAME" and what differs.
"""
import glob, json, os, subprocess, sys

corpus = sys.argv[1]


def split(path, fmt, env):
    return subprocess.run(['pgc-migrate', 'split', '--format', fmt, '--json', path], capture_output=True, text=True,
                          env={**os.environ, **env})


def compare(case, path, fmt):
    r = split(path, fmt, case.get('env', {}))
    if case.get('error'):
        return '' if r.returncode == 65 else f'exit status {r.returncode}, a refusal was expected'
    if r.returncode:
        return f'exit status {r.returncode}: {r.stderr}'
    got = json.loads(r.stdout)
    up, down = [s['sql'] for s in got['up']], [s['sql'] for s in got['down']]
    wanted = [(up, case.get('statements')), (down, case.get('down_statements')), (len(up), case.get('statement_count')),
              (len(down), case.get('down_statement_count')), (got['up_in_transaction'], case.get('in_transaction'))]
    return '; '.join(f'got {g!r}, wanted {w!r}' for g, w in wanted if w is not None and g != w)


def tell(name, problem):
    print(('not ok ' if problem else 'ok ') + name + (f': {problem}' if problem else ''))


for path in sorted(glob.glob(corpus + '/sqlsplit/*/expected.json')):
    case = json.load(open(path))
    if case['syntax'] in ('goose', 'atlas-delimiter'):
        tell(case['name'], compare(case, os.path.dirname(path) + '/input.sql', case['syntax'].split('-')[0]))
