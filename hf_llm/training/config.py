"""Settings of a training, and of pretraining GPT-2. Names are those of `TrainingArguments` where it has one.

This module imports neither torch nor transformers, so that `--help` answers at once.
"""

from dataclasses import dataclass
from typing import Literal

from hf_llm.config import UserError, check_publishing, check_unicode, count_or_share, require, setting, written
from hf_llm.models.sizes import size_named


@dataclass
class TrainingConfig:
    """What the loop needs to know, whatever it trains."""

    output_dir: str = setting("runs/run", "run folder: checkpoints, log, figures, the published model")
    seed: int = setting(0, "seeds weights, order of the samples and dropout")
    max_steps: int = setting(1000, "optimizer steps")
    total_batch_size: int = setting(16, "samples per optimizer step, over all processes and micro-batches")
    per_device_train_batch_size: int = setting(
        16, "samples at once in one process; where the total is larger, gradients are accumulated"
    )
    optimizer: Literal["adamw", "adam", "sgd", "rmsprop", "adafactor"] = setting(
        "adamw",
        "update rule; adamw is what GPT-2 is trained with; adafactor keeps almost no state, and its learning_rate, "
        "usually 0.01, is relative to the size of the weights",
    )
    optimizer_in_bwd: bool = setting(
        False,
        "step each weight inside the backward pass and free its gradient at once: saves the memory of all gradients; "
        "they cannot be clipped to a norm or accumulated then, in one process only",
    )
    learning_rate: float = setting(1e-3, "peak of the learning-rate curve")
    min_learning_rate_ratio: float = setting(0.1, "where the cosine ends, as a fraction of learning_rate")
    warmup_steps: float = setting(
        0.05, "linear warm-up in steps, below 1 as a share of max_steps; Adam's second moment is noise before that"
    )
    weight_decay: float = setting(0.1, "decoupled decay, of matrices and embeddings only: biases and norms stay free")
    adam_beta1: float = setting(0.9, "decay of Adam's first moment; the momentum of sgd")
    adam_beta2: float = setting(0.99, "decay of the second moment; 0.999 is slow to adapt in a short run")
    adam_epsilon: float = setting(1e-8, "added to the root of the second moment")
    max_grad_norm: float = setting(1.0, "gradients are scaled down to this norm; 0 switches clipping off")
    max_weight_norm: float = setting(
        0.0,
        "after each step a unit's incoming weights are scaled down to this norm (Srivastava 2014); 0 switches it off",
    )
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "auto", "bf16 = autocast, weights stay fp32; auto times both and takes bf16 only where a step is faster"
    )
    threads: int = setting(0, "CPU threads per process; 0 takes an equal share of the cores, and records how many")
    compile: bool = setting(
        False,
        "torch.compile the model's blocks and keep freed memory for the next step: faster after 10 to 30 s",
    )
    shard: bool = setting(
        False, "each process holds a share of the weights, gradients and moments (FSDP2) instead of all of them"
    )
    eval_steps: int = setting(100, "steps between evaluations; the best one is what gets published")
    early_stopping_patience: int = setting(
        0, "stop after so many evaluations in a row without a better validation loss; 0 never stops early"
    )
    logging_steps: int = setting(10, "steps between lines of log.jsonl")
    save_steps: int = setting(200, "steps between checkpoints; a better evaluation saves one too")
    save_total_limit: int = setting(2, "how many checkpoints to keep")
    restart: bool = setting(False, "move an old run in output_dir aside and begin anew")
    report_to: list[str] = setting(
        [], "trackers beside log.jsonl: trackio, tensorboard, wandb (pip install hf_llm[track])"
    )
    push_to_hub: bool = setting(
        False, "push the finished run to hub_model_id; a Hub that is down loses nothing, and the command is printed"
    )
    hub_model_id: str | None = setting(None, "owner/name on the Hub, of push_to_hub")
    hub_private_repo: bool = setting(False, "only you see a repository that push_to_hub makes")

    def __post_init__(self):
        for name in ("max_steps", "total_batch_size", "per_device_train_batch_size", "eval_steps", "logging_steps",
                     "save_steps", "save_total_limit"):  # fmt: skip
            require(getattr(self, name) >= 1, f"{name} must be at least 1, not {getattr(self, name)}")
        for name in (
            "warmup_steps",
            "weight_decay",
            "max_grad_norm",
            "max_weight_norm",
            "early_stopping_patience",
            "seed",
            "threads",
        ):
            value = getattr(self, name)
            require(0 <= value < float("inf"), f"{name} must be a finite number, 0 or more, not {value}")
        require(self.seed < 2**63, f"seed must be below 2**63, not {self.seed}")
        require(self.threads <= 1024, f"threads must be at most 1024, not {self.threads}; 0 takes what the machine has")
        for name in ("learning_rate", "adam_epsilon"):
            require(0 < getattr(self, name) < float("inf"), f"{name} must be greater than 0, not {getattr(self, name)}")
        for name in ("adam_beta1", "adam_beta2"):
            require(0 <= getattr(self, name) < 1, f"{name} must be at least 0 and below 1, not {getattr(self, name)}")
        require(
            0 <= self.min_learning_rate_ratio <= 1,
            f"min_learning_rate_ratio must be between 0 and 1, not {self.min_learning_rate_ratio}",
        )
        require(
            self.warmup <= self.max_steps,
            f"warmup_steps {self.warmup_steps} is more than max_steps {self.max_steps}; lower it, "
            "or give a share of them, like 0.1",
        )
        require(
            not (self.shard and self.optimizer == "adafactor"),
            f"adafactor keeps a row and a column of each matrix, which cannot be divided; leave out {written('shard')} "
            f"or set {written('optimizer')} to adamw",
        )
        if self.optimizer_in_bwd:
            self._require_one_gradient_at_a_time()
        check_publishing(self.push_to_hub, self.hub_model_id)
        trackers = ("trackio", "tensorboard", "wandb")
        for name in self.report_to:
            if name not in trackers:
                raise UserError(
                    f"report_to: unknown tracker {name!r}; choose of {', '.join(trackers)}, or leave it out"
                )

    def _require_one_gradient_at_a_time(self) -> None:
        """Refuse what needs all gradients at once, or a look at all weights after each of their steps."""
        for name, why in {
            "max_grad_norm": "all gradients, to scale them down together",
            "max_weight_norm": "all weights stepped, to scale them down together",
        }.items():
            require(
                getattr(self, name) == 0,
                f"{name} {getattr(self, name):g} needs {why}, and optimizer_in_bwd steps one at a time; "
                f"set {written(name)} to 0, or leave out {written('optimizer_in_bwd')}",
            )
        require(
            self.total_batch_size <= self.per_device_train_batch_size,
            f"total_batch_size {self.total_batch_size} accumulates gradients, which optimizer_in_bwd frees at once; "
            f"set {written('total_batch_size')} to at most {self.per_device_train_batch_size}, or leave out "
            f"{written('optimizer_in_bwd')}",
        )

    @property
    def warmup(self) -> int:
        """Steps of the warm-up."""
        return count_or_share(self.warmup_steps, self.max_steps)


