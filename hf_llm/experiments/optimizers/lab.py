"""The experiment `optimizers`."""

from hf_llm.experiments.frame.lab import Lab
from hf_llm.experiments.optimizers import decay
from hf_llm.experiments.optimizers.tasks import BATCH_SIZE, BETAS, HIDDEN_SIZES

LAB = Lab(
    folder="optimizers",
    parts=[decay],
    lecture=["L10", "L11", "L12", "L15", "L33"],
    figure="decays",
    shown=["decoupled_over_l2", "l2_over_none"],
    settings=lambda study: {"hidden_sizes": HIDDEN_SIZES, "batch_size": BATCH_SIZE, "betas": list(BETAS)},
)
