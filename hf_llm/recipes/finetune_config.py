"""Settings of fine-tuning a causal language model.

This module imports neither torch nor transformers, so that `--help` answers at once.
"""

from dataclasses import dataclass
from typing import Literal

from hf_llm.config import check_unicode, require, setting, written
from hf_llm.training.config import TrainingConfig

MOST_CONTEXT = 1024  # where a model has no longest context, or a very long one


@dataclass
class FinetuneConfig(TrainingConfig):
    """A causal language model goes on with another corpus, or becomes a classifier of texts."""

    output_dir: str = setting("runs/finetuned", "run folder: checkpoints, log, figures, the published model")
    model: str = setting(
        "openai-community/gpt2", "causal language model to begin with: a run folder, another folder, or a Hub id"
    )
    task: Literal["text-generation", "text-classification"] = setting(
        "text-classification", "go on with next-token prediction on another corpus, or learn to name a text's class"
    )
    data: str = setting(
        "sms-spam",
        "to classify: sms-spam, or a UTF-8 file with lines label<TAB>text; "
        "to go on with: a corpus, as hf-llm pretrain takes it",
    )
    method: Literal["full", "head", "lora"] = setting(
        "full",
        "what is trained: every weight; only a classifier's last layer, on frozen features; "
        "or low-rank matrices beside the attention's (pip install hf_llm[finetune])",
    )
    lora_rank: int = setting(8, "rank of lora's matrices")
    lora_alpha: float = setting(16.0, "what lora's matrices add is multiplied by lora_alpha / lora_rank")
    lora_dropout: float = setting(0.0, "fraction of what lora's matrices read that a training step silences")
    n_positions: int | None = setting(
        None, f"tokens of a window, or of a text at most; default what the model reads, up to {MOST_CONTEXT}"
    )
    validation_fraction: float = setting(0.1, "fraction that is kept for validation; of a corpus, its end")
    test_fraction: float = setting(0.2, "fraction of the labelled texts that is kept for the test")
    test: bool = setting(
        True, "measure the test part once, when all is done; false while settings are still being chosen"
    )
    train_messages: int | None = setting(None, "train on so many labelled texts only, drawn by the seed; default all")
    sample_stride: int | None = setting(
        None, "tokens between starts of training windows; 1 takes every offset (small texts), default the context"
    )
    eval_tokens: int = setting(100_000, "cap on validation tokens while training; the final evaluation takes all")
    sample_prompt: str = setting("", "the model continues this at every evaluation; empty lets it begin freely")
    sample_tokens: int = setting(60, "tokens of that continuation")
    max_steps: int = setting(300, "optimizer steps")
    warmup_steps: float = setting(0.166, "linear warm-up in steps, below 1 as a share of max_steps")
    learning_rate: float = setting(5e-5, "peak of the learning-rate curve; a tenth of what pretraining takes, or less")
    weight_decay: float = setting(0.01, "decoupled decay, of matrices and embeddings only: biases and norms stay free")
    eval_steps: int = setting(50, "steps between evaluations; the best one is what gets published")
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "fp32", "bf16 = autocast, weights stay fp32; auto times both and takes bf16 only where a step is faster"
    )

    def __post_init__(self):
        super().__post_init__()
        require(
            self.classifies or self.method != "head",
            f"method head trains a classifier's last layer; with {written('task')} text-generation take full or lora",
        )
        for name in ("validation_fraction", "test_fraction"):
            value = getattr(self, name)
            require(0 < value < 1, f"{name} must be between 0 and 1, not {value}")
        together = self.validation_fraction + self.test_fraction
        require(together < 1, f"validation_fraction and test_fraction are {together:g} together; leave training texts")
        for name in ("lora_rank", "n_positions", "train_messages", "sample_stride", "eval_tokens", "sample_tokens"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{name} must be at least 1, not {value}")
        require(0 < self.lora_alpha < float("inf"), f"lora_alpha must be greater than 0, not {self.lora_alpha}")
        require(0 <= self.lora_dropout < 1, f"lora_dropout must be at least 0 and below 1, not {self.lora_dropout}")
        check_unicode(self.sample_prompt)  # now rather than at the first evaluation

    @property
    def classifies(self) -> bool:
        return self.task == "text-classification"
