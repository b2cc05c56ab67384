"""Two things that are easily taken for one: a blocked pair of unit and example, and a dead unit.

On the way back, the gradient of a unit's weighted sum z is multiplied by f'(z). Where that is close to zero, the pair
is blocked: this example does not move this unit. The unit is dead only when all of its pairs are blocked, and so
completely that nothing moves it any more. For ReLU, whose derivative is 0 or 1, that is z < 0 for every example.
"""

from torch import Tensor

from hf_llm.experiments.shared.activation_functions import ACTIVATIONS

BLOCKED = 0.01  # a pair is blocked when less than this fraction of the gradient passes
DEAD = 1e-6  # a unit is dead when less than this fraction passes, whatever the example


def blocked_share(activation: str, z: Tensor) -> float:
    """Return the share of pairs that are blocked; z (examples, units), or of any other shape."""
    return float((ACTIVATIONS[activation].derivative(z).abs() < BLOCKED).double().mean())


def dead_units(activation: str, z: Tensor) -> Tensor:
    """Return which units let no gradient through for any example, (units,); z (examples, units)."""
    return ACTIVATIONS[activation].derivative(z).abs().amax(dim=0) < DEAD
