"""datasets_map.py IN OUT CACHE: batched, memory-mapped, two processes."""
import sys

from datasets import Features, Value, load_dataset

source, out, cache = sys.argv[1:4]


def clean(batch):
    return {"text": [" ".join(text.split()).lower() for text in batch["text"]]}


def render(batch):
    pairs = zip(batch["text"], batch["topic"])
    return {
        "messages": [
            [{"role": "user", "content": text}, {"role": "assistant", "content": topic}] for text, topic in pairs
        ]
    }


seen = set()


def is_first(batch):
    # What is seen across records has to be seen by one process.
    first = []
    for text in batch["text"]:
        first.append(text not in seen)
        seen.add(text)
    return first


features = Features({"text": Value("string"), "topic": Value("string")})
rows = load_dataset("json", data_files=source, split="train", features=features, cache_dir=cache)
rows = rows.map(clean, batched=True, num_proc=2)
rows = rows.filter(lambda batch: [len(text) >= 20 for text in batch["text"]], batched=True, num_proc=2)
rows = rows.filter(is_first, batched=True, load_from_cache_file=False)
rows = rows.map(render, batched=True, num_proc=2, remove_columns=["text", "topic"])
rows.to_json(out, lines=True, num_proc=2, force_ascii=False)
