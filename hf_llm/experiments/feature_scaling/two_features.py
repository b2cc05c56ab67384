"""The lecture's figure: the path of gradient descent on two features, one in units five times as large."""

import numpy as np
import pandas as pd

from hf_llm.experiments.feature_scaling.data_sets import VERSIONS
from hf_llm.experiments.feature_scaling.quadratic import TOLERANCE, gradient_descent
from hf_llm.experiments.frame import Finding, Say, Study, Tables, select
from hf_llm.experiments.frame.charts import Figure, label, name_of, new_figure, style

CORRELATION, UNIT = 0.3, 5.0
STEPS = 60


def problem(version: str) -> tuple[np.ndarray, np.ndarray]:
    """Return Hessian (2, 2) and solution (2,) of the regression on the two features."""
    scale = UNIT if version == "raw" else 1.0
    return np.array([[1.0, CORRELATION * scale], [CORRELATION * scale, scale**2]]), np.array([1.0, 1.0 / scale])


def measure(study: Study) -> Tables:
    """Walk down both versions; there is no seed."""
    summary, paths = [], []
    for version in study.track(VERSIONS):
        shares, path, condition = gradient_descent(*problem(version), STEPS)
        summary.append({"version": version, "condition": condition, "steps": int(np.argmax(shares <= TOLERANCE))})
        paths += [{"version": version, "step": step, "w1": x, "w2": y} for step, (x, y) in enumerate(path.tolist())]
    return {"two_features": pd.DataFrame(summary), "paths": pd.DataFrame(paths)}


def findings(tables: Tables) -> list[Finding]:
    """The picture makes no claim of its own: the other parts measure what it shows."""
    return []


def draw(tables: Tables, say: Say) -> Figure:
    """The paths over the contour lines of the loss; the star is the minimum."""
    figure, axes = new_figure(1, 2)
    for axis, version in zip(axes[0], VERSIONS):
        path, (hessian, target) = select(tables["paths"], version=version)[["w1", "w2"]].to_numpy(), problem(version)
        x, y = (np.linspace(-reach, reach, 120) for reach in 1.3 * np.abs(path - target).max(axis=0))
        error = np.stack(np.meshgrid(x, y), axis=-1)
        loss = np.einsum("abd,de,abe->ab", error, hessian, error) / 2
        levels = loss.max() * np.geomspace(1e-3, 1, 10)
        axis.contour(x + target[0], y + target[1], loss, levels=levels, colors="0.75", linewidths=0.8)
        axis.plot(path[:, 0], path[:, 1], marker=".", lw=1.2, **style(0))
        axis.plot(*target, "k*", ms=10, zorder=5)
        label(axis, "w₁", "w₂", name_of(version, say), legend=False)
    return figure


FIGURES = {"paths": draw}
SUMMARIES = {"two_features": lambda tables: tables["two_features"]}
