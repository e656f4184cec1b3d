"""Writes a specification with a given number of declarations of all kinds, each used as people use them; or with that
number of rules in one block, all about the same few fields, which is where rules are compared with one another.

    python3 benches/generate_spec.py FILE NUMBER [declarations|rules]
"""

import sys

# One group is a data set with all that it needs: 16 declarations.
GROUP = """
/// Questions of group {n}.
source questions_{n} {{
  path    "data/questions_{n}.jsonl"
  license "CC-BY-4.0"
  fields  {{ text: string @personal; category: string; note: string?; stars: int }}
}}
source heldout_{n} {{
  path    "data/heldout_{n}.jsonl"
  license "CC0-1.0"
  fields  {{ text: string @personal; category: string; note: string?; stars: int }}
}}
label intent_{n}: choice {{ refund "Refund" key "r"; cancel "Cancel" key "c"; other "Other" key "o" }}
label mood_{n}: choice {{ bad; good }}
let shortest_{n} = {shortest}
fn plain_{n}(s: string) = s |> fix_encoding |> nfc |> collapse_whitespace
clean tidy_{n} {{
  set  text = plain_{n}(text)
  drop "too short"   when words(text) < shortest_{n}
  drop "no note"     when note is null and stars < 2
  drop "not English" when (language(text) ?? "en") != "en"
  dedup text exactly
}}
policy house_{n} {{
  redact  @personal: email, phone, iban, card_number, ip_address
  forbid  "internal host name" when text matches /\\b\\w+\\.corp\\.example\\b/ else drop
  allow   license in ["CC-BY-4.0", "CC0-1.0"]
  require count() >= 20 per intent_{n}
}}
template route_{n}: chat {{
  system    "You route questions of group {n}."
  user      "{{{{ text }}}}"
  assistant "{{{{ intent_{n} }}}}"
}}
dataset set_{n} {{
  from   questions_{n}, heldout_{n}
  clean  tidy_{n}
  label  intent_{n} = category
  label  mood_{n} = stars match {{ 1, 2 => bad; 4, 5 => good; else => drop }}
  policy house_{n}
  split  test from heldout_{n}, train 90%, validation 10% stratify intent_{n} seed {n}
  write  messages from route_{n}
  write  parquet
}}
model tiny_{n} {{ new encoder {{ layers 2; hidden 128; heads 4; vocab 2000 }} }}
train run_{n} {{
  model  tiny_{n}
  data   set_{n}
  task   classify intent_{n} from text
  tune   all
  length 64 tokens else keep start
  epochs 3
  batch  16
  rate   1e-3 cosine warmup 10%
}}
evaluate run_{n} on set_{n}.test {{
  report  accuracy, f1
  by      words(text) at [10, 20]
  require f1.macro >= 0.85
}}
test tidy_{n} "keeps a plain question" {{
  given  {{ text: "Where  is my card today?", stars: 3 }}
  expect {{ text: "Where is my card today?" }}
}}
test tidy_{n} "drops a fragment" {{
  given  {{ text: "card?", stars: 3 }}
  expect drop "too short"
}}
test house_{n} "hides an e-mail address" {{
  given  {{ text: "write to ann@example.org please" }}
  expect {{ text: "write to [EMAIL] please" }}
}}
"""
IN_A_GROUP = 16


# The conditions of rules, in turn.
CONDITIONS = [
    "words(text) == {n}",
    "category == \"value {n}\"",
    "stars > {n} and category == \"other {n}\" or chars(text) == {n}",
    "text matches /a{n}b/ and stars == {n}",
    "(code ?? \"x\") in [\"a{n}\", \"b{n}\", \"c{n}\"]",
]
RULES = """annot 1
source s {{
  path    "a.csv"
  license "CC-BY-4.0"
  fields  {{ text: string; category: string; stars: int; code: string? }}
}}
clean c {{
{rules}}}
dataset d {{ from s; clean c; split train 90%, test 10%; write parquet }}
"""


def declarations(number):
    groups = (number + IN_A_GROUP - 1) // IN_A_GROUP
    return "annot 1\n" + "".join(GROUP.format(n=n, shortest=2 + n % 3) for n in range(groups))


def rules(number):
    lines = (f"  drop \"r{n}\" when {CONDITIONS[n % len(CONDITIONS)].format(n=n + 3)}\n" for n in range(number))
    return RULES.format(rules="".join(lines))


def main():
    path, number = sys.argv[1], int(sys.argv[2])
    kind = {"declarations": declarations, "rules": rules}[sys.argv[3] if len(sys.argv) > 3 else "declarations"]
    with open(path, "w", encoding="utf-8") as file:
        file.write(kind(number))


main()
