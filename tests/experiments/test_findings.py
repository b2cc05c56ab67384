"""A finding's verdict is computed from its interval."""

import pytest

from hf_llm.experiments.findings import below, exact, over_seeds
from hf_llm.experiments.result import Words

SAID = (Words(pt="afirmação", en="claim"), Words(pt="medida", en="measure"))


@pytest.mark.parametrize(
    ("values", "above"), [([1.0, 1.1, 0.9], "yes"), ([0.4, -0.4, 0.1], "unclear"), ([-1, -1.1], "no")]
)
def test_a_mean_is_judged_against_its_threshold_from_both_sides(values, above):
    finding = over_seeds(SAID, values)
    assert finding.supported == above
    assert finding.interval[0] < finding.value < finding.interval[1]
    assert below(SAID, values, 0.0).supported == {"yes": "no", "no": "yes", "unclear": "unclear"}[above]


def test_one_seed_says_nothing():
    assert over_seeds(SAID, [5.0]).supported == below(SAID, [5.0], 9.0).supported == "unclear"


def test_the_threshold_counts():
    assert over_seeds(SAID, [1.0, 1.1, 0.9], threshold=2.0).supported == "no"
    assert below(SAID, [1.0, 1.1, 0.9], 2.0).supported == "yes"


def test_an_identity_has_no_interval():
    assert exact(SAID, 0, True).interval is None
    assert exact(SAID, 0, False).supported == "no"
