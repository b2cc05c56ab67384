"""When is an engine's text the same, when a tie, and when another model's?"""

import pytest
import torch

from hf_llm.exports.check import compare
from hf_llm.exports.engine import Continuation, continue_greedily

PROMPTS = ["Era uma vez", "The boat"]


class Parrot:
    """An engine that says what transformers says, but for a change."""

    precision = 1e-4

    def __init__(self, source, change=lambda prompt_ids, new_ids: (prompt_ids, new_ids)):
        self.source, self.change = source, change

    def continue_text(self, prompt, tokens):
        ids = self.source.ids(prompt)
        return Continuation(*self.change(ids, self.source.greedy(ids, tokens)))


def compared(source, change, prompts=PROMPTS):
    return compare(source, {"parrot": Parrot(source, change)}, prompts, 6)["parrot"]


def test_the_same_texts_are_identical(make_source):
    result = compared(make_source(), lambda prompt, new: (prompt, new))
    assert (result.prompts, result.identical) == (2, 2)
    assert not result.ties + result.near + result.different
    assert result.summary() == "2 of 2 greedy texts identical to transformers'"


@pytest.mark.parametrize(
    "change",
    [
        lambda prompt, new: (prompt, [*new[:2], 5 + (new[2] == 5), *new[3:]]),  # another token
        lambda prompt, new: (prompt, new[:-1]),  # it stopped early
        lambda prompt, new: (prompt, [*new, 7]),  # it went on
        lambda prompt, new: (prompt[1:], new),  # no token begins the document
    ],
)
def test_another_text_is_a_difference(make_source, change):
    result = compared(make_source(), change)
    assert len(result.different) == 2
    assert "2 different" in result.summary()


@pytest.mark.parametrize(("gap", "kind"), [(0.0, "ties"), (5e-5, "ties"), (1e-3, "near"), (0.1, "different")])
def test_a_gap_of_two_logits_decides(make_source, gap, kind):
    """Two tokens get the same embedding, which is also the output head, but for what makes the gap."""
    source = make_source(n_layer=1)
    ids = source.ids(PROMPTS[0])
    with torch.no_grad():
        best = int(source.logits(ids).argmax())
        other = next(id for id in range(best + 1, 300) if id not in ids)  # of equal ones the first is taken
        weights = source.model.transformer.wte.weight
        hidden = source.model.transformer(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
        weights[other] = weights[best] - gap * hidden / hidden.dot(hidden)
    engine = Parrot(source, lambda prompt, new: (prompt, [other, *new[1:]]))
    engine.precision = 1e-2
    result = compare(source, {"parrot": engine}, PROMPTS[:1], 3)["parrot"]
    assert len(getattr(result, kind)) == 1
    assert getattr(result, kind)[0]["gap"] == pytest.approx(gap, abs=2e-5)


def test_greedy_stops_behind_an_end_token_and_reads_each_token_once():
    read, answers = [], iter([[0, 1, 0], [0, 0, 1], [1, 0, 0]])

    def step(ids):
        read.append(ids)
        return next(answers)

    assert continue_greedily(step, [9, 8], 5, ends=[2]) == ([9, 8], [1, 2])
    assert read == [[9, 8], [1]]


def test_prompts_leave_room_in_the_context(make_source):
    source = make_source(n_positions=24)
    prompts = source.prompts(30, 8)
    assert prompts == source.prompts(30, 8)
    assert len(set(prompts)) > 20
    assert all(len(source.ids(prompt)) + 8 < 24 for prompt in prompts)
