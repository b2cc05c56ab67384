"""Lab `relu-depth`, the claims: the gradient at the start and while training, dead units, accuracy, what rescues."""

import numpy as np

from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.findings import below, exact, over_seeds
from hf_llm.experiments.relu_depth.cells import CUSTOMARY
from hf_llm.experiments.relu_depth.claims import CLAIMS, race_claim, rescued_race_claim, vanishing_claim
from hf_llm.experiments.relu_depth.nets import HE, RESCUES, XAVIER, Kind
from hf_llm.experiments.relu_depth.probe import orders_lost
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.seed_comparison import accuracies_on_test, points

Looks = dict[Kind, list[dict]]  # before training, by seed
Runs = dict[tuple[Kind, str], list[dict]]  # trained nets with their optimizer, by seed
VANISHED = 2.0  # powers of ten lost from the last hidden layer to the first; a gradient that gains them has exploded
EVEN = 1.0  # powers of ten between layers whose gradients count as alike
TINY = 3.0  # powers of ten below which a gradient counts as tiny beside another
ALIKE = 0.9  # cosine from which two images count as almost alike
HALF, ABOUT = 0.5, 0.05  # what Xavier's weights leave of a ReLU layer's squared gradient, and how exactly
POINTS_OF_A_RESCUE = 10.0
POINTS_APART = 2.0  # within which activations count as equally good
HARDLY_ANY = 0.01  # share of units


def start_findings(starts: Looks, depth: int) -> list[Finding]:
    """Return what the deepest nets' gradients are before training."""

    def lost(activation: str, weights: str, rescue: str = "none", which: str = "gradients") -> np.ndarray:
        kind = Kind(depth, activation, weights, **RESCUES[rescue])
        return np.array([orders_lost(look[which]) for look in starts[kind]])

    def last_weights(weights: str) -> np.ndarray:
        return np.array([np.log10(look["weight_gradients"][-1]) for look in starts[Kind(depth, "relu", weights)]])

    def alike(activation: str) -> np.ndarray:
        return np.array([look["alike"] for look in starts[Kind(depth, activation, CUSTOMARY[activation])]])

    kept_square = 10 ** (-2 * lost("relu", XAVIER) / (depth - 1))  # of a layer, geometric mean
    second_to_last = [orders_lost(look["weight_gradients"][1:]) for look in starts[Kind(depth, "relu", XAVIER)]]
    return [
        over_seeds(vanishing_claim("sigmoid", XAVIER), lost("sigmoid", XAVIER), VANISHED),
        below(CLAIMS["relu_he_keeps"], lost("relu", HE), VANISHED),
        below(CLAIMS["relu_xavier_keeps"], lost("relu", XAVIER), VANISHED),
        about(CLAIMS["halves"], kept_square, HALF, ABOUT),
        about(CLAIMS["even"], second_to_last, 0.0, EVEN),
        over_seeds(CLAIMS["tiny"], last_weights(HE) - last_weights(XAVIER), TINY),
        over_seeds(vanishing_claim("tanh", XAVIER), lost("tanh", XAVIER), VANISHED),
        over_seeds(vanishing_claim("gelu", HE), lost("gelu", HE), VANISHED),
        over_seeds(CLAIMS["alike"], alike("relu"), ALIKE),
        over_seeds(CLAIMS["alike_tanh"], alike("relu") - alike("tanh")),
        *(over_seeds(CLAIMS[f"explodes_{rescue}"], -lost("relu", HE, rescue), VANISHED)
          for rescue in RESCUES if rescue != "none"),
    ]  # fmt: skip


