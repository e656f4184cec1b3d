#!/usr/bin/env bash
# Measures `annotc check` of generated specifications of 1,000 declarations, of 1,000 rules in one block, and of their
# multiples: median of RUNS runs of the whole process, start included, and what a declaration or a rule costs.
#   benches/check.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-11}
cargo build --locked
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" "$runs" <<'PY'
import os, resource, statistics, subprocess, sys, time
work, runs = sys.argv[1], int(sys.argv[2])
for kind in ("declarations", "rules"):
    for number in (16, 1000, 2000, 4000, 8000, 16000):
        spec = f"{work}/{kind}_{number}.annot"
        subprocess.run([sys.executable, "benches/generate_spec.py", spec, str(number), kind], check=True)
        wall, cpu = [], []
        for _ in range(runs):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.monotonic()
            subprocess.run(["target/debug/annotc", "check", spec], check=True, stderr=subprocess.DEVNULL)
            wall.append(time.monotonic() - start)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        wall, cpu = statistics.median(wall) * 1e3, statistics.median(cpu) * 1e3
        size = os.path.getsize(spec) / 1e3
        print(f"{number:6} {kind}, {size:6.0f} kB: {wall:7.1f} ms wall, {cpu:7.1f} ms CPU, {cpu / number * 1e3:6.1f} us each")
PY
