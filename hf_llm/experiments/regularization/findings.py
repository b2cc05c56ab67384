"""Lab `regularization`, the claims: where early stopping stops, and what the nets say about each regulariser."""

import numpy as np
from scipy.stats import spearmanr

from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.regularization.cells import Study
from hf_llm.experiments.regularization.words import SIZES, name_of
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.seed_comparison import POINTS, accuracies_on_test, points

NATS = Words(
    pt="perda no teste, redução em nats por imagem, pareada", en="test loss, decrease in nats an image, paired"
)
LARGEST = Words(pt="maior diferença de perda de validação", en="largest difference in validation loss")
SHARE_OF_SEEDS = Words(pt="fração das sementes em que interrompeu", en="share of the seeds in which it did")
RANKS = Words(
    pt="correlação de postos entre distância e acurácia, com o sinal trocado",
    en="rank correlation of gap and accuracy, with its sign turned",
)
# each of these goes on from "with few images, …"
SAME_PATH = Words(
    pt="até parar, o early stopping percorre o mesmo caminho que a rede sem regularizador",
    en="until it stops, early stopping walks the path of the net without any regulariser",
)
INTERRUPTS = Words(
    pt="a validação piora, e o early stopping interrompe o treino antes do fim",
    en="validation gets worse, and early stopping interrupts the training before its end",
)
BETTER_TOGETHER = Words(
    pt="os quatro juntos acertam mais do que o melhor deles sozinho (o melhor na validação)",
    en="all four together get more right than the best of them alone (the best on validation)",
)
GAP_TELLS = Words(
    pt="entre as redes, quanto menor a distância entre as perdas, mais acertos no teste",
    en="among the nets, the smaller the gap between the losses, the more right answers on the test",
)
FEWER = (
    Words(
        pt="Quanto menos imagens, mais os quatro juntos ajudam",
        en="The fewer the images, the more all four together help",
    ),
    Words(
        pt="ganho com poucas imagens menos ganho com todas, pontos percentuais",
        en="gain with few images minus gain with all, percentage points",
    ),
)


def stopping_findings(runs: dict, study: Study, seeds: list[int]) -> list[Finding]:
    """Return what early stopping does: that it walks the path of the plain net, and whether it leaves it early."""
    found = []
    for size, how in study.sizes.items():
        stopped = [runs[size, ("early_stopping",), seed] for seed in seeds]
        plain = [runs[size, (), seed] for seed in seeds]
        apart = max(
            abs(one - other)
            for cell, whole in zip(stopped, plain)
            for one, other in zip(cell["validation_loss"], whole["validation_loss"])
        )
        found.append(exact((here(size, SAME_PATH), LARGEST), apart, apart == 0))
        early = [cell["step"][-1] < how.steps for cell in stopped]
        verdict = "yes" if all(early) else "unclear" if any(early) else "no"
        found.append(Finding(here(size, INTERRUPTS), SHARE_OF_SEEDS, sum(early) / len(early), None, verdict))
    return found


def effect_findings(runs: dict, study: Study, seeds: list[int], together: tuple[str, ...]) -> list[Finding]:
    """Return what the regularisers win over none, size by size, and how they go together."""
    found = []

    def cells(size: str, names: tuple[str, ...]) -> list[dict]:
        return [runs[size, names, seed] for seed in seeds]

    def gains(size: str, names: tuple[str, ...], over: tuple[str, ...] = ()) -> np.ndarray:
        return points(accuracies_on_test(cells(size, names)), accuracies_on_test(cells(size, over)))

    for size, settings in study.sizes.items():
        singles = [names for names in settings.combinations if len(names) == 1]
        for names in [*singles, together]:
            found.append(over_seeds((here(size, more_right(names, together)), POINTS), gains(size, names)))
        for names in [*singles, together]:
            less = [plain["test_loss"] - cell["test_loss"] for plain, cell in zip(cells(size, ()), cells(size, names))]
            found.append(over_seeds((here(size, lower_loss(names, together)), NATS), less))

        parts = [names for names in singles if names[0] in together]
        best = max(parts, key=lambda names: _mean_validation(cells(size, names)))
        found.append(over_seeds((here(size, BETTER_TOGETHER), POINTS), gains(size, together, over=best)))
        agreement = [_gap_and_accuracy([runs[size, names, seed] for names in settings.combinations]) for seed in seeds]
        found.append(over_seeds((here(size, GAP_TELLS), RANKS), agreement))
    first, last = next(iter(study.sizes)), list(study.sizes)[-1]
    found.append(over_seeds(FEWER, gains(first, together) - gains(last, together)))
    return found


def here(size: str, claim: Words) -> Words:
    """Return the claim with the size of the training set before it."""
    where = SIZES[size]
    return Words(pt=f"{where.pt.capitalize()}, {claim.pt}", en=f"{where.en.capitalize()}, {claim.en}")


def more_right(names: tuple[str, ...], together: tuple[str, ...]) -> Words:
    name = name_of(names, together)
    return Words(
        pt=f"a rede acerta mais com {name.pt} do que sem regularizador",
        en=f"the net gets more right with {name.en} than with no regulariser",
    )


def lower_loss(names: tuple[str, ...], together: tuple[str, ...]) -> Words:
    name = name_of(names, together)
    return Words(
        pt=f"a perda no teste é menor com {name.pt} do que sem regularizador",
        en=f"the test loss is lower with {name.en} than with no regulariser",
    )


def gap(run: dict) -> float:
    """Return validation loss minus training loss at the weights that are kept, in nats an image."""
    return run["validation_loss"][run["kept"]] - run["train_loss"][run["kept"]]


def _mean_validation(cells: list[dict]) -> float:
    return float(np.mean([cell["validation_accuracy"][cell["kept"]] for cell in cells]))


def _gap_and_accuracy(cells: list[dict]) -> float:
    """Return the rank correlation of a small gap with the test accuracy, from -1 to 1, among nets of one seed."""
    gaps, accuracies = [gap(cell) for cell in cells], [cell["test_accuracy"] for cell in cells]
    if len(set(accuracies)) == 1:  # no order to agree with
        return 0.0
    return -float(spearmanr(gaps, accuracies).statistic)
