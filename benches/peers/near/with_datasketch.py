#!/usr/bin/env python3
"""Near-duplicates with datasketch, as its documentation has it: a MinHash of 128 permutations for each text (made by
`MinHash.generator`, its way to make many), and MinHashLSH with the threshold. A text whose query has an answer has an
earlier near-duplicate; each is inserted. `with_datasketch.py TEXTS THRESHOLD FOUND`"""
from common import run, shingles
from datasketch import MinHash, MinHashLSH


def duplicates(texts, threshold):
    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    sets = ([shingle.encode("utf-8") for shingle in shingles(text)] for text in texts)
    found = []
    for number, minhash in enumerate(MinHash.generator(sets, num_perm=128)):
        if lsh.query(minhash):
            found.append(number)
        lsh.insert(number, minhash)
    return found


run(duplicates)