@dataclass
class PretrainConfig(TrainingConfig):
    """GPT-2 on a corpus, from random weights."""

    output_dir: str = setting("runs/verdict", "run folder: checkpoints, log, figures, the published model")
    corpus: str = setting(
        "the-verdict",
        "the-verdict, tiny-shakespeare, dom-casmurro, sample, a UTF-8 text file, or a folder made by "
        "hf-llm prepare_corpus",
    )
    validation_fraction: float = setting(0.1, "fraction of a text, at its end, that is kept for validation")
    tokenizer: str | None = setting(
        None, "tokenizer folder, Hub id or gpt2-tokenizer; without it a BPE is trained on the training part"
    )
    vocab_size: int = setting(1000, "tokens of the BPE that is trained; 257 is bytes alone")
    model: str = setting("mini", "size: nano, micro, mini, small, medium, large or xl")
    n_layer: int | None = setting(None, "Transformer blocks, instead of the size's")
    n_head: int | None = setting(None, "attention heads, instead of the size's")
    n_embd: int | None = setting(None, "width, instead of the size's")
    n_positions: int | None = setting(None, "context length in tokens, instead of the size's")
    dropout: float = setting(0.1, "at the embedding, on attention weights and after each sub-layer; GPT-2 used 0.1")
    initializer_range: float | None = setting(
        None, "deviation of the initial weights, default 0.02; a narrow model learns faster from 0.02 · √(768 / width)"
    )
    input_noise: float = setting(
        0.0, "fraction of input tokens replaced by random ones of the text, against learning a short text by heart"
    )
    bpe_dropout: float = setting(
        0.0, "probability that a merge is passed over in every other encoding of a text, for the same purpose"
    )
    ngram_text: float = setting(
        0.0, "share of the training tokens that byte n-grams of the training part write, for the same purpose"
    )
    attention: Literal["eager", "sdpa"] = setting(
        "sdpa", "how attention is computed; on a CPU eager is faster where the context is short (some 512 tokens)"
    )
    gradient_checkpointing: bool = setting(False, "recompute activations in the backward pass: less memory, slower")
    sample_stride: int | None = setting(
        None, "tokens between starts of training windows; 1 takes every offset (small texts), default the context"
    )
    eval_stride: int | None = setting(
        None, "final evaluation: windows slide by so many tokens; 1 is exact and slow, default half the context"
    )
    eval_tokens: int = setting(100_000, "cap on validation tokens while training; the final evaluation takes all")
    sample_prompt: str = setting("", "the model continues this at every evaluation; empty lets it begin freely")
    sample_tokens: int = setting(60, "tokens of that continuation")

    def __post_init__(self):
        super().__post_init__()
        for name in ("dropout", "input_noise", "bpe_dropout", "ngram_text"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{name} must be at least 0 and below 1, not {value}")
        require(
            0 < self.validation_fraction < 1,
            f"validation_fraction must be between 0 and 1, not {self.validation_fraction}",
        )
        require(
            self.initializer_range is None or 0 < self.initializer_range < float("inf"),
            f"initializer_range must be a finite number greater than 0, not {self.initializer_range}",
        )
        size_named(self.model)  # refuses an unknown one
        require(
            self.vocab_size >= 257 or self.tokenizer is not None,
            f"vocab_size {self.vocab_size} is too small: a byte-level BPE needs 256 bytes and <|endoftext|>, "
            "at least 257",
        )
        for name in ("n_layer", "n_head", "n_embd", "n_positions", "sample_stride", "eval_stride"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{name} must be at least 1, not {value}")
        for name in ("eval_tokens", "sample_tokens"):
            require(getattr(self, name) >= 1, f"{name} must be at least 1, not {getattr(self, name)}")
        require(  # the final evaluation would find it, when the training is over
            (self.eval_stride or 1) <= self.context,
            f"eval_stride {self.eval_stride} is more than the context of {self.context} tokens; "
            "lower it, or leave it out",
        )
        check_unicode(self.sample_prompt)  # now rather than at the first evaluation

    @property
    def context(self) -> int:
        """Tokens of one window, T."""
        return self.n_positions or size_named(self.model).n_positions

    @property
    def encoding(self) -> dict:
        """The arguments of `read_corpus`, beside the corpus."""
        names = ("tokenizer", "vocab_size", "context", "validation_fraction", "bpe_dropout", "ngram_text", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def shape(self) -> dict:
        """The arguments of `gpt2_config`, all but those that the tokenizer decides."""
        names = ("n_positions", "n_layer", "n_head", "n_embd", "dropout", "attention", "initializer_range")
        return {"size": self.model, **{name: getattr(self, name) for name in names}}
