"""What each regularizer computes, checked on a layer and on an optimizer: L14 to L17.

    dropout      y = x · m / (1 − p), where each m is 0 with probability p and 1 otherwise; nothing in evaluation
    L2           the loss becomes loss + λ ‖w‖², so its gradient gains 2 λ w
    batch norm   y = gain · (x − mean) / √(variance + ε) + shift, mean and variance of the unit over the mini-batch;
                 in evaluation, running averages of both

Sources: Srivastava et al. 2014; Krogh and Hertz 1991; Loshchilov and Hutter 2019 (decoupled decay); Ioffe and
Szegedy 2015.
"""

from collections.abc import Callable
from functools import partial

import pandas as pd
import torch
from torch import Tensor, nn

from hf_llm.data.images import LabelledImages
from hf_llm.evaluation.intervals import share_interval
from hf_llm.experiments.frame import Finding, Say, Study, Tables, exact
from hf_llm.experiments.frame.charts import COLOURS, Figure, label, new_figure
from hf_llm.experiments.shared.image_runs import ImageParts
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.image_classification import pixel_values

UNITS = 1_000_000  # of the dropout layer whose zeros are counted
P, LAMBDA = 0.3, 1e-3
STEPS = 20  # of the optimizers that are compared
SHOWN = 16  # units in the pictures
IMAGES = 256  # two mini-batches for batch norm

ROUNDING = 1e-6  # of numbers about one in fp32, after a few operations
ROUNDING_64 = 1e-12
NORMALISED = 1e-3  # of mean and variance: the ε under batch norm's root keeps the variance a little below one
SHARE_MARGIN = 0.01  # a share of zeros this near p is p


def measure(study: Study) -> Tables:
    """Compare each definition with what PyTorch computes."""
    images = ImageParts.read(study.data).train.select(slice(IMAGES))
    dropout, dropout_units = dropout_layer()
    norm, norm_units = batch_norm_layer(images)
    numbers = {"dropout": dropout, "penalty": penalty(), "batch_norm": norm}
    rows = [(of, name, value) for of, part in numbers.items() for name, value in part.items()]
    definitions = pd.DataFrame(rows, columns=["of", "measured", "value"])
    return {"definitions": definitions, "dropout_layer": dropout_units, "batch_norm_layer": norm_units}


def findings(tables: Tables) -> list[Finding]:
    value = tables["definitions"].set_index(["of", "measured"])["value"]

    def same(key: str, of: str, names: list[str], tolerance: float) -> Finding:
        return exact(key, max(value[of, name] for name in names), tolerance, "within")

    share = share_interval(int(value["dropout", "zeros"]), UNITS)
    away = tuple(bound - P for bound in share.bounds)
    return [
        Finding("zeroes_with_p", share.mean - P, away, SHARE_MARGIN, "within"),
        same("scales_the_rest", "dropout", ["scale", "evaluation"], ROUNDING),
        same("l2_is_decay", "penalty", ["gradient", "sgd", "adam"], ROUNDING_64),
        same("decoupled_is_l2", "penalty", ["adamw"], ROUNDING_64),
        same("norm_normalises", "batch_norm", ["mean", "variance", "running"], NORMALISED),
        exact("norm_mixes_in_training", value["batch_norm", "training_companions"], NORMALISED),
        same("norm_is_fixed_in_evaluation", "batch_norm", ["evaluation_companions"], ROUNDING),
    ]


def dropout_layer() -> tuple[dict[str, float], pd.DataFrame]:
    """Send many activations through `nn.Dropout`.

    Returns:
        The count of zeros; the largest relative deviation of a survivor from x / (1 − p); the largest change in
        evaluation. And some units for the picture.
    """
    generator = torch.Generator().manual_seed(0)
    x = 0.5 + torch.rand(UNITS, generator=generator)  # (UNITS,), none of them zero already
    layer = nn.Dropout(P)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        y = layer(x)  # (UNITS,)
    survivors = y != 0
    ratio = y[survivors] / x[survivors]
    evaluated = layer.eval()(x)
    numbers = {
        "zeros": int((~survivors).sum()),
        "scale": float((ratio * (1 - P) - 1).abs().max()),
        "evaluation": float((evaluated - x).abs().max()),
    }
    shown = {name: z[:SHOWN].tolist() for name, z in (("before", x), ("training", y), ("evaluation", evaluated))}
    return numbers, pd.DataFrame({"unit": range(1, SHOWN + 1), **shown})


