"""Recurrent nets with equally many parameters read an image row by row: ReLU, tanh, and cells with gates.

torch's LSTM and GRU are compared with their formulas too: sigmoid in the gates, tanh beside them, no ReLU.
"""

from functools import partial

import pandas as pd
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

from hf_llm.data.images import CLASSES, SIDE
from hf_llm.experiments.architectures.training import Images, draw_accuracy, more_accurate, race
from hf_llm.experiments.frame import Finding, Study, Tables, exact, means

STEPS = (20, 250)  # of the short and of the full version
ROUNDING = 1e-5  # of sums in fp32
# hidden units of equally many weights as nearly as whole units allow, about 21,600
RECURRENT = {
    "rnn_relu": (nn.RNN, 128, {"nonlinearity": "relu"}),
    "rnn_relu_identity": (nn.RNN, 128, {"nonlinearity": "relu"}),
    "rnn_tanh": (nn.RNN, 128, {"nonlinearity": "tanh"}),
    "rnn_tanh_identity": (nn.RNN, 128, {"nonlinearity": "tanh"}),
    "gru": (nn.GRU, 70, {}),
    "lstm": (nn.LSTM, 59, {}),
}


def measure(study: Study) -> Tables:
    """Train each net, and compare the cells with gates with their formulas."""
    images, steps = Images.of(study), study.pick(*STEPS)
    nets = {name: partial(RowReader, name) for name in RECURRENT}
    raced = race(study, images, "recurrent", nets, lambda net, model, rate, seed: images.fit(model, steps, rate, seed))
    return {**raced, "formulas": pd.DataFrame(from_formulas().items(), columns=["cell", "difference"])}


class RowReader(nn.Module):
    """A recurrent net of `RECURRENT` that reads an image from the top, one row of pixels a step, and names the digit.

    Weights are drawn as torch draws them. With "identity" in its name, the state is handed on as it is at first (Le,
    Jaitly and Hinton 2015, "A simple way to initialize recurrent networks of rectified linear units").
    """

    def __init__(self, name: str, seed: int):
        super().__init__()
        recurrent, hidden, settings = RECURRENT[name]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.recurrent = recurrent(SIDE, hidden, batch_first=True, **settings)
            self.classifier = nn.Linear(hidden, CLASSES)
        if "identity" in name:
            nn.init.eye_(self.recurrent.weight_hh_l0)
            for bias in (self.recurrent.bias_hh_l0, self.recurrent.bias_ih_l0):
                nn.init.zeros_(bias)

    def forward(self, pixel_values: Tensor) -> ImageClassifierOutput:
        """Return the logits (B, 10) of images (B, 1, 28, 28)."""
        states, _ = self.recurrent(pixel_values.squeeze(1))  # (B, 28, hidden)
        return ImageClassifierOutput(logits=self.classifier(states[:, -1]))


@torch.no_grad()
def from_formulas() -> dict[str, float]:
    """Return the largest difference between torch's LSTM and GRU and their formulas with sigmoid and tanh alone."""
    x = torch.randn(4, 10, 3, generator=torch.Generator().manual_seed(0))  # (B, steps, inputs)
    differences = {}
    for name, cell, step in (("lstm", nn.LSTM, lstm_step), ("gru", nn.GRU, gru_step)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = cell(3, 5, batch_first=True)
        states, _ = net(x)  # (B, steps, hidden)
        state, differences[name] = (torch.zeros(4, 5), torch.zeros(4, 5)), 0.0
        for t in range(x.shape[1]):
            state = step(net, x[:, t], *state)
            differences[name] = max(differences[name], float((states[:, t] - state[0]).abs().max()))
    return differences


def lstm_step(net: nn.LSTM, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return (h, c), each (B, hidden), after one step (Hochreiter and Schmidhuber 1997; forget gate of Gers 2000)."""
    sums = x @ net.weight_ih_l0.T + net.bias_ih_l0 + h @ net.weight_hh_l0.T + net.bias_hh_l0  # (B, 4·hidden)
    let_in, keep, new, let_out = sums.chunk(4, dim=1)
    c = torch.sigmoid(keep) * c + torch.sigmoid(let_in) * torch.tanh(new)
    return torch.sigmoid(let_out) * torch.tanh(c), c


def gru_step(net: nn.GRU, x: Tensor, h: Tensor, unused: Tensor) -> tuple[Tensor, Tensor]:
    """Return (h, unused) after one step (Cho et al. 2014)."""
    from_input = (x @ net.weight_ih_l0.T + net.bias_ih_l0).chunk(3, dim=1)
    from_state = (h @ net.weight_hh_l0.T + net.bias_hh_l0).chunk(3, dim=1)
    reset = torch.sigmoid(from_input[0] + from_state[0])
    keep = torch.sigmoid(from_input[1] + from_state[1])
    new = torch.tanh(from_input[2] + reset * from_state[2])
    return (1 - keep) * new + keep * h, unused


def findings(tables: Tables) -> list[Finding]:
    table, largest = tables["recurrent"], tables["formulas"].set_index("cell")["difference"]
    return [
        # each activation from both starts, and the better start of ReLU against the cells with gates
        more_accurate("relu_over_tanh_recurrent", table, "rnn_relu", "rnn_tanh"),
        more_accurate("relu_over_tanh_identity", table, "rnn_relu_identity", "rnn_tanh_identity"),
        *(more_accurate(f"relu_over_{cell}", table, "rnn_relu_identity", cell) for cell in ("gru", "lstm")),
        *(exact(f"{cell}_is_its_formula", largest[cell], ROUNDING, "below") for cell in ("lstm", "gru")),
    ]


FIGURES = {"recurrent": partial(draw_accuracy, table="recurrent", width=5.6, height=2.8)}
SUMMARIES = {"recurrent": lambda tables: means(tables["recurrent"], ["net"], ["parameters", "rate", "accuracy"])}
