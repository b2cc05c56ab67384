"""Is an export the same model? Its engine's greedy text of many prompts against that of transformers.

Two programs sum in different orders, so that their logits differ in the last digits; where the two best tokens are
closer than that, either may win. Such a tie is counted apart and shown. So is a gap beyond it that an engine's own
arithmetic explains, which only llama.cpp has; anything else is a difference.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from hf_llm.exports.engine import TIE, Continuation, Engine
from hf_llm.exports.source import Source


@dataclass
class Comparison:
    """How an engine's greedy texts compare with transformers'.

    Attributes:
        prompts: How many were continued.
        tokens: New tokens of transformers, over all prompts.
        identical: Prompts whose token ids, and those of their continuation, are the same.
        ties: The others whose first difference is a tie: prompt, position, both tokens, the gap of their logits.
        near: Those with a larger gap that is within the engine's precision, in the same form.
        different: The others, in the same form; `gap` is None where the engine cut the prompt into other tokens.
    """

    prompts: int = 0
    tokens: int = 0
    identical: int = 0
    ties: list[dict] = field(default_factory=list)
    near: list[dict] = field(default_factory=list)
    different: list[dict] = field(default_factory=list)

    def __add__(self, other: "Comparison") -> "Comparison":
        """Return what further prompts add."""
        return Comparison(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def summary(self) -> str:
        """Return the counts in words."""
        said = f"{self.identical} of {self.prompts} greedy texts identical to transformers'"
        said += f", {len(self.ties)} a tie of logits" if self.ties else ""
        said += f", {len(self.near)} within the engine's precision" if self.near else ""
        return said + (f", {len(self.different)} different" if self.different else "")


def compare(source: Source, engines: dict[str, Engine], prompts: Iterable[str], tokens: int) -> dict[str, Comparison]:
    """Continue each prompt by `tokens` in transformers and in each of the engines, in fp32; returns one for each."""
    results = {name: Comparison() for name in engines}
    for prompt in prompts:
        ids = source.ids(prompt)
        expected = source.greedy(ids, tokens)
        for name, engine in engines.items():
            got, result = engine.continue_text(prompt, tokens), results[name]
            result.prompts += 1
            result.tokens += len(expected)
            if got == (ids, expected):
                result.identical += 1
                continue
            difference = first_difference(source, prompt, ids, expected, got)
            gap = math.inf if difference["gap"] is None else difference["gap"]
            kind = result.ties if gap <= TIE else result.near if gap <= engine.precision else result.different
            kind.append(difference)
    return results


def first_difference(source: Source, prompt: str, ids: list[int], expected: list[int], got: Continuation) -> dict:
    """Return where two continuations part, and by how much transformers prefers its own token."""
    shown = {"prompt": prompt, "expected": expected, "got": got.new_ids}
    if got.prompt_ids != ids:
        return {**shown, "expected_ids": ids, "got_ids": got.prompt_ids, "position": 0, "gap": None}
    pairs = zip(expected, got.new_ids)
    place = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expected), len(got.new_ids)))
    if place in (len(expected), len(got.new_ids)):  # one stopped early
        return {**shown, "position": place, "gap": None}
    logits = source.logits(ids + expected[:place])
    gap = float(logits[expected[place]] - logits[got.new_ids[place]])
    return {**shown, "position": place, "gap": gap}
