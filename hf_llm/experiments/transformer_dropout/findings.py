"""The claims of `transformer-dropout` about places: what dropout at each of them is worth on this text."""

import numpy as np

from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.transformer_dropout.cells import Study
from hf_llm.experiments.transformer_dropout.measures import PLAIN, best_test, gap, measured, picked, rise
from hf_llm.experiments.transformer_dropout.sites import SETTINGS, SITES
from hf_llm.experiments.transformer_dropout.words import SETTING_NAMES

ON_TEST = Words(
    pt="redução dos bits por byte no teste, pareada pela semente",
    en="decrease in bits per byte on the test, paired by the seed",
)


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
