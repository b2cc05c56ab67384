"""The experiment `architectures`."""

from hf_llm.experiments.architectures import (
    activations,
    equal_parameters,
    equal_time,
    recurrent,
    shift,
    skip_connections,
    standard,
)
from hf_llm.experiments.architectures.training import FAMILIES, Images
from hf_llm.experiments.frame import Lab, Study, Tables, select
from hf_llm.texts import both


def settings(study: Study) -> dict:
    images = Images.of(study)
    return {
        "data": images.name, "data_sha256": images.sha256, "training_images": len(images.train),
        "picking_images": len(images.validation), "families": FAMILIES, "batch": images.batch,
        "rates": list(images.rates), "farthest": max(shift.SHIFTS),
        "moved_images": study.pick(*equal_parameters.MOVED_IMAGES), "seconds": study.pick(*equal_time.SECONDS),
        "steps": study.pick(*equal_parameters.STEPS),
        "shallow": sum(skip_connections.SHALLOW), "deep": sum(study.pick(*skip_connections.DEEP)),
        "depth_steps": study.pick(*skip_connections.STEPS), "activation_steps": study.pick(*activations.STEPS),
        "recurrent_steps": study.pick(*recurrent.STEPS),
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the texts cite: accuracies, images seen in equal time, defaults, and rates at an end of the grid."""
    names = ("equal_parameters", "equal_time", "skip_connections")
    at_steps, in_time, depth = (tables[name].groupby("net").mean(numeric_only=True) for name in names)
    spread = tables["activations"].groupby("net")["accuracy"].agg(lowest="min", highest="max")
    picked = [  # whether the rate that a net picked is the lowest or the highest of its grid
        rate in (trials["rate"].min(), trials["rate"].max())
        for name in tables if name.endswith("_rates")
        for net, trials in tables[name].groupby("net")
        for rate in select(tables[name.removesuffix("_rates")], net=net)["rate"].unique()
    ]  # fmt: skip
    return {
        "thousands": at_steps["parameters"].mean() / 1000,
        **{f"{net}_accuracy": at_steps["accuracy"][net] for net in FAMILIES},
        **{f"{net}_in_time": in_time["accuracy"][net] for net in FAMILIES},
        **{f"{net}_images": round(in_time["images"][net]) for net in FAMILIES},
        **{net: depth["accuracy"][net] for net in ("deep_residual", "deep_plain")},
        "first_at_steps": both(f"architectures.names.{at_steps['accuracy'][list(FAMILIES)].idxmax()}"),
        "first_in_time": both(f"architectures.names.{in_time['accuracy'][list(FAMILIES)].idxmax()}"),
        **{f"{kind}s": len(select(tables["defaults"], kind=kind)) for kind in ("cnn", "rnn")},
        "plain_relu": float((select(tables["defaults"], kind="cnn")["activation"] == "relu").mean()),
        "searches": len(picked), "at_edge": int(sum(picked)),
        **{f"{net}_{end}": spread.loc[net, end] for net in ("relu", "sigmoid") for end in ("lowest", "highest")},
    }  # fmt: skip


LAB = Lab(
    folder="architectures",
    parts=[equal_parameters, equal_time, shift, skip_connections, standard, activations, recurrent],
    lecture=["L8", "L19"],
    figure="families",
    shown=[
        "lenet_over_mlp", "times_are_equal", "efficientnet_over_mlp_in_time", "lenet_indifferent", "skips_help_deep",
        "relu_in_cnns", "relu_in_rnns",
    ],
    settings=settings,
    quantities=quantities,
)  # fmt: skip
