"""Makes tests/fixtures/curves.json: the losses of twenty steps of training by PyTorch, on models that annotc trains too.

    python benches/peers/curves.py MODELS          # with torch, transformers, onnx and numpy

MODELS is a folder with exports by Hugging Face Optimum: `bert-seqcls`, `gpt2`, `llama-chat`, each with `model.onnx`, `config.json` and
`reference.json`, which says which parameter of PyTorch's each initializer is, and a loss that the copied weights are held against.

The fixture holds the settings and the losses. What is trained on follows from a rule that `src/train/curves_tests.rs` repeats: there is no
data. The same weights, batches, optimizer, schedule and clipping, in floats of 32 bits, on one thread.
"""

import json
import math
import pathlib
import sys

import numpy
import onnx
import torch
import transformers
from onnx import numpy_helper

STEPS = 20
SETTINGS = {
    "steps": STEPS, "examples": 24, "batch": 4, "accumulate": 2, "rate": 1e-3, "warmup": 4, "floor": 1e-5, "clip": 1.0,
    "weight_decay": 0.01, "betas": [0.9, 0.999], "epsilon": 1e-8,
}
MODELS = {
    "bert-seqcls": transformers.BertForSequenceClassification,
    "gpt2": transformers.GPT2LMHeadModel,
    "llama-chat": transformers.LlamaForCausalLM,
}


def example(at, vocabulary):
    """The rule: tokens of an example, and how many of them are a prompt."""
    length = 6 + at * 5 % 9
    return [5 + (at * 31 + place * 17 + at * place * 7) % (vocabulary - 10) for place in range(length)], 2 + at % 3


def load(folder):
    config = transformers.AutoConfig.from_pretrained(folder, attn_implementation="eager")
    model = MODELS[folder.name](config).float().eval()
    reference = json.loads((folder / "reference.json").read_text())
    initializers = {one.name: one for one in onnx.load(str(folder / "model.onnx")).graph.initializer}
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, entry in reference["gradients"].items():
            value = torch.from_numpy(numpy_helper.to_array(initializers[name]).copy())
            # A linear layer's folded weight is the transposed one.
            value = value.T if name.startswith("onnx::MatMul") else value
            parameters.pop(entry["torch_name"], model.get_parameter(entry["torch_name"])).copy_(value)
    assert not parameters, f"without a value: {sorted(parameters)}"
    inputs = {name: torch.tensor(value) for name, value in reference["inputs"].items()}
    loss = model(**inputs, labels=torch.tensor(reference["labels"])).loss.item()
    assert abs(loss - reference["loss"]) < 1e-5, (loss, reference["loss"])
    return model


def rate(step):
    warmup = SETTINGS["warmup"]
    if step < warmup:
        return SETTINGS["rate"] * step / warmup
    progress = (step - warmup) / (STEPS - warmup + 1)
    remaining = 0.5 * (1.0 + math.cos(math.pi * progress))
    return SETTINGS["floor"] + (SETTINGS["rate"] - SETTINGS["floor"]) * remaining


def loss_of(model, batch, divisor):
    """The summed loss of a micro-batch, divided by what the whole step learns."""
    vocabulary = model.config.vocab_size
    rows = [example(at, vocabulary) for at in batch]
    width = max(len(tokens) for tokens, _ in rows)
    ids = torch.tensor([tokens + [0] * (width - len(tokens)) for tokens, _ in rows])
    mask = torch.tensor([[1] * len(tokens) + [0] * (width - len(tokens)) for tokens, _ in rows])
    if isinstance(model, transformers.BertForSequenceClassification):
        logits = model(input_ids=ids, attention_mask=mask).logits
        labels = torch.tensor([at % model.config.num_labels for at in batch])
        return torch.nn.functional.cross_entropy(logits, labels, reduction="sum") / divisor
    positions = torch.arange(width).expand(len(rows), width)
    logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, :-1]
    learnt = [[-100] * prompt + tokens[prompt:] + [-100] * (width - len(tokens)) for tokens, prompt in rows]
    labels = torch.tensor(learnt)[:, 1:]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / divisor


def weight(model, at):
    tokens, prompt = example(at, model.config.vocab_size)
    return 1 if isinstance(model, transformers.BertForSequenceClassification) else len(tokens) - prompt


def curve(model):
    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    plain = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": SETTINGS["weight_decay"]}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=tuple(SETTINGS["betas"]), eps=SETTINGS["epsilon"])
    size = SETTINGS["batch"] * SETTINGS["accumulate"]
    losses = []
    for step in range(1, STEPS + 1):
        begin = (step - 1) * size % SETTINGS["examples"]
        records = list(range(begin, begin + size))
        divisor = sum(weight(model, at) for at in records)
        optimizer.zero_grad()
        total = 0.0
        for first in range(0, size, SETTINGS["batch"]):
            loss = loss_of(model, records[first : first + SETTINGS["batch"]], divisor)
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip"])
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        losses.append(round(total, 7))
    return losses


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder = pathlib.Path(sys.argv[1])
    curves = {name: curve(load(folder / name)) for name in MODELS}
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    out = pathlib.Path(__file__).parents[2] / "tests/fixtures/curves.json"
    out.write_text(json.dumps({"made_with": versions, "settings": SETTINGS, "losses": curves}, indent=1) + "\n")
    for name, losses in curves.items():
        print(name, losses[0], losses[-1])


if __name__ == "__main__":
    main()
