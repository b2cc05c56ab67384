"""The experiment `losses`."""

from hf_llm.experiments.frame import Lab, Study
from hf_llm.experiments.losses import calibration, classification, gradients, overflow, regression


def settings(study: Study) -> dict:
    return {
        "steps": classification.steps(study),
        "wrong_steps": classification.wrong_steps(study),
        "rates": list(study.pick(classification.QUICK_RATES, classification.RATES)),
        "hidden": classification.HIDDEN,
        "batch": classification.BATCH,
        "regression_steps": regression.steps(study),
        "regression_rates": list(study.pick(regression.QUICK_RATES, regression.RATES)),
        "regression_hidden": regression.HIDDEN,
        "few": regression.FEW,
        "many": regression.MANY,
        "neuron_steps": calibration.steps(study),
        "neuron_samples": calibration.TRAINING,
        "lowest_logit": float(gradients.LOGITS[0]),
        "classes": gradients.CLASSES,
        "large": overflow.LARGE_LOGITS[-1],
    }


LAB = Lab(
    folder="losses",
    parts=[classification, gradients, regression, calibration, overflow],
    lecture=["L5", "L9"],
    figure="race",
    shown=[
        "initial_end", "wrong_end", "sends_more_back", "vanishes_softmax", "friedman_bins", "friedman_probability",
        "absolute_calibrated",
    ],
    settings=settings,
)  # fmt: skip
