#!/usr/bin/env python3
"""Makes the chat example's data: questions about sums and units with short answers, each one right by construction.

    python3 make_data.py            writes data/exercises.jsonl
    python3 make_data.py --check    writes nothing; fails when the file differs from what it would write

Standard library only; everything follows from SEED.
"""

import json
import random
import sys
from pathlib import Path

SEED = 5
DISTINCT, REPEATED, WITHOUT_ANSWER = 200, 6, 3
TOO_SHORT = [("Why?", "It depends."), ("How many?", "It depends."), ("7+5?", "12.")]
PATH = Path(__file__).resolve().parent / "data" / "exercises.jsonl"

# Name of a unit, name of the smaller one, and how many of the smaller one make the larger.
UNITS = [
    ("kilometres", "metres", 1000), ("metres", "centimetres", 100), ("centimetres", "millimetres", 10), ("kilograms", "grams", 1000),
    ("tonnes", "kilograms", 1000), ("litres", "millilitres", 1000), ("hours", "minutes", 60), ("minutes", "seconds", 60),
    ("days", "hours", 24), ("weeks", "days", 7), ("years", "months", 12), ("dozens", "pieces", 12),
]
GOODS = [("apples", "cents"), ("pencils", "cents"), ("notebooks", "euros"), ("tickets", "euros"), ("stamps", "cents"), ("bricks", "grams")]
PLACES = ["a library", "a bakery", "a garden", "a workshop", "a school", "a harbour"]


def exercise(below):
    """A question with its answer; `below(n)` gives a whole number from 0 to n - 1."""
    kind = below(8)
    a, b = 2 + below(60), 2 + below(40)
    if kind == 0:
        ask = ["What is {} plus {}?", "Add {} and {}.", "How much do {} and {} make together?"][below(3)]
        return ask.format(a, b), f"{a} plus {b} is {a + b}."
    if kind == 1:
        ask = ["What is {} minus {}?", "Start at {} and take away {}. What is left?"][below(2)]
        return ask.format(a + b, b), f"{a + b} minus {b} is {a}."
    if kind == 2:
        a, b = 2 + below(11), 2 + below(11)
        ask = ["What is {} times {}?", "Multiply {} by {}.", "What do you get for {} groups of {}?"][below(3)]
        return ask.format(a, b), f"{a} times {b} is {a * b}."
    if kind == 3:
        a, b = 2 + below(11), 2 + below(11)
        ask = ["What is {} divided by {}?", "Share {} equally among {}. How much does each get?"][below(2)]
        return ask.format(a * b, b), f"{a * b} divided by {b} is {a}."
    if kind == 4:
        large, small, factor = UNITS[below(len(UNITS))]
        n = 2 + below(12)
        ask = ["How many {1} are {2} {0}?", "Convert {2} {0} to {1}.", "Please express {2} {0} in {1}."][below(3)]
        return ask.format(large, small, n), f"{n} {large} are {n * factor} {small}."
    if kind == 5:
        large, small, factor = UNITS[below(len(UNITS))]
        n = 2 + below(12)
        return f"How many {large} do {n * factor} {small} make?", f"{n * factor} {small} make {n} {large}."
    if kind == 6:
        thing, unit = GOODS[below(len(GOODS))]
        n, each = 2 + below(9), 3 + below(30)
        verb = "weigh" if unit == "grams" else "cost"
        return f"One of {n} {thing} {verb}s {each} {unit}. What do all {n} {verb}?", f"{n} times {each} {unit} are {n * each} {unit}."
    place = PLACES[below(len(PLACES))]
    opens, lasts = 6 + below(6), 3 + below(9)
    return f"At what hour does {place} close that opens at {opens}:00 and stays open for {lasts} hours?", f"It closes at {opens + lasts}:00."


def make():
    source = random.Random(SEED)

    def below(n):
        return int(source.random() * n)

    rows, asked = [], set()
    while len(rows) < DISTINCT:
        question, answer = exercise(below)
        if question not in asked:
            asked.add(question)
            rows.append((question, answer))
    extra = [(q.replace(" ", "  ", 1), a) for q, a in rows[:REPEATED]]
    extra += [(f"What is {101 + i} plus {201 + i}?", "") for i in range(WITHOUT_ANSWER)]
    extra += TOO_SHORT
    for row in extra:
        # After the first rows, so that a repetition comes later than what it repeats.
        rows.insert(REPEATED + below(len(rows) - REPEATED), row)
    return "".join(json.dumps({"question": q, "answer": a}, ensure_ascii=False) + "\n" for q, a in rows)


def main():
    content = make().encode("utf-8")
    if sys.argv[1:] == ["--check"]:
        if PATH.read_bytes() != content:
            sys.exit(f"{PATH} differs from what this script makes")
    else:
        PATH.parent.mkdir(exist_ok=True)
        PATH.write_bytes(content)
    print(f"{DISTINCT} distinct exercises, {REPEATED} repeated with another space, {WITHOUT_ANSWER} without an answer, {len(TOO_SHORT)} too short to be a question")


if __name__ == "__main__":
    main()
