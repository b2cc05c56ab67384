"""Pretrain a GPT-2 on a text or a prepared corpus.

The output folder loads with transformers alone.

    hf-llm pretrain --config gpt2/verdict
    accelerate launch --config_file configs/accelerate/cpu-2.yaml scripts/pretrain.py --config gpt2/verdict

A run that was stopped goes on when the same command is given again.
"""

from hf_llm.config import command, parse
from hf_llm.training.config import PretrainConfig


@command
def main() -> None:
    config = parse(PretrainConfig, description=__doc__)
    from hf_llm.recipes.pretrain import pretrain

    pretrain(config)
    if config.push_to_hub:
        from hf_llm.hub.push import push_after_training

        push_after_training(config.output_dir, config.hub_model_id, config.hub_private_repo)
