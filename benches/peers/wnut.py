"""Trains PyTorch's tagger with the recipe of benches/wnut.annot, and measures the F1 of its spans by seqeval.

    pip install torch transformers tokenizers seqeval regex onnx
    python3 benches/peers/wnut.py DATA [SEED…]

DATA holds wnut17/train.conll and wnut17/dev.conll; the model is looked for at ../models/minilm-l6 from there: its weights are
read out of model.onnx, for nothing is fetched. The same base, tokenizer, words, length, batch, epochs, rates, warmup, clipping
and weight decay; no dropout, as an exported graph has none. Only the order of the records and the head's first values differ.
"""

import pathlib
import random
import sys
import time

import onnx
import onnx.numpy_helper
import regex
import torch
from seqeval.metrics import f1_score, precision_score, recall_score
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, get_linear_schedule_with_warmup

KINDS = ["corporation", "creative-work", "group", "location", "person", "product"]
TAGS = ["O"] + [f"{prefix}-{kind}" for kind in KINDS for prefix in "BI"]
LENGTH, BATCH, EPOCHS, RATE, HEAD_RATE, WARMUP, CLIP, DECAY = 128, 32, 4, 3e-4, 1e-3, 0.1, 1.0, 0.01


def sentences(path):
    """Texts of tokens with spaces between, each with its spans (start, end, kind) in characters."""
    tokens, rows = [], []
    for line in path.read_text(encoding="utf-8").splitlines() + [""]:
        if line.strip():
            tokens.append(line.split("\t"))
        elif tokens:
            rows.append(spans_of(tokens))
            tokens = []
    return rows


def spans_of(tokens):
    text, spans, open_ = "", [], None
    for at, (token, tag) in enumerate(tokens):
        text += " " * bool(at)
        start, end = len(text), len(text) + len(token)
        text += token
        prefix, kind = tag[0], tag[2:]
        if prefix == "I" and open_ and open_[2] == kind:
            open_[1] = end
        elif prefix in "BI" and prefix != "O":
            open_ = [start, end, kind]
            spans.append(open_)
        else:
            open_ = None
    return text, [tuple(span) for span in spans]


def words(text, encoding):
    """Of each word its first piece and its characters: words are Unicode's, as far as they have a piece."""
    starts = [0] + [match.start() for match in regex.finditer(r"(?w)\b", text)]
    starts = sorted(set(starts))
    found, last = [], None
    for piece, (start, end) in enumerate(encoding.offsets):
        if not text[start:end].strip():
            continue
        word = sum(begin <= start for begin in starts)
        if word == last:
            found[-1][2] = end
        else:
            found.append([piece, start, end])
        last = word
    return found


def encode(tokenizer, rows):
    examples = []
    for text, spans in rows:
        encoding = tokenizer.encode(text)
        found = words(text, encoding)
        tags = ["O"] * len(found)
        for start, end, kind in spans:
            inside = [at for at, (_, begin, behind) in enumerate(found) if behind > start and begin < end]
            for at in inside:
                tags[at] = ("B-" if at == inside[0] else "I-") + kind
        labels = [-100] * len(encoding.ids)
        for (piece, _, _), tag in zip(found, tags):
            labels[piece] = TAGS.index(tag)
        examples.append((encoding.ids, labels, [piece for piece, _, _ in found], tags))
    return examples


def batch_of(examples):
    width = max(len(ids) for ids, *_ in examples)
    pad = lambda row, value: row + [value] * (width - len(row))
    ids = torch.tensor([pad(ids, 0) for ids, *_ in examples])
    mask = torch.tensor([pad([1] * len(ids), 0) for ids, *_ in examples])
    labels = torch.tensor([pad(labels, -100) for _, labels, *_ in examples])
    return ids, mask, labels


class Tagger(torch.nn.Module):
    def __init__(self, folder, seed):
        super().__init__()
        self.bert = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
        self.bert.load_state_dict(weights_of(folder / "model.onnx", self.bert.state_dict()))
        self.bert.eval()
        self.head = torch.nn.Linear(self.bert.config.hidden_size, len(TAGS))
        generator = torch.Generator().manual_seed(seed)
        torch.nn.init.normal_(self.head.weight, std=0.02, generator=generator)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, ids, mask):
        return self.head(self.bert(input_ids=ids, attention_mask=mask).last_hidden_state)


def weights_of(path, wanted):
    """The state dict of the exporter's graph: matrices have lost their names, and are known by the nodes that read them."""
    graph = onnx.load(str(path)).graph
    values = {tensor.name: torch.tensor(onnx.numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in values:
            values[node.name.strip("/").replace("/", ".").removesuffix(".MatMul") + ".weight"] = values[node.input[1]].T
    missing = [name for name in wanted if name not in values and "position_ids" not in name]
    assert not missing, missing
    return {name: values.get(name, wanted[name]) for name in wanted}


def measure(model, examples):
    gold, predicted = [], []
    with torch.no_grad():
        for at in range(0, len(examples), BATCH):
            part = examples[at : at + BATCH]
            ids, mask, _ = batch_of(part)
            chosen = model(ids, mask).argmax(-1)
            for row, (_, _, pieces, tags) in zip(chosen, part):
                gold.append(tags)
                predicted.append([TAGS[row[piece]] for piece in pieces])
    return f1_score(gold, predicted), precision_score(gold, predicted), recall_score(gold, predicted)


def train(folder, train_set, dev_set, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    model = Tagger(folder, seed)
    decays = lambda name, value: value.ndim > 1 and "LayerNorm" not in name
    groups = []
    for of_head, rate in [(False, RATE), (True, HEAD_RATE)]:
        for decay in [True, False]:
            chosen = [value for name, value in model.named_parameters()
                      if name.startswith("head.") == of_head and decays(name, value) == decay]
            groups.append({"params": chosen, "lr": rate, "weight_decay": DECAY if decay else 0.0})
    optimizer = torch.optim.AdamW(groups, eps=1e-8)
    per_epoch = -(-len(train_set) // BATCH)
    steps = per_epoch * EPOCHS
    schedule = get_linear_schedule_with_warmup(optimizer, round(WARMUP * steps), steps)
    start = time.process_time()
    for _ in range(EPOCHS):
        order = random.sample(train_set, len(train_set))
        for at in range(0, len(order), BATCH):
            ids, mask, labels = batch_of(order[at : at + BATCH])
            loss = torch.nn.functional.cross_entropy(model(ids, mask).flatten(0, 1), labels.flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            schedule.step()
    cost = time.process_time() - start
    f1, precision, recall = measure(model, dev_set)
    print(f"seed {seed}: f1 {f1:.4f} (precision {precision:.4f}, recall {recall:.4f}), {steps} steps, "
          f"last loss {loss.item():.4f}, {cost / steps:.3f} s CPU a step", flush=True)


def main():
    data = pathlib.Path(sys.argv[1])
    folder = data.parent / "models" / "minilm-l6"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    train_set, dev_set = (encode(tokenizer, sentences(data / "wnut17" / f"{part}.conll")) for part in ["train", "dev"])
    print(f"{len(train_set)} sentences, {len(dev_set)} to measure on", flush=True)
    for seed in [int(seed) for seed in sys.argv[2:]] or [1]:
        train(folder, train_set, dev_set, seed)


if __name__ == "__main__":
    main()
