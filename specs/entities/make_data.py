#!/usr/bin/env python3
"""Makes the data of this example: notices on the board of a town that does not exist, with their entities marked.

    python3 make_data.py            writes data/notices.jsonl
    python3 make_data.py --check    writes nothing; fails when the file differs from what it would write

Standard library only. Every notice stands below as a person wrote it, flaws and all, with `[surface|LABEL]` around each
entity. A line is `section: text`; the script takes the brackets out and counts where the marks lie. Offsets count
characters (code points) of the text as it stands in the file.
"""

import argparse
import json
import re
import sys
from pathlib import Path

NOTICES = """
event: [Marta Oyelaran|PERSON] of the [Harrow Lane Allotment Society|ORG] shows how to graft apple trees, Saturday at ten behind the old pump house in [Aldermere|PLACE]. Bring a knife, we have the rest.
event: Open rehearsal: the [Aldermere Wind Band|ORG] plays through [Songs of the Lower Ferry|WORK] on Thursday, half past seven, school hall. No tickets, just come.
lost: Grey tabby missing since Sunday night around [Weir Street|PLACE]. Answers to Biscuit, hates strangers. Please call [Jonas Pell|PERSON] on 01632 960114.
help: Looking for somebody who can tune a piano in [Nether Aldermere|PLACE]. It has not been touched since my aunt died and it shows.
event: The [Three Bells Reading Circle|ORG] takes [The Salt Ledger|WORK] in March and [A Winter at Kestrel House|WORK] in April. New faces welcome, cake provided by [Ines Fairweather|PERSON].
work: [Dray & Daughters|ORG] need two people for the bakery counter at [Market Square|PLACE], Tuesday to Saturday, start five in the morning. Ask for [Pru Dray|PERSON].
council: The footbridge at [Cutler's Weir|PLACE] stays closed until the engineers have been. [Aldermere Town Council|ORG] thanks everybody for their patience, such as it is.
lost: Found on the bench outside [St Brannoc's|PLACE]: a child's mitten, red, left hand. I hung it on the railings.
event: [Tomasz Lindqvist|PERSON] reads from his new book [Nine Ferries|WORK] at [Quill & Lantern|ORG], Friday at eight. The shop holds forty people if nobody breathes out.
help: Does anybody have a copy of [Aldermere in Old Photographs|WORK]? [Hetty Marrable|PERSON] from the museum would like to scan the page with the tannery.
council: Bins on [Orchard Rise|PLACE] and [Tanner's Row|PLACE] go out on Wednesday next week, not on Tuesday, because of the holiday.
work: The [River Trust|ORG] pays a day rate for counting eels at [Low Sluice|PLACE]. You need boots and a driving licence. Write to eels@river-trust.example.org
event: Quiz night at the [Three Bells|PLACE]. Last time [Oskar Vane|PERSON] and his brother won again, which is becoming a problem.
lost: My blue bicycle was taken from the station in [Aldermere|PLACE] on Monday. It has a bell in the shape of a frog. [Lucia Brand|PERSON]
help: The [Harrow Lane Allotment Society|ORG] has three plots free. The waiting list is short because the soil is bad, we say so openly.
event: [CafÃ© Meridian|ORG] shows the film [The Lamplighter's Son|WORK] in the yard on Saturday. If it rains we sit inside and it will be tight.
council: <p>The mobile library stops at [Weir Street|PLACE] from 10 to 12 and at [Nether Aldermere|PLACE] from 1 to 3.</p>
work: [Pell Joinery|ORG] in [Tanner's Row|PLACE] takes an apprentice from September. [Jonas Pell|PERSON] says that punctuality matters more than marks.
event: Hello   everyone,   the   [Wednesday   Walkers|ORG]   meet   at   [Low Sluice|PLACE]   at   nine   sharp.
help: I am looking for the man who helped me with the pram at [Market Square|PLACE] last Friday, grey coat, [Wind Band|ORG] badge. I would like to say thank you. [Adaeze Quist|PERSON]
lost: Left on the 14 bus towards [Nether Aldermere|PLACE]: a cello bow in a green tube. Please bring it to [Zoë Hallam|PERSON] at the music school, there is a reward and eternal gratitude.
council: [Aldermere Town Council|ORG] meets on the first Monday. On the table: the lime trees on [Orchard Rise|PLACE], and whether [Cutler's Weir|PLACE] needs a railing after all.
event: Puppet theatre for children from four: [The Goose Who Kept the Keys|WORK], played by [Fen & Feather|ORG], Sunday at three in the school hall.
work: The [Quill & Lantern|ORG] bookshop looks for a Saturday person who reads, is strong, and does not mind [Edwin Sorrel|PERSON]'s jokes.
event: Concert in [St Brannoc's|PLACE]: [Miriam Castellane|PERSON] (violin) and [Zoë Hallam|PERSON] (cello) play the [Harbour Suite|WORK] and three pieces nobody has heard before.
lost: <b>Found</b>: keys with a wooden fish, near the pump house. Now at [Dray & Daughters|ORG].
help: Who has a ladder of eight metres? The swifts are back under our roof in [Weir Street|PLACE] and [Hetty Marrable|PERSON] wants to count the nests.
council: Water will be off in [Tanner's Row|PLACE] on Thursday from nine to noon. [Northern Levels Water|ORG] apologises and asks you to fill a bucket.
event: The [Aldermere Film Society|ORG] has voted: [Dust and Peppermint|WORK] wins before [The Lamplighter's Son|WORK], by one vote. [Oskar Vane|PERSON] demands a recount.
work: Translator wanted for the letters of [Konrad Aubel|PERSON], who founded the tannery in [Aldermere|PLACE]. They are in German and his hand is awful. Write to hetty.marrable@museum.example.org or ring 01632 960377.
event: Repair café in the school hall on the last Saturday of the month. [Ravi Thackeray|PERSON] mends radios, [Pell Joinery|ORG] mends chairs, nobody mends printers.
lost: Lost between [Low Sluice|PLACE] and [Harrow Lane|PLACE]: my copy of [Nine Ferries|WORK], signed, with notes in the margin that are nobody's business.
help: We are collecting jars for the jam at the fair. Leave them with [Ines Fairweather|PERSON] or at the [Three Bells|PLACE]. Lids too please!!
council: The statue of [Konrad Aubel|PERSON] on [Market Square|PLACE] is being cleaned. The scaffolding belongs to [Hobb Scaffolding|ORG] and is not a climbing frame.
event: Slide evening: [Adaeze Quist|PERSON] walked from [Aldermere|PLACE] to the sea and has 212 pictures of it. The [Wednesday Walkers|ORG] bring soup.
work: Night porter for the hotel on [Orchard Rise|PLACE]. Quiet work, long nights. [Meridian Inns|ORG], please no calls after eight.
event: Choir seeks basses! The [St Brannoc's Singers|ORG] rehearse [A Mass for Small Bells|WORK] and have eleven sopranos.
lost: A tortoise walked into our garden on [Harrow Lane|PLACE] this morning. It seems content. [Lucia Brand|PERSON]
help: Could whoever borrowed the projector from the [Aldermere Film Society|ORG] bring it back before Friday? No questions asked.
council: Swimming at [Cutler's Weir|PLACE] is at your own risk and, since the letter of [Northern Levels Water|ORG], also forbidden.
event: The [Three Bells Reading Circle|ORG] takes [The Salt Ledger|WORK] in March and [A Winter at Kestrel House|WORK] in April. New faces welcome, cake provided by [Ines Fairweather|PERSON].
lost: <p>Found on the bench outside [St Brannoc's|PLACE]:  a child's mitten, red, left hand. I hung it on the railings.</p>
work: cancelled
event: test
""".strip().splitlines()

