"""Judges: language models that are read by label likelihood, and rules, whose biases are known, as controls.

A judge's answers are log-odds: above 0 it says yes to a case, and prefers the first of a pair.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.evaluation.label_likelihood import label_log_probabilities
from hf_llm.experiments.frame import Study
from hf_llm.experiments.llm_judge.cases import FIRST_SECOND, PASS, YES_NO, Case, Pair, instructed
from hf_llm.experiments.llm_judge.history import biased_lead, biased_score
from hf_llm.experiments.llm_judge.training import trained_model
from hf_llm.models.loading import load_causal_lm
from hf_llm.tokenization.tokenizer import load_tokenizer

RULES = ("random", "rubric", "biased_rule")
NAMED = (*RULES, "fair", "history")  # all but those that learned without names


@dataclass(frozen=True)
class Judge:
    """Who decides; both functions return log-odds, shape (N,)."""

    yes: Callable[[Sequence[Case]], np.ndarray]  # of approving each case
    first: Callable[[Sequence[Pair]], np.ndarray]  # of preferring the first of each pair


def judges(study: Study, kinds: Sequence[str]) -> Iterator[tuple[int, str, Judge]]:
    """Yield every seed's judges of these kinds, and the one that `--judge` names, reporting how many are done."""
    kinds = [*kinds, "given"] if study.judge else kinds
    for seed, kind in study.track([(seed, kind) for seed in study.seeds for kind in kinds]):
        yield seed, kind, judge_of(kind, study, seed)


def judge_of(kind: str, study: Study, seed: int) -> Judge:
    """Return a judge: one of `RULES`, "given", or a GPT-2 trained on the history of that name."""
    match kind:
        case "random":
            random = np.random.default_rng([seed, 3])
            return Judge(lambda cases: random.normal(size=len(cases)), lambda pairs: random.normal(size=len(pairs)))
        case "rubric":
            return rule(lambda case: case.score, lambda pair: pair.lead)
        case "biased_rule":
            return rule(biased_score, biased_lead)
        case "given":
            return language_model_judge(*given_model(study.judge), instructed)
    return language_model_judge(*trained_model(kind, study.quick, seed), lambda item: item.prompt)


def rule(score: Callable[[Case], float], lead: Callable[[Pair], float]) -> Judge:
    """Return the judge that counts points; between equals it takes the one whose facts sort first, wherever it is."""

    def first(pairs: Sequence[Pair]) -> np.ndarray:
        return np.array([lead(pair) or (0.5 if pair.first.facts < pair.second.facts else -0.5) for pair in pairs])

    return Judge(lambda cases: np.array([score(case) - PASS + 0.5 for case in cases]), first)


def language_model_judge(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt_of: Callable[[Case | Pair], str]
) -> Judge:
    """Return the judge that a causal LM is when the likelihoods of its labels are compared."""

    def log_odds(items: Sequence[Case | Pair], labels_of: Callable) -> np.ndarray:
        prompts, labels = [prompt_of(item) for item in items], [labels_of(item) for item in items]
        odds = np.empty(len(items))
        for pair in dict.fromkeys(labels):
            places = [place for place, own in enumerate(labels) if own == pair]
            scores = label_log_probabilities(model, tokenizer, [prompts[place] for place in places], list(pair))
            odds[places] = scores[:, 0] - scores[:, 1]
        return odds

    return Judge(
        lambda cases: log_odds(cases, lambda case: YES_NO[case.lang]),
        lambda pairs: log_odds(pairs, lambda pair: FIRST_SECOND),
    )


@lru_cache(maxsize=1)
def given_model(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load the causal LM of `--judge`, a folder or a Hub id."""
    return load_causal_lm(name), load_tokenizer(name)
