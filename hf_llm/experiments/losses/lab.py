"""The experiment `losses`."""

import numpy as np

from hf_llm.experiments.frame import Lab, Study, Tables, by_seed
from hf_llm.experiments.losses import calibration, classification, gradients, overflow, regression
from hf_llm.experiments.losses.formulas import LOSSES


def settings(study: Study) -> dict:
    return {
        "steps": study.pick(*classification.STEPS), "wrong_steps": study.pick(*classification.WRONG_STEPS),
        "rates": list(study.pick(*classification.RATES)),
        "hidden": classification.HIDDEN, "batch": classification.BATCH,
        "regression_steps": study.pick(*regression.STEPS),
        "regression_rates": list(study.pick(*regression.RATES)),
        "regression_hidden": regression.HIDDEN, "few": regression.FEW, "many": regression.MANY,
        "neuron_steps": study.pick(*calibration.STEPS), "neuron_samples": calibration.TRAINING,
        "lowest_logit": float(gradients.LOGITS[0]), "classes": gradients.CLASSES, "large": overflow.LARGE_LOGITS[-1],
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return how many times the squared error's gradient cross-entropy's is before any training: geometric mean."""
    entropy, squared = (by_seed(tables["starts"], "gradient", start="initial", loss=loss) for loss in LOSSES)
    return {"sends_more_initial": float(np.exp(np.log(entropy / squared).mean()))}


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
    quantities=quantities,
)  # fmt: skip
