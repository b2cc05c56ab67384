"""Agreement: does the verb agree with a subject far before it, in models of equal size and equal training?

All learn to predict the next word of the same sentences, in which at most so many distractors stand between subject and
verb; they are tested also with more. A sentence is right when the model prefers the right one of foi and foram, and
behind it the right one of the participle's four forms: at random, one in four. In the tests the last noun before the
verb always has another gender or number than the subject.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel

from hf_llm.data import BatchPlan
from hf_llm.experiments.attention_scaling.contenders import KINDS, new_contender
from hf_llm.experiments.attention_scaling.sentences import FORMS, HAS_BEEN, IDS, WORDS, Form, Sentence
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, exact, select, within
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.short_run import SEARCH_SEED, short_run
from hf_llm.training.loop import train
from hf_llm.training.task import Task

TEST_SEED = 10**6  # of the test sentences, the same for all models
GOOD, EQUAL, ALL, NONE = 0.9, 0.05, 0.999, 0.001


@dataclass(frozen=True)
class Grid:
    """What is trained and tested."""

    shape: dict  # of the GPT-2
    rates: tuple[float, ...]  # searched for each model
    steps: int
    every: int  # steps between two tests
    windows: int  # of the training text, each as long as the context
    sentences: int  # of a test
    batch: int = 16
    most: int = 8  # distractors in training
    tested: tuple[int, ...] = (0, 1, 2, 4, 8, 16, 32)  # distractors in the tests


QUICK = Grid({"n_layer": 2, "n_head": 4, "n_embd": 32, "n_positions": 80, "vocab_size": len(WORDS)},
             (1e-2,), steps=100, every=50, windows=500, sentences=50, tested=(0, 2, 8, 32))  # fmt: skip
FULL = Grid({"n_layer": 2, "n_head": 4, "n_embd": 64, "n_positions": 80, "vocab_size": len(WORDS)},
            (3e-3, 1e-2, 3e-2, 1e-1), steps=400, every=50, windows=2000, sentences=200)  # fmt: skip


class SentenceTask(Task):
    """Next-word prediction in windows (T + 1) cut from a text of sentences; it is tested with `tests`."""

    unit = "tokens"

    def __init__(self, model: PreTrainedModel, grid: Grid, seed: int, tests: dict[int, list[Sentence]]):
        self.model, self.windows, self.tests = model, windows_of(grid, seed), tests
        self.plan = BatchPlan(len(self.windows), grid.batch, grid.batch, world_size=1, seed=seed)

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        rows = self.windows[self.plan.indices(step, micro_step, rank)]  # (B, T + 1)
        inputs = rows[:, :-1]
        return {"input_ids": inputs, "labels": inputs, "shift_labels": rows[:, 1:].contiguous()}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return batch["shift_labels"].numel()

    def evaluate(self, model: PreTrainedModel) -> dict[str, float]:
        """Return for each number of distractors the share of the test's sentences that are right."""
        return {str(distractors): right(model, sentences) for distractors, sentences in self.tests.items()}


def windows_of(grid: Grid, seed: int) -> torch.Tensor:
    """Return the training text, (windows, T + 1): sentences one after the other, cut where a window ends."""
    random, ids = np.random.default_rng([seed, 0]), []
    length = grid.shape["n_positions"] + 1
    while len(ids) < grid.windows * length:
        ids += Sentence.draw(random, int(random.integers(grid.most + 1))).ids
    return torch.tensor(ids[: grid.windows * length]).view(grid.windows, length)


def held_out(grid: Grid) -> dict[int, list[Sentence]]:
    """Return {distractors: sentences}, the same for every model and seed."""
    return {
        number: [Sentence.draw(np.random.default_rng([TEST_SEED, number, one]), number, misleading=True)
                 for one in range(grid.sentences)]
        for number in grid.tested
    }  # fmt: skip


@torch.inference_mode()
def right(model: PreTrainedModel, sentences: list[Sentence]) -> float:
    """Return the share of the sentences in which the model prefers the right auxiliary and the right participle."""
    model.eval()
    ids = [sentence.ids for sentence in sentences]
    length = max(map(len, ids))
    rows = torch.tensor([row + [IDS["."]] * (length - len(row)) for row in ids])  # (B, T); what follows is not seen
    logits = model(input_ids=rows, use_cache=False).logits  # (B, T, words)
    return float(np.mean([preferred(one, sentence) == sentence.subject for one, sentence in zip(logits, sentences)]))


