"""The main job in one command: a tokenizer and a GPT-2, trained on The Verdict.

    hf-llm demo

With the story at hand (beside the checkout, in the cache, or to be downloaded) the model goes to runs/verdict;
otherwise it is trained on `sample` and goes to runs/sample. A second call reports and does not start over.
"""

import dataclasses
from dataclasses import dataclass

from hf_llm.config import command, load_yaml, parse
from hf_llm.data import MissingData, find
from hf_llm.training.config import PretrainConfig

RECIPE = "gpt2/verdict"


@dataclass
class DemoConfig:
    """The demo has no settings: `hf-llm pretrain --config gpt2/verdict` has them all."""


@command
def main() -> None:
    parse(DemoConfig, description=__doc__)
    config = PretrainConfig(**load_yaml(PretrainConfig, RECIPE))
    try:
        find(config.corpus)
    except MissingData as missing:
        print(f"{missing}\n→ training on the project's own sample instead, into runs/sample\n")
        config = dataclasses.replace(config, corpus="sample", output_dir="runs/sample", sample_prompt="Seu Firmino")
    from hf_llm.recipes.pretrain import pretrain

    pretrain(config)
