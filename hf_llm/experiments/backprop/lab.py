"""The experiment `backprop`."""

import math
import sys

from hf_llm.experiments.backprop import gradients, neuron, training
from hf_llm.experiments.backprop.moons import HIDDEN, SAMPLES
from hf_llm.experiments.frame import Lab, Study, Tables


def settings(study: Study) -> dict:
    return {
        "neuron": {"x": neuron.X, "w": neuron.W, "b": neuron.B, "y": neuron.Y},
        "data": "make_moons(noise=0.2), standardised, as many again held out", "samples": SAMPLES, "hidden": HIDDEN,
        "steps": study.pick(*training.STEPS), "learning_rate": training.LEARNING_RATE,
        "finite_difference": gradients.DISTANCE, "dtype": "float64",
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return to how many digits the gradients by hand are autograd's, and in how many nets a sum crossed zero."""
    largest = max(tables["gradients"][gradients.PARAMETERS].to_numpy().max(), sys.float_info.epsilon)
    relu = tables["gradients"].query("activation == 'relu'")
    return {
        "digits": math.floor(-math.log10(largest)),
        "crossed": int((relu["finite_differences"] > gradients.TRUNCATION).sum()),
        "nets": len(relu),
        "sigmoid_mean": float(tables["flow"].query("activation == 'sigmoid' and stage == 'before'")["passed"].mean()),
    }


LAB = Lab(
    folder="backprop",
    parts=[neuron, gradients, training],
    lecture=["L1", "L2", "L3"],
    figure="neuron",
    shown=["autograd", "smooth", "curves", "one_layer", "hidden_layer", "sigmoid_passes", "relu_passes"],
    settings=settings,
    quantities=quantities,
)
