"""Runs that go to the Hub and back."""

import shutil
from pathlib import Path

import pytest
from labelled_messages import messages_file

from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.finetune import finetune
from hf_llm.recipes.finetune_config import FinetuneConfig
from hf_llm.recipes.pretrain import pretrain
from hf_llm.tokenization.config import TrainTokenizerConfig
from hf_llm.tokenization.train import train_tokenizer
from hf_llm.training.config import PretrainConfig

SHORT = {
    "max_steps": 2, "warmup_steps": 1, "total_batch_size": 4, "per_device_train_batch_size": 4, "eval_steps": 1,
    "precision": "fp32", "threads": 1,
}  # fmt: skip


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder with the runs `verdict` (a GPT-2), `mlp`, `spam` and `further` (fine-tuned), and a `tokenizer`, tiny."""
    folder = tmp_path_factory.mktemp("trained")
    gpt2 = {"corpus": "sample", "model": "nano", "vocab_size": 300, "n_layer": 1, "n_head": 2, "n_embd": 16}
    pretrain(
        PretrainConfig(
            output_dir=str(folder / "verdict"), n_positions=16, sample_tokens=2, eval_tokens=64, eval_stride=16,
            **gpt2, **SHORT,
        )
    )  # fmt: skip
    train_classifier(ClassifierConfig(output_dir=str(folder / "mlp"), data="digits", hidden_sizes=[8], **SHORT))
    messages = messages_file(tmp_path_factory.mktemp("messages") / "messages.tsv")
    for name, task, data in (("spam", "text-classification", str(messages)), ("further", "text-generation", "sample")):
        finetune(
            FinetuneConfig(
                output_dir=str(folder / name), model=str(folder / "verdict"), task=task, data=data, method="lora",
                sample_tokens=2, eval_tokens=64, **SHORT,
            )
        )  # fmt: skip
    train_tokenizer(TrainTokenizerConfig(corpus="sample", vocab_size=300, output_dir=str(folder / "tokenizer")))
    return folder


@pytest.fixture
def runs(trained, tmp_path) -> Path:
    """The same for a test of its own: a push writes into a run's folder."""
    return shutil.copytree(trained, tmp_path / "runs")
