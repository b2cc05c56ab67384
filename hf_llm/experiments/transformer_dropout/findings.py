"""The claims of `transformer-dropout`: what dropout does at each place, in each mode, and where libraries have it.

The probability of a setting is the one with the best validation, and so is each model's step; the test part, which
chose nothing, judges them. Runs are {(setting, p, seed): what `train_cell` returns}, ("all", 0.0, seed) being the model
without dropout.
"""

import numpy as np

from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.transformer_dropout.cells import Study
from hf_llm.experiments.transformer_dropout.library import FIRST_OF_TODAY
from hf_llm.experiments.transformer_dropout.sites import SETTINGS, SITES
from hf_llm.experiments.transformer_dropout.words import SETTING_NAMES

PLAIN = ("all", 0.0)  # the setting that drops nothing
MEAN_OF_ROWS = 0.01  # from 1, for the mean sum of attention weights: more than five of its standard errors
ON_TEST = Words(
    pt="redução dos bits por byte no teste, pareada pela semente",
    en="decrease in bits per byte on the test, paired by the seed",
)


def measured(runs: dict, setting: tuple[str, float], seeds: list[int], measure) -> np.ndarray:
    """Return `measure(run)` of every seed, (seeds,); `setting` is a name and its p."""
    return np.array([measure(runs[*setting, seed]) for seed in seeds])


def best_validation(run: dict) -> float:
    return run["validation"][run["kept"]]


def best_test(run: dict) -> float:
    """Return the test's bits per byte at the step that validation picks."""
    return run["test"][run["kept"]]


def gap(run: dict) -> float:
    """Return validation minus training at the last step, both without dropping: what over-fitting costs."""
    return run["validation"][-1] - run["train"][-1]


def rise(run: dict) -> float:
    """Return how far validation has risen again from its minimum, in bits per byte."""
    return run["validation"][-1] - best_validation(run)


def reported_above_validation(run: dict) -> float:
    """Return how much more the training text costs halfway in training mode than the validation text without it."""
    half = len(run["step"]) // 2
    return run["train_dropping"][half] - run["validation"][half]


def picked(runs: dict, study: Study, setting: str, seeds: list[int]) -> float:
    """Return the probability above 0 with the lowest mean of `best_validation`."""
    return min(study.probabilities, key=lambda p: measured(runs, (setting, p), seeds, best_validation).mean())


def effect_findings(runs: dict, study: Study, seeds: list[int]) -> list[Finding]:
    """Return what dropout at each place is worth on this text."""
    names = SETTING_NAMES
    test = {
        setting: measured(runs, (setting, picked(runs, study, setting, seeds)), seeds, best_test)
        for setting in SETTINGS
    }  # fmt: skip
    plain = measured(runs, PLAIN, seeds, best_test)
    found = [
        over_seeds(
            (
                Words(
                    pt="Sem dropout o modelo decora: na validação ele piora de novo antes do fim do treino",
                    en="Without dropout the model learns by heart: on validation it gets worse again before the end of "
                    "training",
                ),
                Words(pt="subida desde o mínimo, bits por byte", en="rise from the minimum, bits per byte"),
            ),
            measured(runs, PLAIN, seeds, rise),
        )
    ]
    for setting, where in names.items():
        claim = Words(
            pt=f"Com dropout {where.pt}, o melhor modelo prevê o teste melhor do que o melhor sem dropout",
            en=f"With dropout {where.en}, the best model predicts the test better than the best without dropout",
        )
        found.append(over_seeds((claim, ON_TEST), plain - test[setting]))
    for setting in (*SITES, "all"):
        claim = Words(
            pt=f"Com o p do meio da grade, dropout {names[setting].pt} aproxima treino e validação no fim do treino",
            en=f"With the middle p of the grid, dropout {names[setting].en} brings training and validation closer at "
            "the end",
        )
        measure = Words(pt="redução da distância, bits por byte", en="decrease of the gap, bits per byte")
        gaps = (measured(runs, one, seeds, gap) for one in (PLAIN, (setting, study.middle)))
        found.append(over_seeds((claim, measure), np.subtract(*gaps)))
    found += [
        over_seeds(
            (
                Words(
                    pt="Dropout nos dois lugares da aula ajuda mais do que nos outros dois",
                    en="Dropout at the lecture's two places helps more than at the other two",
                ),
                ON_TEST,
            ),
            test["others"] - test["named"],
        ),
        over_seeds(
            (
                Words(
                    pt="Dropout nos quatro lugares ajuda mais do que só nos dois da aula",
                    en="Dropout at all four places helps more than at the lecture's two alone",
                ),
                ON_TEST,
            ),
            test["named"] - test["all"],
        ),
    ]
    most = study.probabilities[-1]
    if most != picked(runs, study, "all", seeds):
        claim = Words(
            pt="Nos quatro lugares, o maior p da grade já é demais: o melhor modelo prevê o teste pior do que sem "
            "dropout",
            en="At all four places the largest p of the grid is too much: the best model predicts the test worse than "
            "without dropout",
        )
        measure = Words(
            pt="aumento dos bits por byte no teste, pareado pela semente",
            en="increase in bits per byte on the test, paired by the seed",
        )
        found.append(over_seeds((claim, measure), measured(runs, ("all", most), seeds, best_test) - plain))
    return found


