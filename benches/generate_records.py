#!/usr/bin/env python3
"""Writes a JSON Lines file of any size in seconds, for measuring memory: `generate_records.py OUT MEGABYTES`.

A block of records is put together once, from the words of `generate_texts.py` with a fixed seed, and written again and again
with new numbers in it, so that a text occurs once all the same. A record has about 500 bytes. 5 % of the records repeat the
one before, 2 % hold an e-mail address, 1 % are too short, 0.1 % are malformed; four records in a row are of one thread.
"""
import json
import random
import sys

from generate_texts import WORDS

RECORDS = 2000


def block(rng: random.Random) -> tuple[str, list[int]]:
    """The text of a block with a slot for each record's number and its thread's, and the number of each, from 0 on."""
    lines, numbers = [], []
    line, number = "", -1
    for at in range(RECORDS):
        roll = rng.random()
        if roll >= 0.05 or not lines:
            number += 1
            sentences = [f"Case %012d of {rng.choice(WORDS)}."]
            while sum(map(len, sentences)) < 430:
                words = [rng.choice(WORDS) for _ in range(rng.randint(5, 18))]
                sentences.append(" ".join(words).capitalize() + rng.choice(".?!"))
            if roll > 0.98:
                sentences.append(f"Write to {rng.choice(WORDS)}.{rng.choice(WORDS)}@example.org please.")
            text = "%012d" if 0.05 <= roll < 0.06 else "  ".join(sentences)
            line = json.dumps({"text": text, "topic": WORDS[at % 7], "thread": "t%012d"}) + "\n"
            if 0.06 <= roll < 0.061:
                line = line[:-3] + "\n"
        lines.append(line)
        numbers.append(number)
    return "".join(lines), numbers


def main() -> None:
    out, megabytes = sys.argv[1], float(sys.argv[2])
    template, numbers = block(random.Random(20260101))
    step, written, first = numbers[-1] + 1, 0, 0
    with open(out, "wb") as file:
        while written < megabytes * 1_000_000:
            slots = [slot for number in numbers for slot in (first + number, (first + number) // 4)]
            text = (template % tuple(slots)).encode("ascii")
            file.write(text)
            written += len(text)
            first += step


main()
