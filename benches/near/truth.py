#!/usr/bin/env python3
"""Finds by exact all-pairs comparison which texts have an earlier near-duplicate, and judges what others found.

`truth.py TEXTS THRESHOLD FOUND…`: each FOUND is a file with the numbers of the texts that a tool takes for duplicates, one
on each line. The comparison is exact: two sets whose similarity reaches the threshold share one of their rarest shingles (the
prefix filter of Bayardo, Ma and Srikant 2007), so only texts that share one are compared, by their sets.
"""
import json
import math
import sys
from collections import Counter, defaultdict


def shingles(text: str) -> frozenset:
    words = text.lower().replace("!", "").split()
    return frozenset(tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4)))


def main() -> None:
    path, threshold, found = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    sets = [shingles(json.loads(line)["text"]) for line in open(path, encoding="utf-8")]
    often = Counter(shingle for one in sets for shingle in one)
    having = defaultdict(list)
    parent = list(range(len(sets)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    earlier, pairs = set(), 0
    for at, one in enumerate(sets):
        prefix = sorted(one, key=lambda shingle: (often[shingle], shingle))[: len(one) - math.ceil(threshold * len(one)) + 1]
        for other in {other for shingle in prefix for other in having[shingle]}:
            common = len(one & sets[other])
            if common / (len(one) + len(sets[other]) - common) >= threshold:
                earlier.add(at)
                pairs += 1
                a, b = sorted((root(at), root(other)))
                parent[b] = a
        for shingle in prefix:
            having[shingle].append(at)
    clusters = {at for at in range(len(sets)) if root(at) != at}
    print(f"{len(sets)} texts, {pairs} pairs at {threshold} or above; {len(earlier)} texts have an earlier near-duplicate")
    for path in found:
        dropped = {int(line) for line in open(path)}
        recall = len(dropped & earlier) / max(1, len(earlier))
        precision = len(dropped & clusters) / max(1, len(dropped))
        print(f"{path.rsplit('/', 1)[-1]:28} found {len(dropped):6}  recall {recall:.4f}  precision {precision:.4f}")


main()
