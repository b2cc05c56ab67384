"""An LSTM and a GRU step by step, with their gates in sight and at hand: what `torch.nn` computes inside.

    LSTM   i, f, o = σ(…)   g = tanh(…)        c = f·c + i·g                h = o·tanh(c)
    GRU    r, z = σ(…)      n = tanh(… r·…)    h = z·h + (1 − z)·n

Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014. A gate is a number between 0
and 1 for each unit and token; f and z say how much of the memory stays.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

KEEPING = {"lstm": "forget", "gru": "update"}  # the gate that says how much of the memory stays
Change = Callable[[str, int, Tensor], Tensor]  # (gate, layer, values (B, H)) -> what is used instead


def unchanged(gate: str, layer: int, values: Tensor) -> Tensor:
    return values


def read_on(net: nn.RNNBase, inputs: Tensor, change: Change = unchanged) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Run an `nn.LSTM` or `nn.GRU` by hand from an empty memory.

    Args:
        net: `batch_first`, without dropout.
        inputs: (B, T, H).
        change: What to use instead of a gate's values.

    Returns:
        The top layer's states (B, T, H), and for each layer the gates that were used, each (B, T, H).
    """
    step = lstm_step if isinstance(net, nn.LSTM) else gru_step
    used = []
    for layer in range(net.num_layers):
        weights = [getattr(net, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        from_below, own = weights[0], weights[1]
        read = inputs @ from_below.T + weights[2]  # (B, T, gates·H), for all tokens at once: no past in it
        hidden = memory = inputs.new_zeros(len(inputs), net.hidden_size)
        states, gates = [], []
        for token in read.unbind(dim=1):  # (B, gates·H)
            hidden, memory, here = step(token, hidden @ own.T + weights[3], hidden, memory, layer, change)
            states.append(hidden)
            gates.append(here)
        inputs = torch.stack(states, dim=1)
        used.append({gate: torch.stack([here[gate] for here in gates], dim=1) for gate in gates[0]})
    return inputs, used


def lstm_step(read: Tensor, recalled: Tensor, hidden: Tensor, memory: Tensor, layer: int, change: Change):
    """Return `hidden`, `memory` and the gates after one token; `read` and `recalled` are (B, 4·H)."""
    i, f, g, o = (read + recalled).chunk(4, dim=1)
    raw = {"input": i, "forget": f, "output": o}
    gates = {gate: change(gate, layer, values.sigmoid()) for gate, values in raw.items()}
    memory = gates["forget"] * memory + gates["input"] * g.tanh()
    return gates["output"] * memory.tanh(), memory, gates


def gru_step(read: Tensor, recalled: Tensor, hidden: Tensor, memory: Tensor, layer: int, change: Change):
    """Return `hidden`, `memory`, which of a GRU are the same, and the gates; `read` and `recalled` are (B, 3·H)."""
    (r, z, n), (own_r, own_z, own_n) = read.chunk(3, dim=1), recalled.chunk(3, dim=1)
    raw = {"reset": r + own_r, "update": z + own_z}
    gates = {gate: change(gate, layer, values.sigmoid()) for gate, values in raw.items()}
    candidate = (n + gates["reset"] * own_n).tanh()
    hidden = gates["update"] * hidden + (1 - gates["update"]) * candidate
    return hidden, hidden, gates