def training_findings(runs: Runs, depths: tuple[int, ...]) -> list[Finding]:
    """Return what trained nets say about depth: accuracy, and whether a gradient that had vanished comes back."""
    few, deepest = depths[1], depths[-1]

    def cells(depth: int, activation: str, weights: str | None = None, optimizer: str = "sgd") -> list[dict]:
        return runs[Kind(depth, activation, weights or CUSTOMARY[activation]), optimizer]

    def gains(one: list[dict], other: list[dict]) -> np.ndarray:
        return points(accuracies_on_test(one), accuracies_on_test(other))

    def lost_after(activation: str) -> list[float]:
        return [orders_lost(cell["gradients"][-1]) for cell in cells(deepest, activation)]

    races = [
        over_seeds(race_claim(other, deep), gains(cells(depth, "relu"), cells(depth, other)))
        for deep, depth in ((False, depths[0]), (True, deepest)) for other in CUSTOMARY if other != "relu"
    ]  # fmt: skip
    by_adam = {depth: gains(cells(depth, "sigmoid", optimizer="adam"), cells(depth, "sigmoid")) for depth in depths}
    return [
        *races,
        over_seeds(CLAIMS["he_over_xavier"], gains(cells(deepest, "relu", HE), cells(deepest, "relu", XAVIER))),
        over_seeds(CLAIMS["deeper_is_better"], gains(cells(deepest, "relu"), cells(depths[0], "relu"))),
        over_seeds(CLAIMS["adam_few"], by_adam[few], POINTS_OF_A_RESCUE),
        over_seeds(CLAIMS["adam_deepest"], by_adam[deepest], POINTS_OF_A_RESCUE),
        below(CLAIMS["comes_back"], lost_after("sigmoid"), VANISHED),
        below(CLAIMS["stays"], lost_after("relu"), VANISHED),
    ]


def dead_findings(runs: Runs, depths: tuple[int, ...]) -> list[Finding]:
    """Return what was counted of dead units."""

    def masks(depth: int, activation: str, rescue: str = "none") -> np.ndarray:
        """Return which units were dead, (seeds, looks, layers, width)."""
        kind = Kind(depth, activation, CUSTOMARY[activation], **RESCUES[rescue])
        return np.array([cell["dead"] for cell in runs[kind, "sgd"]])

    def share(dead: np.ndarray, look: int) -> np.ndarray:
        return dead[:, look].mean(axis=(1, 2))

    shallow, deep = masks(depths[0], "relu"), masks(depths[-1], "relu")
    came_back = [float((~after[before]).mean()) if before.any() else 0.0 for before, after in deep[:, [0, -1]]]
    most = share(deep, 0).max()
    both = masks(depths[-1], "relu", "both")
    return [
        exact(CLAIMS["none_dead"], most, most == 0),
        over_seeds(CLAIMS["deeper_is_deader"], share(deep, 0) - share(shallow, 0)),
        over_seeds(CLAIMS["fewer_dead"], share(masks(depths[-1], "sigmoid"), -1) - share(deep, -1)),
        below(CLAIMS["never_come_back"], came_back, HARDLY_ANY),
        below(CLAIMS["rescued_from_death"], share(both, -1), HARDLY_ANY),
    ]


def rescue_findings(runs: Runs, depth: int) -> list[Finding]:
    """Return what batch norm and shortcuts do for the deepest net's accuracy."""
    accuracy = {
        (activation, rescue): accuracies_on_test(runs[Kind(depth, activation, weights, **settings), "sgd"])
        for activation, weights in CUSTOMARY.items() for rescue, settings in RESCUES.items()
    }  # fmt: skip
    rescues = [rescue for rescue in RESCUES if rescue != "none"]
    races = [*(("sigmoid", rescue) for rescue in rescues), ("tanh", "both"), ("gelu", "both")]
    with_both = sorted((accuracy[activation, "both"] for activation in CUSTOMARY), key=np.mean)
    return [
        *(over_seeds(CLAIMS[f"helps_{rescue}"], points(accuracy["relu", rescue], accuracy["relu", "none"]))
          for rescue in rescues),
        *(over_seeds(rescued_race_claim(other, rescue), points(accuracy["relu", rescue], accuracy[other, rescue]))
          for other, rescue in races),
        over_seeds(CLAIMS["sigmoid_wins"], points(accuracy["sigmoid", "batch_norm"], accuracy["relu", "none"])),
        below(CLAIMS["no_matter"], points(with_both[-1], with_both[0]), POINTS_APART),
    ]  # fmt: skip


def about(said: tuple[Words, Words], values, target: float, tolerance: float) -> Finding:
    """Return the finding "the mean is about `target`": yes where the whole interval is near it, no where none is."""
    interval = mean_interval(values)
    low, high = interval.low - target, interval.high - target
    inside, outside = max(-low, high) < tolerance, low > tolerance or high < -tolerance
    return Finding(*said, interval.mean, interval.bounds, "yes" if inside else "no" if outside else "unclear")