def mode_findings(runs: dict, study: Study, seeds: list[int]) -> list[Finding]:
    """Return what training mode does to the trained models."""
    dropping = ("all", study.middle)

    def mode(name: str, setting: tuple[str, float] = dropping) -> np.ndarray:
        return measured(runs, setting, seeds, lambda run: run["modes"][name])

    largest = Words(pt="maior diferença entre as previsões", en="largest difference between the predictions")
    repeated = max(run["modes"]["repeated"] for run in runs.values())
    same = np.abs(mode("training", PLAIN) - mode("evaluation", PLAIN)).max()
    in_training = measured(runs, dropping, seeds, lambda run: run["train_dropping"][-1] - run["train"][-1])
    rows = ("attention", study.middle)
    off, mean_off = mode("row_off", rows).min(), np.abs(mode("row_sum", rows) - 1).max()
    found = [
        exact(
            (
                Words(
                    pt="Em modo de avaliação nada se apaga: duas passadas dão as mesmas previsões",
                    en="In evaluation mode nothing is dropped: two passes give the same predictions",
                ),
                largest,
            ),
            repeated, repeated == 0,
        ),
        exact(
            (
                Words(
                    pt="Sem dropout, modo de treino e modo de avaliação são a mesma coisa",
                    en="Without dropout, training mode and evaluation mode are the same thing",
                ),
                Words(pt="maior diferença, bits por byte", en="largest difference, bits per byte"),
            ),
            same, same < 1e-9,
        ),
        over_seeds(
            (
                Words(
                    pt="Com dropout nos quatro lugares, o que o treino informa é pior do que o modelo sabe: o texto de "
                    "treino custa mais em modo de treino",
                    en="With dropout at all four places, what training reports is worse than what the model knows: "
                    "the training text costs more in training mode",
                ),
                Words(pt="bits por byte a mais", en="bits per byte more"),
            ),
            in_training,
        ),
        over_seeds(
            (
                Words(
                    pt="Com dropout nos quatro lugares, a meio do treino o que ele informa é pior do que a validação, "
                    "que se mede em modo de avaliação",
                    en="With dropout at all four places, halfway through training what it reports is worse than "
                    "validation, which is measured in evaluation mode",
                ),
                Words(
                    pt="texto de treino em modo de treino menos validação, bits por byte",
                    en="training text in training mode minus validation, bits per byte",
                ),
            ),
            measured(runs, dropping, seeds, reported_above_validation),
        ),
        over_seeds(
            (
                Words(
                    pt="Com dropout nos quatro lugares, uma passada em modo de treino prevê o teste pior do que uma em "
                    "modo de avaliação",
                    en="With dropout at all four places, one pass in training mode predicts the test worse than one in "
                    "evaluation mode",
                ),
                Words(pt="bits por byte a mais", en="bits per byte more"),
            ),
            mode("training") - mode("evaluation"),
        ),
        over_seeds(
            (
                Words(
                    pt="A passada em modo de avaliação prevê o teste melhor do que a média das passadas que apagam",
                    en="The pass in evaluation mode predicts the test better than the average of the passes that "
                    "drop",
                ),
                Words(pt="bits por byte que a média custa a mais", en="bits per byte that the average costs more"),
            ),
            mode("averaged") - mode("evaluation"),
        ),
        exact(
            (
                Words(
                    pt="Com dropout nos pesos de atenção, os pesos de um token ainda somam um em cada passada",
                    en="With dropout on the attention weights, a token's weights still add up to one in every pass",
                ),
                Words(pt="distância média de um, menor das sementes", en="mean distance from one, least of the seeds"),
            ),
            off, off < 1e-5,
        ),
        exact(
            (
                Words(
                    pt="Na média de todos os tokens e passadas, eles ainda somam um",
                    en="On average over all tokens and passes, they still add up to one",
                ),
                Words(pt="distância da média, maior das sementes", en="distance of the mean, largest of the seeds"),
            ),
            mean_off, mean_off < MEAN_OF_ROWS,
        ),
    ]  # fmt: skip
    least, most = study.probabilities[0], study.probabilities[-1]
    if most > least:
        claim = Words(
            pt="Quanto maior p nos quatro lugares, menos as passadas concordam sobre o token mais provável",
            en="The larger p at all four places, the less the passes agree on the likeliest token",
        )
        measure = Words(
            pt="passadas com o mesmo favorito, com o menor p menos com o maior, pontos percentuais",
            en="passes with the same favourite, with the least p minus with the largest, percentage points",
        )
        agreement = mode("same_token", ("all", least)) - mode("same_token", ("all", most))
        found.append(over_seeds((claim, measure), 100 * agreement))
    return found


