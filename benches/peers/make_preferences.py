"""Makes tests/fixtures/preferences.json: the loss and the gradients of direct preference optimization by PyTorch on real exports.

    python benches/peers/make_preferences.py FOLDER      # with torch, transformers and onnx

FOLDER holds `gpt2` and `llama-chat` as Optimum exports them, each with a `reference.json` that says which parameter an
initializer is. The weights are read from the graphs. The loss is that of Rafailov et al. (2023), written out in `main`; what the
reference says of an answer is what the model says of it, and some more or less.
"""

import json
import pathlib
import sys

import onnx
import torch
import transformers
from onnx import numpy_helper
from torch.nn import functional

BETA = 0.25
SAMPLES = 8
# The chosen answers of two pairs, then the rejected ones: a prompt's tokens and an answer's.
ROWS = [([1, 17, 230, 44], [99, 5, 310, 4]), ([1, 61, 7], [12, 480, 4]),
        ([1, 17, 230, 44], [8, 4]), ([1, 61, 7], [12, 33, 90, 700, 4])]
MORE = [-0.4, 0.9, 0.3, -1.1]


def load(folder):
    reference = json.loads((folder / "reference.json").read_text())
    config = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    weights = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in onnx.load(folder / "model.onnx").graph.initializer}
    parameters = dict(model.named_parameters())
    names = {}
    for name, gradient in reference["gradients"].items():
        parameter = parameters.get(gradient["torch_name"])
        if parameter is None:
            continue
        value = weights[name]
        names[name] = (gradient["torch_name"], tuple(value.shape) != tuple(parameter.shape) or is_transposed(gradient, parameter, reference))
        with torch.no_grad():
            parameter.copy_(value.T if names[name][1] else value)
    assert {torch_name for torch_name, _ in names.values()} == set(parameters), set(parameters) - {n for n, _ in names.values()}
    return model, names


def is_transposed(gradient, parameter, reference):
    """Of a square matrix the shape does not say it: Llama's linear layers are transposed by the exporter, GPT-2's are not."""
    square = len(gradient["shape"]) == 2 and gradient["shape"][0] == gradient["shape"][1]
    return square and "MatMul" in next(name for name, one in reference["gradients"].items() if one is gradient)


def case(folder):
    model, names = load(folder)
    width = max(len(prompt) + len(answer) for prompt, answer in ROWS)
    pad = model.config.pad_token_id or 0
    ids, mask, labels = [], [], []
    for prompt, answer in ROWS:
        fill = width - len(prompt) - len(answer)
        ids.append(prompt + answer + [pad] * fill)
        mask.append([1] * (width - fill) + [0] * fill)
        labels.append([-100] * len(prompt) + answer + [-100] * fill)
    ids, mask, labels = torch.tensor(ids), torch.tensor(mask), torch.tensor(labels)
    logits = model(input_ids=ids, attention_mask=mask).logits
    targets = labels[:, 1:]
    words = logits[:, :-1].log_softmax(-1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    answers = (words * (targets >= 0)).sum(-1)
    reference = answers.detach() + torch.tensor(MORE)
    chosen, rejected = (BETA * (answers - reference)).chunk(2)
    loss = -functional.logsigmoid(chosen - rejected).mean()
    loss.backward()
    parameters = dict(model.named_parameters())
    gradients = {}
    for name, (torch_name, transposed) in names.items():
        gradient = parameters[torch_name].grad
        gradient = (gradient.T if transposed else gradient).flatten()
        places = torch.linspace(0, len(gradient) - 1, min(SAMPLES, len(gradient))).long()
        gradients[name] = {"l2": float(gradient.norm()), "places": places.tolist(), "values": gradient[places].tolist()}
    return {
        "input_ids": ids.tolist(), "attention_mask": mask.tolist(), "labels": labels.tolist(), "beta": BETA,
        "answers": answers.tolist(), "reference": reference.tolist(), "loss": loss.item(), "gradients": gradients,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    fixture = {name: case(folder / name) for name in ["gpt2", "llama-chat"]}
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/preferences.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
