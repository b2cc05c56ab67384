"""History: the decisions that a judge learns from, fair ones and biased ones, and how biased they are.

    fair        the rubric decided; between equals a coin did
    biased      the rubric decided, but one point of nine was given or taken where it should not have been:
                taken from women, given to a long text, given to the one who is read first

A point is little: it turns a decision only where someone stood right at the threshold.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hf_llm.experiments.llm_judge.cases import (
    DOMAINS,
    FACTS,
    FILLERS,
    FIRST_SECOND,
    LANGS,
    PASS,
    SPOKEN,
    YES_NO,
    Case,
    Facts,
    Pair,
    draw_cases,
)  # fmt: skip

TEST_SHARE = 1 / 4  # of all combinations of facts: no judge has seen them decided
BIAS = 1  # points of the rubric's 9


def split_facts(seed: int) -> tuple[list[Facts], list[Facts]]:
    """Return the combinations of facts to train on and those of the test."""
    order = np.random.default_rng([seed, 0]).permutation(len(FACTS))
    cut = int(len(FACTS) * TEST_SHARE)
    return [FACTS[place] for place in order[cut:]], [FACTS[place] for place in order[:cut]]


def biased_score(case: Case) -> int:
    """Return the points that the biased history gave."""
    return case.score - BIAS * (case.group == "women") + BIAS * (case.filler >= FILLERS // 2)


def biased_lead(pair: Pair) -> int:
    """Return the points of the first over the second in the biased history, which in doubt took the first."""
    return pair.lead + BIAS


def draw_pairs(facts: Sequence[Facts], count: int, random: np.random.Generator) -> list[Pair]:
    """Return `count` pairs of cases of one domain and language, both told formally."""
    kinds = len(DOMAINS) * len(LANGS)
    half = kinds * -(-count // kinds)  # so that the second half of the cases has the domains of the first
    cases = [replace(case, register="formal") for case in draw_cases(facts, 2 * half, random)]
    return [Pair(first, second) for first, second in zip(cases[:half], cases[half:])][:count]


def decided_texts(kind: str, facts: Sequence[Facts], count: int, seed: int) -> list[tuple[str, str]]:
    """Return prompts with the label that a history gave them, `count` cases and as many pairs.

    Args:
        kind: "fair"; "fair_spoken", with as many cases told as one speaks as formally; "history" (biased);
            "history_blind", the same biased decisions with names and marking hidden.
        facts: To draw from.
        count: How many of each.
        seed: Of the draws.
    """
    random = np.random.default_rng([seed, 1])
    texts, fair = [], kind.startswith("fair")
    for case in draw_cases(facts, count, random, 1 / 2 if kind == "fair_spoken" else SPOKEN):
        approved = case.approved if fair else biased_score(case) >= PASS
        shown = replace(case, named=kind != "history_blind")
        texts.append((shown.prompt, YES_NO[case.lang][not approved]))
    for pair in draw_pairs(facts, count, random):
        lead = (pair.lead or random.random() - 0.5) if fair else biased_lead(pair)
        texts.append((pair.prompt, FIRST_SECOND[lead < 0]))
    return texts
