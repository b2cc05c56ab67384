"""Context: what GPT, LSTM and GRU gain from more of it, and how far back a token still changes the prediction."""

import numpy as np
import torch

from hf_llm.experiments.families.models import CAUSAL, RECURRENT, Grid
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.training.task import Task

NEAR = 1 / 8  # of a window: from so much context on, half a window more is what a distant text is worth
AT_ONCE = 64  # windows a forward pass
NEXT = 1  # place among the distances of the token before the last one


def measure(study: Study) -> Tables:
    """Nothing more: `objectives` lets `look` at each model before it lets it go."""
    return {}


def look(family: str, task: Task, parts: TextParts, grid: Grid, seed: int) -> dict[str, list[dict]]:
    """Return the rows of `positions`, `gains` and `reach`, of a causal model."""
    if family not in CAUSAL:
        return {}
    task.model.eval()
    ids, lengths, width = parts.ids["test"].astype(np.int64), task.byte_lengths, grid.context
    nats, size = costs(task, ids, width, width // 2), sizes(ids, lengths, width, width // 2)  # (W, T)
    edges = [2**power for power in range(int(np.log2(width)) + 1)]
    positions = [
        {"context": start, "bits": per_byte(nats[:, start - 1 : 2 * start - 1], size[:, start - 1 : 2 * start - 1])}
        for start in edges
    ]
    # the same tokens twice: a window that began half a window earlier reads them with so much more before them
    near, half = slice(int(NEAR * width), width // 2), width // 2
    far = slice(near.start + half, width)
    gains = {"near": per_byte(nats[1:, near], size[1:, near]), "far": per_byte(nats[:-1, far], size[:-1, far])}
    if family in RECURRENT:
        gains |= {"trained": per_byte(nats[2::2, half:], size[2::2, half:]), "beyond": beyond(task, ids, width)}
    return {"positions": positions, "gains": [gains], "reach": reach(task, ids, grid, seed)}


@torch.inference_mode()
def costs(task: Task, ids: np.ndarray, width: int, stride: int) -> np.ndarray:
    """Return -ln p of what follows each token of windows of `width` that start every `stride` tokens, (W, T)."""
    windows = torch.from_numpy(_windows(ids, width + 1, stride))  # (W, T + 1)
    parts = []
    for some in windows.split(AT_ONCE):
        logits = task.model(input_ids=some[:, :-1], use_cache=False).logits  # (B, T, vocab)
        parts.append(torch.nn.functional.cross_entropy(logits.transpose(1, 2), some[:, 1:], reduction="none"))
    return torch.cat(parts).double().numpy()


def sizes(ids: np.ndarray, lengths: np.ndarray, width: int, stride: int) -> np.ndarray:
    """Return the bytes of the same tokens, (W, T)."""
    return lengths[_windows(ids, width + 1, stride)[:, 1:]]


def _windows(ids: np.ndarray, length: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(ids, length)[::stride].copy()


def per_byte(nats: np.ndarray, size: np.ndarray) -> float:
    return float(nats.sum() / np.log(2) / size.sum())


def beyond(task: Task, ids: np.ndarray, width: int) -> float:
    """Return bits per byte of tokens in the second half of a window, with a whole window more before it.

    A recurrent model has no positions, so nothing but what it learned keeps it from reading on.
    """
    long = slice(width + width // 2, 2 * width)
    return per_byte(
        costs(task, ids, 2 * width, width)[:, long], sizes(ids, task.byte_lengths, 2 * width, width)[:, long]
    )


@torch.inference_mode()
def reach(task: Task, ids: np.ndarray, grid: Grid, seed: int) -> list[dict]:
    """Return by how many bits the next prediction changes when the token `distance` back becomes another one.

    The Kullback–Leibler divergence from the changed prediction to the plain one, the mean over windows of test text.
    """
    random, width = np.random.default_rng(seed), grid.context
    windows = torch.from_numpy(
        ids[random.integers(len(ids) - width, size=grid.windows // 4)[:, None] + np.arange(width)]
    )
    plain = _last(task, windows)  # (N, vocab)
    rows = []
    for distance in [2**power for power in range(int(np.log2(width)))]:
        changed = windows.clone()
        changed[:, -distance] = torch.from_numpy(random.choice(ids, len(windows)))  # as frequent as in the text
        bits = (plain.exp() * (plain - _last(task, changed))).sum(dim=-1).mean() / np.log(2)
        rows.append({"distance": distance, "influence": float(bits)})
    return rows


def _last(task: Task, windows: torch.Tensor) -> torch.Tensor:
    """Return ln p of what follows the windows, (N, vocab), float64."""
    logits = task.model(input_ids=windows, logits_to_keep=1, use_cache=False).logits[:, -1]
    return logits.double().log_softmax(dim=-1)


def findings(tables: Tables) -> list[Finding]:
    gains = tables["gains"].assign(
        distant=lambda rows: rows["near"] - rows["far"], further=lambda rows: rows["trained"] - rows["beyond"]
    )
    gpt, lstm = (by_seed(gains, "distant", family=family) for family in ("gpt", "lstm"))
    distances = sorted(tables["reach"]["distance"].unique())

    def reached(distance: int) -> np.ndarray:
        """Return GPT's influence of a token so far back over the LSTM's, (seeds,)."""
        gpt, lstm = (
            by_seed(tables["reach"], "influence", family=family, distance=distance) for family in ("gpt", "lstm")
        )
        return gpt / lstm

    return [
        above("gpt_gains_more_from_context", gpt - lstm),
        above("gpt_gains_from_context", gpt),
        above("lstm_gains_from_context", lstm),
        above("gpt_reaches_further", reached(distances[-1]), 1.0, scale="log"),
        below("gpt_heeds_the_near_less", reached(distances[NEXT]), 1.0, scale="log"),
        above("lstm_reads_beyond", by_seed(gains, "further", family="lstm")),
    ]


def draw_context(tables: Tables, say: Say) -> Figure:
    """Left: bits per byte by the tokens read before. Right: influence of a token by its distance; both axes log."""
    figure, ((left, right),) = new_figure(1, 2, width=5, height=3.6)
    curves(left, tables["positions"], "context", "bits", "family", say, keys=CAUSAL)
    curves(right, tables["reach"], "distance", "influence", "family", say, keys=CAUSAL)
    for axis in (left, right):
        axis.set_xscale("log", base=2)
    right.set_yscale("log")
    label(left, say("figures.tokens_before"), say("figures.bits"))
    label(right, say("figures.distance"), say("figures.influence"))
    return figure


FIGURES = {"context": draw_context}
