"""What every experiment stands on: a study's seeds and grid, findings with their verdict, charts, the report."""

from hf_llm.experiments.frame.findings import Finding, above, below, exact, within
from hf_llm.experiments.frame.lab import Lab, Say
from hf_llm.experiments.frame.study import Study, Tables, best, by_seed, means, select

__all__ = ["Finding", "Lab", "Say", "Study", "Tables", "above", "below", "best", "by_seed", "exact", "means", "select",
           "within"]  # fmt: skip
