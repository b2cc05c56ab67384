"""The experiment `activations`."""

from hf_llm.experiments.activations import dead_units, defaults, functions, saturation, zero_centring
from hf_llm.experiments.activations.counting import BLOCKED, DEAD
from hf_llm.experiments.frame import Lab, Study, Tables


def settings(study: Study) -> dict:
    return {
        "blocked_below": BLOCKED, "dead_below": DEAD, "failed_below": dead_units.FAILED,
        "large": saturation.DEVIATIONS[-1], "width": saturation.WIDTH, "layers": saturation.LAYERS,
        "hidden": dead_units.HIDDEN, "rates": list(study.pick(*dead_units.RATES)),
        "gentle_rate": dead_units.GENTLE_RATE, "tanh_rate": dead_units.TANH_RATE,
        "kill_steps": study.pick(*dead_units.STEPS), "centring_steps": study.pick(*zero_centring.STEPS),
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    parts = (saturation, dead_units, zero_centring, defaults)
    return {name: value for part in parts for name, value in part.quantities(tables).items()}


LAB = Lab(
    folder="activations",
    parts=[functions, saturation, dead_units, zero_centring, defaults],
    lecture=["L4", "L5", "L6", "L7"],
    figure="dead",
    shown=[
        "fewer_blocked", "on_average", "sigmoid_dies_less", "gelu_dies_less", "saturated_at_best",
    ],
    settings=settings,
    quantities=quantities,
)  # fmt: skip
