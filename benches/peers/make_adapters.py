"""Makes tests/fixtures/adapters.json: losses, gradients and merged weights of low-rank adapters by PEFT.

    python benches/peers/make_adapters.py          # with torch, transformers and peft

A tiny network with every form that a linear layer has in an exported graph: over a sequence, over rows, with and without
a bias, used twice, and GPT-2's `Conv1D`, whose weight is `[inputs, outputs]`. All numbers stand in the fixture.
"""

import json
import pathlib

import peft
import torch
from transformers.pytorch_utils import Conv1D

ADAPTED = ["first", "second", "shared", "conv"]
VARIANTS = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
}


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(4, 5, bias=False)
        self.second = torch.nn.Linear(5, 6)
        self.shared = torch.nn.Linear(6, 6)
        self.conv = Conv1D(7, 6)
        self.classifier = torch.nn.Linear(7, 3)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        h = torch.tanh(self.second(h)).mean(1)
        h = torch.tanh(self.shared(h))
        h = torch.tanh(self.shared(h))
        return self.classifier(torch.tanh(self.conv(h)))


def numbers(tensor):
    return {"shape": list(tensor.shape), "values": [float(value) for value in tensor.detach().flatten()]}


def variant(options, x, labels):
    torch.manual_seed(7)
    network = Network()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    base = {name: numbers(value) for name, value in network.named_parameters()}
    config = peft.LoraConfig(r=2, lora_alpha=3, target_modules=ADAPTED, modules_to_save=["classifier"], **options)
    model = peft.get_peft_model(network, config)
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    with torch.no_grad():
        for value in trained.values():
            value.add_(torch.randn_like(value) * 0.3)
    logits = model(x)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    state = peft.get_peft_model_state_dict(model)
    by_address = {value.data_ptr(): value for value in trained.values()}
    tensors = {
        name: numbers(value) | {"gradient": numbers(by_address[value.data_ptr()].grad)["values"]}
        for name, value in state.items()
    }
    merged = model.merge_and_unload()
    merged = {f"{name}.weight": numbers(getattr(merged, name).weight) for name in ADAPTED}
    return {"base": base, "tensors": tensors, "logits": numbers(logits), "loss": loss.item(), "merged": merged}


def main():
    torch.manual_seed(1)
    x, labels = torch.randn(2, 3, 4), torch.tensor([2, 0])
    fixture = {"x": numbers(x), "labels": labels.tolist(), "rank": 2, "alpha": 3}
    fixture["variants"] = {name: variant(options, x, labels) for name, options in VARIANTS.items()}
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/adapters.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
