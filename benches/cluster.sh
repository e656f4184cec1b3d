#!/usr/bin/env bash
# Measures the same build here, and on clusters of 1 and 2 executors of one core each on this machine:
#   benches/cluster.sh [MEGABYTES]
# Wall time, and the process CPU of the build, of the scheduler and of the executors; bytes are compared.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-100}
export CARGO_TARGET_DIR="$PWD/target-cluster"
cargo build --locked --features cluster,cloud
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 benches/generate_texts.py "$work/texts.jsonl" "$megabytes"
cp benches/build.annot "$work/"
python3 - "$work" "$CARGO_TARGET_DIR/debug/annotc" <<'PY'
import filecmp, json, os, resource, signal, subprocess, sys, time
work, annotc = sys.argv[1:]
size = os.path.getsize(f"{work}/texts.jsonl")
tick = os.sysconf("SC_CLK_TCK")

def cpu(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / tick

def start(*args):
    process = subprocess.Popen([annotc, "cluster", *args, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return process, json.loads(process.stdout.readline())["listen"]

def build(out, *args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    subprocess.run([annotc, "build", f"{work}/build.annot", "--out", f"{work}/{out}", "--no-cache", *args], check=True, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

print(f"{size / 1e6:.0f} MB")
for jobs in (1, 2):
    wall, own = build(f"here{jobs}", "--jobs", str(jobs))
    print(f"here, {jobs} jobs: {wall:.1f} s wall, {own:.1f} s CPU, {size / 1e6 / wall:.1f} MB/s")
for executors in (1, 2):
    scheduler, listen = start("scheduler", "--listen", "127.0.0.1:0")
    others = [start("executor", "--scheduler", listen, "--cores", "1", "--work-dir", work)[0] for _ in range(executors)]
    out = f"there{executors}"
    wall, own = build(out, "--jobs", "1", "--cluster", f"df://{listen}")
    print(f"{executors} executors: {wall:.1f} s wall, CPU {own:.1f} s of the build, {sum(map(cpu, others)):.1f} s of executors, "
          f"{cpu(scheduler):.1f} s of the scheduler, {size / 1e6 / wall:.1f} MB/s")
    for process in [*others, scheduler]:
        process.send_signal(signal.SIGTERM)
        process.wait()
    for folder, _, files in os.walk(f"{work}/here1"):
        for file in files:
            here = os.path.join(folder, file)
            assert filecmp.cmp(here, here.replace("/here1", f"/{out}", 1), shallow=False), here
print("the bytes are the same")
PY
