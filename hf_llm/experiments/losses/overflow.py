"""What floating point does to the cross-entropy: softmax by its definition overflows, log-sum-exp does not."""

import numpy as np
import pandas as pd
import torch

from hf_llm.experiments.frame import Finding, Study, Tables, exact
from hf_llm.experiments.losses.formulas import cross_entropy

# float32 holds exp(88) but not exp(89), and nothing smaller than exp(−104)
LARGE_LOGITS = (1.0, 10.0, 50.0, 88.0, 89.0, 104.0, 1000.0)
ROUNDING_32 = 1e-6


def measure(study: Study) -> Tables:
    """Compute the loss of the logits (m, 0) where the second class is right, in float32, by three formulas.

    `by_definition` divides exp by the sum of exp, `softmax_then_log` takes the logarithm of a softmax that does not
    overflow, and `log_sum_exp` never leaves the logarithms. `exact` is m + ln(1 + exp(−m)).
    """
    rows = []
    for m in LARGE_LOGITS:
        z = torch.tensor([[m, 0.0]])
        rows.append({
            "m": m,
            "by_definition": -(z.exp()[0, 1] / z.exp().sum()).log().item(),
            "softmax_then_log": -z.softmax(dim=1)[0, 1].log().item(),
            "log_sum_exp": cross_entropy(z, torch.tensor([1])).item(),
            "exact": m + np.log1p(np.exp(-m)),
        })  # fmt: skip
    return {"overflow": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["overflow"]
    failing = table.loc[~np.isfinite(table["by_definition"]), "m"]
    error = ((table["log_sum_exp"] - table["exact"]).abs() / table["exact"]).max()
    return [
        exact("definition", min(failing, default=np.inf), table["m"].max()),
        exact("log_sum_exp", error, ROUNDING_32, "below"),
    ]


SUMMARIES = {"overflow": lambda tables: tables["overflow"]}
