"""Train an image classifier on MNIST.

The output folder is a Hugging Face model.

    hf-llm train_mnist --config mnist/mlp
    hf-llm train_mnist --config mnist/mlp --dropout 0.5 --output_dir runs/mnist/mlp-dropout
    hf-llm train_mnist --config mnist/mlp --data digits --output_dir runs/digits/mlp

A run that was stopped goes on when the same command is given again.
"""

from hf_llm.config import command, parse
from hf_llm.recipes.classifier_config import ClassifierConfig


@command
def main() -> None:
    config = parse(ClassifierConfig, description=__doc__)
    from hf_llm.recipes.classifier import train_classifier

    train_classifier(config)
    if config.push_to_hub:
        from hf_llm.hub.push import push_after_training

        push_after_training(config.output_dir, config.hub_model_id, config.hub_private_repo)
