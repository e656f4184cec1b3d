#!/usr/bin/env python3
"""Writes a JSON Lines file of generated texts, some of them near-duplicates: `generate.py OUT TEXTS`.

Words follow Zipf's law over a vocabulary of 20,000, texts have 20 to 220 words. A fifth of the texts are edited copies of an
earlier one: up to a tenth of the words are replaced, taken out or put in, so that similarities of all sizes occur. One text
in a hundred is an earlier one with another case and other punctuation. The seed is fixed, so the file is the same on every machine.
"""
import bisect
import itertools
import json
import random
import sys


def main() -> None:
    out, count = sys.argv[1], int(sys.argv[2])
    rng = random.Random(20260101)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = set()
    while len(words) < 20_000:
        words.add("".join(rng.choices(letters, weights=range(26, 0, -1), k=rng.randint(2, 10))))
    vocabulary = sorted(words)
    rng.shuffle(vocabulary)
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))

    def word() -> str:
        return vocabulary[bisect.bisect(weights, rng.random() * weights[-1])]

    texts: list[list[str]] = []
    with open(out, "w", encoding="utf-8") as file:
        for _ in range(count):
            roll = rng.random()
            if texts and roll < 0.21:
                text = list(rng.choice(texts))
                if roll < 0.2:
                    for _ in range(rng.randint(0, max(1, len(text) // 10))):
                        at = rng.randrange(len(text))
                        edit = rng.random()
                        if edit < 0.6:
                            text[at] = word()
                        elif edit < 0.8 and len(text) > 20:
                            del text[at]
                        else:
                            text.insert(at, word())
            else:
                text = [word() for _ in range(rng.randint(20, 220))]
            texts.append(text)
            shown = " ".join(text)
            if 0.2 <= roll < 0.21:
                shown = shown.upper() + "!"
            file.write(json.dumps({"text": shown}) + "\n")


main()
