"""Sight: which side of a gap a family sees, measured on the same tokens of the test text.

A window is laid so that the token to predict stands in its middle, at its end, or at its beginning: both sides, the
left one or the right one alone are then seen, and the model always reads windows of the length it was trained on.
"""

import numpy as np
import torch

from hf_llm.experiments.families.models import CAUSAL, FAMILIES, Grid
from hf_llm.experiments.families.unigram import log_probabilities
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, exact, select
from hf_llm.experiments.frame.charts import Figure, error_bars, label, name_of, new_figure, style
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.training.sequence_to_sequence import cut, gaps, spans_of
from hf_llm.training.task import Task

NO_CHANGE = 1e-6  # of a probability: rounding


def measure(study: Study) -> Tables:
    """Nothing more: `objectives` lets `look` at each model before it lets it go."""
    return {}


@torch.inference_mode()
def look(family: str, task: Task, parts: TextParts, grid: Grid, seed: int) -> dict[str, list[dict]]:
    """Return the rows of `sight`, `future` and, of T5, `gaps`."""
    task.model.eval()
    ids, width, middle = parts.ids["test"].astype(np.int64), task.context, task.context // 2
    targets = np.linspace(grid.context, len(ids) - grid.context, grid.windows).astype(int)

    def windows(place: int) -> np.ndarray:
        """The windows (N, T) that have the targets at `place`."""
        return ids[targets[:, None] - place + np.arange(width)]

    places = {"left": width - 1} if family in CAUSAL else {"both": middle, "left": width - 1, "right": 0}
    size = task.byte_lengths[ids[targets]].sum()
    sights = []
    for sees, place in places.items():
        found = prediction(family, task, windows(place), place)[np.arange(len(targets)), ids[targets]]
        sights.append({"sees": sees, "bits": float(-np.log2(found).sum() / size)})

    plain, other = windows(middle), windows(middle)
    other[:, middle + 1 :] = np.roll(plain, len(plain) // 2, axis=0)[:, middle + 1 :]  # another passage's right side
    before, after = (prediction(family, task, some, middle) for some in (plain, other))
    distance = np.abs(before - after).sum(axis=1) / 2  # (N,) total variation
    rows = {"sight": sights, "future": [{"change": float(distance.mean()), "largest": float(distance.max())}]}
    if family == "t5":
        lengths = range(1, spans_of(width)[0])  # tokens behind the sentinel, of as many as are cut out in training
        rows["gaps"] = [gap(task, plain, middle, length, parts.ids["train"]) for length in lengths]
    return rows


def prediction(family: str, task: Task, windows: np.ndarray, place: int) -> np.ndarray:
    """Return the probabilities (N, vocab) of the token at `place` of windows (N, T), which is hidden from the model.

    BERT reads a mask there and T5 a sentinel, in whose place the decoder writes; the causal models answer with what
    they predict before they come to it, though all of the window lies before them.
    """
    if family in CAUSAL:
        read = windows[:, :-1] if place == windows.shape[1] - 1 else windows
        inputs, at = {"input_ids": torch.from_numpy(read)}, place - 1
    elif family == "bert":
        hidden = windows.copy()
        hidden[:, place] = task.tokenizer.mask_token_id
        inputs, at = {"input_ids": torch.from_numpy(hidden)}, place
    else:
        inputs, at = with_gap(task, windows, place, 1)
        del inputs["labels"]
    logits = task.model(**inputs).logits[:, at]  # (N, vocab)
    return logits.double().softmax(dim=-1).numpy()


def with_gap(task: Task, windows: np.ndarray, place: int, length: int) -> tuple[dict[str, torch.Tensor], int]:
    """Return T5's batch of windows (N, T) with a gap at `place`, and where in the labels its first token stands.

    As in training two spans are cut: the other one takes the rest of the tokens, at the end of the window, or before
    its middle where the gap itself is at the end.
    """
    width = windows.shape[1]
    rest = spans_of(width)[0] - length
    is_first = place < width - rest - 1
    other = (width - rest, width) if is_first else (width // 2 - rest, width // 2)
    spans = sorted([(place, place + length), other])
    batch = gaps([cut(window, spans, task.tokenizer) for window in windows], task.tokenizer)
    return batch, 1 if is_first else rest + 2  # behind its sentinel, or behind both and the other span


def gap(task: Task, windows: np.ndarray, place: int, length: int, train: np.ndarray) -> dict:
    """Return what T5 pays for the tokens of a gap of `length`, of which one sentinel is all it sees, per byte."""
    batch, first = with_gap(task, windows, place, length)
    here = slice(first, first + length)
    labels = batch.pop("labels")[:, here]  # (N, length)
    logs = task.model(**batch).logits[:, here].double().log_softmax(dim=-1).gather(2, labels[..., None])
    size = task.byte_lengths[labels.numpy()].sum() * np.log(2)
    unigram = log_probabilities(train, len(task.tokenizer))[labels.numpy()].sum()
    return {"length": length, "bits": float(-logs.sum() / size), "unigram": float(-unigram / size)}


def findings(tables: Tables) -> list[Finding]:
    sights, future, filled = tables["sight"], tables["future"], tables["gaps"]

    def right_side(family: str) -> np.ndarray:
        """What the right side saves a family that has the left one, (seeds,)."""
        return by_seed(sights, "bits", family=family, sees="left") - by_seed(sights, "bits", family=family, sees="both")

    gpt_left = by_seed(sights, "bits", family="gpt", sees="left")
    filled = filled.assign(above=filled["bits"] - filled["unigram"])
    hardest = max(filled["length"].unique(), key=lambda length: by_seed(filled, "above", length=length).mean())
    return [
        exact("causal_ignore_the_future", select(future, family=list(CAUSAL))["largest"].max(), NO_CHANGE, "below"),
        above("bert_sees_the_future", by_seed(future, "change", family="bert"), NO_CHANGE, scale="logit"),
        above("right_side_helps_bert", right_side("bert")),
        above("right_side_helps_t5", right_side("t5")),
        above("bert_beats_gpt_in_the_gap", gpt_left - by_seed(sights, "bits", family="bert", sees="both")),
        below("t5_fills_every_gap", by_seed(filled, "above", length=hardest)),
    ]


def draw_sight(tables: Tables, say: Say) -> Figure:
    """Left: the same tokens with what each family sees. Right: how much another right side changes a prediction."""
    figure, ((left, right),) = new_figure(1, 2, width=5, height=3.6)
    sides, families = ["both", "left", "right"], list(FAMILIES)
    for number, sees in enumerate(sides):
        rows = select(tables["sight"], sees=sees)
        keys = [family for family in families if family in rows["family"].unique()]
        values, bars = error_bars(rows, "bits", "family", keys)
        at = [families.index(family) + 0.2 * (number - 1) for family in keys]
        colour = style(number)["color"]
        left.errorbar(at, values, yerr=bars, fmt="o", ms=4, capsize=3, label=name_of(sees, say), color=colour)
    values, bars = error_bars(tables["future"], "change", "family", families)
    right.bar(range(len(families)), values, yerr=bars, capsize=3, color=style(0)["color"])
    for axis in (left, right):
        axis.set_xticks(range(len(families)), [name_of(family, say) for family in families])
    label(left, "", say("figures.bits_of_gap"))
    label(right, "", say("figures.change"), legend=False)
    return figure


FIGURES = {"sight": draw_sight}
