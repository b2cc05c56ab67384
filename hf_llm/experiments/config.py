"""Settings of an experiment. This module imports neither torch nor matplotlib, so that `--help` answers at once."""

from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import require, setting

# every folder beside this file that has a lab.py, as `discuss.py` and the app call it
EXPERIMENTS = tuple(sorted(path.parent.name.replace("_", "-") for path in Path(__file__).parent.glob("*/lab.py")
                           if path.parent.name != "frame"))  # fmt: skip
SEEDS, QUICK_SEEDS = 5, 2


@dataclass
class ExperimentConfig:
    """What every experiment understands."""

    output_dir: str = setting(..., "folder for result.json, the report in both languages, figures/ and tables/")
    quick: bool = setting(False, "a small grid, within a minute on two cores: good for looking, not for concluding")
    seeds: int | None = setting(None, "how many seeds, from 0 on; default 5, or 2 with --quick, which say little")
    data: str | None = setting(
        None,
        "images of the experiments that train on images: mnist, digits, or a folder with the IDX files; "
        "default mnist, and digits where it is not at hand",
    )
    base: str | None = setting(
        None,
        "causal LM that pretrained-vs-finetuned and tfidf-vs-llm begin with, a folder or Hub id such as "
        "openai-community/gpt2; default a small GPT-2 that the experiment pretrains itself",
    )
    judge: str | None = setting(
        None,
        "causal LM that llm-judge puts to the test, a folder or Hub id; default a small GPT-2 trained on its rubric",
    )
    rewrite: bool = setting(False, "measure nothing: write report and figures of the result in output_dir again")

    def __post_init__(self):
        if self.seeds is None:
            self.seeds = QUICK_SEEDS if self.quick else SEEDS
        require(self.seeds >= 1, f"seeds must be at least 1, not {self.seeds}")
