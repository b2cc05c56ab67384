"""Lab `architectures`, the claims about the four families, about depth and shortcuts, and about speed."""

import numpy as np

from hf_llm.experiments.architectures.words import CONVOLUTIONAL_FAMILIES, FAMILIES
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.seed_comparison import POINTS, accuracies_on_test, points

TIMES = Words(pt="quantas vezes mais imagens", en="how many times as many images")


def family_findings(families: dict[str, list[dict]]) -> list[Finding]:
    """Return what nets of equal size say; {name: cells by seed}."""
    found = []
    for better, worse in (("lenet", "mlp"), ("resnet", "lenet"), ("efficientnet", "lenet")):
        article = "o" if worse == "mlp" else "a"
        claim = Words(
            pt=f"Com os mesmos parâmetros e passos, a {FAMILIES[better].pt} acerta mais do que {article} "
            f"{FAMILIES[worse].pt}",
            en=f"With equal parameters and steps, the {FAMILIES[better].en} gets more right than the "
            f"{FAMILIES[worse].en}",
        )
        gains = points(accuracies_on_test(families[better]), accuracies_on_test(families[worse]))
        found.append(over_seeds((claim, POINTS), gains))
    return found


def depth_findings(depths: dict[tuple[int, bool], list[dict]]) -> list[Finding]:
    """Return what shortcuts do to a shallow and to a deep ResNet; {(blocks, shortcuts): cells by seed}."""
    shallow, deep = min(blocks for blocks, _ in depths), max(blocks for blocks, _ in depths)

    def compare(claim: Words, one: tuple[int, bool], other: tuple[int, bool]) -> Finding:
        return over_seeds((claim, POINTS), points(accuracies_on_test(depths[one]), accuracies_on_test(depths[other])))

    return [
        compare(
            Words(
                pt="Nos mesmos passos, a ResNet rasa acerta mais com skip connections do que sem",
                en="In equal steps, the shallow ResNet gets more right with skip connections than without",
            ),
            (shallow, True), (shallow, False),
        ),
        compare(
            Words(
                pt="Nos mesmos passos, a ResNet profunda acerta mais com skip connections do que sem",
                en="In equal steps, the deep ResNet gets more right with skip connections than without",
            ),
            (deep, True), (deep, False),
        ),
        compare(
            Words(
                pt="Sem skip connections, a ResNet profunda acerta menos do que a rasa nos mesmos passos",
                en="Without skip connections, the deep ResNet gets fewer right than the shallow one in equal steps",
            ),
            (shallow, False), (deep, False),
        ),
        compare(
            Words(
                pt="Mesmo com skip connections, a ResNet profunda acerta menos do que a rasa nos mesmos passos",
                en="Even with skip connections, the deep ResNet gets fewer right than the shallow one in equal steps",
            ),
            (shallow, True), (deep, True),
        ),
    ]  # fmt: skip


def timing_findings(throughput: dict[str, np.ndarray], in_time: dict[str, list[dict]]) -> list[Finding]:
    """Return what the clock says: {family: images a second by seed} in training, and the nets of equal time."""
    faster, better = [], []
    for name in CONVOLUTIONAL_FAMILIES:
        claim = Words(
            pt=f"Com os mesmos parâmetros, o MLP treina mais imagens por segundo do que a {FAMILIES[name].pt}",
            en=f"With equal parameters, the MLP trains more images a second than the {FAMILIES[name].en}",
        )
        faster.append(over_seeds((claim, TIMES), throughput["mlp"] / throughput[name], threshold=1.0))
        claim = Words(
            pt=f"No mesmo tempo de treino, a {FAMILIES[name].pt} acerta mais do que o MLP",
            en=f"In equal training time, the {FAMILIES[name].en} gets more right than the MLP",
        )
        gains = points(accuracies_on_test(in_time[name]), accuracies_on_test(in_time["mlp"]))
        better.append(over_seeds((claim, POINTS), gains))
    return faster + better
