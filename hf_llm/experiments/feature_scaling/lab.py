"""The experiment `feature-scaling`."""

from hf_llm.experiments.feature_scaling import condition, nets, real_data, two_features
from hf_llm.experiments.feature_scaling.data_sets import DATA_SETS, VERSIONS
from hf_llm.experiments.frame import Lab, Study, Tables


def settings(study: Study) -> dict:
    return {
        "data_sets": list(DATA_SETS), "steps": study.pick(*real_data.STEPS), "tolerance": real_data.TOLERANCE,
        "net_steps": study.pick(*nets.STEPS), "hidden": nets.HIDDEN,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return the exponent of gradient descent, and what is left of each table's excess loss, {wine_raw: share, …}."""
    left = tables["regressions"].groupby(["data", "version"])["left"].mean()
    return {
        "exponent": float(condition.slopes(tables, "descent").mean()),
        **{f"{data}_{version}": float(left[data, version]) for data in DATA_SETS for version in VERSIONS},
    }


LAB = Lab(
    folder="feature_scaling",
    parts=[two_features, real_data, condition, nets],
    lecture=["L11", "L13", "L16"],
    figure="real",
    shown=[
        "in_proportion", "further_on_wine", "further_on_breast_cancer", "condition_near_one", "momentum_suffers_less",
        "raw_harms_adam", "raw_harms_input",
    ],
    settings=settings,
    quantities=quantities,
)  # fmt: skip
