"""Lab: what sigmoid, tanh, ReLU and GELU do to a value and to the gradient that comes back."""

import math

import numpy as np
import torch
from torch import Tensor
from transformers import AutoConfig

from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.activations.charts import draw_centring, draw_dead, draw_functions, draw_saturation
from hf_llm.experiments.activations.dead_units import GENTLE_RATE, NO_GRADIENT, kill_and_nurse
from hf_llm.experiments.activations.words import CAPTIONS, CAVEATS, CLAIMS, INTRODUCTION, TABLES, TITLE, VARIANT_NAMES
from hf_llm.experiments.activations.zero_centring import VARIANTS, centring_curve
from hf_llm.experiments.backprop.by_hand import ACTIVATIONS
from hf_llm.experiments.backprop.words import ACTIVATION_NAMES
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.result import Chart, Finding, Progress, Result, Table, track
from hf_llm.experiments.shared.toy_data import digits
from hf_llm.training.launch import start_processes

NAMES = ("sigmoid", "tanh", "relu", "gelu")
GRID = torch.linspace(-6, 6, 121, dtype=torch.float64)  # 0 is among them
SATURATED = 0.01  # a unit is saturated when less than this part of the gradient passes
DEVIATIONS = (1, 2, 4, 8)  # of the normal inputs
SAMPLES = 100_000  # normal inputs a seed
WIDTH, LAYERS = 128, 5  # of the net that is looked at as it was drawn
WEIGHT_SCALES = (1.0, 4.0)  # 1 keeps the variance of a linear net
RATES = (0.1, 1.0, 2.0, 3.0)
TOO_HIGH = 2.0  # the rate at which units are counted; the table has all of them
CENTRING_RATES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
POINTS = 20  # of a loss curve
CENTRED = 0.01  # a mean closer to zero than this counts as zero
CLOSE = 1e-3  # what GPT-2's approximation of GELU may be off by
# families of Transformers, by their name in the library, and where the configuration keeps the activation
FAMILIES = {
    "openai-gpt": "afn",
    "gpt2": "activation_function",
    "bert": "hidden_act",
    "roberta": "hidden_act",
    "bart": "activation_function",
    "vit": "hidden_act",
    "t5": "dense_act_fn",
    "llama": "hidden_act",
    "mistral": "hidden_act",
}
NAMED_BY_THE_LECTURE = ("bert", "openai-gpt", "gpt2")


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Look at the functions, at random inputs and nets, and train; the seeds vary inputs, weights and batches."""
    start_processes(threads=1)  # nets of this size gain nothing from a second one, and the bits depend on the number
    seeds = list(range(config.seeds))
    rates = (GENTLE_RATE, TOO_HIGH) if config.quick else RATES
    centring_rates = (1.0, 3.0) if config.quick else CENTRING_RATES
    kill_steps, centring_steps = (60, 60) if config.quick else (200, 300)
    grid = [
        *(("dead", name, rate, seed) for name in NAMES for rate in rates for seed in seeds),
        *(("centring", name, rate, seed) for name in VARIANTS for rate in centring_rates for seed in seeds),
    ]
    trained = {}
    for cell in track(grid, progress):
        part, name, rate, seed = cell
        if part == "dead":
            trained[cell] = kill_and_nurse(name, rate, seed, kill_steps)
        else:
            trained[cell] = centring_curve(name, rate, seed, centring_steps, POINTS)
    rows = {
        "functions": [function_row(name) for name in (*NAMES, "gelu_tanh")],
        "normal": [normal_row(name, seeds) for name in NAMES],
        "network": [network_row(name, scale, seeds) for name in NAMES for scale in WEIGHT_SCALES],
        "dead": [dead_row(name, rate, trained, seeds) for name in NAMES for rate in rates],
        "centring": centring_rows(trained, centring_rates, seeds),
        "families": [{"family": name, "activation": getattr(AutoConfig.for_model(name), key)}
                     for name, key in FAMILIES.items()],
    }  # fmt: skip
    tables = {name: Table(*TABLES[name], rows[name]) for name in TABLES}
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L4", "L5", "L6", "L7"],
        quick=config.quick,
        seeds=seeds,
        settings={
            "saturated_below": SATURATED,
            "normal_inputs": SAMPLES,
            "network": {"width": WIDTH, "layers": LAYERS, "weights": "normal, deviation scale / sqrt(inputs)"},
            "dead": {"below": NO_GRADIENT, "steps": 2 * kill_steps, "gentle_rate": GENTLE_RATE, "hidden": 128},
            "centring": {"steps": centring_steps, "rates": centring_rates, "optimizer": "SGD", "batch": 64},
            "data": "scikit-learn's digits, 1,000 for training",
        },
        findings=findings(rows),
        tables=tables,
        charts={
            "functions": Chart(CAPTIONS["functions"], lambda language: draw_functions(tables["functions"], language)),
            "saturation": Chart(
                CAPTIONS["saturation"], lambda language: draw_saturation(tables["normal"], tables["network"], language)
            ),
            "dead": Chart(CAPTIONS["dead"], lambda language: draw_dead(tables["dead"], language)),
            "centring": Chart(CAPTIONS["centring"], lambda language: draw_centring(tables["centring"], language)),
        },
        caveats=CAVEATS,
    )


def function_row(name: str) -> dict:
    """Return the extremes of a function and of its derivative on the grid, and both of them as curves."""
    z = GRID.clone().requires_grad_()
    ACTIVATIONS[name].value(z).sum().backward()
    value, derivative = ACTIVATIONS[name].value(GRID), ACTIVATIONS[name].derivative(GRID)
    return {
        "activation": name,
        "name": ACTIVATION_NAMES[name],
        "lowest": float(value.min()),
        "highest": float(value.max()),
        "lowest_derivative": float(derivative.min()),
        "highest_derivative": float(derivative.max()),
        "lowest_derivative_above_zero": float(derivative[GRID > 0].min()),
        "autograd": float((derivative - z.grad).abs().max()),
        "z": GRID.tolist(),
        "values": value.tolist(),
        "derivatives": derivative.tolist(),
    }


def normal_row(name: str, seeds: list[int]) -> dict:
    """Return what a unit does whose inputs z are normal: mean output, mean derivative, and how often it saturates."""

    def z(seed: int) -> Tensor:
        return torch.randn(SAMPLES, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    function = ACTIVATIONS[name]
    means = [float(function.value(z(seed)).mean()) for seed in seeds]
    derivatives = [float(function.derivative(z(seed)).mean()) for seed in seeds]
    saturated = {
        f"saturated_{deviation}": [saturated_share(name, deviation * z(seed)) for seed in seeds]
        for deviation in DEVIATIONS
    }
    return {
        "activation": name,
        "name": ACTIVATION_NAMES[name],
        "mean": float(np.mean(means)),
        "mean_derivative": float(np.mean(derivatives)),
        **{key: float(np.mean(shares)) for key, shares in saturated.items()},
        "seeds": {"mean": means, "mean_derivative": derivatives, **saturated},
    }


def saturated_share(name: str, z: Tensor) -> float:
    """Return the share of units, for all samples, that let less than `SATURATED` of the gradient through."""
    return float((ACTIVATIONS[name].derivative(z).abs() < SATURATED).double().mean())


def network_row(name: str, scale: float, seeds: list[int]) -> dict:
    """Return the share of saturated units in each layer of a net that was drawn and not trained."""
    shares = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        x, _ = digits()["training"]
        a = (x - x.mean()) / x.std()  # (N, 64)
        layers = []
        for _ in range(LAYERS):
            weight = torch.randn(a.shape[1], WIDTH, generator=generator, dtype=torch.float64)
            z = a @ weight * (scale / math.sqrt(a.shape[1]))  # (N, WIDTH): variance about scale² times that of a
            layers.append(saturated_share(name, z))
            a = ACTIVATIONS[name].value(z)
        shares.append(layers)
    return {
        "activation": name,
        "name": ACTIVATION_NAMES[name],
        "scale": scale,
        **{f"layer_{i + 1}": float(np.mean([layers[i] for layers in shares])) for i in range(LAYERS)},
        "seeds": shares,
    }


def dead_row(name: str, rate: float, trained: dict, seeds: list[int]) -> dict:
    """Return the means over the seeds of `kill_and_nurse`, and the values themselves."""
    runs = [trained["dead", name, rate, seed] for seed in seeds]
    return {
        "activation": name,
        "name": ACTIVATION_NAMES[name],
        "rate": rate,
        **{key: float(np.mean([run[key] for run in runs])) for key in runs[0]},
        "seeds": {key: [run[key] for run in runs] for key in runs[0]},
    }


def centring_rows(trained: dict, rates: tuple[float, ...], seeds: list[int]) -> list[dict]:
    """Return the last loss for each variant and rate; `best` marks the rate that each variant is judged by."""
    rows = []
    for name in VARIANTS:
        of_variant = []
        for rate in rates:
            curves = [trained["centring", name, rate, seed] for seed in seeds]
            last = [curve["losses"][-1] for curve in curves]
            of_variant.append({
                "variant": name,
                "name": VARIANT_NAMES[name],
                "rate": rate,
                "loss": float(np.mean(last)),
                "steps": curves[0]["steps"],
                "losses": [curve["losses"] for curve in curves],
            })  # fmt: skip
        best = min(of_variant, key=lambda row: row["loss"])
        rows += [row | {"best": row is best} for row in of_variant]
    return rows


def findings(rows: dict[str, list[dict]]) -> list[Finding]:
    """Return what was measured about each claim."""
    functions = {row["activation"]: row for row in rows["functions"]}
    normal = {row["activation"]: {key: np.array(v) for key, v in row["seeds"].items()} for row in rows["normal"]}
    dead = {
        row["activation"]: {key: np.array(v) for key, v in row["seeds"].items()}
        for row in rows["dead"]
        if row["rate"] == TOO_HIGH
    }
    loss = {row["variant"]: np.array(row["losses"])[:, -1] for row in rows["centring"] if row["best"]}
    used = {row["family"]: "gelu" in row["activation"] for row in rows["families"]}
    deviates = max(row["autograd"] for row in functions.values())
    slope = functions["sigmoid"]["highest_derivative"]
    positive = functions["relu"]["lowest_derivative_above_zero"]
    dip = functions["gelu"]["lowest_derivative"]
    approximation = np.abs(np.subtract(functions["gelu"]["values"], functions["gelu_tanh"]["values"])).max()
    gelu_dead = max(max(row["seeds"]["after"]) for row in rows["dead"] if row["activation"] == "gelu")
    mild, strong = f"saturated_{DEVIATIONS[0]}", f"saturated_{DEVIATIONS[-1]}"
    return [
        exact(CLAIMS["autograd"], deviates, deviates < 1e-12),
        exact(CLAIMS["quarter"], slope, slope <= 1 / 4),
        exact(CLAIMS["positive"], positive, positive == 1.0),
        over_seeds(CLAIMS["dead_gradient"], normal["sigmoid"][mild] - normal["relu"][mild]),
        over_seeds(CLAIMS["strong_inputs"], normal["sigmoid"][strong] - normal["relu"][strong]),
        over_seeds(CLAIMS["on_average"], normal["relu"]["mean_derivative"] - normal["sigmoid"]["mean_derivative"]),
        over_seeds(CLAIMS["killed"], dead["relu"]["after"] - dead["relu"]["start"]),
        over_seeds(CLAIMS["dies_less_than_sigmoid"], dead["sigmoid"]["after"] - dead["relu"]["after"]),
        exact(CLAIMS["revived"], dead["relu"]["revived"].max(), dead["relu"]["revived"].max() > 0),
        over_seeds(CLAIMS["gelu_dies_less"], dead["relu"]["after"] - dead["gelu"]["after"]),
        exact(CLAIMS["gelu_never_dies"], gelu_dead, gelu_dead == 0),
        about_zero(CLAIMS["tanh_centred"], normal["tanh"]["mean"]),
        about_zero(CLAIMS["relu_centred"], normal["relu"]["mean"]),
        over_seeds(CLAIMS["tanh_moved"], loss["tanh_moved"] - loss["tanh"]),
        over_seeds(CLAIMS["sigmoid_moved"], loss["sigmoid"] - loss["sigmoid_centred"]),
        over_seeds(CLAIMS["only_centring"], loss["sigmoid_centred"] - loss["tanh"]),
        exact(CLAIMS["dip"], dip, dip < 0),
        exact(CLAIMS["approximation"], approximation, approximation < CLOSE),
        exact(CLAIMS["named"], np.mean([used[name] for name in NAMED_BY_THE_LECTURE]),
              all(used[name] for name in NAMED_BY_THE_LECTURE)),
        exact(CLAIMS["all_families"], np.mean(list(used.values())), all(used.values())),
    ]  # fmt: skip


def about_zero(said: tuple, values: np.ndarray) -> Finding:
    """Return the finding "the mean is zero": yes where the whole interval is close to it, no where none of it is."""
    interval = mean_interval(values)
    inside = max(abs(interval.low), abs(interval.high)) < CENTRED
    outside = interval.low > CENTRED or interval.high < -CENTRED
    return Finding(*said, interval.mean, interval.bounds, "yes" if inside else "no" if outside else "unclear")
