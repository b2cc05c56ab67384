"""Part of the lab `optimizers`: the rules raced on images, and Adam raced against its own halves.

A race is fair when each rule has looked for its learning rate in a grid of the same size. The rules of torch run in
the project's loop; Adam's halves, which torch does not have, in a loop of a few lines that gives the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from hf_llm.config import UserError
from hf_llm.evaluation.charts import band, label, new_figure, style
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.optimizers.tasks import BETAS, ThreeParts, by_hand, by_the_loop, settings
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Chart, Finding, Language, Progress, Table, Words, track
from hf_llm.experiments.seed_comparison import with_bounds
from hf_llm.experiments.shared.textbook_optimizers import Adam
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification

RATES = 7  # of each rule's grid, a quarter of a decade apart


@dataclass(frozen=True)
class Entrant:
    """One rule of the race: its name, the middle of its grid of rates, how it trains, and by which settings."""

    name: Words
    middle: float
    train: Callable[[ImageClassification, TrainingConfig], list[dict]] = by_the_loop
    changes: dict = field(default_factory=dict)

    def rates(self, quick: bool) -> list[float]:
        half = 1 if quick else RATES // 2
        return [self.middle * 10 ** (step / 4) for step in range(-half, half + 1)]

    def run(self, task: ImageClassification, config: TrainingConfig) -> list[dict]:
        """Return the evaluations; of a run that diverged, infinite losses."""
        try:
            return self.train(task, replace(config, **self.changes))
        except UserError:  # the loop refuses to go on with a loss that is not finite
            steps = range(config.eval_steps, config.max_steps + 1, config.eval_steps)
            return [{"step": step, "validation_loss": np.inf, "validation_accuracy": np.nan} for step in steps]


def same(name: str) -> Words:
    return Words(pt=name, en=name)


WITHOUT_FIRST = Words(pt="Adam sem o primeiro momento", en="Adam without its first moment")
WITHOUT_SECOND = Words(pt="Adam sem o segundo momento", en="Adam without its second moment")
ENTRANTS = {
    "sgd": Entrant(same("SGD"), 0.3, changes={"optimizer": "sgd", "adam_beta1": 0.0}),
    "momentum": Entrant(same("momentum"), 0.05, changes={"optimizer": "sgd"}),
    "rmsprop": Entrant(same("RMSprop"), 3e-3, changes={"optimizer": "rmsprop"}),
    "adam": Entrant(same("Adam"), 6e-3, changes={"optimizer": "adam"}),
    "adamw": Entrant(same("AdamW"), 6e-3, changes={"optimizer": "adamw", "weight_decay": 0.1}),
    "second alone": Entrant(WITHOUT_FIRST, 6e-3, partial(by_hand, partial(Adam, betas=(None, BETAS[1])))),
    "first alone": Entrant(WITHOUT_SECOND, 0.3, partial(by_hand, partial(Adam, betas=(BETAS[0], None)))),
}
RACES = {
    "race": (["sgd", "momentum", "rmsprop", "adam", "adamw"], Words(pt="As cinco regras", en="The five rules")),
    "halves": (
        ["adam", "second alone", "first alone", "sgd"],
        Words(pt="O Adam, sem cada metade, e sem as duas (SGD)", en="Adam, without each half, and without both (SGD)"),
    ),
}


def race(parts: ThreeParts, seeds: int, quick: bool, progress: Progress) -> list[dict]:
    """Search each entrant's rate with a few seeds, then run it with all; return a row an entrant."""
    count, steps, searching = (1_000, 40, 1) if quick else (10_000, 300, min(2, seeds))
    searches = [(name, rate, seed) for name, entrant in ENTRANTS.items() for rate in entrant.rates(quick)
                for seed in range(searching)]  # fmt: skip
    finals = [(name, None, seed) for name in ENTRANTS for seed in range(seeds)]
    searched = {name: {rate: [] for rate in entrant.rates(quick)} for name, entrant in ENTRANTS.items()}
    runs = {name: [] for name in ENTRANTS}

    def best(name: str) -> float:
        return min(searched[name], key=lambda rate: np.mean(searched[name][rate]))

    for name, rate, seed in track([*searches, *finals], progress):
        if rate is not None:
            task = parts.task(count, seed, parts.choose)
            records = ENTRANTS[name].run(task, settings(rate, seed, steps, eval_steps=steps))
            searched[name][rate].append(float(np.nan_to_num(records[-1]["validation_loss"], nan=np.inf)))
        else:
            task = parts.task(count, seed, parts.measure)
            runs[name].append(ENTRANTS[name].run(task, settings(best(name), seed, steps)))

    rows = []
    for name, entrant in ENTRANTS.items():
        rates, rate = list(searched[name]), best(name)
        losses, accuracies = (
            [[record[f"validation_{figure}"] for record in run] for run in runs[name]]
            for figure in ("loss", "accuracy")
        )
        rows.append({
            "key": name, "optimizer": entrant.name, "lowest": rates[0], "highest": rates[-1], "rate": rate,
            "edge": rate in (rates[0], rates[-1]), **with_bounds("loss", [run[-1] for run in losses]),
            "accuracy": float(np.mean([run[-1] for run in accuracies])),
            "steps": [record["step"] for record in runs[name][0]], "losses": losses, "accuracies": accuracies,
            "searched_rates": rates,
            "searched_losses": [float(np.mean(searched[name][rate])) for rate in rates],
        })  # fmt: skip
    return rows


