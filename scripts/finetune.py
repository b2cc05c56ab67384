"""Fine-tune a pretrained language model: on another corpus, or to classify texts. The result is a Hugging Face model.

    python scripts/finetune.py --config configs/finetune/sms-spam.yaml
    python scripts/finetune.py --config configs/finetune/sms-spam.yaml --method lora --output_dir runs/sms-spam-lora
    python scripts/finetune.py --config configs/finetune/verdict.yaml --model openai-community/gpt2

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


if __name__ == "__main__":
    main()