def penalty() -> dict[str, float]:
    """Train one small net in float64 with λ‖w‖² written into the loss, and with the optimizers' weight decay.

    Returns:
        Relative differences, of norms: the gradient from that of the plain loss plus 2λw; then, after some steps, the
        weights with the optimizer's decay from those with the penalty in the loss.
    """
    w, x, target = (
        torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)
        for shape in ((8, 4), (32, 8), (32, 4))
    )

    def loss(w: Tensor) -> Tensor:
        return ((x @ w).tanh() - target).square().mean()

    def penalised(w: Tensor) -> Tensor:
        return loss(w) + LAMBDA * w.square().sum()

    def weights_after(function, make: Callable) -> Tensor:
        trained = w.clone().requires_grad_()
        optimizer = make([trained])
        for _ in range(STEPS):
            optimizer.zero_grad()
            function(trained).backward()
            optimizer.step()
        return trained.detach()

    makers = {
        "sgd": partial(torch.optim.SGD, lr=0.1, momentum=0.9), "adam": partial(torch.optim.Adam, lr=0.01),
        "adamw": partial(torch.optim.AdamW, lr=0.01, weight_decay=0.0),
    }  # fmt: skip
    in_loss = {name: weights_after(penalised, makers[name]) for name in ("sgd", "adam")}
    decayed = {name: weights_after(loss, partial(make, weight_decay=2 * LAMBDA)) for name, make in makers.items()}
    # a decay as small as this moves the weights little: what counts is by how much it moves them otherwise
    moved = in_loss["adam"] - weights_after(loss, makers["adam"])
    leaf = w.clone().requires_grad_()
    with_penalty, without = (torch.autograd.grad(function(leaf), leaf)[0] for function in (penalised, loss))
    return {
        "gradient": _relative(with_penalty, without + 2 * LAMBDA * w),
        **{name: _relative(decayed[name], in_loss[name]) for name in in_loss},
        "adamw": float((decayed["adamw"] - in_loss["adam"]).norm() / moved.norm()),
    }


def batch_norm_layer(images: LabelledImages) -> tuple[dict[str, float], pd.DataFrame]:
    """Send two mini-batches through the first hidden layer of an MLP with batch norm.

    Returns:
        The largest deviation over the units of the mean from 0 and of the variance from 1; the largest difference of
        evaluation from the formula with running averages; how much one image's output changes with its companions in
        training and in evaluation. And some units for the picture.
    """
    model = new_image_classifier("mlp", 0, hidden_sizes=[256], batch_norm=True)
    linear, norm = model.layers[0][:2]
    half = len(images) // 2
    with torch.no_grad():
        before = linear(pixel_values(torch.from_numpy(images.images)).flatten(1))  # (images, units)
        batch, companions = before[:half], torch.cat([before[:1], before[half:]])  # the first image is in both
        after = norm(batch)  # as in training, gain 1 and shift 0 still; this moves the running averages
        in_training = _first_twice(norm, batch, companions)
        norm.eval()
        evaluated, in_evaluation = norm(batch), _first_twice(norm, batch, companions)
        formula = (batch - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    numbers = {
        "mean": float(after.mean(dim=0).abs().max()),
        "variance": float((after.var(dim=0, correction=0) - 1).abs().max()),
        "running": float((evaluated - formula).abs().max()),
        "training_companions": in_training,
        "evaluation_companions": in_evaluation,
    }
    shown = {"unit": range(1, SHOWN + 1)}
    for when, z in (("before", batch), ("after", after)):
        shown[f"{when}_mean"] = [float(z[:, unit].mean()) for unit in range(SHOWN)]
        shown[f"{when}_deviation"] = [float(z[:, unit].std(correction=0)) for unit in range(SHOWN)]
    return numbers, pd.DataFrame(shown)


def _first_twice(norm: nn.Module, batch: Tensor, companions: Tensor) -> float:
    """Return the largest change of the first image's output between two batches that it is a part of."""
    return float((norm(batch)[0] - norm(companions)[0]).abs().max())


def _relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


def draw(tables: Tables, say: Say) -> Figure:
    """What dropout does to some units, and batch norm to their means and deviations."""
    dropout, norm = tables["dropout_layer"], tables["batch_norm_layer"]
    figure, ((left, right),) = new_figure(1, 2, width=5.6)
    for number, (part, name) in enumerate((("before", "before"), ("training", "after"))):
        colour, name = (COLOURS[5], COLOURS[1])[number], say(f"figures.layers.{name}")
        left.bar(dropout["unit"] + 0.4 * number - 0.2, dropout[part], 0.4, color=colour, label=name)
        mean, deviation = (norm[f"{('before', 'after')[number]}_{what}"] for what in ("mean", "deviation"))
        place = norm["unit"] + 0.3 * number - 0.15
        right.errorbar(place, mean, deviation, fmt="os"[number], ms=4, capsize=2, color=colour, label=name)
    left.set_ylim(0, 1.25 * dropout["training"].max())  # space for the legend
    low, high = right.get_ylim()
    right.set_ylim(low, high + 0.2 * (high - low))
    for axis, title in ((left, "dropout"), (right, "batch_norm")):
        label(axis, say("figures.layers.unit"), say("figures.layers.activation"), say(f"names.{title}"))
        axis.legend(frameon=False, fontsize=8.5, loc="upper left", ncols=2)
    return figure


FIGURES = {"layers": draw}
