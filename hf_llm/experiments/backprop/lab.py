"""Lab: the chain rule by hand (`by_hand.py`) held against autograd, finite differences and torch's own SGD."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import Tensor, nn

from hf_llm.experiments.backprop.by_hand import TwoLayerNet, neuron
from hf_llm.experiments.backprop.charts import draw_flow, draw_losses, draw_neuron
from hf_llm.experiments.backprop.words import ACTIVATION_NAMES, CAPTIONS, CAVEATS, CLAIMS, INTRODUCTION, TABLES, TITLE
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.findings import below, exact, over_seeds
from hf_llm.experiments.result import Chart, Finding, Progress, Result, Table, track
from hf_llm.training.launch import start_processes

# the neuron that is written out, with numbers that can be followed with a pencil
X, W, B, Y = (2.0, -1.0), (0.75, 0.5), -0.5, 1.0
NEURONS = {
    "sigmoid_squared": ("sigmoid", "squared"),
    "sigmoid_cross_entropy": ("sigmoid", "cross-entropy"),
    "relu_squared": ("relu", "squared"),
}
TORCH_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "identity": nn.Identity}
PARAMETERS = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")
PLACES = ("logits", "a", "z", "x")  # where the gradient passes, from the loss back to the input
SAMPLES, HIDDEN, LEARNING_RATE = 500, 16, 0.5
POINTS = 50  # of a loss curve that are kept for the chart
ROUNDING = 1e-9  # what float64 may make of two orders of summation, also after a thousand steps
DISTANCE = 1e-5  # of a finite difference: much smaller and rounding eats the result
TRUNCATION = 1e-6  # central differences at that distance come at least so close


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Compare and train by hand; the seeds vary the data and the weights."""
    start_processes(threads=1)  # nets of this size gain nothing from a second one, and the bits depend on the number
    steps, seeds = (100 if config.quick else 1000), list(range(config.seeds))
    neurons = {name: neuron_rows(*kinds) for name, kinds in NEURONS.items()}
    grid = [(activation, seed) for activation in TORCH_ACTIVATIONS for seed in seeds]
    cells = [measure_net(activation, seed, steps) for activation, seed in track(grid, progress)]
    rows = neurons | {name: [cell[name] for cell in cells] for name in ("gradients", "flow", "training")}
    tables = {name: Table(*TABLES[name], rows[name]) for name in TABLES}
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L1", "L2", "L3"],
        quick=config.quick,
        seeds=seeds,
        settings={
            "neuron": {"x": X, "w": W, "b": B, "y": Y},
            "data": "make_moons(noise=0.2), standardised, as many again held out",
            "samples": SAMPLES,
            "hidden": HIDDEN,
            "steps": steps,
            "learning_rate": LEARNING_RATE,
            "finite_difference": DISTANCE,
            "dtype": "float64",
        },
        findings=findings(neurons, cells),
        tables=tables,
        charts={
            "neuron": Chart(CAPTIONS["neuron"], lambda language: draw_neuron(tables["sigmoid_squared"], language)),
            "loss": Chart(CAPTIONS["loss"], lambda language: draw_losses(tables["training"], language)),
            "flow": Chart(CAPTIONS["flow"], lambda language: draw_flow(tables["flow"], language)),
        },
        caveats=CAVEATS,
    )


def neuron_rows(activation: str, loss: str) -> list[dict]:
    """Return the quantities of the example neuron, each with autograd's gradient beside ours."""
    x, w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (X, W, B))
    y = torch.tensor(Y, dtype=torch.float64)
    with torch.no_grad():
        quantities = neuron(x, w, b, y, activation, loss)
    z = w @ x + b
    a = TORCH_ACTIVATIONS[activation]()(z)
    L = {"squared": nn.functional.mse_loss, "cross-entropy": nn.functional.binary_cross_entropy}[loss](a, y)
    for intermediate in (z, a, L):
        intermediate.retain_grad()
    L.backward()
    autograd = torch.cat([quantity.grad.reshape(-1) for quantity in (w, b, x, z, a, L)]).tolist()
    return [{**vars(quantity), "autograd": gradient} for quantity, gradient in zip(quantities, autograd)]


def measure_net(activation: str, seed: int, steps: int) -> dict[str, dict]:
    """Return the rows of one net: its gradients compared, how they flow, and its training compared."""
    x, labels = moons(seed)
    net = TwoLayerNet(inputs=2, hidden=HIDDEN, classes=2, activation=activation, seed=seed)
    twin = torch_twin(net)
    values = net.forward(x, labels)
    by_hand = net.backward(values)

    nn.functional.cross_entropy(twin(x), labels).backward()
    autograd = {name: parameter.grad for name, parameter in twin.named_parameters()}
    numeric = {
        name: finite_differences(lambda: net.forward(x, labels)["loss"], net.parameters[name]) for name in PARAMETERS
    }
    gradients = {
        **{name: relative_difference(by_hand[name], autograd[name]) for name in PARAMETERS},
        "finite_differences": max(relative_difference(by_hand[name], numeric[name]) for name in PARAMETERS),
        "crossings": int((values["z"].abs() < DISTANCE * x.abs().amax(dim=1, keepdim=True).clamp(min=1)).sum()),
        "one_layer": relative_difference(values["logits"], one_layer(net, x)),
    }
    norms = {place: float(by_hand[place].norm()) for place in PLACES}

    losses = train_by_hand(net, x, labels, steps)
    torch_losses = train_by_torch(twin, x, labels, steps)
    kept = np.unique(np.linspace(0, steps - 1, min(POINTS, steps)).astype(int))
    held_out = net.forward(*moons(seed, held_out=True))
    training = {
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "accuracy": float((held_out["p"].argmax(dim=1) == held_out["labels"]).double().mean()),
        "curves": float(np.max(np.abs(np.subtract(losses, torch_losses)) / np.array(torch_losses))),
        "steps": kept.tolist(),
        "losses": [losses[step] for step in kept],
        "torch_losses": [torch_losses[step] for step in kept],
    }
    cell = {"activation": activation, "name": ACTIVATION_NAMES[activation], "seed": seed}
    flow = {**norms, "passed": norms["z"] / norms["a"]}
    return {"gradients": cell | gradients, "flow": cell | flow, "training": cell | training}


