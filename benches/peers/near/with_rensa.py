#!/usr/bin/env python3
"""Near-duplicates with rensa: `with_rensa.py TEXTS THRESHOLD FOUND [WAY]`. The ways:

`pairs`   as its documentation has it: `RMinHashDeduplicator` with LSH and `add_pairs`, which checks candidates by their sketches
`matrix`  its batch functions: a digest matrix of all token sets, and the flags of `RMinHashLSH` in one pass
`hashes`  the same over token hashes of its own making
"""
import sys

from common import run, shingles
from rensa import RMinHash, RMinHashDeduplicator, RMinHashLSH

BANDS = {0.7: 16, 0.8: 16, 0.85: 16, 0.9: 8}


def pairs(texts, threshold):
    dedup = RMinHashDeduplicator(threshold=threshold, num_perm=128, use_lsh=True)
    keep = dedup.add_pairs((str(number), shingles(text)) for number, text in enumerate(texts))
    return [number for number, kept in enumerate(keep) if not kept]


def flagged(matrix, threshold):
    lsh = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=BANDS[threshold])
    return [number for number, is_duplicate in enumerate(lsh.insert_matrix_and_query_duplicate_flags(matrix)) if is_duplicate]


def matrix(texts, threshold):
    return flagged(RMinHash.digest_matrix_from_token_sets([shingles(text) for text in texts], 128, 42), threshold)


def hashes(texts, threshold):
    hashed = RMinHash.hash_token_sets([shingles(text) for text in texts])
    return flagged(RMinHash.digest_matrix_from_token_hash_sets(hashed, 128, 42), threshold)


run({"pairs": pairs, "matrix": matrix, "hashes": hashes}[sys.argv[4] if len(sys.argv) > 4 else "pairs"])
