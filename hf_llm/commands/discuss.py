"""Answer a question of the lecture by an experiment, with a report in both languages.

Writes result.json, tables, figures, and the report.

hf-llm discuss optimizers --output_dir results/optimizers
hf-llm discuss optimizers --output_dir runs/discuss/optimizers --quick
hf-llm discuss all --output_dir runs/discuss --quick
hf-llm discuss answers --output_dir docs
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_llm.config import command, parse, setting
from hf_llm.experiments.config import EXPERIMENTS, ExperimentConfig
from hf_llm.texts import text


@dataclass(kw_only=True)
class DiscussConfig(ExperimentConfig):
    name: Literal[("all", "answers", *EXPERIMENTS)] = setting(
        ..., "which experiment; all runs each into a folder of its own; answers writes the seven answers in results/ "
        "on one page", positional=True,
    )  # fmt: skip


def question(name: str) -> str:
    return text(f"{name.replace('-', '_')}.question", "en")


@command
def main() -> None:
    questions = "\n".join(f"{name:<20} {question(name)}" for name in EXPERIMENTS)
    config = parse(DiscussConfig, description=f"{__doc__}\n{questions}")
    if config.name == "answers":
        from hf_llm.experiments.answers import write_answers

        write_answers(Path("results"), Path(config.output_dir))
        return
    from hf_llm.experiments.run import run_and_print

    if config.name != "all":
        run_and_print(config.name, config)
        return
    folder = config.output_dir
    for name in EXPERIMENTS:
        config.output_dir = f"{folder}/{name}"
        run_and_print(name, config)
