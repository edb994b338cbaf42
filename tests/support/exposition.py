"""Reads Prometheus' text format as strictly as promtool's linter: exposition.py FILE... Silent when all is well.

Every metric has one HELP and one TYPE before its samples and all its samples together; names and labels are well formed, no sample comes
twice; counters end with _total and nothing else does; units are base units; label `job` and `instance` belong to Prometheus."""
import re
import sys

NAME, LABEL = r'[a-zA-Z_:][a-zA-Z0-9_:]*', r'[a-zA-Z_][a-zA-Z0-9_]*'
SAMPLE = re.compile(r'(%s)(?:\{((?:%s="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+]+|NaN|[+-]Inf)$' % (NAME, LABEL))
problems = []


def check(path):
    text = open(path).read()
    helps, types, seen, closed, last = {}, {}, set(), set(), None

    def bad(line, what):
        problems.append(f'{path}: {what}: {line}')
    if not text.endswith('\n'):
        bad('', 'does not end with a line end')
    for line in text.splitlines():
        comment = re.match(r'# (HELP|TYPE) (%s) (.+)$' % NAME, line)
        if comment:
            kind, name, rest = comment.groups()
            into = helps if kind == 'HELP' else types
            if name in into:
                bad(line, 'twice')
            into[name] = rest
            if kind == 'TYPE' and rest not in ('counter', 'gauge'):
                bad(line, 'unknown type')
            if kind == 'TYPE' and (rest == 'counter') != name.endswith('_total'):
                bad(line, 'only counters end with _total, and all do')
            if re.search(r'_(milliseconds|minutes|hours|days|kilobytes|megabytes|count|sum|bucket)(_|$)', name) or re.search('[A-Z]', name):
                bad(line, 'no base unit, or a reserved ending')
            continue
        sample = SAMPLE.match(line)
        if not sample:
            bad(line, 'no sample')
            continue
        name, labels = sample.group(1), sample.group(2) or ''
        keys = re.findall(r'(%s)="' % LABEL, re.sub(r'"(?:[^"\\]|\\.)*"', '""', labels).replace('""', '"'))
        if name not in helps or name not in types:
            bad(line, 'no HELP or TYPE before it')
        if name != last and name in closed:
            bad(line, 'its samples do not stand together')
        closed.add(name)
        last = name
        if (name, labels) in seen:
            bad(line, 'twice')
        seen.add((name, labels))
        if set(keys) & {'job', 'instance', 'le', 'quantile'}:
            bad(line, 'a label that is not ours')
        if name.endswith('_bytes') and float(sample.group(3)) < 0:
            bad(line, 'negative')


for file in sys.argv[1:]:
    check(file)
print('\n'.join(problems), end='')
sys.exit(bool(problems))
