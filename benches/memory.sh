#!/usr/bin/env bash
# Measures how memory grows with the input: peak memory and throughput of a build at several sizes.
#   benches/memory.sh [JOBS] [MEGABYTES…]          (2 jobs; 100 and 1000 MB)
# The usual steps over records of 500 bytes (memory.annot, generate_records.py), each size once into a fresh folder. Peak memory
# is the greatest resident set that the kernel saw (wait4); MB/s per core are of process CPU time. 10 GB of input want 35 GB
# of disk below TMPDIR. ANNOTC names a program that is built already; ANNOTC_MEMORY is heeded as always.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${1:-2}
shift || true
[ $# -gt 0 ] || set -- 100 1000
if [ -z "${ANNOTC:-}" ]; then
  cargo build --locked
  ANNOTC=target/debug/annotc
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp benches/memory.annot "$work/"
for megabytes in "$@"; do
  python3 benches/generate_records.py "$work/records.jsonl" "$megabytes"
  rm -rf "$work/build" "$work/cache"
  python3 - "$ANNOTC" "$work" "$jobs" <<'PY'
import json, os, sys, threading, time
annotc, work, jobs = sys.argv[1:]
size = os.path.getsize(f"{work}/records.jsonl")
spilled, done = 0, threading.Event()

def watch():
    global spilled
    while not done.wait(0.5):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(f"{work}/cache/spilled") for name in names]
        sizes = [os.stat(file).st_size for file in files if os.path.exists(file)]
        spilled = max(spilled, sum(sizes))

watcher = threading.Thread(target=watch)
watcher.start()
start = time.monotonic()
pid = os.posix_spawn(annotc, [annotc, "build", f"{work}/memory.annot", "--jobs", jobs, "--cache", f"{work}/cache"],
                     os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - start
done.set()
watcher.join()
if status != 0:
    sys.exit(f"the build of {size/1e6:.0f} MB ended with status {os.waitstatus_to_exitcode(status)}")
records = json.load(open(f"{work}/build/by_thread/manifest.json"))["steps"][0]["in"]
cpu = usage.ru_utime + usage.ru_stime
print(f"{size/1e6:.0f} MB, {records} records, {jobs} jobs: peak {usage.ru_maxrss/1024:.0f} MiB, {wall:.1f} s wall, {cpu:.1f} s CPU, "
      f"{size/1e6/cpu:.2f} MB/s per core, {spilled/1e6:.0f} MB spilled at most", flush=True)
PY
done
