"""How large the gradient of each loss is, from surely wrong to surely right, after a sigmoid and after a softmax."""

import pandas as pd
import torch
from torch import Tensor

from hf_llm.experiments.frame import Finding, Say, Study, Tables, exact, select
from hf_llm.experiments.frame.charts import Figure, label, name_of, new_figure, style
from hf_llm.experiments.losses.formulas import GRADIENTS, LOSSES

LOGITS = torch.linspace(-10, 10, 41, dtype=torch.float64)
CLASSES, FAR_BEHIND = 10, -10.0  # of the softmax; the logit of the classes that play no role
VANISHED = 0.01  # of the cross-entropy's gradient
ROUNDING = 1e-12


def measure(study: Study) -> Tables:
    """Tabulate the gradients, and hold those written by hand against autograd for random logits."""
    return {
        "gradients": pd.concat([
            pd.DataFrame({"output": output, "logit": LOGITS, **columns})
            for output, columns in (("sigmoid", sigmoid_gradients(LOGITS)), ("softmax", softmax_gradients(LOGITS)))
        ]),
        "formulas": pd.DataFrame(
            {"loss": loss, "seed": seed, "difference": from_autograd(loss, seed)}
            for loss in LOSSES for seed in study.seeds
        ),
    }  # fmt: skip


def sigmoid_gradients(z: Tensor) -> dict[str, Tensor]:
    """Return p = σ(z) and the gradient of both losses with respect to z, where the right answer is 1."""
    p = torch.sigmoid(z)
    return {"p": p, "cross_entropy": p - 1, "squared": 2 * (p - 1) * p * (1 - p)}


def softmax_gradients(z: Tensor) -> dict[str, Tensor]:
    """Return the probability of the right class and the norm of the gradient of both losses, each (n,).

    The right class is ahead of one wrong class by z (n,); all the others are far behind.
    """
    logits = torch.full((len(z), CLASSES), FAR_BEHIND, dtype=z.dtype)
    logits[:, 0], logits[:, 1] = z / 2, -z / 2
    labels = torch.zeros(len(z), dtype=torch.long)
    norms = {loss: len(z) * gradient(logits, labels).norm(dim=1) for loss, gradient in GRADIENTS.items()}
    return {"p": logits.softmax(dim=1)[:, 0], **norms}


def from_autograd(loss: str, seed: int) -> float:
    """Return how far the gradient written by hand is from autograd's for random logits, relative to its largest."""
    generator = torch.Generator().manual_seed(seed)
    z = (5 * torch.randn(64, CLASSES, generator=generator, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(CLASSES, (64,), generator=generator)
    LOSSES[loss](z, labels).backward()
    return float((GRADIENTS[loss](z.detach(), labels) - z.grad).abs().max() / z.grad.abs().max())


def findings(tables: Tables) -> list[Finding]:
    def left(output: str) -> float:
        """Squared error's gradient divided by cross-entropy's, where the answer is surely wrong."""
        surely_wrong = select(tables["gradients"], output=output).sort_values("logit").iloc[0]
        return surely_wrong["squared"] / surely_wrong["cross_entropy"]

    return [
        exact("formulas", tables["formulas"]["difference"].max(), ROUNDING, "below"),
        exact("vanishes", left("sigmoid"), VANISHED, "below"),
        exact("vanishes_softmax", left("softmax"), VANISHED, "below"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """The size of both gradients by the logit, after a sigmoid and after a softmax."""
    figure, axes = new_figure(1, 2)
    for axis, output in zip(axes[0], ("sigmoid", "softmax")):
        rows = select(tables["gradients"], output=output)
        for number, loss in enumerate(LOSSES):
            axis.plot(rows["logit"], rows[loss].abs(), lw=1.8, label=name_of(loss, say), **style(number))
        title = say(f"names.{output}")
        label(axis, say(f"figures.gradients.{output}"), say("figures.gradients.size"), title, output == "sigmoid")
    return figure


FIGURES = {"gradients": draw}
