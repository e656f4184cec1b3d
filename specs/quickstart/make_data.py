#!/usr/bin/env python3
"""Makes the quickstart's data: messages to the help desk of a bicycle shop that does not exist.

    python3 make_data.py            writes data/contact_form.jsonl and data/counter.csv, prints what it put in
    python3 make_data.py --check    writes nothing; fails when the files differ from what it would write

Standard library only. The sentences stand in `sentences.py`; everything else follows from SEED.
"""

import argparse
import csv
import io
import json
import random
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

from sentences import ASIDES, CLOSERS, FOREIGN, FRAGMENTS, INTENTS, INTERNAL, OPENERS, PERSONAL, SYMBOLS, UNKNOWN, WORDS

SEED = 11
HERE = Path(__file__).resolve().parent

# Sound and distinct messages for each intent: uneven, as a help desk is, and none above 40 %.
COUNTS = {"repair": 270, "stock": 185, "order": 165, "repair_status": 140, "hire": 125, "returns": 105, "billing": 80}

# How many messages of all intents carry each kind of personal data.
PERSONAL_COUNTS = {"email": 24, "phone": 18, "iban": 8, "card_number": 6, "ip_address": 6}

# The share of messages that also speak of something else than what they want.
ASIDE_SHARE = 0.35

# How the shop's till names two of the intents.
TILL_NAMES = {"repair": ["Repairs", "workshop"], "hire": ["bike hire"]}


