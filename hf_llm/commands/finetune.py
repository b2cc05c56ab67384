"""Fine-tune a language model: on another corpus, or to classify texts.

The result is a Hugging Face model.

    hf-llm finetune --config finetune/sms-spam
    hf-llm finetune --config finetune/sms-spam --method lora --output_dir runs/sms-spam-lora
    hf-llm finetune --config finetune/verdict --model openai-community/gpt2

A run that was stopped goes on when the same command is given again.
"""

from hf_llm.config import command, parse
from hf_llm.recipes.finetune_config import FinetuneConfig


@command
def main() -> None:
    config = parse(FinetuneConfig, description=__doc__)
    from hf_llm.recipes.finetune import finetune

    finetune(config)
    if config.push_to_hub:
        from hf_llm.hub.push import push_after_training

        push_after_training(config.output_dir, config.hub_model_id, config.hub_private_repo)