def preferred(logits: torch.Tensor, sentence: Sentence) -> Form:
    """Return gender and number of the verb that `logits` (T, words) prefer; the participle's number must be the same.

    The auxiliary is chosen after the words before it, the participle after the sentence's own auxiliary.
    """
    auxiliary = len(sentence.words) - 3
    number = "sp"[int(logits[auxiliary - 1, [IDS[HAS_BEEN[number]] for number in "sp"]].argmax())]
    gender, same = FORMS[int(logits[auxiliary, [IDS[word] for word in sentence.participle]].argmax())]
    return gender, number if same == sentence.subject[1] else "?"


def measure(study: Study) -> Tables:
    """Search each model's rate with a seed of its own, then train all seeds at the best one."""
    grid = study.pick(QUICK, FULL)
    tests = held_out(grid)
    searched = [(kind, rate, SEARCH_SEED) for kind in KINDS for rate in grid.rates] if len(grid.rates) > 1 else []
    total, done, search, scores = len(searched) + len(KINDS) * len(study.seeds), 0, [], []
    for kind, rate, seed in searched:
        study.report(done, total)
        curve = trained(grid, kind, rate, seed, tests)
        search += [{"kind": kind, "rate": rate, "seed": seed, "score": learnt(curve, grid)}]
        done += 1
    rates = chosen(pd.DataFrame(search)) if search else dict.fromkeys(KINDS, grid.rates[0])
    for kind, seed in [(kind, seed) for seed in study.seeds for kind in KINDS]:
        study.report(done, total)
        scores += [{"kind": kind, "rate": rates[kind], "seed": seed, **row}
                   for row in trained(grid, kind, rates[kind], seed, tests)]  # fmt: skip
        done += 1
    study.report(done, total)
    rules = [{"rule": rule, "distractors": number, "right": float(np.mean([one == s.subject for one, s in answers]))}
             for number, sentences in tests.items()
             for rule, answers in (("subject", [(s.subject, s) for s in sentences]),
                                   ("nearest", [(s.nearest, s) for s in sentences]),
                                   ("first", [(s.first, s) for s in sentences]))]  # fmt: skip
    between = [{"distractors": number, "words": sentences[0].between, "trained": number <= grid.most,
                "sentences": len(sentences)}
               for number, sentences in tests.items()]  # fmt: skip
    tables = {"search": search or [{"kind": k, "rate": rates[k], "seed": SEARCH_SEED, "score": np.nan} for k in KINDS],
              "agreement": scores, "rules": rules, "distances": between}  # fmt: skip
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def trained(grid: Grid, kind: str, rate: float, seed: int, tests: dict[int, list[Sentence]]) -> list[dict]:
    """Train one model and return its tests: step, distractors, share that is right."""
    task = SentenceTask(new_contender(kind, grid.shape, seed), grid, seed, tests)
    settings = short_run(
        grid.steps, rate, seed, total_batch_size=grid.batch, per_device_train_batch_size=grid.batch,
        eval_steps=grid.every,
    )  # fmt: skip
    return [{"step": record["step"], "distractors": number, "right": record[str(number)]}
            for record in train(task, settings).records for number in tests]  # fmt: skip


def learnt(curve: list[dict], grid: Grid) -> float:
    """Return what a rate is judged by: the mean over all tests of as many distractors as in training, none left out.

    The mean over the whole curve: at the end several rates have learnt everything.
    """
    return float(np.mean([row["right"] for row in curve if row["distractors"] <= grid.most]))


def chosen(search: pd.DataFrame) -> dict[str, float]:
    """Return the best rate of each model."""
    return best(search, "rate", "score", by=["kind"], largest=True).set_index("kind")["rate"].to_dict()


def last(tables: Tables) -> pd.DataFrame:
    """Return the tests after the last step."""
    table = tables["agreement"]
    return table[table["step"] == table["step"].max()]