class Chance:
    """Choices made from `random.random()` alone, whose sequence for a seed Python promises to keep."""

    def __init__(self, seed):
        self.source = random.Random(seed)

    def below(self, n):
        return int(self.source.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def happens(self, probability):
        return self.source.random() < probability

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items

    def digits(self, n):
        return "".join(str(self.below(10)) for _ in range(n))


def expand(pattern, chance):
    """Replaces the innermost `{a|b}` and `<word>` until none is left."""
    while True:
        match = re.search(r"\{([^{}]*)\}|<(\w+)>", pattern)
        if match is None:
            return re.sub(r"\s+", " ", pattern).strip()
        options = match[1] if match[1] is not None else WORDS[match[2]]
        pattern = pattern[: match.start()] + chance.pick(split_options(options)) + pattern[match.end() :]


def split_options(options):
    """Splits at the bars outside braces."""
    parts, depth = [""], 0
    for char in options:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def message(frame, chance, inserted=""):
    """A frame with an opener and a closer, in one of the ways in which people type."""
    opener, closer = expand(chance.pick(OPENERS), chance), expand(chance.pick(CLOSERS), chance)
    body = expand(frame, chance)
    if not opener or opener[-1] in ".!?":
        body = capitalized(body)
    body = re.sub(r"\ba (?=[aeiou])", "an ", body)
    text = re.sub(r"([.?!]) ([a-z])", lambda m: f"{m[1]} {m[2].upper()}", " ".join(p for p in (opener, body) if p))
    if chance.happens(ASIDE_SHARE):
        aside = expand(chance.pick(ASIDES), chance)
        text = f"{aside} {capitalized(text)}" if chance.happens(0.5) else f"{text} {aside}"
    if chance.happens(0.15):
        text = misspelt(text, chance)
    if chance.happens(0.12):
        text = text.lower()
    elif chance.happens(0.12):
        text = text.rstrip(".?! ")
    return " ".join(p for p in (text, inserted, closer) if p)


def capitalized(text):
    return text[:1].upper() + text[1:]


def misspelt(text, chance):
    """Swaps, drops or doubles one letter inside a word of five letters or more."""
    places = [m.start() + 1 + chance.below(len(m[0]) - 3) for m in re.finditer(r"[a-zA-Z]{5,}", text)]
    if not places:
        return text
    at = chance.pick(places)
    kind = chance.below(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + (text[at] * 2 if kind == 1 else "") + text[at + 1 :]


def email(chance):
    name = chance.pick(["cyclist", "two.wheels", "rider", "pedal_pusher", "bike+shop", "long-way-home", "hill.climber"])
    return f"{name}{chance.below(90) + 10}@{chance.pick(['example.org', 'example.com', 'mail.example.org'])}"


def phone(chance):
    """Numbers out of the ranges that regulators keep for fiction."""
    line = chance.digits(3)
    return chance.pick([f"+44 20 7946 0{line}", f"+44 1632 960{line}", f"+44 7700 900{line}", f"+1 202-555-01{line[1:]}", f"(303) 555-01{line[1:]}"])


def iban(chance):
    """An account at a bank that does not exist, with check digits by ISO 7064 (mod 97-10)."""
    country, account = chance.pick([("DE", "00000000" + chance.digits(10)), ("GB", "TEST000000" + chance.digits(8)), ("NL", "TEST" + chance.digits(10)), ("AT", "00000" + chance.digits(11))])
    number = "".join(str(int(c, 36)) for c in account + country + "00")
    compact = f"{country}{98 - int(number) % 97:02}{account}"
    return " ".join(compact[i : i + 4] for i in range(0, len(compact), 4)) if chance.happens(0.7) else compact


def card_number(chance):
    """Numbers that payment providers publish for tests; all pass Luhn's check."""
    return chance.pick(["4111 1111 1111 1111", "5555 5555 5555 4444", "4012888888881881", "3782 822463 10005", "6011-1111-1111-1117"])


def ip_address(chance):
    """Addresses out of the blocks that RFC 5737 keeps for documentation."""
    return chance.pick(["192.0.2.", "198.51.100.", "203.0.113."]) + str(1 + chance.below(254))


MAKERS = {"email": email, "phone": phone, "iban": iban, "card_number": card_number, "ip_address": ip_address}


def sound_messages(chance):
    """The distinct messages, as lists of intent and text, and the number with each kind of personal data."""
    personal = [kind for kind, n in PERSONAL_COUNTS.items() for _ in range(n)]
    slots = chance.shuffled(personal + [None] * (sum(COUNTS.values()) - len(personal)))
    records, seen = [], set()
    for intent, count in COUNTS.items():
        frames = INTENTS[intent]
        for i in range(count):
            kind = slots[len(records)]
            while True:
                inserted = expand(chance.pick(PERSONAL[kind]).replace("{}", "\0"), chance).replace("\0", MAKERS[kind](chance)) if kind else ""
                text = message(frames[i % len(frames)], chance, inserted)
                if text.casefold() not in seen and len(text.split()) >= 5:
                    break
            seen.add(text.casefold())
            records.append([intent, text])
    return chance.shuffled(records)


def mojibake(text):
    """UTF-8 read as Windows-1252, which is what a wrong import makes of it."""
    return text.encode("utf-8").decode("cp1252")


def spoil(records, chance, put_in):
    """Makes texts dirty in ways that cleaning undoes; a record is spoilt once at most."""
    plain = [r for r in records if r[1].isascii() and "@" not in r[1]]
    plain = iter(chance.shuffled(plain))

    def some(count, name, change):
        for _ in range(count):
            record = next(plain)
            record[1] = change(record[1])
            put_in[name] += 1

    def with_signs(text):
        return text.replace("'", "\u2019") + chance.pick([" The shop next to the Café Mühlbach.", " I paid about £40 – or €45.", " It\u2019s the crème coloured one."])

    some(25, "mojibake", lambda t: mojibake(with_signs(t)))
    some(6, "decomposed letters", lambda t: unicodedata.normalize("NFD", t + " I am at the café until six."))
    some(20, "accents and signs that are right", with_signs)
    some(30, "HTML remnants", lambda t: chance.pick(["<p>{}</p>", "<div>{}</div>", "{}<br>", "<p>{}</p>\n<p>&nbsp;</p>", "<span style=\"font-size:12px\">{}</span>"]).format(t.replace(". ", ".<br>", 1)))
    some(35, "stray whitespace", lambda t: chance.pick(["  {}", "{}\n\n", "{} \t "]).format(t.replace(" ", chance.pick(["  ", "\n", "\u00a0 "]), 1)))


def repeats(records, chance, put_in):
    """Messages that came in twice: as they were, or in another coat that cleaning takes off."""
    plain = [r for r in records if r[1].isascii() and "<" not in r[1] and "  " not in r[1] and "\n" not in r[1] and r[1] == r[1].strip()]
    copies = []
    for intent, text in chance.shuffled(plain)[:60]:
        name, coat = chance.pick([("the same bytes", "{}"), ("the same bytes", "{}"), ("with other whitespace", "  {} \n"), ("in HTML", "<p>{}</p>")])
        copies.append([intent, coat.format(text)])
        put_in[f"repeated, {name}"] += 1
    return copies


def unwanted(chance, put_in):
    """Records that a rule drops, each for one reason."""
    out = []
    for name, rows in [("too short", FRAGMENTS), ("mostly symbols", SYMBOLS), ("other languages", [f[1:] for f in FOREIGN])]:
        out += [list(row) for row in rows]
        put_in[name] += len(rows)
    for _ in range(9):
        intent = chance.pick(list(INTENTS))
        text = message(chance.pick(INTENTS[intent]), chance)
        out.append([intent, f"{expand(chance.pick(INTERNAL), chance)} {text}"])
        put_in["internal host name"] += 1
    for intent, frame in UNKNOWN:
        out.append([intent, message(frame, chance)])
        put_in["unknown topic"] += 1
    return out


def write_jsonl(records, chance, put_in):
    lines = [json.dumps({"topic": intent, "text": text}, ensure_ascii=False) for intent, text in records]
    bad = [
        ("malformed JSON line", '{"topic": "repair", "text": "The front wheel of my touring bike'),
        ("malformed JSON line", '{"topic": "order" "text": "Where is my parcel, it was due on Monday?"}'),
        ("malformed JSON line", "--- export continued on page 2 ---"),
        ("missing field", '{"text": "Could you have a look at the gears of my city bike next week?"}'),
        ("missing field", '{"topic": "stock"}'),
    ]
    for name, line in bad:
        lines.insert(20 + chance.below(len(lines) - 40), line)
        put_in[name] += 1
    return "".join(line + "\n" for line in lines)


def write_csv(records, chance, put_in):
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["topic", "text"])
    ragged = {40: ["repair"], 150: ["stock", "Do you have this helmet in blue", " and in large?", ""], 260: ["order", "Where is my parcel", " please?"]}
    for i, (intent, text) in enumerate(records):
        if i in ragged:
            rows.writerow(ragged[i])
            put_in["ragged CSV row"] += 1
        if intent in TILL_NAMES and chance.happens(0.5):
            intent = chance.pick(TILL_NAMES[intent])
            put_in["topic under another name"] += 1
        rows.writerow([intent, text])
    return out.getvalue()


def make():
    """The two files by name, and the counts of what was put in."""
    chance, put_in = Chance(SEED), Counter()
    records = sound_messages(chance)
    put_in.update({f"personal data: {kind}": n for kind, n in PERSONAL_COUNTS.items()})
    spoil(records, chance, put_in)
    records += repeats(records, chance, put_in) + unwanted(chance, put_in)
    records = chance.shuffled(records)
    cut = len(records) * 6 // 10
    # The unknown topics come from the web form, where a visitor may type one.
    form = records[:cut] + [r for r in records[cut:] if r[0] not in INTENTS]
    counter = [r for r in records[cut:] if r[0] in INTENTS]
    files = {"contact_form.jsonl": write_jsonl(form, chance, put_in), "counter.csv": write_csv(counter, chance, put_in)}
    return files, put_in


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    check = arguments.parse_args().check
    files, put_in = make()
    for name, content in files.items():
        path = HERE / "data" / name
        if check:
            if path.read_bytes() != content.encode("utf-8"):
                sys.exit(f"{path} differs from what this script makes")
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode("utf-8"))
    print(f"{sum(COUNTS.values()):5} distinct sound messages: " + ", ".join(f"{k} {n}" for k, n in COUNTS.items()))
    for name, count in sorted(put_in.items()):
        print(f"{count:5} {name}")


if __name__ == "__main__":
    main()
