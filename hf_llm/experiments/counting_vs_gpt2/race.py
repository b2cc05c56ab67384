"""Race: byte n-grams, a compressor and GPT-2 on the same test passage, as the text to learn from grows.

Validation picks the order of the n-grams and the step of GPT-2. The n-grams are also scored while they learn from the
test, each byte after it is scored; the compressor cannot be scored otherwise. With all of a text, GPT-2 is scored along
its training as well: where it takes over in steps.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hf_llm.evaluation.baselines import compressor_bits_per_byte
from hf_llm.experiments.counting_vs_gpt2.network import EVALUATIONS, Recipe, train_network
from hf_llm.experiments.counting_vs_gpt2.pieces import HELD_OUT, Pieces, lengths
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.language_runs import read_or_sample
from hf_llm.ngrams.byte_ngrams import LONGEST, ByteNGrams

SHORT = "the-verdict"  # one story, whole; the others grow
GROWING = ("tiny-shakespeare", "dom-casmurro")
TRIGRAM = 3
METHODS = ["trigrams", "compressor", "ngrams", "learning", "gpt2"]  # in the test's bits per byte
KB = 2**10
FARTHEST = 2.0**40  # bytes, where a crossing is given up
TIMED = {"times"}


@dataclass(frozen=True)
class Grid:
    """How much is run."""

    sizes: tuple[int, ...]  # bytes to learn from
    most_steps: int | None  # of GPT-2; None for the rule's
    held_out: dict[str, int]  # as in `lengths`

    def of(self, text: str, available: int) -> list[int]:
        """Return the sizes for a text of so many bytes, none of them more than a quarter of the next."""
        most = available if text == SHORT else min(available, self.sizes[-1])
        return [most] if text == SHORT else [*(size for size in self.sizes if 4 * size <= most), most]


QUICK = Grid(sizes=(2**11, 2**13), most_steps=32, held_out={part: size // 4 for part, size in HELD_OUT.items()})
FULL = Grid(sizes=(2**11, 2**14, 2**17, 2**20), most_steps=None, held_out=HELD_OUT)


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


def measure(study: Study) -> Tables:
    grid = grid_of(study)
    texts = {name: read_or_sample(name) for name in (*GROWING, SHORT)}
    cells, largest = [], {}
    for name, text in texts.items():
        sizes = grid.of(name, lengths(text, grid.held_out)["train"])
        largest[name] = sizes[-1]
        cells += [(name, size, seed, Pieces.of(text, seed, grid.held_out)) for seed in study.seeds for size in sizes]
    counting, scores, times, training = [], [], [], []
    for name, size, seed, pieces in study.track(cells):
        cell = {"text": name, "size": size, "seed": seed}
        watched = name in GROWING and size == largest[name]
        orders, score, seconds, curve = score_all(pieces.last(size), seed, grid.most_steps, watched)
        counting += [cell | row for row in orders]
        scores.append(cell | score)
        times.append(cell | seconds)
        training += [cell | point | {"ngrams": score["ngrams"]} for point in curve]
    rows = {"scores": scores, "counting": counting, "training": training, "times": times}
    return {name: pd.DataFrame(of_one) for name, of_one in rows.items()}


def score_all(
    pieces: Pieces, seed: int, most_steps: int | None, watched: bool
) -> tuple[list[dict], dict, dict, list[dict]]:
    """Learn and score; a network that is `watched` has a curve.

    Returns:
        A row for each order of the n-grams, the test in bits per byte by method, CPU seconds of learning, the curve.
    """
    train, validation, test = (part.encode("utf-8") for part in (pieces.train, pieces.validation, pieces.test))
    began = time.process_time()
    models = {order: ByteNGrams.fit(train, order) for order in range(1, LONGEST + 1)}
    orders = [
        {"order": order, "validation": model.bits_per_byte(validation), "test": model.bits_per_byte(test)}
        for order, model in models.items()
    ]
    best = min(orders, key=lambda row: row["validation"])
    counted = time.process_time()
    network = train_network(pieces, Recipe.of_size(len(train), most_steps), seed, watched)
    trained = time.process_time()
    score = {
        "bytes": len(train), "order": best["order"], "ngrams": best["test"],
        "learning": models[best["order"]].bits_per_byte(test, learn=True),
        "trigrams": orders[TRIGRAM - 1]["test"], "compressor": compressor_bits_per_byte(train, test),
        "gpt2": network.bits_per_byte(pieces.test), "validation_gpt2": network.validation,
        "step": network.step, "steps": network.steps, "vocabulary": len(network.tokenizer),
        "parameters": network.model.num_parameters(),
    }  # fmt: skip
    return orders, score, {"ngrams_seconds": counted - began, "gpt2_seconds": trained - counted}, network.curve


def sizes_of(scores: pd.DataFrame, text: str) -> list[int]:
    return sorted(select(scores, text=text)["size"].unique())


def lead(scores: pd.DataFrame, text: str, size: int) -> np.ndarray:
    """Return by how many bits per byte the n-grams are below GPT-2, (seeds,)."""
    return by_seed(scores, "gpt2", text=text, size=size) - by_seed(scores, "ngrams", text=text, size=size)


def half_way(training: pd.DataFrame, text: str) -> np.ndarray:
    """Return the same with all of the text after half of the steps, (seeds,)."""
    steps = sorted(select(training, text=text)["step"].unique())
    rows = {"text": text, "step": steps[(EVALUATIONS - 1) // 2]}
    return by_seed(training, "gpt2", **rows) - by_seed(training, "ngrams", **rows)


def middle(sizes: list[int]) -> int:
    """Return the size from which the lead is watched; at the smallest, no method has learned more than letters."""
    return sizes[(len(sizes) - 1) // 2]


def crossing(scores: pd.DataFrame, text: str, method: str) -> np.ndarray:
    """Return from how many bytes of training text on GPT-2 is below `method`, (seeds,).

    Between two sizes, the difference is taken as a straight line along the logarithm of the size; beyond the largest
    it goes on as between the last two, to `FARTHEST` at most.
    """
    sizes = sizes_of(scores, text)
    behind = [by_seed(scores, "gpt2", text=text, size=n) - by_seed(scores, method, text=text, size=n) for n in sizes]
    return np.array([_first_zero(np.log2(sizes), one) for one in np.transpose(behind)])


def _first_zero(powers: np.ndarray, behind: np.ndarray) -> float:
    """Return 2 to the power at which `behind` gets negative for good; both (sizes,)."""
    ahead_from = len(behind) - int(np.argmax(np.append(behind[::-1] > 0, True)))  # the sizes from there on are won
    if ahead_from == 0:
        return float(2 ** powers[0])
    last = min(ahead_from, len(behind) - 1)
    slope = (behind[last] - behind[last - 1]) / (powers[last] - powers[last - 1])
    if slope >= 0:
        return FARTHEST
    return float(min(FARTHEST, 2.0 ** min(powers[last] - behind[last] / slope, np.log2(FARTHEST))))


def short_name(text: str) -> str:
    return text.split("-")[-1]


def findings(tables: Tables) -> list[Finding]:
    scores, times = tables["scores"], tables["times"]
    found = [above("lead_verdict", lead(scores, SHORT, sizes_of(scores, SHORT)[0]))]
    for text in GROWING:
        name, sizes = short_name(text), sizes_of(scores, text)
        largest = {"text": text, "size": sizes[-1]}
        first, watched, last = (lead(scores, text, size) for size in (sizes[0], middle(sizes), sizes[-1]))
        static, learning = (by_seed(scores, column, **largest) for column in ("ngrams", "learning"))
        seconds = [by_seed(times, f"{method}_seconds", **largest) for method in ("gpt2", "ngrams")]
        found += [
            above(f"lead_smallest_{name}", first),
            above(f"lead_largest_{name}", last),
            above(f"lead_half_way_{name}", half_way(tables["training"], text)),
            above(f"lead_shrinks_{name}", watched - last),
            above(f"lead_shrinks_in_all_{name}", first - last),
            *(
                below(f"crossing_{method}_{name}", crossing(scores, text, method) / KB, sizes[-1] / KB, scale="log")
                for method in ("ngrams", "compressor", "trigrams")
            ),
            above(f"learning_helps_{name}", static - learning),
            above(f"lead_of_learning_{name}", by_seed(scores, "gpt2", **largest) - learning),
            above(f"counting_is_faster_{name}", seconds[0] / seconds[1], 1.0, scale="log", timed=True),
        ]
    smallest, largest = (select(scores, text=GROWING[0], size=size)["order"].mean() for size in ends(scores))
    return [*found, exact("longer_context_pays", largest - smallest, 0.0)]


def ends(scores: pd.DataFrame) -> tuple[int, int]:
    """Return the smallest and the largest size of the longest text."""
    sizes = sizes_of(scores, GROWING[0])
    return sizes[0], sizes[-1]


def methods(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a score: `text`, `kb`, `seed`, `method`, `bits`."""
    rows = scores.melt(["text", "size", "seed"], METHODS, "method", "bits")
    return rows.assign(kb=rows["size"] / KB)