HEADINGS = {
    "optimizer": Words(pt="otimizador", en="optimizer"),
    "lowest": Words(pt="menor taxa da grade", en="lowest rate of the grid"),
    "highest": Words(pt="maior taxa", en="highest rate"),
    "rate": Words(pt="taxa escolhida", en="chosen rate"),
    "edge": Words(pt="na borda da grade?", en="at the grid's edge?"),
    "loss": Words(pt="perda", en="loss"),
    "loss_low": Words(pt="de", en="from"),
    "loss_high": Words(pt="até", en="to"),
    "accuracy": Words(pt="acurácia", en="accuracy"),
}


def lower_loss(rows: list[dict], worse: str, better: str, claim: Words, at: int = -1) -> Finding:
    """Return whether `better` ends at a lower loss than `worse`, seed by seed; `at` is which evaluation counts."""
    losses = {row["key"]: np.array([run[at] for run in row["losses"]]) for row in rows}
    names = {row["key"]: row["optimizer"] for row in rows}
    measure = Words(*(
        f"{words}: {names[worse][language]} − {names[better][language]}"
        for language, words in (("pt-BR", "diferença de perda"), ("en", "difference in loss"))
    ))  # fmt: skip
    return over_seeds((claim, measure), losses[worse] - losses[better])


def race_on_images(parts: ThreeParts, seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts of the rules and of Adam's halves on images."""
    rows = race(parts, seeds, quick, progress)
    findings = [
        lower_loss(rows, "sgd", "momentum", Words(
            pt="Nas imagens, o SGD com momentum termina com perda de validação menor do que o SGD puro, cada um na sua "
               "melhor taxa.",
            en="On images SGD with momentum ends at a lower validation loss than plain SGD, each at its best rate.")),
        lower_loss(rows, "momentum", "adam", Words(
            pt="Nas imagens, o Adam termina com perda de validação menor que o SGD com momentum, cada um na sua melhor "
               "taxa.",
            en="On images Adam ends at a lower validation loss than SGD with momentum, each at its best rate.")),
        lower_loss(rows, "momentum", "adam", at=0, claim=Words(
            pt="No começo do treino, nessas mesmas taxas, o Adam está à frente do SGD com momentum.",
            en="Early in training, at these same rates, Adam is ahead of SGD with momentum.")),
        lower_loss(rows, "rmsprop", "second alone", Words(
            pt="A correção do viés ajuda o RMSprop: com ela (o Adam sem o primeiro momento), termina com perda menor.",
            en="Bias correction helps RMSprop: with it (Adam without its first moment) it ends at a lower loss.")),
        lower_loss(rows, "momentum", "first alone", Words(
            pt="A correção do viés ajuda o momentum: com ela (o Adam sem o segundo momento), termina com perda menor.",
            en="Bias correction helps momentum: with it (Adam without its second moment) it ends at a lower loss.")),
        lower_loss(rows, "second alone", "adam", Words(
            pt="O primeiro momento ajuda: o Adam inteiro termina com perda menor do que sem ele.",
            en="The first moment helps: the whole of Adam ends at a lower loss than without it.")),
        lower_loss(rows, "first alone", "adam", Words(
            pt="O segundo momento ajuda: o Adam inteiro termina com perda menor do que sem ele.",
            en="The second moment helps: the whole of Adam ends at a lower loss than without it.")),
    ]  # fmt: skip
    caption = Words(
        pt="A corrida nas imagens: a busca da taxa e a perda no fim, com o seu intervalo",
        en="The race on images: the search for the rate, and the loss at the end with its interval",
    )
    table = Table(caption, HEADINGS, rows)
    charts = {name: _curves(table, *who) for name, who in RACES.items()}
    return findings, {"race": table}, {"race": charts["race"], "rates": _rates(table), "halves": charts["halves"]}


def _curves(table: Table, keys: list[str], who: Words) -> Chart:
    caption = Words(
        pt=f"{who.pt}: perda e acurácia nas imagens reservadas ao longo do treino, cada uma na taxa escolhida; média e "
        "faixa sobre as sementes.",
        en=f"{who.en}: loss and accuracy on held-out images along training, each at its chosen rate; mean and range "
        "over the seeds.",
    )

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(1, 2)
        for number, key in enumerate(keys):
            row = next(row for row in table.rows if row["key"] == key)
            for axis, figures in zip(axes[0], ("losses", "accuracies")):
                band(axis, row["steps"], row[figures], row["optimizer"][language], number)
        step, loss, accuracy = {
            "pt-BR": ("passo", "perda de validação", "acurácia de validação"),
            "en": ("step", "validation loss", "validation accuracy"),
        }[language]
        label(axes[0, 0], step, loss)
        label(axes[0, 1], step, accuracy, legend=False)
        return figure

    return Chart(caption, draw)


def _rates(table: Table) -> Chart:
    caption = Words(
        pt="A busca: perda no fim do treino para cada taxa da grade. Pontos ausentes divergiram; o anel marca a taxa "
        "escolhida.",
        en="The search: loss at the end of training for each rate of the grid. Missing points diverged; the ring marks "
        "the chosen rate.",
    )

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(width=6)
        axis = axes[0, 0]
        for number, row in enumerate(table.rows):
            axis.plot(row["searched_rates"], row["searched_losses"], marker=".", label=row["optimizer"][language],
                      **style(number))  # fmt: skip
            axis.plot(row["rate"], min(row["searched_losses"]), "o", ms=9, mfc="none", color=style(number)["color"])
        axis.set(xscale="log", yscale="log")
        rate, loss = {
            "pt-BR": ("taxa de aprendizado", "perda nas imagens de escolha"),
            "en": ("learning rate", "loss on the images to choose by"),
        }[language]
        label(axis, rate, loss)
        return figure

    return Chart(caption, draw)
