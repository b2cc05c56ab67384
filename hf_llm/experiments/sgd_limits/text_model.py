"""The GPT-2 that is trained, and what is measured of it: loss by token frequency, gradient and path of every block."""

from dataclasses import dataclass, field

import numpy as np
import torch
from transformers import GPT2LMHeadModel

from hf_llm.evaluation.bits_per_byte import token_losses
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.language_runs import TextParts, language_task
from hf_llm.generation.inference import evaluating
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.training.causal_lm import CausalLM

SOURCE = "tiny-shakespeare"
TENTHS = 10  # groups of tokens, from rare to frequent, each about a tenth of the training text


@dataclass(frozen=True)
class Size:
    """How large text, model and training are."""

    characters: int  # of the text, from its beginning
    vocab_size: int
    steps: int
    batch: int  # windows a step
    judged: int  # windows of a part by which a model is judged
    evaluations: int = 8  # points of a curve
    shape: dict = field(default_factory=lambda: {"n_layer": 2, "n_head": 4, "n_embd": 64, "n_positions": 32})


FULL = Size(characters=400_000, vocab_size=1000, steps=200, batch=16, judged=400)
QUICK = Size(
    characters=40_000, vocab_size=500, steps=24, batch=8, judged=100, evaluations=4,
    shape={"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 32},
)  # fmt: skip


def size_of(study: Study) -> Size:
    return study.pick(QUICK, FULL)


def read_parts(size: Size) -> TextParts:
    return TextParts.read(SOURCE, size.vocab_size, size.characters)


def new_task(parts: TextParts, size: Size, seed: int) -> CausalLM:
    """Return a new GPT-2 with what it learns; the seed is that of the initial weights and of the batches."""
    config = gpt2_config("nano", **size.shape, vocab_size=len(parts.corpus.tokenizer), dropout=0.0)
    task = language_task(new_gpt2(config, seed), parts, size.batch, size.shape["n_positions"], seed)
    task.eval_tokens = size.judged * task.context // 4
    return task


def windows_of(ids: np.ndarray, size: Size) -> torch.Tensor:
    """Return the first `size.judged` windows that do not overlap, each with what follows, (W, T + 1)."""
    context = size.shape["n_positions"]
    count = min(size.judged, (len(ids) - 1) // context)
    places = np.arange(count)[:, None] * context + np.arange(context + 1)
    return torch.from_numpy(ids[places].astype(np.int64))


def frequency_tenths(ids: np.ndarray, vocab: int) -> np.ndarray:
    """Return a group for each token, (V,): 0 for the rarest ones, which together make up a tenth of `ids`, to 9.

    A token belongs where the middle of its occurrences lies, so that a very frequent one can leave a group small.
    """
    counts = np.bincount(ids, minlength=vocab)
    order = np.argsort(counts, kind="stable")
    middles = np.cumsum(counts[order]) - counts[order] / 2
    groups = np.empty(vocab, dtype=np.int64)
    groups[order] = np.minimum(TENTHS * middles / len(ids), TENTHS - 1).astype(np.int64)
    return groups


def occurrences(ids: np.ndarray, groups: np.ndarray) -> list[dict]:
    """Return for each group its number of tokens, and how often the rarest and the most frequent one occur."""
    counts = np.bincount(ids, minlength=len(groups))
    of_group = [counts[groups == group] for group in range(TENTHS)]
    return [
        {"tenth": group + 1, "tokens": len(some), "fewest": int(some.min()), "most": int(some.max())}
        for group, some in enumerate(of_group) if len(some)
    ]  # fmt: skip


def losses_by_group(model: GPT2LMHeadModel, windows: torch.Tensor, groups: np.ndarray) -> list[dict]:
    """Return for each group of tokens its share of the predictions and their mean loss in nats."""
    with torch.inference_mode(), evaluating(model):
        losses = torch.cat([token_losses(model, some, some.shape[1] - 1) for some in windows.split(32)])  # (W, T)
    of_target = groups[windows[:, 1:].numpy()]  # (W, T)
    losses = losses.double().numpy()
    here = [of_target == group for group in range(TENTHS)]
    return [
        {"tenth": group + 1, "share": float(mask.mean()), "loss": float(losses[mask].mean())}
        for group, mask in enumerate(here) if mask.any()
    ]  # fmt: skip


def rms(tensor: torch.Tensor) -> float:
    """Return the root mean square."""
    return tensor.double().square().mean().sqrt().item()


def gradients_by_block(model: GPT2LMHeadModel, windows: torch.Tensor) -> dict[str, float]:
    """Return the RMS of the mean loss's gradient in each tensor of parameters, by its name."""
    names, parameters = zip(*model.named_parameters())
    loss = model(input_ids=windows[:, :-1], labels=windows[:, :-1], shift_labels=windows[:, 1:].contiguous()).loss
    return dict(zip(names, map(rms, torch.autograd.grad(loss, parameters))))