def draw_race(tables: Tables, say: Say) -> Figure:
    """Bits per byte by the size of the training text, a panel for each growing text; the short story as two points."""
    figure, (axes,) = new_figure(1, 2, width=5.2, height=4.2)
    rows = methods(tables["scores"])
    for axis, text in zip(axes, GROWING):
        curves(axis, select(rows, text=text), "kb", "bits", "method", say, METHODS)
        axis.set_xscale("log", base=2)
        sizes = sorted(select(rows, text=text)["kb"].unique())
        axis.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
        label(axis, say("figures.size"), say("figures.bits"), say(f"names.{text}"), legend=text == GROWING[-1])
    axes[1].sharey(axes[0])
    return figure


def draw_lead(tables: Tables, say: Say) -> Figure:
    """By how many bits per byte the n-grams are ahead of GPT-2: by the size of the text, and along the training."""
    figure, ((by_size, by_step),) = new_figure(1, 2, width=5.2, height=4.2)
    scores, training = tables["scores"], tables["training"]
    rows = scores.assign(kb=scores["size"] / KB, lead=scores["gpt2"] - scores["ngrams"])
    curves(by_size, rows, "kb", "lead", "text", say, GROWING)
    short = select(rows, text=SHORT)
    by_size.plot([short["kb"].mean()], [short["lead"].mean()], "ko", label=say(f"names.{SHORT}"))
    by_size.set_xscale("log", base=2)
    sizes = sorted(select(rows, text=GROWING[0])["kb"].unique())
    by_size.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
    label(by_size, say("figures.size"), say("figures.lead_axis"))
    curves(by_step, training.assign(lead=training["gpt2"] - training["ngrams"]), "step", "lead", "text", say, GROWING)
    label(by_step, say("figures.steps"), say("figures.lead_axis"), legend=False)
    for axis in (by_size, by_step):
        axis.axhline(0, color="black", lw=0.8)
    return figure


def draw_orders(tables: Tables, say: Say) -> Figure:
    """The test by the order of the n-grams, a line for each size."""
    figure, (axes,) = new_figure(1, 2, width=4.8, height=3.6)
    for axis, text in zip(axes, GROWING):
        rows = select(tables["counting"], text=text)
        curves(axis, rows.assign(kb=(rows["size"] / KB).round().astype(int)), "order", "test", "kb", say)
        label(axis, say("figures.order"), say("figures.bits"), say(f"names.{text}"))
    return figure


def table(tables: Tables) -> pd.DataFrame:
    """Return the means over the seeds, one row for each text and size."""
    columns = ["vocabulary", "steps", "step", "order", *METHODS]
    rows = means(tables["scores"], ["text", "size"], columns)
    rows[["vocabulary", "steps", "step"]] = rows[["vocabulary", "steps", "step"]].round().astype(int)
    return rows.round(3)


FIGURES = {"race": draw_race, "lead": draw_lead, "orders": draw_orders}
SUMMARIES = {"scores": table}