def steps_to_learn(tables: Tables, kind: str) -> np.ndarray:
    """Return the first tested step from which most trained distances are right, (seeds,); the last where none is.

    "Right" is a mean of `GOOD` over all tests with one distractor or more, up to as many as in training.
    """
    distances = tables["distances"].query("trained and distractors > 0")["distractors"].tolist()
    rows = select(tables["agreement"], kind=kind, distractors=distances)
    means = rows.groupby(["seed", "step"])["right"].mean().unstack()  # (seeds, steps)
    return np.array([next((step for step, value in one.items() if value >= GOOD), one.index[-1])
                     for _, one in means.iterrows()], dtype=float)  # fmt: skip


def findings(tables: Tables) -> list[Finding]:
    table, distances, rules = last(tables), tables["distances"], tables["rules"]
    edge = distances.loc[distances["trained"], "distractors"].max()  # the farthest that was trained
    far = distances["distractors"].max()

    def score(kind: str, distractors: int) -> np.ndarray:
        return by_seed(table, "right", kind=kind, distractors=distractors)

    def share(kind: str, distractors: int) -> np.ndarray:  # half a sentence right and half wrong: no logit is infinite
        number = distances["sentences"].iloc[0]
        return (number * score(kind, distractors) + 0.5) / (number + 1)

    misled = select(rules, rule="nearest")
    return [
        exact("oracle_is_right", select(rules, rule="subject")["right"].min(), ALL),
        exact("nearest_noun_fails", misled.loc[misled["distractors"] > 0, "right"].max(), NONE, "below"),
        above("gpt2_agrees", share("gpt2", edge), GOOD, "logit"),
        within("lstm_as_good", score("gpt2", edge) - score("lstm", edge), EQUAL),
        within("gru_as_good", score("gpt2", edge) - score("gru", edge), EQUAL),
        above("gpt2_learns_sooner", steps_to_learn(tables, "lstm") - steps_to_learn(tables, "gpt2")),
        above("gpt2_agrees_beyond", share("gpt2", far), GOOD, "logit"),
        above("lstm_better_beyond", score("lstm", far) - score("gpt2", far)),
        above("gru_better_beyond", score("gru", far) - score("gpt2", far)),
    ]


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite: distances in words, accuracies, steps."""
    table, distances = last(tables), tables["distances"].set_index("distractors")
    edge, far = distances.index[distances["trained"]].max(), distances.index.max()
    means = table.groupby(["kind", "distractors"])["right"].mean()
    return {
        "edge_words": int(distances.loc[edge, "words"]), "far_words": int(distances.loc[far, "words"]),
        "edge": int(edge), "far": int(far),
        "at_edge": int(best(tables["search"], "rate", "score", by=["kind"], largest=True)["edge"].sum()),
        "models": len(KINDS),
        **{f"{kind}_{name}": float(means[kind, number]) for kind in KINDS
           for name, number in (("edge", edge), ("far", far))},
        **{f"{kind}_steps": float(steps_to_learn(tables, kind).mean()) for kind in KINDS},
    }  # fmt: skip


def draw(tables: Tables, say: Say) -> Figure:
    """Share that is right by distance after training, and by step at the trained distances."""
    table, distances = last(tables), tables["distances"].set_index("distractors")
    table = table.assign(words=table["distractors"].map(distances["words"]))
    figure, ((left, right_axis),) = new_figure(1, 2, width=5.0, height=3.8)
    curves(left, table, "words", "right", "kind", say)
    left.axvline(distances.loc[distances["trained"], "words"].max(), color="black", lw=0.8, ls=":")
    left.axhline(1 / len(FORMS), color="grey", lw=0.8)
    within_training = tables["agreement"][
        tables["agreement"]["distractors"].isin(distances.index[distances["trained"]])
    ]
    curves(right_axis, within_training.groupby(["kind", "seed", "step"], sort=False)["right"].mean().reset_index(),
           "step", "right", "kind", say)  # fmt: skip
    label(left, say("figures.words"), say("figures.right"))
    label(right_axis, say("figures.step"), say("figures.right_trained"), legend=False)
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    """Return the share that is right after training, by distance, of each model and each rule, in percent."""
    distances = tables["distances"]
    models = last(tables).pivot_table(index="distractors", columns="kind", values="right")[list(KINDS)]
    rules = tables["rules"].pivot_table(index="distractors", columns="rule", values="right")
    rows = models.join(rules[["subject", "nearest", "first"]]).mul(100).round(1).reset_index()
    rows.insert(1, "words", distances["words"])
    return rows


FIGURES = {"agreement": draw}
SUMMARIES = {"agreement": summary}
