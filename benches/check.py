#!/usr/bin/env python3
"""Measures `annotc check` on specifications of many declarations and of many rules: process CPU, the least of 5 runs.

    benches/check.py [COUNT] [BINARY]
"""

import os
import resource
import subprocess
import sys
import tempfile

HEAD = """annot 1
source s { path "a.csv"; license "CC-BY-4.0"; fields { text: string; category: string; stars: int; code: string? } }
"""
SPLIT = "split train 90%, test 10%"


def declarations(count):
    """Labels, blocks, policies and data sets that use them, a quarter each."""
    for at in range(count // 4):
        yield f"label l{at}: choice {{ a; b; c }}"
        yield f"clean c{at} {{ set text = text |> nfc; drop \"x\" when words(text) < {at % 9 + 1}; dedup text exactly }}"
        yield f"policy p{at} {{ require count() >= 20 per l{at}; allow license in [\"CC-BY-4.0\"] }}"
        yield (
            f"dataset d{at} {{ from s; clean c{at}; label l{at} = category; purpose \"commercial\"; policy p{at}; "
            f"{SPLIT} stratify l{at}; write jsonl }}"
        )


def rules(count):
    """One block of rules that are all about the same few fields."""
    yield "clean c {"
    for at in range(count):
        yield f"  drop \"r{at}\" when " + [
            f"words(text) == {at + 3}",
            f"category == \"value {at}\"",
            f"stars > {at} and category == \"other {at}\" or chars(text) == {at}",
            f"text matches /a{at}b/ and stars == {at}",
            f"(code ?? \"x\") in [\"a{at}\", \"b{at}\", \"c{at}\"]",
        ][at % 5]
    yield "}"
    yield f"dataset d {{ from s; clean c; {SPLIT}; write jsonl }}"


def seconds(binary, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([binary, "check", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    binary = sys.argv[2] if len(sys.argv) > 2 else "target/debug/annotc"
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in [("declarations", declarations), ("rules", rules)]:
            for size in (count, 2 * count, 4 * count):
                path = os.path.join(folder, "spec.annot")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(HEAD + "\n".join(lines(size)) + "\n")
                least = min(seconds(binary, path) for _ in range(5))
                print(f"{size:>6} {name}: {least * 1000:.0f} ms CPU")


main()
