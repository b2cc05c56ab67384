"""Measure a causal language model on a text: loss, bits per byte, memorisation; as JSON.

hf-llm evaluate_lm --model runs/verdict --corpus the-verdict
"""

import json

from hf_llm.config import command, parse
from hf_llm.evaluation.config import EvaluateConfig


@command
def main():
    config = parse(EvaluateConfig, description=__doc__)
    from hf_llm.evaluation.report import evaluate_language_model

    print(json.dumps(evaluate_language_model(config), indent=2, ensure_ascii=False))
