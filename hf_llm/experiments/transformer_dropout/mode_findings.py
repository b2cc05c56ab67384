"""The claims of `transformer-dropout` about modes: what dropping does to the predictions of the trained models."""

import numpy as np

from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.transformer_dropout.cells import Study
from hf_llm.experiments.transformer_dropout.measures import PLAIN, measured

MEAN_OF_ROWS = 0.01  # from 1, for the mean sum of attention weights: more than five of its standard errors


def mode_findings(runs: dict, study: Study, seeds: list[int]) -> list[Finding]:
    """Return what training mode does to the trained models."""
    dropping = ("all", study.middle)
    least, most = study.probabilities[0], study.probabilities[-1]

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
                    pt="Com dropout nos quatro lugares, o que o treino mostra é pior do que o modelo sabe: o texto de "
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
                    pt="Com o maior p nos quatro lugares, o que o treino mostra na sua primeira metade é pior do que a "
                    "validação, que se mede em modo de avaliação",
                    en="With the largest p at all four places, what training reports in its first half is worse than "
                    "validation, which is measured in evaluation mode",
                ),
                Words(
                    pt="texto de treino em modo de treino menos validação, bits por byte",
                    en="training text in training mode minus validation, bits per byte",
                ),
            ),
            measured(runs, ("all", most), seeds, reported_above_validation),
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


def reported_above_validation(run: dict) -> float:
    """Return how much more the training text costs, in training mode, than validation; mean of the first half."""
    half = len(run["step"]) // 2
    return float(np.mean(np.subtract(run["train_dropping"], run["validation"])[:half]))
