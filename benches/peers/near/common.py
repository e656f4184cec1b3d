"""What the peers share: the texts, their shingles, the clock."""
import json
import sys
import time


def shingles(text: str) -> list[str]:
    words = text.lower().replace("!", "").split()
    return [" ".join(words[at : at + 5]) for at in range(max(1, len(words) - 4))]


def run(duplicates) -> None:
    """Times `duplicates(texts, threshold)` from texts in memory to numbers, and writes these."""
    path, threshold, found = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    texts = [json.loads(line)["text"] for line in open(path, encoding="utf-8")]
    start, before = time.perf_counter(), time.process_time()
    numbers = duplicates(texts, threshold)
    print(f"{time.perf_counter() - start:.3f} {time.process_time() - before:.3f}")
    with open(found, "w", encoding="utf-8") as file:
        file.writelines(f"{number}\n" for number in numbers)
