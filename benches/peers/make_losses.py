"""Makes tests/fixtures/losses.json: losses and gradients by PyTorch of the squared error, of preference pairs and of contrast.

    python benches/peers/make_losses.py            # with torch

Tiny networks with random numbers, all of which stand in the fixture. The losses are written out as their papers have them, so
that no library of trainers is needed: the squared error as transformers has it for `problem_type: regression`, direct
preference optimization (Rafailov et al., 2023), and multiple negatives ranking (Henderson et al., 2017) over cosines times 20.
"""

import json
import pathlib

import torch
from torch.nn import functional

BETA = 0.3
SCALE = 20.0


def numbers(tensor):
    return {"shape": list(tensor.shape), "values": [float(value) for value in tensor.detach().flatten()]}


def with_gradients(parameters, loss):
    loss.backward()
    return {
        "loss": loss.item(),
        "parameters": {name: numbers(value) | {"gradient": numbers(value.grad)["values"]} for name, value in parameters.items()},
    }


def squared():
    weight, bias = torch.randn(1, 4, requires_grad=True), torch.randn(1, requires_grad=True)
    x, target = torch.randn(5, 4), torch.randn(5) * 3
    loss = functional.mse_loss(functional.linear(x, weight, bias).squeeze(), target)
    return {"x": numbers(x), "target": numbers(target)} | with_gradients({"weight": weight, "bias": bias}, loss)


def preference():
    """A model of words that looks at one word alone. The first half of the rows are the chosen answers."""
    embedding, head = torch.randn(7, 3, requires_grad=True), torch.randn(3, 7, requires_grad=True)
    ids = torch.tensor([[1, 2, 3, 4, 5], [1, 6, 2, 0, 0], [1, 2, 3, 6, 0], [1, 6, 5, 4, 3]])
    labels = torch.tensor([[-100, -100, 3, 4, 5], [-100, 6, 2, -100, -100], [-100, -100, 3, 6, -100], [-100, 6, 5, 4, 3]])
    reference = torch.tensor([-5.0, -3.5, -4.0, -9.0])
    logits = torch.tanh(embedding[ids]) @ head
    steps = logits[:, :-1].log_softmax(-1)
    targets = labels[:, 1:]
    words = steps.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    answers = (words * (targets >= 0)).sum(-1)
    chosen, rejected = (BETA * (answers - reference)).chunk(2)
    losses = -functional.logsigmoid(chosen - rejected)
    fixture = {
        "beta": BETA, "ids": ids.tolist(), "labels": labels.tolist(), "reference": numbers(reference),
        "answers": numbers(answers), "accuracy": float((chosen > rejected).float().mean()),
        "margin": float((chosen - rejected).detach().mean()),
    }
    return fixture | with_gradients({"embedding": embedding, "head": head}, losses.mean())


def contrast():
    """Four pairs: the second and the fourth have the same second text, the third and the fourth the same first one."""
    weight = torch.randn(4, 6, requires_grad=True)
    x = torch.randn(8, 4)
    x[7], x[3] = x[5], x[2]
    same = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0]], dtype=torch.float32)
    first, second = functional.normalize(torch.tanh(x @ weight), dim=-1).chunk(2)
    scores = SCALE * first @ second.T
    scores = scores.masked_fill(same > 0, float("-inf"))
    loss = functional.cross_entropy(scores, torch.arange(4))
    return {"scale": SCALE, "x": numbers(x), "same": numbers(same)} | with_gradients({"weight": weight}, loss)


def main():
    torch.manual_seed(5)
    fixture = {"squared": squared(), "preference": preference(), "contrast": contrast()}
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/losses.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
