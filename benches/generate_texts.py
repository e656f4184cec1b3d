#!/usr/bin/env python3
"""Writes a JSON Lines file of generated English-like texts for measuring a build: `generate_texts.py OUT MEGABYTES [--clean]`.

Every text is put together from a fixed list of words with a fixed seed, so the file is the same on every machine.
About 5 % of the records repeat an earlier text, 2 % hold an e-mail address, 1 % are too short, 0.1 % are malformed.
With `--clean` none is malformed, for tools that read no such file.
"""
import json
import random
import sys

WORDS = """account address again amount answer app arrive ask bank before bill blocked branch buy call cancel card
cash change charge check clear close code confirm contact copy cost could country credit currency customer date day
debit declined delay deposit details device direct double email enter error exchange expect extra fee find first
forgot free fund get give help hold home how identity immediately inform issue item just know last late limit link
locked look lost make message mobile money month more move much need never new next night number old online open
order other owe own page paid passcode pay payment pending phone pin place please plan purchase question quick rate
reach reason receive refund reject replace request reset return right salary same save send service set show since
sort statement stolen stop support sure take tell there thing think time today together top transfer travel try
twice understand until update use verify virtual visit wait want week what when where which why withdraw work wrong
yesterday""".split()


def main() -> None:
    out, megabytes = sys.argv[1], float(sys.argv[2])
    clean = "--clean" in sys.argv[3:]
    rng = random.Random(20260101)
    recent: list[str] = []
    written = 0
    with open(out, "w", encoding="utf-8") as file:
        number = 0
        while written < megabytes * 1_000_000:
            number += 1
            roll = rng.random()
            if roll < 0.05 and recent:
                text = rng.choice(recent)
            elif roll < 0.06:
                text = rng.choice(WORDS)
            else:
                sentences = []
                for _ in range(rng.randint(1, 8)):
                    words = [rng.choice(WORDS) for _ in range(rng.randint(5, 18))]
                    sentences.append(" ".join(words).capitalize() + rng.choice(".?!"))
                if roll > 0.98:
                    sentences.append(f"Write to {rng.choice(WORDS)}.{rng.choice(WORDS)}@example.org please.")
                text = "  ".join(sentences)
                recent.append(text)
                if len(recent) > 1000:
                    recent.pop(0)
            line = json.dumps({"text": text, "topic": WORDS[number % 7]})
            if rng.random() < 0.001 and not clean:
                line = line[:-3]
            file.write(line + "\n")
            written += len(line) + 1


main()