# Lines that no reader can take for a record, each after the notice with this number.
BROKEN = {
    7: '{"id": "n-broken", "section": "event", "text": "Jumble sale in the school hall, doors op',
    19: '{"id": "n-short", "section": "lost", "marks": []}',
}

MARK = re.compile(r"\[([^|\]]+)\|([A-Z]+)\]")


def record(number, line):
    section, marked = line.split(": ", 1)
    text, marks, end = "", [], 0
    for mark in MARK.finditer(marked):
        text += marked[end : mark.start()]
        marks.append({"start": len(text), "end": len(text) + len(mark[1]), "label": mark[2]})
        text += mark[1]
        end = mark.end()
    text += marked[end:]
    return {"id": f"n{number:03}", "section": section, "text": text, "marks": marks}


def lines():
    for number, notice in enumerate(NOTICES, 1):
        yield json.dumps(record(number, notice), ensure_ascii=False)
        if number in BROKEN:
            yield BROKEN[number]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare the file with what would be written")
    arguments = parser.parse_args()
    path = Path(__file__).resolve().parent / "data" / "notices.jsonl"
    made = "".join(line + "\n" for line in lines())
    if arguments.check:
        if path.read_text(encoding="utf-8") != made:
            sys.exit(f"{path.name} differs")
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(made, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
