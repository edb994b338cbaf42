"""Runs commands in turn, round after round, and prints medians: compare.py ROUNDS BASE SCRIPT ARG NAME=LABEL... [NAME/NAME<=LIMIT...]

Each round runs `SCRIPT NAME ARG` for every NAME once (the first round only warms up). Printed per NAME: median wall time, median CPU time of
everything it started (the server is not among that), the memory of the largest of its processes, and its wall time against that of
BASE: the median of the ratios within a round, so that what disturbs the machine for a while disturbs both. A limit concerns the
smaller of that and the ratio of the best times. Exit status 1 when one is not met, 2 when a command fails."""
import os
import sys
import time


def run(script, name, arg):
    begin = time.monotonic()
    pid = os.spawnv(os.P_NOWAIT, script, [script, name, arg])
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - begin
    if status != 0:
        print(f"{name} failed with status {status}")
        sys.exit(2)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def main():
    rounds, base, script, arg = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    labels = dict(a.split("=", 1) for a in sys.argv[5:] if "<=" not in a)
    limits = [a for a in sys.argv[5:] if "<=" in a]
    seen = {name: [] for name in labels}
    for number in range(rounds + 1):
        for name in labels:
            result = run(script, name, arg)
            if number > 0 or rounds == 0:
                seen[name].append(result)

    def ratio(a, b, what):
        paired = median([x[what] / max(y[what], 0.001) for x, y in zip(seen[a], seen[b])])
        best = min(x[what] for x in seen[a]) / max(min(x[what] for x in seen[b]), 0.001)
        return paired, best

    for name, label in labels.items():
        wall, cpu = median([r[0] for r in seen[name]]), median([r[1] for r in seen[name]])
        largest = max(r[2] for r in seen[name])
        print(f"  {label:<46} {wall:7.2f} s wall {cpu:6.2f} s cpu {largest:5.0f} MiB  {ratio(name, base, 0)[0]:5.2f}x wall {ratio(name, base, 1)[0]:5.2f}x cpu")
    bad = False
    for limit in limits:
        pair, most = limit.split("<=")
        a, b = pair.split("/")
        paired, best = ratio(a, b, 0)
        met = min(paired, best) <= float(most)
        bad |= not met
        print(f"  {a} against {b}: {paired:.2f}x, best against best {best:.2f}x (limit {most}x): {'ok' if met else 'NOT MET'}")
    sys.exit(1 if bad else 0)


main()
