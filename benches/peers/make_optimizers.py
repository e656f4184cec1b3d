"""Makes tests/fixtures/optimizers.json: ten updates of a matrix and a vector by PyTorch's optimizers, and by Lion as its paper has it.

    python benches/peers/make_optimizers.py            # with torch and numpy

Both sides compute from the gradients that stand in the fixture; here in floats of 64 bits, so that what differs is rounding of the
other side. The gradients are such that each rule takes part: a row of the matrix and an element of the vector have none at first, the
norm is clipped at some steps, and one step is far greater than those before it, by which Adafactor's update is cut. Vectors do not
decay. PyTorch's Adafactor, which squares its ε₁, is given 1e-15 for the paper's 1e-30; without that it has the epsilon of the float type.
"""

import json
import pathlib

import numpy
import torch

STEPS = 10
TOLD = (1, 4, STEPS)
CLIP = 2.0
RATES = [0.02, 0.05, 0.1, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01]
CASES = [
    {"optimizer": "adamw", "weight_decay": 0.1, "betas": [0.8, 0.95], "epsilon": 1e-6},
    {"optimizer": "sgd", "weight_decay": 0.1, "momentum": 0.0, "nesterov": False},
    {"optimizer": "sgd", "weight_decay": 0.1, "momentum": 0.9, "nesterov": False},
    {"optimizer": "sgd", "weight_decay": 0.1, "momentum": 0.9, "nesterov": True},
    {"optimizer": "lion", "weight_decay": 0.1, "betas": [0.9, 0.99]},
    {"optimizer": "adafactor", "weight_decay": 0.1},
    {"optimizer": "adafactor", "weight_decay": 0.0, "gradients_times": 1e-6},
]


class Lion(torch.optim.Optimizer):
    """Program 1 of Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), line by line."""

    def __init__(self, groups, lr, betas):
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                p, g = parameter.detach().numpy(), parameter.grad.numpy()
                m = self.state[parameter].setdefault("m", numpy.zeros_like(p))
                c = beta1 * m + (1 - beta1) * g
                update = numpy.sign(c) + group["weight_decay"] * p
                self.state[parameter]["m"] = beta2 * m + (1 - beta2) * g
                p -= group["lr"] * update


def optimizer_of(case, groups):
    match case["optimizer"]:
        case "adamw":
            return torch.optim.AdamW(groups, lr=1.0, betas=tuple(case["betas"]), eps=case["epsilon"])
        case "sgd":
            return torch.optim.SGD(groups, lr=1.0, momentum=case["momentum"], nesterov=case["nesterov"])
        case "lion":
            return Lion(groups, lr=1.0, betas=tuple(case["betas"]))
        case "adafactor":
            return torch.optim.Adafactor(groups, lr=1.0, eps=(1e-15, 1e-3))


def gradients():
    """Numbers of three decimals, for each step those of the matrix and those of the vector."""
    steps = []
    for step in range(1, STEPS + 1):
        size = {4: 20.0, 5: 0.05}.get(step, 0.5)
        matrix, vector = torch.randn(4, 3) * size, torch.randn(5) * size
        if step < 4:
            matrix[2], vector[1] = 0.0, 0.0
        steps.append([[round(float(value), 3) + 0.0 for value in tensor.flatten()] for tensor in (matrix, vector)])
    return steps


def updated(case, start, steps):
    matrix, vector = (torch.tensor(values, dtype=torch.float64) for values in start)
    parameters = [torch.nn.Parameter(matrix.reshape(4, 3)), torch.nn.Parameter(vector)]
    groups = [{"params": parameters[:1], "weight_decay": case["weight_decay"]}, {"params": parameters[1:], "weight_decay": 0.0}]
    optimizer = optimizer_of(case, groups)
    told = []
    for step, (rate, of_step) in enumerate(zip(RATES, steps), start=1):
        for parameter, values in zip(parameters, of_step):
            gradient = torch.tensor(values, dtype=torch.float64).reshape(parameter.shape)
            parameter.grad = gradient * case.get("gradients_times", 1.0)
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        if step in TOLD:
            told.append([[round(value, 8) for value in parameter.detach().flatten().tolist()] for parameter in parameters])
    return told


def main():
    torch.manual_seed(11)
    start = [[round(float(value), 3) for value in torch.randn(length)] for length in (12, 5)]
    steps = gradients()
    fixture = {
        "made_with": {"torch": torch.__version__.split("+")[0], "numpy": numpy.__version__},
        "clip": CLIP, "rates": RATES, "shapes": [[4, 3], [5]], "start": start, "gradients": steps, "told": TOLD,
        "cases": [case | {"values": updated(case, start, steps)} for case in CASES],
    }
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/optimizers.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