def library_findings(rows: list[dict]) -> list[Finding]:
    """Return what the lecture's claim about places is worth in the classes of transformers."""
    classic = [row for row in rows if int(row["year"]) < FIRST_OF_TODAY]
    today = [row for row in rows if int(row["year"]) >= FIRST_OF_TODAY]
    named = min(row["named"] for row in classic)
    elsewhere = sum(bool(row[place]) for row in classic for place in ("embedding", "attention"))
    active = sum(row["active"] > 0 for row in today)
    return [
        exact(
            (
                Words(
                    pt="Nas famílias que a aula cita, a maior parte dos dropouts fica onde ela diz",
                    en="In the families that the lecture names, most dropouts are where it says",
                ),
                Words(pt="parte deles, a menor das famílias", en="share of them, least of the families"),
            ),
            named, named > 0.5,
        ),
        exact(
            (
                Words(
                    pt="Nas famílias que a aula cita, só ali há dropout",
                    en="In the families that the lecture names, there is dropout nowhere else",
                ),
                Words(
                    pt="outros tipos de lugar com dropout, somadas as famílias",
                    en="other kinds of place with dropout, all families together",
                ),
            ),
            elsewhere, elsewhere == 0,
        ),
        exact(
            (
                Words(
                    pt="GPT-NeoX, Llama, Mistral, Gemma e Qwen usam dropout se ninguém escolhe",
                    en="GPT-NeoX, Llama, Mistral, Gemma and Qwen use dropout when nobody chooses",
                ),
                Words(pt="quantas dessas famílias", en="how many of these families"),
            ),
            active, active == len(today),
        ),
    ]  # fmt: skip