def moons(seed: int, held_out: bool = False) -> tuple[Tensor, Tensor]:
    """Return two interleaving half circles: x (samples, 2) with mean 0 and variance 1, labels (samples,)."""
    x, labels = make_moons(SAMPLES, noise=0.2, random_state=2 * seed + held_out)
    mean, deviation = torch.tensor([0.5, 0.25]), torch.tensor([0.89, 0.53])  # of the moons; the same for both parts
    return (torch.tensor(x) - mean) / deviation, torch.tensor(labels)


def torch_twin(net: TwoLayerNet) -> nn.Sequential:
    """Return the same net, with copies of its weights, as one would write it in PyTorch."""
    classes, hidden = net.parameters["output.weight"].shape
    twin = nn.Sequential(OrderedDict(
        hidden=nn.Linear(net.parameters["hidden.weight"].shape[1], hidden),
        activation=TORCH_ACTIVATIONS[net.activation](),
        output=nn.Linear(hidden, classes),
    )).double()  # fmt: skip
    twin.load_state_dict(net.parameters)
    return twin


def train_by_hand(net: TwoLayerNet, x: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Return the loss before each step of gradient descent on the whole batch."""
    losses = []
    for _ in range(steps):
        values = net.forward(x, labels)
        net.step(net.backward(values), LEARNING_RATE)
        losses.append(float(values["loss"]))
    return losses


def train_by_torch(model: nn.Module, x: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Return the same by autograd and torch.optim.SGD."""
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def finite_differences(loss: Callable[[], Tensor], parameter: Tensor) -> Tensor:
    """Return (loss(w + h) − loss(w − h)) / 2h for each number w of `parameter`, and leave it as it was.

    It needs no derivative at all, which makes it a good judge, and two forward passes for each weight, which is why
    nobody trains with it: backpropagation gets all gradients from a single pass back.
    """
    gradient, numbers = torch.empty_like(parameter), parameter.view(-1)
    for i, number in enumerate(numbers.tolist()):
        numbers[i] = number + DISTANCE
        above = loss()
        numbers[i] = number - DISTANCE
        below = loss()
        numbers[i] = number
        gradient.view(-1)[i] = (above - below) / (2 * DISTANCE)
    return gradient


def one_layer(net: TwoLayerNet, x: Tensor) -> Tensor:
    """Return what one linear layer with the product of both matrices computes, (B, classes)."""
    w = net.parameters
    weight = w["output.weight"] @ w["hidden.weight"]  # (classes, inputs)
    bias = w["output.weight"] @ w["hidden.bias"] + w["output.bias"]  # (classes,)
    return x @ weight.T + bias


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference, relative to the largest number of `theirs`."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def findings(neurons: dict[str, list[dict]], cells: list[dict]) -> list[Finding]:
    """Return what was measured about each claim."""

    def over(table: str, key: str, activation: str) -> np.ndarray:
        """The values over the seeds, (seeds,)."""
        return np.array([cell[table][key] for cell in cells if cell[table]["activation"] == activation])

    neuron_difference = max(abs(row["gradient"] - row["autograd"]) for rows in neurons.values() for row in rows)
    autograd = max(cell["gradients"][name] for cell in cells for name in PARAMETERS)
    smooth = max(over("gradients", "finite_differences", activation).max() for activation in ("tanh", "sigmoid"))
    kinked = over("gradients", "finite_differences", "relu").max()
    curves = max(cell["training"]["curves"] for cell in cells)
    merged = over("gradients", "one_layer", "identity").max()
    gain = over("training", "accuracy", "relu") - over("training", "accuracy", "identity")
    return [
        exact(CLAIMS["neuron"], neuron_difference, neuron_difference < ROUNDING),
        exact(CLAIMS["autograd"], autograd, autograd < ROUNDING),
        exact(CLAIMS["smooth"], smooth, smooth < TRUNCATION),
        exact(CLAIMS["kinked"], kinked, kinked < TRUNCATION),
        exact(CLAIMS["curves"], curves, curves < ROUNDING),
        over_seeds(CLAIMS["falls"], over("training", "first_loss", "relu") - over("training", "last_loss", "relu")),
        exact(CLAIMS["one_layer"], merged, merged < ROUNDING),
        over_seeds(CLAIMS["hidden_layer"], 100 * gain),
        below(CLAIMS["sigmoid_passes"], over("flow", "passed", "sigmoid"), threshold=1 / 4),
        over_seeds(CLAIMS["relu_passes"], over("flow", "passed", "relu"), threshold=1.0),
    ]
